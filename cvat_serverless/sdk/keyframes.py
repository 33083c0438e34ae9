"""An object frame by frame as keyframes of a CVAT track: as many as are needed to show the same, and no more."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from cvat_serverless.shapes import ShapeType

_RECTANGLE_TOLERANCE = 0.5
"""Pixels by which CVAT's interpolation between keyframes may be off: half of one is not seen, and saves keyframes."""


@dataclass(frozen=True, slots=True)
class FrameShape:
    """Where an object is on a frame.

    Attributes
    ----------
    frame
        Frame number, as CVAT counts.
    points
        As in :class:`~cvat_serverless.shapes.Shape`; None if the object is not there.
    drawn
        Whether a person drew it so.
    """

    frame: int
    points: tuple[float, ...] | None
    drawn: bool = False


@dataclass(frozen=True, slots=True)
class Keyframe:
    """A keyframe of a track.

    Attributes
    ----------
    frame, points
        As in :class:`FrameShape`.
    outside
        Whether the object is not there from here on; the points are the last ones then.
    """

    frame: int
    points: tuple[float, ...]
    outside: bool = False


def choose_keyframes(shapes: Sequence[FrameShape], kind: ShapeType, *, end: int | None = None) -> list[Keyframe]:
    """Choose the frames that have to be keyframes.

    CVAT shows rectangles between keyframes in between, and polygons by its own mixture of both, so a polygon is left
    out only where it stands still.

    Parameters
    ----------
    shapes
        Where the object is, by ascending frame.
    kind
        ``"rectangle"`` or ``"polygon"``.
    end
        The frame after the last shape, if the task has one: without a keyframe CVAT would show the object to the end.

    Returns
    -------
    list of Keyframe
        Empty if the object is never there.
    """
    found: list[Keyframe] = []
    shown: tuple[float, ...] | None = None
    for run in _runs(shapes):
        if run[0].points is not None:
            found += [Keyframe(run[index].frame, run[index].points or ()) for index in _needed(run, kind)]
            shown = run[-1].points
        elif shown is not None:
            found.append(Keyframe(run[0].frame, shown, outside=True))
    if found and end is not None and not found[-1].outside:
        found.append(Keyframe(end, found[-1].points, outside=True))
    return found


def _runs(shapes: Sequence[FrameShape]) -> Iterator[Sequence[FrameShape]]:
    """Cut where the object comes or goes."""
    first = 0
    for index in range(1, len(shapes) + 1):
        if index == len(shapes) or (shapes[index].points is None) != (shapes[first].points is None):
            yield shapes[first:index]
            first = index


def _needed(run: Sequence[FrameShape], kind: ShapeType) -> list[int]:
    """Return the indices in a run without gaps that have to be keyframes, ascending."""
    fixed = sorted({0, len(run) - 1, *(index for index, shape in enumerate(run) if shape.drawn)})
    if kind != "rectangle":
        changes = [
            index
            for index in range(1, len(run) - 1)
            if run[index].points != run[index - 1].points or run[index].points != run[index + 1].points
        ]
        return sorted({*fixed, *changes})
    frames = np.array([shape.frame for shape in run], float)
    boxes = np.array([shape.points for shape in run], float)
    needed = set(fixed)
    pending = list(pairwise(fixed))
    while pending:
        first, last = pending.pop()
        if last - first > 1 and (worst := _worst(frames, boxes, first, last)) is not None:
            needed.add(worst)
            pending += [(first, worst), (worst, last)]
    return sorted(needed)


def _worst(frames: NDArray[np.float64], boxes: NDArray[np.float64], first: int, last: int) -> int | None:
    """Return the index between two keyframes that interpolation misses by most; None if all are near enough."""
    part = slice(first + 1, last)
    along = ((frames[part] - frames[first]) / (frames[last] - frames[first]))[:, None]
    off = np.abs(boxes[part] - (boxes[first] * (1 - along) + boxes[last] * along)).max(axis=1)
    worst = int(off.argmax())
    return first + 1 + worst if off[worst] > _RECTANGLE_TOLERANCE else None
