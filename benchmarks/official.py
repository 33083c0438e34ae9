"""The official predictor (sam2 1.1.0, installed by ``make parity``) as an opponent in benchmarks."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
import torch

from src_model.nn import MODEL_CONFIGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cells import CellMovie
    from torch import Tensor, nn

_CONFIG_FILES = {
    f"{family}-{size}": f"configs/{family}/{family}_hiera_{letter}.yaml"
    for family in ("sam2", "sam2.1")
    for size, letter in (("tiny", "t"), ("small", "s"), ("base-plus", "b+"), ("large", "l"))
}
"""What the official implementation calls the networks that it has."""


def missing_opponent(name: str) -> str | None:
    """Say why there is no official predictor to compare a network with, in a sentence; None where there is one."""
    if name not in _CONFIG_FILES:
        return f"{name} has no official predictor: sam2v is measured alone"
    if find_spec("sam2") is None:
        return "the official implementation is not installed (make parity): sam2v is measured alone"
    return None


def official_config(name: str, size: int) -> dict[str, Any]:
    """Arguments of the official builders for a network with random weights and an input of ``size`` pixels."""
    return {
        "config_file": _CONFIG_FILES[name],
        "ckpt_path": None,
        "hydra_overrides_extra": [f"++model.image_size={size}"],
    }


def build_official(name: str, size: int, *, device: str = "cpu", compiled: bool = False) -> nn.Module | None:
    """Build the official predictor with random weights.

    Parameters
    ----------
    name
        As in ``sam2v models``.
    size
        Side of its input.
    device
        Where it runs.
    compiled
        With the compile options of its authors (``vos_optimized``).

    Returns
    -------
    torch.nn.Module or None
        None where there is none; `missing_opponent` says why.
    """
    if missing_opponent(name):
        return None
    from sam2.build_sam import build_sam2_video_predictor

    predictor: nn.Module = build_sam2_video_predictor(
        **official_config(name, size), device=device, vos_optimized=compiled
    )
    predictor.fill_hole_area = 0  # needs an extension that is often not there, and says so on every frame
    return predictor


def official_frames(predictor: nn.Module, movie: CellMovie, device: str = "cpu") -> Iterator[tuple[int, Tensor]]:
    """Track all cells of a movie, each from its box on frame 0; give frame numbers and logits at movie size."""
    config = MODEL_CONFIGS["sam2.1-tiny"]
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (config.pixel_mean, config.pixel_std))
    gray = torch.from_numpy(np.stack([movie.read(frame) for frame in range(len(movie))]))[:, None]
    images = ((gray.float() / 255).expand(-1, 3, -1, -1) - mean) / std
    loaded = (images.to(device), movie.size, movie.size)
    with mock.patch("sam2.sam2_video_predictor.load_video_frames", return_value=loaded):
        state = predictor.init_state("frames in memory")
    for number in range(1, movie.count + 1):
        y0, x0, y1, x1 = movie.box(number)
        predictor.add_new_points_or_box(state, 0, number, box=np.array([x0, y0, x1, y1], dtype=np.float32))
    with mock.patch("sam2.sam2_video_predictor.tqdm", lambda frames, **_: frames):  # a bar
        for frame, _, logits in predictor.propagate_in_video(state):
            yield frame, logits
