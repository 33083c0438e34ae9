"""Floating point operations that the parts of a network need for a tracked frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.utils.flop_counter import FlopCounterMode

from src_model.nn import MODEL_CONFIGS, MemoryTokens, PromptTensors, build_network

if TYPE_CHECKING:
    from collections.abc import Callable


def operations(name: str, size: int, objects: int) -> dict[str, float]:
    """Count those of each part for a frame with a full memory bank, on a network without numbers."""
    side = size // 16
    with torch.device("meta"), torch.no_grad():
        network = build_network(MODEL_CONFIGS[name]).requires_grad_(False)
        one = network.encode_image(torch.empty(1, 3, size, size))
        every, count = one.expand(objects), network.config.num_memories
        pointers = network.config.max_pointers
        memory = MemoryTokens(
            torch.empty(objects, count, network.config.memory_width, side, side),
            (tuple(range(count)),),
            torch.empty(objects, pointers, network.config.width),
            (tuple(range(pointers)),),
            pointers,
        )
        prompts = PromptTensors.none(objects, torch.device("meta"))
        logits = torch.empty(objects, 1, 4 * side, 4 * side)
        return {
            "image encoder": _counted(lambda: network.encode_image(torch.empty(1, 3, size, size))),
            "memory attention": _counted(lambda: network.attend_memory(one.embedding, memory)),
            "heads": _counted(
                lambda: network.decode(every.embedding, every.high_res, prompts, multimask=True).where_present()
            ),
            "memory encoder": _counted(
                lambda: network.encode_memory(one.embedding, logits, torch.empty(objects, 1), binarize=False)
            ),
        }


def _counted(part: Callable[[], object]) -> float:
    with FlopCounterMode(display=False) as counter:
        part()
    return float(counter.get_total_flops())
