"""Which backend computes, and why."""

from __future__ import annotations

import logging
import platform
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal, get_args

from src_model.errors import MissingExtraError, PromptError
from src_model.nn.image_encoder import TinyViTConfig

if TYPE_CHECKING:
    import torch

    from src_model.acceleration.engine import Engine
    from src_model.nn import ModelConfig, Sam2Network

_log = logging.getLogger(__name__)

BackendName = Literal["auto", "torch", "openvino"]
BACKENDS: tuple[BackendName, ...] = get_args(BackendName)

_MEASURED = ("x86_64", "amd64")
"""Processors on which OpenVINO was measured; elsewhere ``auto`` leaves it alone."""
_FASTER = (TinyViTConfig,)
"""Image trunks with which a whole frame was measured to take at least a tenth less time than with torch."""


def choose_engine(network: Sam2Network, backend: BackendName, device: torch.device) -> Engine | None:
    """Return what computes the heavy parts of a network in its place; None: the network itself does.

    Parameters
    ----------
    network
        In evaluation mode, on ``device``. It does all that the engine cannot; its weights must stay as they are.
    backend
        ``"auto"`` takes OpenVINO where it is installed and worth it. ``"openvino"`` on another device than the CPU
        leaves the work to torch and logs a warning.
    device
        Where the network is.

    Raises
    ------
    PromptError
        If there is no such backend.
    MissingExtraError
        If OpenVINO is asked for by name and not installed.
    """
    reason = backend_reason(backend, device, network.config)
    if reason is not None:
        level = logging.WARNING if backend == "openvino" else logging.DEBUG
        _log.log(level, "torch computes everything: %s", reason)
        return None
    from src_model.acceleration.openvino_engine import OpenVinoEngine

    return OpenVinoEngine(network)


def backend_reason(backend: BackendName, device: torch.device, config: ModelConfig | None = None) -> str | None:
    """Say why torch computes everything; None where OpenVINO takes over what it does faster.

    Without the configuration of a network, that is for networks on which OpenVINO was measured to be faster.

    Raises
    ------
    PromptError, MissingExtraError
        As :func:`choose_engine`.
    """
    if backend not in BACKENDS:
        raise PromptError(f"backend {backend!r} is unknown; choose one of {', '.join(BACKENDS)}")
    is_faster = config is None or isinstance(config.trunk, _FASTER)
    installed = find_spec("openvino") is not None
    if backend == "openvino" and not installed:
        raise MissingExtraError("openvino", "openvino", "the backend 'openvino'")
    machine = platform.machine().lower()
    reasons = (
        (backend == "torch", "the backend 'torch' was asked for"),
        (device.type != "cpu", f"OpenVINO is used on the CPU alone, and the network is on {device}"),
        (not installed, "OpenVINO is not installed (extra 'openvino')"),
        (backend == "auto" and machine not in _MEASURED, f"OpenVINO was not measured on {machine} processors"),
        (backend == "auto" and not is_faster, "with this network OpenVINO is hardly faster than torch"),
    )
    return next((reason for holds, reason in reasons if holds), None)
