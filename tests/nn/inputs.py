"""Random inputs for networks, and copies of a network that see their object always or never."""

from __future__ import annotations

import copy

import torch

from src_model.nn import ImageFeatures, MemoryTokens, PromptTensors, Sam2Network

CPU = torch.device("cpu")
SIDE = 4  # tokens of an input of 64 x 64 pixels


def features(batch: int = 2, side: int = SIDE) -> ImageFeatures:
    fine = (torch.randn(batch, 32, 4 * side, 4 * side), torch.randn(batch, 64, 2 * side, 2 * side))
    return ImageFeatures(torch.randn(batch, 256, side, side), fine)


def bank(ages: tuple[int, ...] = (0, 1, 2), offsets: tuple[int, ...] = (3, 1, 2), batch: int = 2) -> MemoryTokens:
    memories = torch.randn(batch, len(ages), 64, SIDE, SIDE)
    return MemoryTokens(memories, (ages,), torch.randn(batch, len(offsets), 256), (offsets,), pointer_horizon=16)


def click(batch: int = 2) -> PromptTensors:
    return PromptTensors(torch.rand(batch, 1, 2) * 64, torch.ones(batch, 1, dtype=torch.int64))


def with_presence(network: Sam2Network, logit: float) -> Sam2Network:
    """A copy whose occlusion score is the same for every object."""
    changed = copy.deepcopy(network)
    last = changed.sam_mask_decoder.pred_obj_score_head.layers[-1]
    with torch.no_grad():
        last.weight.zero_()
        last.bias.fill_(logit)
    return changed
