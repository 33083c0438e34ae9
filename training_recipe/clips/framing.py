"""Framing: which window of the footage a clip shows, how it moves, and cutting it out at the network's size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np

from training_recipe.clips.clip import BoolArray, ByteArray, Footage

if TYPE_CHECKING:
    from numpy.typing import NDArray

Window = tuple[float, float, float, float]
"""y0, x0, height, width in pixels of the footage."""

_LEAST_SIDE = 52.0
_SLIVER = (0.05, 0.3)
"""Least and most of an entering object that its first frame shows."""

_Array = TypeVar("_Array", ByteArray, BoolArray)


@dataclass(frozen=True, slots=True)
class FramingSettings:
    """Shares of clips framed in each way; windows cover the object to between `least_cover` and `most_cover`.

    Whole frames, whose objects are small, are mostly for the input sizes at which whole frames are tracked.
    """

    whole_frame: float = 0.2
    whole_frame_large: float = 0.6
    large_size: int = 336
    drifting: float = 0.25
    leaving: float = 0.14
    entering: float = 0.06
    least_cover: float = 0.006
    most_cover: float = 0.6


def object_box(mask: BoolArray) -> tuple[int, int, int, int]:
    """Half-open box (y0, x0, y1, x1) of a mask that is not empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def window_path(
    footage: Footage, rng: np.random.Generator, settings: FramingSettings | None = None, *, size: int = 224
) -> list[Window]:
    """Choose a window for every frame, for an input of `size`; the object is in the first one."""
    settings = settings or FramingSettings()
    frames, shape = len(footage.masks), footage.shape
    whole: Window = (0.0, 0.0, float(shape[0]), float(shape[1]))
    share = settings.whole_frame_large if size >= settings.large_size else settings.whole_frame
    if rng.uniform() < share:
        return [whole] * frames
    first = _window_around(footage.masks[0], rng, settings)
    way = rng.uniform()
    if way < settings.leaving:
        path = _leaving_path(first, footage, rng)
        if path is not None:
            return path
    elif way < settings.leaving + settings.entering:
        path = _entering_path(first, footage, rng)
        if path is not None:
            return path
    if way > 1 - settings.drifting:
        return _drifting_path(first, frames, shape, rng)
    return [first] * frames


def _window_around(mask: BoolArray, rng: np.random.Generator, settings: FramingSettings) -> Window:
    y0, x0, y1, x1 = object_box(mask)
    cover = math.exp(rng.uniform(math.log(settings.least_cover), math.log(settings.most_cover)))
    area = float(mask.sum()) / cover
    aspect = ((y1 - y0) / (x1 - x0)) ** 0.5 * math.exp(rng.normal(0, 0.15))
    aspect = min(max(aspect, 0.5), 2.0)
    height = max(math.sqrt(area * aspect), 1.08 * (y1 - y0), _LEAST_SIDE)
    width = max(math.sqrt(area / aspect), 1.08 * (x1 - x0), _LEAST_SIDE)
    height, width = min(height, mask.shape[0]), min(width, mask.shape[1])
    top = _place(y0, y1, height, mask.shape[0], rng)
    left = _place(x0, x1, width, mask.shape[1], rng)
    return (top, left, height, width)


def _place(low: int, high: int, length: float, limit: int, rng: np.random.Generator) -> float:
    """Start of an interval of `length` inside 0..limit that holds low..high, at random."""
    earliest, latest = max(0.0, high - length), min(float(low), limit - length)
    if latest <= earliest:
        return min(max(0.0, (low + high - length) / 2), limit - length)
    return float(rng.uniform(earliest, latest))


def _clamped(window: Window, shape: tuple[int, int]) -> Window:
    top, left, height, width = window
    height, width = min(height, shape[0]), min(width, shape[1])
    return (min(max(0.0, top), shape[0] - height), min(max(0.0, left), shape[1] - width), height, width)


def _drifting_path(first: Window, frames: int, shape: tuple[int, int], rng: np.random.Generator) -> list[Window]:
    """Move like a camera that pans, zooms and shakes a little."""
    top, left, height, width = first
    velocity = rng.normal(0, 0.04, 2)
    zoom = math.exp(rng.normal(0, 0.02))
    path = [first]
    for _ in range(frames - 1):
        shake = rng.normal(0, 0.01, 2)
        top, left = top + (velocity[0] + shake[0]) * height, left + (velocity[1] + shake[1]) * width
        height, width = max(_LEAST_SIDE, height * zoom), max(_LEAST_SIDE, width * zoom)
        path.append(_clamped((top, left, height, width), shape))
    return path


