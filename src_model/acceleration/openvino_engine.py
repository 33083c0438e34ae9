"""The heavy parts of the network through OpenVINO on the CPU, in the precision that autocast asks for."""

from __future__ import annotations

import logging
import threading
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from src_model.acceleration.blobs import BlobFolder
from src_model.acceleration.graphs import EncoderGraph, FirstSelfAttentionGraph, MemoryAttentionGraph, rotation_tables
from src_model.acceleration.programs import Program, ProgramRequest, load_program
from src_model.folders import cache_folder
from src_model.nn import ImageFeatures
from src_model.nn.compute import compute_dtype
from src_model.nn.layers import flatten_map, unflatten_map
from src_model.nn.position_encoding import sine_map

if TYPE_CHECKING:
    from collections.abc import Callable

    from src_model.nn import MemoryTokens, Sam2Network

_log = logging.getLogger(__name__)

_MOST_SCORES = 10 * 2**20
"""Scores of one attention up to which OpenVINO was measured to be faster; torch computes larger ones in blocks."""

_WINDOWS = 224
"""Sides of which windows divide the maps of images. Others are padded, which torch does without: in float32, that makes
it faster than OpenVINO."""

_EXAMPLE_SIDE, _EXAMPLE_MAPS, _EXAMPLE_POINTERS = 8, 2, 8


class OpenVinoEngine:
    """Computes what OpenVINO does faster, and leaves the rest to the network.

    Programs are made at the first use of each, which takes seconds, and read from disk later, which does not. A part
    that cannot be made is logged, and the network computes it from then on.

    Parameters
    ----------
    network
        In evaluation mode, on the CPU; its weights must stay as they are.
    folder
        Where compiled programs are kept; the user's cache folder if left out.
    """

    name = "openvino"

    def __init__(self, network: Sam2Network, folder: BlobFolder | None = None) -> None:
        self.network = network
        self.failures: dict[str, str] = {}
        self._folder = folder or BlobFolder(cache_folder("openvino"))
        self._programs: dict[tuple[str, torch.dtype, int], Program] = {}
        self._lock = threading.Lock()

    @property
    def parts(self) -> list[str]:
        """What programs have computed so far."""
        with self._lock:
            return sorted({part for part, *_ in self._programs})

    def encode_image(self, images: Tensor) -> ImageFeatures:
        """Encode ``(B, 3, S, S)`` images, one after the other."""
        side = images.shape[-1]
        dtype = compute_dtype(images)
        if side % _WINDOWS and dtype == torch.float32:
            return self.network.encode_image(images)
        program = self._program(f"image encoder at {side} px", partial(self._encoder, side), dtype)
        if program is None:
            return self.network.encode_image(images)
        rows = [program(image[None]) for image in images]
        embedding, first, second = (
            torch.cat(parts) if len(parts) > 1 else parts[0] for parts in zip(*rows, strict=True)
        )
        return ImageFeatures(embedding, (first, second))

    def attend_memory(self, embedding: Tensor, memory: MemoryTokens) -> Tensor:
        """Condition ``(B or 1, 256, h, w)`` on memory, one object after the other."""
        return self.network.attend_memory(embedding, memory, attention=self._attention)

    def _attention(
        self, embedding: Tensor, memory: Tensor, positions: Tensor, num_pointers: int, bias: Tensor | None = None
    ) -> Tensor:
        """Do what :class:`~src_model.nn.memory_attention.MemoryAttention` does."""
        programs = self._attention_programs(embedding, memory.shape[1]) if bias is None else None
        if programs is None:
            conditioned: Tensor = self.network.memory_attention(embedding, memory, positions, num_pointers, bias)
            return conditioned
        first, attention = programs
        channels, height, width = embedding.shape[1:]
        x = flatten_map(embedding + 0.1 * sine_map(channels, height, width, embedding.device))
        places = rotation_tables(channels, height, width)
        maps = (memory.shape[1] - num_pointers) // (height * width)
        memory_places = rotation_tables(channels, height, width, maps, num_pointers)
        opened = torch.cat([first(row[None], *places)[0] for row in x])
        batch = len(memory)
        rows = zip(*(part.expand(batch, -1, -1)[:, None] for part in (opened, memory, positions)), strict=True)
        return unflatten_map(torch.cat([attention(*row, *places, *memory_places)[0] for row in rows]), height, width)

    def _attention_programs(self, embedding: Tensor, memory_tokens: int) -> tuple[Program, Program] | None:
        """Return both programs of the memory attention; None if torch does it, or does it faster."""
        tokens, dtype = embedding.shape[-2] * embedding.shape[-1], compute_dtype(embedding)
        if tokens * max(tokens, memory_tokens) > _MOST_SCORES:
            return None
        first = self._program("first self-attention", self._first_self_attention, dtype)
        attention = self._program("memory attention", self._memory_attention, dtype)
        return None if first is None or attention is None else (first, attention)

    def _program(self, part: str, describe: Callable[[], ProgramRequest], dtype: torch.dtype) -> Program | None:
        """Return the program of a part; None if torch has to do it."""
        threads = torch.get_num_threads()
        with self._lock:
            if part in self.failures:
                return None
            held = self._programs.get((part, dtype, threads))
            if held is None:
                try:
                    held = load_program(describe(), dtype, threads, self._folder)
                except Exception as error:  # whatever fails in there, torch can do it
                    self.failures[part] = f"{type(error).__name__}: {' '.join(str(error).split())}"
                    _log.warning("torch computes the %s, since OpenVINO cannot: %s", part, self.failures[part])
                    return None
                self._programs[part, dtype, threads] = held
            return held

    def _encoder(self, side: int) -> ProgramRequest:
        network = self.network
        weights = (*network.image_encoder.parameters(), *network.sam_mask_decoder.parameters())
        shape = (1, 3, side, side)
        return ProgramRequest(
            partial(EncoderGraph, network), weights, "image encoder", (shape,), lambda: (_noise(*shape),)
        )

    def _first_self_attention(self) -> ProgramRequest:
        width, weights = self.network.config.width, tuple(self.network.memory_attention.layers[0].parameters())
        shapes = ((1, -1, width), (-1, width), (-1, width))
        return ProgramRequest(
            partial(FirstSelfAttentionGraph, self.network),
            weights,
            "first self-attention",
            shapes,
            lambda: self._example()[0],
        )

    def _memory_attention(self) -> ProgramRequest:
        config, weights = self.network.config, tuple(self.network.memory_attention.parameters())
        tokens, memory, table = (1, -1, config.width), (1, -1, config.memory_width), (-1, config.width)
        shapes = (tokens, memory, memory, table, table, table, table)
        return ProgramRequest(
            partial(MemoryAttentionGraph, self.network), weights, "memory attention", shapes, lambda: self._example()[1]
        )

    def _example(self) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Make inputs for both parts of the memory attention."""
        config, side = self.network.config, _EXAMPLE_SIDE
        places = rotation_tables(config.width, side, side)
        tokens = _noise(1, side * side, config.width)
        length = _EXAMPLE_MAPS * side * side + _EXAMPLE_POINTERS
        memory = _noise(1, length, config.memory_width), _noise(1, length, config.memory_width)
        memory_places = rotation_tables(config.width, side, side, _EXAMPLE_MAPS, _EXAMPLE_POINTERS)
        return (tokens, *places), (tokens, *memory, *places, *memory_places)


def _noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))
