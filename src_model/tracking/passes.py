"""Which frames are tracked in which order, so that every object is followed both ways from its prompts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from src_model.errors import FrameRangeError, NoPromptError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from src_model.tracking.tracked_object import TrackedObject

Way = Literal["both", "forward", "reverse"]


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


def plan_passes(prompted: Mapping[int, Sequence[int]], span: range, direction: Way) -> list[Pass]:
    """Plan how objects are tracked over a span of frames.

    Forwards, all objects go together from the first prompt of any on. Then, in reverse, each goes from its own first
    prompt to the start: what lies between an object's prompts was tracked with knowledge of both and stays. The
    reverse run picks objects up on its way, so that each frame is looked at once.

    Parameters
    ----------
    prompted
        The prompted frames of each object.
    span
        The frames to be tracked.
    direction
        ``"forward"`` leaves out the second part; ``"reverse"`` tracks from the last prompts to the start alone.

    Returns
    -------
    list of Pass

    Raises
    ------
    NoPromptError
        If there is no object.
    FrameRangeError
        If a prompt lies outside of the span.
    """
    if not prompted:
        raise NoPromptError("nothing was prompted: say what to track with --point, --box or --mask")
    _check_inside(prompted, span)
    everything = tuple(prompted)
    if direction == "reverse":
        last = max(max(frames) for frames in prompted.values())
        return [Pass(range(last, span.start - 1, -1), everything)]
    first = {object_id: min(frames) for object_id, frames in prompted.items()}
    forward = [Pass(range(min(first.values()), span.stop), everything)]
    return forward if direction == "forward" else forward + _towards_start(first, span.start)


def _check_inside(prompted: Mapping[int, Sequence[int]], span: range) -> None:
    for object_id, frames in prompted.items():
        outside = [frame for frame in frames if frame not in span]
        if outside:
            raise FrameRangeError(
                f"object {object_id} is prompted on frame {outside[0]}, which is not among the frames to be tracked, "
                f"{span.start} to {span.stop - 1}"
            )


def _towards_start(first: Mapping[int, int], start: int) -> list[Pass]:
    """Reverse runs, cut wherever another object joins."""
    joints = sorted({frame for frame in first.values() if frame > start}, reverse=True)
    passes = []
    for joint, following in zip(joints, [*joints, start - 1][1:], strict=True):
        objects = tuple(object_id for object_id, frame in first.items() if frame >= joint)
        passes.append(Pass(range(joint, following, -1), objects))
    return passes


def remaining_passes(passes: Sequence[Pass], objects: Mapping[int, TrackedObject]) -> list[Pass]:
    """Leave out what was tracked before: passes that were finished, and the first part of one that was cut short."""
    return left_of(passes, lambda number, frame: objects[number].directions.get(frame))


def left_of(passes: Sequence[Pass], tracked: Callable[[int, int], bool | None]) -> list[Pass]:
    """Leave out what was tracked before, wherever that is kept.

    Parameters
    ----------
    passes
        In order.
    tracked
        Tells of an object and a frame whether it was tracked there in reverse; None: not at all.
    """
    left = []
    for planned in passes:
        done = [
            place
            for place, frame in enumerate(planned.frames)
            if any(tracked(number, frame) is planned.reverse for number in planned.objects)
        ]
        rest = planned.frames[done[-1] + 1 :] if done else planned.frames
        if len(rest):
            left.append(replace(planned, frames=rest))
    return left
