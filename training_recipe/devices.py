"""Where and how precisely a run computes: Lightning Fabric, set up from few words."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import torch

from src_model.errors import MissingExtraError, TrainingError

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from training_recipe.run_config import Precision


def make_fabric(*, device: str = "auto", devices: int | None = None, precision: Precision = "auto") -> Fabric:
    """Set up the devices, and the other processes if there are several.

    Parameters
    ----------
    device
        "auto" (CUDA, then Apple's MPS, then the CPU), "cpu", "cuda", "cuda:1" or "mps".
    devices
        How many of them. Under ``torchrun`` all that it started processes for.
    precision
        "auto" is bfloat16 wherever the device computes it, else float16 on CUDA, else float32.

    Raises
    ------
    TrainingError
        If the machine has no such device, or it cannot compute at that precision.
    MissingExtraError
        If Lightning Fabric is not installed.
    """
    try:
        from lightning_fabric import Fabric
    except ImportError as error:
        raise MissingExtraError("lightning-fabric", "recipe", "training") from error
    kind, chosen = _device(device)
    started, world = _started_by_torchrun()
    count = started or devices or 1
    if chosen is not None and count > 1:
        raise TrainingError(f"{device!r} is one device; write {kind!r} to use {count} of them")
    fabric = Fabric(
        accelerator=kind,
        devices=count if chosen is None else [chosen],
        num_nodes=world // started if started else 1,
        strategy=_strategy(kind) if max(count, world) > 1 else "auto",
        precision=_precision(kind, precision),  # type: ignore[arg-type]
    )
    fabric.launch()
    return fabric


def _started_by_torchrun() -> tuple[int, int]:
    """Tell how many processes torchrun started on this machine and on all; 0 if this is not one of them."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return 0, 0
    return int(os.environ["LOCAL_WORLD_SIZE"]), int(os.environ["WORLD_SIZE"])


def _device(device: str) -> tuple[str, int | None]:
    """Split a device into what Fabric calls an accelerator, and its number if one is asked for."""
    if device == "auto":
        kind = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        return kind, None
    kind, _, number = device.partition(":")
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if kind not in there or (number and not number.isdecimal()):
        raise TrainingError(f"device {device!r} is unknown; choose auto, cpu, cuda, cuda:1, mps")
    if not there[kind]:
        raise TrainingError(f"this machine has no device {kind!r}, or torch is installed without support for it")
    if kind == "cuda" and number and int(number) >= torch.cuda.device_count():
        raise TrainingError(f"there is no {device!r}: this machine has {torch.cuda.device_count()} CUDA devices")
    return kind, int(number) if number and kind == "cuda" else None


def _precision(kind: str, asked: Precision) -> str:
    has_bfloat16 = kind == "cpu" or (kind == "cuda" and torch.cuda.is_bf16_supported())
    if asked == "auto":
        return "bf16-mixed" if has_bfloat16 else "16-mixed" if kind == "cuda" else "32-true"
    if asked == "bf16" and not has_bfloat16:
        raise TrainingError(f"{kind} does not compute in bfloat16 here: choose another --precision, or auto")
    if asked == "fp16" and kind != "cuda":
        raise TrainingError(f"float16 needs a GPU, not {kind}: choose bf16, 32 or auto")
    return {"32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}[asked]


def _strategy(kind: str) -> Any:
    from lightning_fabric.strategies.ddp import DDPStrategy

    # Prompts differ from process to process, and so do the parameters they use.
    return DDPStrategy(
        find_unused_parameters=True,
        process_group_backend="nccl" if kind == "cuda" else "gloo",
    )
