"""Clips of pasted objects: a cut-out moves over a scene among look-alikes and behind occluders."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from training_recipe.clips.cutouts import Cutout, CutoutLibrary, placement
from training_recipe.clips.finishing import Finish, finish_frames
from training_recipe.clips.framing import cut
from training_recipe.clips.recorded import chosen_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from training_recipe.clips.clip import BoolArray, ByteArray, Clip

_ATTEMPTS = 60


@dataclass(frozen=True, slots=True)
class _Layer:
    """A cut-out with its way through the clip; positions are shares of the frame, order y, x."""

    cutout: Cutout
    centers: NDArray[np.float64]
    scales: NDArray[np.float64]
    angles: NDArray[np.float64]
    mirrored: bool
    gain: float


class PastedSource:
    """Clips of pasted objects.

    Parameters
    ----------
    library : where objects come from
    scenes : natural backgrounds, each giving (T, Y, X, 3) when first needed
    cell_scenes : backgrounds of microscopy, each giving (T, Y, X, 3) when first needed
    cells : share of the clips that paste cells over microscopy
    """

    kind = "pasted"

    def __init__(
        self,
        library: CutoutLibrary,
        scenes: Sequence[Callable[[], ByteArray]],
        cell_scenes: Sequence[Callable[[], ByteArray]],
        *,
        cells: float = 0.3,
        finish: Finish | None = None,
    ) -> None:
        self._library = library
        self._scenes = list(scenes)
        self._cell_scenes = list(cell_scenes)
        self._cells = cells if self._cell_scenes else 0.0
        self._finish = finish or Finish(microscopy=False, occluded=0.06)

    def preload(self) -> None:
        """Read all backgrounds now."""
        for scene in [*self._scenes, *self._cell_scenes]:
            scene()

    def sample(self, rng: np.random.Generator, *, frames: int, size: int) -> Clip:
        """Make a clip (see `ClipSource`)."""
        for _ in range(_ATTEMPTS):
            cells = rng.uniform() < self._cells
            target = self._library.draw_cell(rng) if cells else self._library.draw_object(rng, frames)
            if target is None:
                continue
            images = _backdrop(self._cell_scenes if cells else self._scenes, rng, frames, size)
            layers, position = self._layers(target, rng, frames, size, cells=cells)
            masks = _compose(images, layers, position)
            if not _whole_enough(masks[0], layers[position], size):
                continue
            finish = replace(self._finish, microscopy=cells)
            clip = finish_frames(images, masks, rng, kind=self.kind, finish=finish)
            if clip:
                return clip
        raise RuntimeError(f"no {self.kind} clip of {frames} frames at {size} pixels after {_ATTEMPTS} attempts")

    def _layers(
        self, target: Cutout, rng: np.random.Generator, frames: int, size: int, *, cells: bool
    ) -> tuple[list[_Layer], int]:
        """Layers from bottom to top, and the target's place among them."""
        extent = math.exp(rng.uniform(math.log(0.12 if cells else 0.16), math.log(0.4 if cells else 0.9)))
        aim = _way(target, rng, frames, size, extent, leaving=rng.uniform() < 0.12)
        below: list[_Layer] = []
        above: list[_Layer] = []
        for _ in range(int(rng.integers(0, 4))):
            other = target if rng.uniform() < 0.5 else self._another(target, rng, frames, cells=cells)
            layer = _way(other, rng, frames, size, extent * rng.uniform(0.7, 1.3), leaving=False)
            (above if rng.uniform() < 0.35 else below).append(layer)
        return [*below, aim, *above], len(below)

    def _another(self, target: Cutout, rng: np.random.Generator, frames: int, *, cells: bool) -> Cutout:
        if cells:
            return self._library.draw_cell(rng) or target
        return self._library.draw_object(rng, frames)


