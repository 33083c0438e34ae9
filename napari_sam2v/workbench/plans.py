"""From what the user asked to track to what the tracker is asked: which objects, which frames, which way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.errors import FrameRangeError, LockedError, NoPromptError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_sam2v.panel.view_state import TrackRequest
    from src_model.annotation import Annotation


@dataclass(frozen=True, slots=True)
class Leg:
    """One way through the movie.

    Attributes
    ----------
    frames
        In the order in which they are tracked.
    """

    frames: range

    @property
    def reverse(self) -> bool:
        """Whether it leads towards earlier frames."""
        return self.frames.step < 0

    @property
    def stop(self) -> int | None:
        """As the tracker takes it: excluded, None for the first frame of the movie in reverse."""
        return None if self.frames.stop < 0 else self.frames.stop


@dataclass(frozen=True, slots=True)
class TrackPlan:
    """What a run tracks.

    Attributes
    ----------
    objects
        Ids, ascending.
    legs
        One or two ways through the movie.
    label
        What the step is called in the history.
    """

    objects: tuple[int, ...]
    legs: tuple[Leg, ...]
    label: str

    @property
    def total(self) -> int:
        """Frames to be tracked."""
        return sum(len(leg.frames) for leg in self.legs)


def plan_run(annotation: Annotation, request: TrackRequest, frame: int, selected: int | None) -> TrackPlan:
    """Plan a run from the frame that is shown.

    Raises
    ------
    NoPromptError
        If there is nothing that could be tracked.
    LockedError
        If all that could be tracked is locked.
    FrameRangeError
        If no frame lies in the chosen direction.
    """
    wanted = list(annotation.objects) if request.objects == "all" else [selected]
    objects = _trackable(annotation, [object_id for object_id in wanted if object_id is not None])
    prompted = [number for object_id in objects for number in _answered(annotation, object_id)]
    legs = [
        leg
        for reverse in (False, True)
        if request.direction in ("both", "backward" if reverse else "forward")
        if (leg := _leg(annotation, request, frame, prompted, reverse=reverse)) is not None
    ]
    if not legs:
        raise FrameRangeError(
            f"there is no frame to track {request.direction} from frame {frame}: "
            f"the movie has frames 0 to {annotation.movie.length - 1}"
        )
    who = annotation.object(objects[0]).title if len(objects) == 1 else f"{len(objects)} objects"
    way = {"forward": "", "backward": " backward", "both": " both ways"}[request.direction]
    return TrackPlan(tuple(objects), tuple(legs), f"Track {who}{way}")


def _leg(
    annotation: Annotation, request: TrackRequest, frame: int, prompted: list[int], *, reverse: bool
) -> Leg | None:
    """One direction; tracking starts where the first object can be known at all."""
    last = annotation.movie.length - 1
    if request.extent == "range":
        low, high = request.first or 0, last if request.last is None else request.last
        start = high if reverse else low
    else:
        low, high = 0, last
        start = frame
    # Nothing is known before an object's first prompt, or, backward, behind its last.
    start = min(start, max(prompted)) if reverse else max(start, min(prompted))
    if request.extent == "count":
        low, high = start - request.count, start + request.count
    end = max(low, 0) if reverse else min(high, last)
    frames = range(start, end - 1, -1) if reverse else range(start, end + 1)
    return Leg(frames) if len(frames) else None


def _trackable(annotation: Annotation, wanted: list[int]) -> list[int]:
    if not wanted:
        raise NoPromptError("there is no object yet; click one in the image first")
    prompted = [object_id for object_id in wanted if _answered(annotation, object_id)]
    if not prompted:
        titles = _titles(annotation, wanted)
        raise NoPromptError(f"{titles} cannot be tracked without a prompt; click it, draw a box, or paint it")
    free = [object_id for object_id in prompted if not annotation.object(object_id).locked]
    if not free:
        raise LockedError(f"{_titles(annotation, prompted)} cannot be tracked while locked; unlock to track")
    return free


def _answered(annotation: Annotation, object_id: int) -> list[int]:
    """Frames with a prompt and the mask that answers it."""
    return [frame for frame in annotation.prompts(object_id) if annotation.frame(object_id, frame) is not None]


def _titles(annotation: Annotation, objects: Iterable[int]) -> str:
    titles = [annotation.object(object_id).title for object_id in objects]
    return titles[0] if len(titles) == 1 else f"{len(titles)} objects"
