"""Prompts: what a person says about one object on one frame, for the tracker and the document alike."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from src_model.errors import PromptError
from src_model.masks import Rle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from src_model.masks.window import Window

Point: TypeAlias = tuple[float, float]
PromptBox: TypeAlias = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Prompt:
    """All that was said about one object on one frame.

    Attributes
    ----------
    points
        ``(y, x)`` in pixels of the movie, in the order of the clicks; a whole number is the centre of a pixel.
    labels
        One for each point: 1 inside the object, 0 outside.
    box
        ``(y0, x0, y1, x1)`` in pixels.
    mask
        The object itself; points beside it were clicked later, to correct it.

    Raises
    ------
    PromptError
        If a value is no number, a label neither 0 nor 1, or the box has no area.
    """

    points: tuple[Point, ...] = ()
    labels: tuple[int, ...] = ()
    box: PromptBox | None = None
    mask: Rle | None = None

    def __post_init__(self) -> None:
        if len(self.points) != len(self.labels):
            raise PromptError(
                f"{len(self.points)} points but {len(self.labels)} labels; give one label (1 or 0) for each point"
            )
        for label in self.labels:
            if label not in (0, 1):
                raise PromptError(f"label {label!r} is neither 1 (inside the object) nor 0 (outside)")
        object.__setattr__(self, "points", tuple(_numbers(point, 2, "point (y, x)") for point in self.points))
        object.__setattr__(self, "labels", tuple(int(label) for label in self.labels))
        if self.box is not None:
            y0, x0, y1, x1 = _numbers(self.box, 4, "box (y0, x0, y1, x1)")
            if y1 <= y0 or x1 <= x0:
                raise PromptError(
                    f"box {(y0, x0, y1, x1)} has no area; expected (y0, x0, y1, x1) with y0 < y1 and x0 < x1"
                )
            object.__setattr__(self, "box", (y0, x0, y1, x1))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is said."""
        return not self.points and self.box is None and self.mask is None

    def with_points(self, points: Sequence[Point], labels: Sequence[int]) -> Prompt:
        """Return the prompt with later clicks."""
        return replace(self, points=(*self.points, *points), labels=(*self.labels, *labels))

    def extended(self, newer: Prompt) -> Prompt:
        """Add a newer prompt on the same frame: points add up, a box replaces a box, a mask replaces everything."""
        if newer.mask is not None:
            return newer
        box = self.box if newer.box is None else newer.box
        return replace(self.with_points(newer.points, newer.labels), box=box)

    def without_mask(self) -> Prompt:
        """Return points and box alone."""
        return replace(self, mask=None)

    def with_point_at(self, index: int, point: Point) -> Prompt:
        """Return the prompt with click number ``index`` (from 0) moved to ``point``; PromptError if there is none."""
        self._check_index(index)
        return replace(self, points=(*self.points[:index], point, *self.points[index + 1 :]))

    def without_point(self, index: int) -> Prompt:
        """Return the prompt without click number ``index`` (from 0); PromptError if there is none."""
        self._check_index(index)
        return replace(
            self,
            points=(*self.points[:index], *self.points[index + 1 :]),
            labels=(*self.labels[:index], *self.labels[index + 1 :]),
        )

    def check_fits(self, shape: tuple[int, int]) -> None:
        """Raise PromptError unless all of it lies in an image of ``shape`` ``(Y, X)``; a box needs to touch it."""
        height, width = shape
        for y, x in self.points:
            if not (-0.5 <= y <= height - 0.5 and -0.5 <= x <= width - 0.5):
                raise PromptError(
                    f"point (y={y:g}, x={x:g}) lies outside the image; "
                    f"y must be in 0..{height - 1} and x in 0..{width - 1}"
                )
        if self.box is not None:
            y0, x0, y1, x1 = self.box
            if y1 <= 0 or x1 <= 0 or y0 >= height or x0 >= width:
                raise PromptError(f"box {self.box} lies outside the image of {height} x {width} pixels (y, x)")
        if self.mask is not None and self.mask.shape != shape:
            raise PromptError(f"the mask prompt has shape {self.mask.shape}; the frames of this movie are {shape}")

    def _check_index(self, index: int) -> None:
        if not 0 <= index < len(self.points):
            raise PromptError(f"there is no point {index}: the prompt has {len(self.points)}, counted from 0")


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
    pairs = () if points is None else _pairs(points)
    # Prompt itself says what is wrong with labels and boxes that are none.
    prompt = Prompt(pairs, (1,) * len(pairs) if labels is None else tuple(labels), box)  # type: ignore[arg-type]
    prompt.check_fits(shape)
    return replace(prompt, box=_clipped(prompt.box, shape))


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


def _pairs(points: ArrayLike) -> tuple[Point, ...]:
    try:
        array = np.asarray(points, dtype=float)
    except (TypeError, ValueError) as error:
        raise PromptError(f"points {points!r:.200} are not a list of (y, x) pairs of numbers") from error
    if array.ndim != 2 or array.shape[1] != 2 or not len(array):
        raise PromptError(f"points have shape {array.shape}; expected (N, 2): a list of (y, x) pairs")
    return tuple((float(y), float(x)) for y, x in array)


def _clipped(box: PromptBox | None, shape: tuple[int, int]) -> PromptBox | None:
    if box is None:
        return None
    y0, x0, y1, x1 = box
    return max(y0, 0.0), max(x0, 0.0), min(y1, float(shape[0])), min(x1, float(shape[1]))


def _numbers(values: Sequence[float], count: int, what: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(value) for value in values)
    except (TypeError, ValueError) as error:
        raise PromptError(f"{values!r:.200} is no {what}: expected {count} finite numbers") from error
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise PromptError(f"{values!r:.200} is no {what}: expected {count} finite numbers")
    return numbers