def _way(cutout: Cutout, rng: np.random.Generator, frames: int, size: int, extent: float, *, leaving: bool) -> _Layer:
    """Draw a random way: steady motion with jitter, turning, growing; `leaving` ones run out of the frame."""
    pace = math.exp(rng.uniform(math.log(0.004), math.log(0.1)))
    start = rng.uniform(0.1, 0.9, 2)
    velocity = rng.standard_normal(2) * pace
    if leaving and frames > 1:
        side = np.sign(start - 0.5) * (rng.uniform(size=2) < np.array([0.5, 1.0]))
        velocity = side * (0.6 + 0.5 * extent) / rng.uniform(1, max(1.5, frames - 1))
    steps = velocity + rng.standard_normal((frames, 2)) * 0.25 * pace
    steps[0] = 0
    turning, growing = rng.normal(0, 0.04), rng.normal(0, 0.02)
    longest = max(cutout.at(0).shape[:2])
    time = np.arange(frames)
    return _Layer(
        cutout=cutout,
        centers=start + np.cumsum(steps, axis=0),
        scales=extent * size / longest * np.exp(growing * time + rng.normal(0, 0.008, frames)),
        angles=rng.normal(0, 0.3) + turning * time + rng.normal(0, 0.01, frames),
        mirrored=bool(rng.uniform() < 0.5),
        gain=float(math.exp(rng.normal(0, 0.12))),
    )


def _backdrop(scenes: Sequence[Callable[[], ByteArray]], rng: np.random.Generator, frames: int, size: int) -> ByteArray:
    """Cut a window of a random scene that pans a little: (frames, size, size, 3)."""
    scene = scenes[int(rng.integers(len(scenes)))]()
    chosen = chosen_frames(rng, len(scene), frames, 2)
    height, width = (float(rng.uniform(0.4, 0.95) * side) for side in scene.shape[1:3])
    room = np.array([scene.shape[1] - height, scene.shape[2] - width])
    place = rng.uniform(0, 1, 2)
    pan = rng.normal(0, 0.02, 2)
    images = np.empty((frames, size, size, 3), np.uint8)
    for frame, index in enumerate(chosen):
        top, left = np.clip(place + pan * frame, 0, 1) * room
        picture = cut(scene[index], (float(top), float(left), height, width), size)
        images[frame] = picture if picture.ndim == 3 else picture[..., None]
    return images


def _compose(images: ByteArray, layers: list[_Layer], position: int) -> BoolArray:
    """Paint the layers from bottom to top into `images`, in place; the truth is what stays visible of one of them."""
    masks = np.zeros(images.shape[:3], bool)
    for frame in range(len(images)):
        for order, layer in enumerate(layers):
            opacity = _paint(images[frame], layer, frame)
            if order == position:
                masks[frame] = opacity >= 128
            elif order > position:
                masks[frame] &= opacity < 128
    return masks


def _paint(image: ByteArray, layer: _Layer, frame: int) -> ByteArray:
    picture = layer.cutout.at(frame)
    size = image.shape[0]
    center, scale = layer.centers[frame] * size, float(layer.scales[frame])
    matrix = placement(picture, center, scale, float(layer.angles[frame]), mirrored=layer.mirrored)
    if scale < 0.6:
        # Shrink by areas first: linear sampling of a much larger picture flickers.
        small = (max(4, round(picture.shape[1] * scale)), max(4, round(picture.shape[0] * scale)))
        reduced = np.asarray(cv2.resize(picture, small, interpolation=cv2.INTER_AREA), np.uint8)
        matrix[:, 0] *= picture.shape[1] / small[0]
        matrix[:, 1] *= picture.shape[0] / small[1]
        picture = reduced
    warped = np.asarray(cv2.warpAffine(picture, matrix, (size, size), flags=cv2.INTER_LINEAR), np.uint8)
    opacity = np.asarray(cv2.GaussianBlur(warped[..., 3], (3, 3), 0), np.uint8)
    weight = opacity[..., None].astype(np.uint16)
    color = np.minimum(warped[..., :3].astype(np.float32) * layer.gain, 255).astype(np.uint16)
    image[:] = ((image * (255 - weight) + color * weight + 127) // 255).astype(np.uint8)
    return opacity


def _whole_enough(mask: BoolArray, layer: _Layer, size: int) -> bool:
    """Whether the first frame shows at least half of the object."""
    opacity = layer.cutout.at(0)[..., 3]
    full = float((opacity >= 128).sum()) * float(layer.scales[0]) ** 2
    return bool(mask.sum() >= 0.5 * min(full, size * size))
