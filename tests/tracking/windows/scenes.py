"""A large dark field with small bright cells, and a network that finds whatever is bright."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F

from src_model.nn import ImageFeatures, MaskPrediction, Sam2Network
from src_model.nn.mask_decoder import ABSENT_LOGIT
from src_model.tracking import PRESETS, StreamingPredictor
from tests.tracking import tiny

FIELD = (320, 400)
CELL = 14
SIZES = (64, 96)
SETTINGS = replace(PRESETS["default"], window="auto", window_sizes=SIZES, fill_hole_area=0, remove_speck_area=0)

Place = tuple[float, float]


class BrightNetwork(Sam2Network):
    """Finds the bright pixels of what it is shown, besides what the tiny network's random weights say of memory."""

    def encode_image(self, images: torch.Tensor) -> ImageFeatures:
        features = super().encode_image(images)
        fine, coarse = features.high_res
        fine = fine.clone()
        fine[:, :1] = F.avg_pool2d(images.mean(dim=1, keepdim=True), 4) + 1.2
        return ImageFeatures(features.embedding, (fine, coarse))

    def decode(self, embedding, high_res, prompts, *, multimask, prior=None) -> MaskPrediction:
        raw = super().decode(embedding, high_res, prompts, multimask=multimask, prior=prior).where_present()
        shown = 10 * high_res[0][:, :1] + 0.01 * raw.logits.clamp(-1, 1)
        present = (shown[:, :1] > 0).flatten(1).any(dim=1, keepdim=True)
        logits = torch.where(present[..., None, None], shown, ABSENT_LOGIT)
        return MaskPrediction(logits, raw.iou, raw.tokens, torch.where(present, 5.0, -5.0))


@cache
def network() -> BrightNetwork:
    """Build it once; nothing changes it."""
    usual = tiny.build()
    bright = BrightNetwork(tiny.CONFIG).eval()
    bright.load_state_dict(usual.state_dict())
    return bright


@cache
def predictor(**changes: object) -> StreamingPredictor:
    """Give it a name, a hash and settings under which small cells have windows."""
    return StreamingPredictor(network(), name="bright", sha256="cd" * 32, settings=replace(SETTINGS, **changes))


def field(places: list[Place | None] | list[list[Place]], *, side: int = CELL) -> np.ndarray:
    """Make a movie ``(T, 320, 400)`` uint8 of bright squares around (y, x): one, several or none a frame."""
    frames = np.full((len(places), *FIELD), 20, np.uint8)
    frames[:, ::7, ::5] += 6
    for frame, shown in zip(frames, places, strict=True):
        for place in [shown] if isinstance(shown, tuple) else shown or []:
            y, x = (round(value) - side // 2 for value in place)
            frame[max(0, y) : y + side, max(0, x) : x + side] = 230
    return frames


def box_of(place: Place, side: int = CELL) -> tuple[float, float, float, float]:
    """Box of a cell."""
    y, x = (round(value) - side // 2 for value in place)
    return (y, x, y + side, x + side)


def truth(place: Place, side: int = CELL) -> np.ndarray:
    """Mask of a cell."""
    mask = np.zeros(FIELD, bool)
    y0, x0, y1, x1 = (int(value) for value in box_of(place, side))
    mask[y0:y1, x0:x1] = True
    return mask


def overlap(mask: np.ndarray, place: Place) -> float:
    """IoU of a mask with the true one."""
    true = truth(place)
    return float((mask & true).sum() / (mask | true).sum())
