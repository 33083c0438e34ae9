"""Between movie pixels and network pixels: images and prompts in, mask logits out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from src_model.nn import ModelConfig, PromptTensors
from src_model.nn.prompt_encoder import BOX_BOTTOM_RIGHT, BOX_TOP_LEFT, POSITIVE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from src_model.frames import Normalization
    from src_model.masks import Rle
    from src_model.prompts import Point, Prompt
    from src_model.tracking.settings import TrackingSettings

_MASK_LOGIT = 10.0


def image_tensor(
    image: NDArray[np.generic], normalization: Normalization, settings: TrackingSettings, config: ModelConfig, size: int
) -> Tensor:
    """Normalise a frame and squash it to the square network input.

    Parameters
    ----------
    image
        ``(Y, X)`` or ``(Y, X, 3)`` frame in its native type.
    normalization
        How values become 0..1; decided once a movie.
    settings
        Says which interpolation brings the image to the network's size.
    config
        Pixel mean and standard deviation.
    size
        Side of the network input.

    Returns
    -------
    Tensor
        ``(1, 3, size, size)`` float32 on the CPU.
    """
    if image.dtype == np.uint8 and image.ndim == 3 and settings.interpolation == "bicubic":
        # The reference resizes 8-bit pixels before it scales them; rounding included.
        pixels = torch.from_numpy(np.require(image, requirements=("C", "W"))).permute(2, 0, 1)[None]
        scaled = _resized(pixels, size, "bicubic").float() / 255.0
    else:
        seen = torch.from_numpy(np.ascontiguousarray(normalization.stretch(image)))
        # Gray is resized once; each color lies in one piece, for which resizing is faster.
        planes = seen[None] if seen.ndim == 2 else seen.permute(2, 0, 1).contiguous()
        scaled = _resized(planes[None], size, settings.interpolation).clamp(0.0, 1.0)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (config.pixel_mean, config.pixel_std))
    return (scaled - mean) / std


def _resized(pixels: Tensor, size: int, mode: str) -> Tensor:
    if pixels.shape[-2:] == (size, size):
        return pixels
    if mode == "bilinear" and pixels.shape[-2] > size:
        # Rows first: torch begins with columns, where it reads all that is to be thrown away value by value.
        pixels = F.interpolate(pixels, (size, pixels.shape[-1]), mode=mode, align_corners=False, antialias=True)
    return F.interpolate(pixels, (size, size), mode=mode, align_corners=False, antialias=True)


def prompt_tensors(
    prompt: Prompt, shape: tuple[int, int], size: int, mask_logits: Tensor | None, device: torch.device
) -> PromptTensors:
    """Bring points and box of one object from movie (y, x) to network (x, y) pixels; the box becomes two points."""
    corners: list[tuple[float, float]] = []
    labels: list[int] = []
    if prompt.box is not None:
        corners = [(prompt.box[0], prompt.box[1]), (prompt.box[2], prompt.box[3])]
        labels = [BOX_TOP_LEFT, BOX_BOTTOM_RIGHT]
    return PromptTensors(
        _network_places([*corners, *prompt.points], shape, size)[None].to(device),
        torch.tensor([[*labels, *prompt.labels]], dtype=torch.int64, device=device),
        mask_logits,
    )


def click_tensors(points: Sequence[Point], shape: tuple[int, int], size: int, device: torch.device) -> PromptTensors:
    """Bring positive clicks from movie (y, x) to network (x, y) pixels, each as a batch row of its own."""
    places = _network_places(points, shape, size)[:, None].to(device)
    return PromptTensors(places, torch.full(places.shape[:2], POSITIVE, dtype=torch.int64, device=device))


def _network_places(points: Sequence[Point], shape: tuple[int, int], size: int) -> Tensor:
    places = np.array(points, dtype=np.float64).reshape(-1, 2)
    scaled = (places * (size / shape[0], size / shape[1]))[:, ::-1].astype(np.float32)
    return torch.from_numpy(np.ascontiguousarray(scaled))


def mask_tensor(mask: Rle, size: int, device: torch.device) -> Tensor:
    """Bring a mask to the network input: ``(1, 1, size, size)`` of zeros and ones."""
    pixels = torch.from_numpy(mask.decode()).to(device)[None, None].float()
    if pixels.shape[-2:] == (size, size):
        return pixels
    resized = F.interpolate(pixels, (size, size), mode="bilinear", align_corners=False, antialias=True)
    return (resized >= 0.5).float()


def mask_logits(mask: Rle, size: int, device: torch.device) -> Tensor:
    """Turn a stored mask into logits that the prompt encoder takes: ``(1, 1, size / 4, size / 4)`` within -10..10."""
    pixels = torch.from_numpy(mask.decode()).to(device)[None, None].float()
    resized = F.interpolate(pixels, (size // 4, size // 4), mode="bilinear", align_corners=False, antialias=True)
    return (2 * resized - 1) * _MASK_LOGIT
