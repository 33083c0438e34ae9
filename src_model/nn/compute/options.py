"""Which fast ways of computing are used: all of them, unless a measurement or an export asks for less."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor


@dataclass(frozen=True, slots=True)
class ComputeOptions:
    """Ways of computing the same numbers faster, each of which can be left out.

    Attributes
    ----------
    packed_linear
        Linear layers without gradient run through oneDNN on CPU.
    packed_convolution
        The convolutions of the image encoder run through oneDNN on CPU together with their activation.
    tiled
        The image encoder computes large maps on CPU tile by tile, so that what lies between two layers stays in
        cache.
    unpadded_windows
        What windows of the image encoder see beyond the edges of a map is not computed on CPU, but counted.
    attention_by_products
        Attention is written as matrix products on CPU, instead of torch's fused kernel.
    values_after_attention
        Memory attention averages the narrow memories and projects the average, instead of projecting every memory.
    shared_self_attention
        What the first layer of the memory attention computes from the image alone is computed once for all objects.
    """

    packed_linear: bool = True
    packed_convolution: bool = True
    tiled: bool = True
    unpadded_windows: bool = True
    attention_by_products: bool = True
    values_after_attention: bool = True
    shared_self_attention: bool = True


PLAIN_COMPUTE = ComputeOptions(**{option.name: False for option in fields(ComputeOptions)})
"""The network as it is written in the paper, in torch's public operators alone."""

_in_use = ComputeOptions()


def compute_options() -> ComputeOptions:
    """Return what is in use; nothing while a graph is being traced, whose operators must be known to others."""
    tracer: Any = torch.jit
    if tracer.is_tracing() or torch.compiler.is_compiling():
        return PLAIN_COMPUTE
    return _in_use


@contextmanager
def compute_with(choice: ComputeOptions) -> Iterator[None]:
    """Compute with other options for a while, in all threads."""
    global _in_use
    before, _in_use = _in_use, choice
    try:
        yield
    finally:
        _in_use = before


def compute_dtype(x: Tensor) -> torch.dtype:
    """Return the type in which autocast, if it is on, computes with ``x``."""
    kind = x.device.type
    if torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind):
        return torch.get_autocast_dtype(kind)
    return x.dtype


def needs_gradient(*tensors: Tensor | None) -> bool:
    """Whether a gradient will be asked for through any of these tensors."""
    return torch.is_grad_enabled() and any(x is not None and x.requires_grad for x in tensors)
