"""The official predictor (sam2 1.1.0, installed by ``make parity``) as an opponent in benchmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
import torch

from src_model.nn import MODEL_CONFIGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cells import CellMovie
    from torch import Tensor, nn

_CONFIG_LETTERS = {"tiny": "t", "small": "s", "base-plus": "b+", "large": "l"}


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
        None where it is not installed.
    """
    try:
        from sam2.build_sam import build_sam2_video_predictor
    except ImportError:
        return None
    predictor: nn.Module = build_sam2_video_predictor(
        f"configs/sam2.1/sam2.1_hiera_{_CONFIG_LETTERS[name.removeprefix('sam2.1-')]}.yaml",
        ckpt_path=None,
        device=device,
        hydra_overrides_extra=[f"++model.image_size={size}"],
        vos_optimized=compiled,
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
