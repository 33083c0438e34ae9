"""Ways of the tracker through a movie: which objects on which frames, in which order."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Pass:
    """One run of the tracker over consecutive frames.

    Attributes
    ----------
    frames
        In the order in which they are tracked.
    objects
        Ids of the objects that are tracked.
    """

    frames: range
    objects: tuple[int, ...]

    @property
    def reverse(self) -> bool:
        """Whether time runs backwards."""
        return self.frames.step < 0

    @property
    def stop(self) -> int | None:
        """As the tracker takes it: excluded, None for the first frame of the movie in reverse."""
        return None if self.frames.stop < 0 else self.frames.stop


def staggered(starts: Mapping[int, int], end: int, *, reverse: bool) -> list[Pass]:
    """Plan one way over consecutive frames that picks objects up as it comes to them: each frame is looked at once.

    Parameters
    ----------
    starts
        The frame on which each object joins. Those that lie behind the end are left out.
    end
        The last frame, included.
    reverse
        Whether time runs backwards.

    Returns
    -------
    list of Pass
        One begins wherever another object joins.
    """
    step = -1 if reverse else 1
    joining = {object_id: frame for object_id, frame in starts.items() if (end - frame) * step >= 0}
    joints = sorted(set(joining.values()), reverse=reverse)
    passes = []
    for joint, following in zip(joints, [*joints, end + step][1:], strict=True):
        objects = tuple(object_id for object_id, frame in joining.items() if (joint - frame) * step >= 0)
        passes.append(Pass(range(joint, following, step), objects))
    return passes


def within(passes: Sequence[Pass], lives: Mapping[int, range]) -> list[Pass]:
    """Leave out of each pass the frames on which an object is not there, by its ``lives``; the order stays."""
    kept: list[Pass] = []
    for planned in passes:
        frames = planned.frames
        bounds = {each for number in planned.objects for each in (lives[number].start, lives[number].stop)}
        # In reverse the frame before a bound is the first one behind it.
        cuts = [bound - planned.reverse for bound in bounds if bound - planned.reverse in frames[1:]]
        joints = [frames.start, *sorted(cuts, reverse=planned.reverse), frames.stop]
        for start, stop in pairwise(joints):
            objects = tuple(number for number in planned.objects if start in lives[number])
            if objects:
                kept.append(Pass(range(start, stop, frames.step), objects))
    return kept


def tracked_passes(directions: Mapping[int, Mapping[int, bool]], prompted: Mapping[int, Sequence[int]]) -> list[Pass]:
    """Plan to track again what was tracked before: forwards first, then in reverse.

    Parameters
    ----------
    directions
        The tracked frames of each object, with whether they were tracked in reverse.
    prompted
        The prompted frames of each object, which tracking passes through.
    """
    passes: list[Pass] = []
    for reverse in (False, True):
        step = -1 if reverse else 1
        frames: dict[int, list[int]] = {}
        for number, ways in directions.items():
            tracked = {frame for frame, way in ways.items() if way is reverse}
            for frame in tracked | {frame for frame in prompted[number] if frame + step in tracked}:
                frames.setdefault(frame, []).append(number)
        for frame in sorted(frames, reverse=reverse):
            objects = tuple(frames[frame])
            last = passes[-1] if passes else None
            if last is not None and last.objects == objects and last.frames.stop == frame and last.reverse is reverse:
                passes[-1] = Pass(range(last.frames.start, frame + step, step), objects)
            else:
                passes.append(Pass(range(frame, frame + step, step), objects))
    return passes


def left_of(
    passes: Sequence[Pass], prompted: Mapping[int, Sequence[int]], tracked: Callable[[int, int], bool | None]
) -> list[Pass]:
    """Leave out what was tracked before of each object, wherever that is kept.

    Parameters
    ----------
    passes
        What was to be tracked, in order.
    prompted
        The prompted frames of each object: it is tracked from the first on, in reverse from the last.
    tracked
        Tells of an object and a frame whether it was tracked there in reverse; None: not at all.
    """
    left: list[Pass] = []
    for planned in passes:
        frames, reverse = planned.frames, planned.reverse
        starts = {}
        for number in planned.objects:
            done = next((frame for frame in reversed(frames) if tracked(number, frame) is reverse), None)
            if done is not None:
                starts[number] = done + frames.step
            else:
                starts[number] = (min if reverse else max)(frames.start, (max if reverse else min)(prompted[number]))
        left += staggered(starts, frames[-1], reverse=reverse)
    return left