def _leaving_path(first: Window, footage: Footage, rng: np.random.Generator) -> list[Window] | None:
    """Move off the object at some frame and, half of the time, come back; None without room for it."""
    frames = len(footage.masks)
    goal = _clear_window(first, footage.masks, rng)
    if frames < 2 or goal is None:
        return None
    leave = int(rng.integers(1, frames))
    back = int(rng.integers(leave + 1, frames + 1)) if rng.uniform() < 0.5 else frames
    glide = int(rng.integers(0, 2))
    share = np.zeros(frames)
    share[leave:back] = 1.0
    if glide and leave >= 2:
        share[leave - 1] = 0.5
    return [_between(first, goal, float(part)) for part in share]


def _entering_path(first: Window, footage: Footage, rng: np.random.Generator) -> list[Window] | None:
    """Begin with a sliver of the object at the window's edge, and move to all of it; None without room for it."""
    frames = len(footage.masks)
    goal = _clear_window(first, footage.masks[:1], rng)
    if frames < 2 or goal is None:
        return None
    least = float(rng.uniform(*_SLIVER)) * int(footage.masks[0].sum())
    shares = np.linspace(1, 0, 41)
    begin = next(s for s in shares if s == 0 or _crop(footage.masks[0], _between(first, goal, float(s))).sum() >= least)
    pace = int(rng.integers(1, 4))
    return [_between(first, goal, float(begin) * max(0.0, 1 - frame / pace)) for frame in range(frames)]


def _clear_window(first: Window, masks: BoolArray, rng: np.random.Generator) -> Window | None:
    """Shift a window up, down or sideways off the object of all of some masks; None without room for it."""
    present: BoolArray = np.asarray(masks.any(axis=0))
    shape = (present.shape[0], present.shape[1])
    y0, x0, y1, x1 = object_box(present)
    away = [
        _clamped((y1 + 1.0, first[1], first[2], first[3]), shape),
        _clamped((y0 - first[2] - 1.0, first[1], first[2], first[3]), shape),
        _clamped((first[0], x1 + 1.0, first[2], first[3]), shape),
        _clamped((first[0], x0 - first[3] - 1.0, first[2], first[3]), shape),
    ]
    clear = [window for window in away if not _crop(present, window).any()]
    return clear[int(rng.integers(len(clear)))] if clear else None


def _between(first: Window, goal: Window, share: float) -> Window:
    return (first[0] + share * (goal[0] - first[0]), first[1] + share * (goal[1] - first[1]), first[2], first[3])


def _crop(image: _Array, window: Window) -> _Array:
    top, left, height, width = window
    y0, x0 = int(top), int(left)
    y1, x1 = max(y0 + 1, math.ceil(top + height)), max(x0 + 1, math.ceil(left + width))
    return image[y0:y1, x0:x1]


def cut(image: ByteArray, window: Window, size: int) -> ByteArray:
    """Cut a window out of (Y, X) or (Y, X, 3) and squash it to (size, size[, 3])."""
    top, left, height, width = window
    if height > 1.2 * size or width > 1.2 * size:
        return _as_bytes(cv2.resize(_crop(image, window), (size, size), interpolation=cv2.INTER_AREA))
    scale_y, scale_x = height / size, width / size
    matrix = np.array([[scale_x, 0, left + 0.5 * scale_x - 0.5], [0, scale_y, top + 0.5 * scale_y - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return _as_bytes(cv2.warpAffine(image, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE))


def _as_bytes(image: object) -> ByteArray:
    return np.asarray(image, np.uint8)


def cut_footage(footage: Footage, path: list[Window], size: int) -> tuple[ByteArray, BoolArray]:
    """Cut every frame: images (T, size, size, 3) and masks (T, size, size)."""
    images = np.empty((len(path), size, size, 3), np.uint8)
    masks = np.empty((len(path), size, size), bool)
    for frame, window in enumerate(path):
        picture = cut(footage.images[frame], window, size)
        images[frame] = picture if picture.ndim == 3 else picture[..., None]
        masks[frame] = cut_mask(footage.masks[frame], window, size)
    return images, masks


def cut_mask(mask: BoolArray, window: Window, size: int) -> BoolArray:
    """Cut a window out of a mask (Y, X) as `cut` does, a pixel belonging to the object where half of it does."""
    crop: NDArray[np.uint8] = mask.astype(np.uint8) * np.uint8(255)
    cover = cut(crop, window, size)
    enlarged = size / max(window[2], window[3])
    if enlarged > 1.5:
        # Round the stairs that enlarged pixels make; the object's border was never that angular.
        cover = _as_bytes(cv2.GaussianBlur(cover, (0, 0), 0.45 * enlarged))
    return cover >= 128
