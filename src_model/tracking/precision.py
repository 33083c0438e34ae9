"""How precisely the network computes: float32, or 16 bits where a device computes them several times as fast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch

from src_model.errors import PromptError
from src_model.nn.compute import has_bfloat16_units

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from src_model.tracking.settings import Precision

PrecisionChoice = Literal["auto", "exact", "fast"]

PRECISIONS: tuple[PrecisionChoice, ...] = ("auto", "exact", "fast")

_FIRST_WITH_FLOAT16 = (7, 0)
"""Compute capability of Volta."""


def choose_precision(choice: str, device: torch.device) -> Precision:
    """Turn a choice into a precision; ``"auto"`` is fast where the device computes bfloat16 fast.

    Half precision of float16 is for those who ask for it: its range is narrow, and it was tried on no device that needs
    it.

    Raises
    ------
    PromptError
        If there is no such choice.
    """
    if choice not in PRECISIONS:
        raise PromptError(f"precision {choice!r} is unknown; choose one of {', '.join(PRECISIONS)}")
    if choice == "auto":
        return "fast" if half_type(device) == torch.bfloat16 else "exact"
    return "fast" if choice == "fast" else "exact"


def half_type(device: torch.device) -> torch.dtype | None:
    """Return the type of 16 bits that a device multiplies faster than float32; None where it would only be emulated.

    bfloat16 where there is a choice, since it has the range of float32. Apple's GPUs before the M2, and NVIDIA's of
    the generations Volta and Turing, have units for float16 alone.
    """
    if device.type == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return torch.bfloat16
        return torch.float16 if torch.cuda.get_device_capability(device) >= _FIRST_WITH_FLOAT16 else None
    if device.type == "mps":
        return torch.float16
    return torch.bfloat16 if device.type == "cpu" and has_bfloat16_units() else None


def computing(dtype: torch.dtype, device: torch.device) -> AbstractContextManager[object]:
    """Return the context in which the heavy parts of the network compute in a type."""
    enabled = dtype != torch.float32
    return torch.autocast(device.type, dtype if enabled else torch.bfloat16, enabled=enabled)
