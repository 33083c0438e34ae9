"""Clips from labelled stills: the still moves like a camera and deforms like tissue."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from training_recipe.clips.clip import BoolArray, ByteArray, Clip, Footage
from training_recipe.clips.finishing import Finish, finish_frames
from training_recipe.clips.framing import Window, object_box, window_path
from training_recipe.clips.warping import motion_maps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ATTEMPTS = 60

_WITH_COPIES = 0.2
"""Share of the clips that show copies of the object beside it: look-alikes that are not meant."""

_MOST_COPIES = 3
_REACH = 2.5
"""Copies lie within so many sizes of the object, so that the window around it shows them."""

Still = tuple[ByteArray, NDArray[np.uint16]]


class WarpedStillSource:
    """Clips of stills; each entry of `stills` gives an image (Y, X, 3) and labels (Y, X)."""

    def __init__(
        self, stills: Sequence[Callable[[], Still]], *, kind: str = "warped-still", finish: Finish | None = None
    ) -> None:
        self.kind = kind
        self._stills = list(stills)
        self._finish = finish or Finish(microscopy=True)

    def preload(self) -> None:
        """Read all stills now."""
        for still in self._stills:
            still()

    def sample(self, rng: np.random.Generator, *, frames: int, size: int) -> Clip:
        """Make a clip (see `ClipSource`)."""
        for _ in range(_ATTEMPTS):
            image, labels = self._stills[int(rng.integers(len(self._stills)))]()
            mask = choose_object(labels, rng)
            if mask is None:
                continue
            if rng.uniform() < _WITH_COPIES:
                image = with_copies(image, mask, rng)
            still = Footage(image[None], mask[None])
            window = window_path(still, rng, self._finish.framing, size=size)[0]
            images, masks = warp_still(image, mask, window, rng, frames=frames, size=size)
            clip = finish_frames(images, masks, rng, kind=self.kind, finish=self._finish)
            if clip:
                return clip
        raise RuntimeError(f"no {self.kind} clip of {frames} frames at {size} pixels after {_ATTEMPTS} attempts")


def choose_object(labels: NDArray[np.uint16], rng: np.random.Generator) -> BoolArray | None:
    """Mask of a random object that is whole, i.e. does not touch the still's border where another one does not."""
    identities = np.setdiff1d(np.unique(labels), [0])
    if len(identities) == 0:
        return None
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    inner = np.setdiff1d(identities, border)
    mask: BoolArray = labels == int(rng.choice(inner if len(inner) else identities))
    return mask


def warp_still(
    image: ByteArray, mask: BoolArray, window: Window, rng: np.random.Generator, *, frames: int, size: int
) -> tuple[ByteArray, BoolArray]:
    """Move a still through time: (frames, size, size, 3) and (frames, size, size); frame 0 is `window` itself."""
    scale = min(1.0, size / min(window[2], window[3]))
    if scale < 0.75:
        image, mask = _reduced(image, mask, scale)
        window = (window[0] * scale, window[1] * scale, window[2] * scale, window[3] * scale)
    maps = motion_maps(rng, window, frames=frames, size=size)
    truth = mask.astype(np.uint8) * np.uint8(255)
    images = np.empty((frames, size, size, 3), np.uint8)
    masks = np.empty((frames, size, size), bool)
    for frame, (map_y, map_x) in enumerate(maps):
        images[frame] = cv2.remap(image, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        # The mirrored surroundings hold copies of other objects, which are distractors and not the object.
        masks[frame] = cv2.remap(truth, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT) >= 128
    return images, masks


def _reduced(image: ByteArray, mask: BoolArray, scale: float) -> tuple[ByteArray, BoolArray]:
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    cover = np.asarray(cv2.resize(mask.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA))
    return small, cover >= 128


def with_copies(image: ByteArray, mask: BoolArray, rng: np.random.Generator) -> ByteArray:
    """Paste one to three copies of an object around it; the object itself stays in front.

    Parameters
    ----------
    image : (Y, X, 3) uint8
    mask : (Y, X) bool, not empty

    Returns
    -------
    a new image of the same shape
    """
    y0, x0, y1, x1 = object_box(mask)
    center = np.array([(y0 + y1) / 2, (x0 + x1) / 2])
    extent = np.array([y1 - y0, x1 - x0], float)
    opacity = np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (3, 3), 0))
    pasted = image.astype(np.float32)
    for _ in range(int(rng.integers(1, _MOST_COPIES + 1))):
        direction, distance = rng.uniform(0, 2 * math.pi), rng.uniform(0.9, _REACH)
        place = center + distance * extent * (math.sin(direction), math.cos(direction))
        matrix = _placed(center, place, rng)
        flags = cv2.INTER_LINEAR
        size = (image.shape[1], image.shape[0])
        color = np.asarray(cv2.warpAffine(image, matrix, size, flags=flags)).astype(np.float32)
        weight = np.asarray(cv2.warpAffine(opacity, matrix, size, flags=flags)) * ~mask
        pasted += weight[..., None] * (color * np.float32(math.exp(rng.normal(0, 0.08))) - pasted)
    result: ByteArray = np.clip(pasted, 0, 255).astype(np.uint8)
    return result


def _placed(center: np.ndarray, place: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Matrix (2, 3) in x, y that turns, scales and maybe mirrors around `center` and moves that to `place`."""
    angle, scale = rng.normal(0, 0.5), math.exp(rng.normal(0, 0.15))
    sign = -1.0 if rng.uniform() < 0.5 else 1.0
    sine, cosine = math.sin(angle) * scale, math.cos(angle) * scale
    linear = np.array([[cosine * sign, -sine], [sine * sign, cosine]])
    return np.concatenate([linear, (place[::-1] - linear @ center[::-1])[:, None]], axis=1)
