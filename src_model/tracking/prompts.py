"""Prompts: what a person says about one object on one frame, checked before anything is computed."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from src_model.errors import PromptError
from src_model.masks import Rle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from src_model.masks.window import Window

Point = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Prompt:
    """Points with labels, a box, or a mask, on one frame, for one object.

    Attributes
    ----------
    points
        ``(y, x)`` in pixels of the movie; a whole number is the centre of a pixel.
    labels
        One for each point: 1 inside the object, 0 outside.
    box
        ``(y0, x0, y1, x1)`` in pixels.
    mask
        The object itself, instead of points and box.
    """

    points: tuple[Point, ...] = ()
    labels: tuple[int, ...] = ()
    box: Box | None = None
    mask: Rle | None = None

    def extended(self, newer: Prompt) -> Prompt:
        """Add a newer prompt on the same frame: points add up, a box replaces a box, a mask replaces everything."""
        if newer.mask is not None:
            return newer
        return replace(
            newer,
            points=self.points + newer.points,
            labels=self.labels + newer.labels,
            box=newer.box if newer.box is not None else self.box,
        )


def make_prompt(
    shape: tuple[int, int],
    *,
    points: ArrayLike | None = None,
    labels: Sequence[int] | None = None,
    box: Sequence[float] | None = None,
    mask: ArrayLike | None = None,
) -> Prompt:
    """Check what a caller gave and make a prompt of it.

    Parameters
    ----------
    shape
        ``(Y, X)`` of the movie.
    points, labels, box, mask
        As in :class:`Prompt`; ``labels`` may be left out if all points are positive, ``mask`` is ``(Y, X)``.

    Raises
    ------
    PromptError
        If nothing was given, or what was given cannot be meant; the message names the value and the valid range.
    """
    if mask is not None:
        if points is not None or box is not None:
            raise PromptError(
                "a mask prompt stands alone: give the mask first and points in a second call to correct it"
            )
        return Prompt(mask=_checked_mask(mask, shape))
    if points is None and box is None:
        raise PromptError("a prompt needs points, a box or a mask; none was given")
    given, signs = _checked_points(points, labels, shape)
    return Prompt(given, signs, _checked_box(box, shape) if box is not None else None)


def cut_prompt(prompt: Prompt, window: Window | None) -> Prompt:
    """Bring points and box of a prompt to a window that holds them."""
    if window is None:
        return prompt
    y, x = window.origin
    box = prompt.box
    if box is not None:
        height, width = window.shape
        box = (max(box[0] - y, 0.0), max(box[1] - x, 0.0), min(box[2] - y, height), min(box[3] - x, width))
    return replace(prompt, points=tuple((point[0] - y, point[1] - x) for point in prompt.points), box=box)


def checked_object_id(object_id: object) -> int:
    """Return an object id as a plain number.

    Raises
    ------
    PromptError
        If it is no whole number from 1.
    """
    try:
        number = 0 if isinstance(object_id, bool) else operator.index(object_id)  # type: ignore[arg-type]
    except TypeError:
        number = 0
    if number < 1:
        raise PromptError(f"object id {object_id!r} must be a whole number from 1: every prompt belongs to an object")
    return number


def _checked_mask(mask: ArrayLike, shape: tuple[int, int]) -> Rle:
    array = np.asarray(mask)
    if array.shape != shape:
        raise PromptError(f"the mask has shape {array.shape}; the frames of this movie are {shape} (y, x)")
    return Rle.encode(array > 0 if array.dtype != np.bool_ else array)


def _checked_points(
    points: ArrayLike | None, labels: Sequence[int] | None, shape: tuple[int, int]
) -> tuple[tuple[Point, ...], tuple[int, ...]]:
    array = np.empty((0, 2)) if points is None else _pairs(points)
    signs = [1] * len(array) if labels is None else list(labels)
    if len(signs) != len(array):
        raise PromptError(f"{len(array)} points but {len(signs)} labels; give one label (1 or 0) for each point")
    for label in signs:
        if label not in (0, 1):
            raise PromptError(f"label {label!r} is neither 1 (inside the object) nor 0 (outside)")
    for y, x in array:
        _check_inside(float(y), float(x), shape)
    return tuple((float(y), float(x)) for y, x in array), tuple(map(int, signs))


def _pairs(points: ArrayLike) -> NDArray[np.float64]:
    try:
        array = np.asarray(points, dtype=float)
    except (TypeError, ValueError) as error:
        raise PromptError(f"points {points!r:.200} are not a list of (y, x) pairs of numbers") from error
    if array.ndim != 2 or array.shape[1] != 2 or not len(array):
        raise PromptError(f"points have shape {array.shape}; expected (N, 2): a list of (y, x) pairs")
    return array


def _check_inside(y: float, x: float, shape: tuple[int, int]) -> None:
    if not (-0.5 <= y <= shape[0] - 0.5 and -0.5 <= x <= shape[1] - 0.5):
        raise PromptError(
            f"point (y={y:g}, x={x:g}) lies outside the image; "
            f"y must be in 0..{shape[0] - 1} and x in 0..{shape[1] - 1}"
        )


def _checked_box(box: Sequence[float], shape: tuple[int, int]) -> Box:
    try:
        values = [float(value) for value in box]
    except (TypeError, ValueError) as error:
        raise PromptError(f"box {box!r:.200} must be four finite numbers (y0, x0, y1, x1)") from error
    if len(values) != 4 or not all(map(math.isfinite, values)):
        raise PromptError(f"box {tuple(box)} must be four finite numbers (y0, x0, y1, x1)")
    y0, x0, y1, x1 = values
    if y1 <= y0 or x1 <= x0:
        raise PromptError(f"box {tuple(values)} has no area; expected (y0, x0, y1, x1) with y0 < y1 and x0 < x1")
    clipped = (max(y0, 0.0), max(x0, 0.0), min(y1, float(shape[0])), min(x1, float(shape[1])))
    if clipped[2] <= clipped[0] or clipped[3] <= clipped[1]:
        raise PromptError(f"box {tuple(values)} lies outside the image of {shape[0]} x {shape[1]} pixels (y, x)")
    return clipped
