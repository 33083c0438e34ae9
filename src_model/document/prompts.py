"""Prompts as the document keeps them: the clicks in their order, a box, a mask, for one object on one frame."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from src_model.errors import PromptError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from src_model.masks import Rle

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
            raise PromptError(f"{len(self.points)} points but {len(self.labels)} labels; give one label a point")
        for label in self.labels:
            if label not in (0, 1):
                raise PromptError(f"label {label!r} is neither 1 (inside the object) nor 0 (outside)")
        object.__setattr__(self, "points", tuple(_numbers(point, 2, "point (y, x)") for point in self.points))
        object.__setattr__(self, "labels", tuple(int(label) for label in self.labels))
        if self.box is not None:
            y0, x0, y1, x1 = _numbers(self.box, 4, "box (y0, x0, y1, x1)")
            if y1 <= y0 or x1 <= x0:
                raise PromptError(f"box {tuple(self.box)} has no area; expected y0 < y1 and x0 < x1")
            object.__setattr__(self, "box", (y0, x0, y1, x1))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is said."""
        return not self.points and self.box is None and self.mask is None

    def with_points(self, points: Sequence[Point], labels: Sequence[int]) -> Prompt:
        """Return the prompt with later clicks."""
        return replace(self, points=(*self.points, *points), labels=(*self.labels, *labels))

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


def _numbers(values: Sequence[float], count: int, what: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(value) for value in values)
    except (TypeError, ValueError) as error:
        raise PromptError(f"{values!r:.200} is no {what}: expected {count} finite numbers") from error
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise PromptError(f"{values!r:.200} is no {what}: expected {count} finite numbers")
    return numbers
