"""Cut-out objects to paste: moving ones from videos, cells from stills, blobs of texture from anywhere."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from training_recipe.clips.framing import object_box
from training_recipe.clips.occluders import random_outline
from training_recipe.clips.recorded import chosen_frames
from training_recipe.clips.stills import Still, choose_object

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from training_recipe.clips.clip import BoolArray, ByteArray, Footage

_LONGEST = 288


@dataclass(frozen=True, slots=True)
class Cutout:
    """An object on nothing: (T, H, W, 4) uint8, RGB and opacity; T is 1 for one that does not change by itself."""

    pictures: ByteArray

    def at(self, frame: int) -> ByteArray:
        """Return the (H, W, 4) picture for a frame of the clip."""
        picture: ByteArray = self.pictures[frame % len(self.pictures)]
        return picture


def from_footage(footage: Footage, rng: np.random.Generator, frames: int) -> Cutout | None:
    """Cut out the object of a video, articulation kept, movement taken out; None where some frame hides it."""
    chosen = chosen_frames(rng, len(footage.images), frames, 3)
    if not all(footage.masks[index].any() for index in chosen):
        return None
    boxes = np.array([object_box(footage.masks[index]) for index in chosen], float)
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=0) / 2 + 2
    scale = min(1.0, _LONGEST / (2 * float(half.max())))
    size = tuple(max(8, int(2 * side * scale)) for side in half)
    pictures = np.empty((frames, *size, 4), np.uint8)
    for frame, index in enumerate(chosen):
        center = (boxes[frame, :2] + boxes[frame, 2:]) / 2
        matrix = np.array(
            [[1 / scale, 0, center[1] - size[1] / 2 / scale], [0, 1 / scale, center[0] - size[0] / 2 / scale]]
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        frame_size = (size[1], size[0])
        pictures[frame, ..., :3] = cv2.warpAffine(footage.images[index], matrix, frame_size, flags=flags)
        opacity = footage.masks[index].astype(np.uint8) * np.uint8(255)
        pictures[frame, ..., 3] = cv2.warpAffine(opacity, matrix, frame_size, flags=flags)
    return Cutout(pictures)


def from_still(still: Still, rng: np.random.Generator) -> Cutout | None:
    """One labelled object of a still; None where the still has none large enough to look like anything."""
    image, labels = still
    mask = choose_object(labels, rng)
    if mask is None or int(mask.sum()) < 80:
        return None
    return _cut_out(image, mask)


def from_texture(image: ByteArray, rng: np.random.Generator) -> Cutout:
    """Cut a random blob out of a picture (Y, X, 3): an object of no category."""
    radius = float(rng.uniform(30, 0.3 * min(image.shape[:2])))
    outline = random_outline(rng, radius, float(rng.uniform(1, 2.5)))
    center = np.array([rng.uniform(0.3, 0.7) * side for side in image.shape[:2]])
    canvas = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(canvas, [np.round((outline + center)[:, ::-1]).astype(np.int32)], 1)
    return _cut_out(image, canvas.astype(bool))


def _cut_out(image: ByteArray, mask: BoolArray) -> Cutout:
    y0, x0, y1, x1 = object_box(mask)
    # A rim of transparency, so that scaling does not meet the picture's border.
    rim = 2
    y0, x0, y1, x1 = max(0, y0 - rim), max(0, x0 - rim), y1 + rim, x1 + rim
    color, opacity = image[y0:y1, x0:x1], mask[y0:y1, x0:x1, None].astype(np.uint8) * np.uint8(255)
    return Cutout(np.concatenate([color, opacity], axis=-1)[None])


class CutoutLibrary:
    """Draws cut-outs from videos with truth, labelled stills and textures."""

    def __init__(
        self,
        footages: Sequence[Callable[[], Footage]],
        stills: Sequence[Callable[[], Still]],
        scenes: Sequence[Callable[[], ByteArray]],
    ) -> None:
        self._footages = list(footages)
        self._stills = list(stills)
        self._scenes = list(scenes)

    def draw_object(self, rng: np.random.Generator, frames: int) -> Cutout:
        """Draw a moving object of a video or a blob of texture."""
        if self._footages and rng.uniform() < 0.5:
            cutout = from_footage(self._footages[int(rng.integers(len(self._footages)))](), rng, frames)
            if cutout is not None:
                return cutout
        scene = self._scenes[int(rng.integers(len(self._scenes)))]()
        return from_texture(scene[int(rng.integers(len(scene)))], rng)

    def draw_cell(self, rng: np.random.Generator) -> Cutout | None:
        """Draw a cell of a still."""
        if not self._stills:
            return None
        return from_still(self._stills[int(rng.integers(len(self._stills)))](), rng)


def placement(
    picture: ByteArray, center: NDArray[np.float64], scale: float, angle: float, *, mirrored: bool
) -> NDArray[np.float64]:
    """Matrix (2, 3) from pixels (x, y) of a cut-out to pixels of the frame, its middle landing on `center` (y, x)."""
    height, width = picture.shape[:2]
    sine, cosine = math.sin(angle) * scale, math.cos(angle) * scale
    sign = -1.0 if mirrored else 1.0
    linear = np.array([[cosine * sign, -sine], [sine * sign, cosine]])
    offset = center[::-1] - linear @ np.array([width / 2, height / 2])
    return np.concatenate([linear, offset[:, None]], axis=1)
