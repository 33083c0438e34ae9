"""Which frames are tracked in which order, so that every object is followed both ways from its prompts."""

from __future__ import annotations

from dataclasses import dataclass
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

    @property
    def stop(self) -> int | None:
        """As the tracker takes it: excluded, None for the first frame of the movie in reverse."""
        return None if self.frames.stop < 0 else self.frames.stop


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
    if direction == "forward":
        return forward
    later = {object_id: frame for object_id, frame in first.items() if frame > span.start}
    return forward + staggered(later, span.start, reverse=True)


def _check_inside(prompted: Mapping[int, Sequence[int]], span: range) -> None:
    for object_id, frames in prompted.items():
        outside = [frame for frame in frames if frame not in span]
        if outside:
            raise FrameRangeError(
                f"object {object_id} is prompted on frame {outside[0]}, which is not among the frames to be tracked, "
                f"{span.start} to {span.stop - 1}"
            )


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


def remaining_passes(passes: Sequence[Pass], objects: Mapping[int, TrackedObject]) -> list[Pass]:
    """Leave out what was tracked before: passes that were finished, and the first part of one that was cut short."""
    prompted = {number: item.prompted_frames for number, item in objects.items()}
    return left_of(passes, prompted, lambda number, frame: objects[number].directions.get(frame))


def left_of(
    passes: Sequence[Pass], prompted: Mapping[int, Sequence[int]], tracked: Callable[[int, int], bool | None]
) -> list[Pass]:
    """Leave out what was tracked before of each object, wherever that is kept.

    Parameters
    ----------
    passes
        In order.
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
