"""How precisely the network computes: float32, or bfloat16 where a device computes it several times as fast."""

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


def choose_precision(choice: str, device: torch.device) -> Precision:
    """Turn a choice into a precision; ``"auto"`` is fast where the device computes bfloat16 fast.

    Raises
    ------
    PromptError
        If there is no such choice.
    """
    if choice not in PRECISIONS:
        raise PromptError(f"precision {choice!r} is unknown; choose one of {', '.join(PRECISIONS)}")
    if choice == "auto":
        return "fast" if computes_bfloat16(device) else "exact"
    return "fast" if choice == "fast" else "exact"


def computes_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 faster than float32; others would only emulate it."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and has_bfloat16_units()


def computing(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """Return the context in which the heavy parts of the network run."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "fast")
