"""From what the user asked to track to what the tracker is asked: which objects, which frames, which way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.errors import FrameRangeError, LockedError, NoPromptError
from src_model.tracking.passes import Pass, staggered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from napari_sam2v.panel.view_state import TrackOptions
    from src_model.document import Annotation


@dataclass(frozen=True, slots=True)
class TrackPlan:
    """What a run tracks.

    Attributes
    ----------
    objects
        Ids, ascending.
    passes
        Ways through the movie, forward before backward; one begins wherever another object joins.
    label
        What the step is called in the history.
    """

    objects: tuple[int, ...]
    passes: tuple[Pass, ...]
    label: str

    @property
    def total(self) -> int:
        """Frames to be tracked."""
        return sum(len(each.frames) for each in self.passes)


def plan_run(annotation: Annotation, request: TrackOptions, frame: int, selected: int | None) -> TrackPlan:
    """Plan a run from the frame that is shown.

    Each object is tracked from the frame on which the run begins, or, where it is not known there, from the nearest
    frame on which it is, so that no frame between is left out.

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
    answered = {object_id: _answered(annotation, object_id) for object_id in objects}
    passes: list[Pass] = []
    for reverse in (False, True):
        if request.direction in ("both", "backward" if reverse else "forward"):
            base, end = _bounds(annotation, request, frame, answered, reverse=reverse)
            starts = {
                object_id: _first_frame(annotation, object_id, frames, base, passes, reverse=reverse)
                for object_id, frames in answered.items()
            }
            passes += staggered(starts, end, reverse=reverse)
    if not passes:
        raise FrameRangeError(
            f"there is no frame to track {request.direction} from frame {frame}: "
            f"the movie has frames 0 to {annotation.movie.length - 1}"
        )
    who = annotation.object(objects[0]).title if len(objects) == 1 else f"{len(objects)} objects"
    way = {"forward": "", "backward": " backward", "both": " both ways"}[request.direction]
    return TrackPlan(tuple(objects), tuple(passes), f"Track {who}{way}")


def _bounds(
    annotation: Annotation,
    request: TrackOptions,
    frame: int,
    answered: Mapping[int, Sequence[int]],
    *,
    reverse: bool,
) -> tuple[int, int]:
    """Return the first and the last frame of one direction, both included, in the order of tracking."""
    last = annotation.movie.length - 1
    if request.extent == "range":
        low, high = request.first or 0, last if request.last is None else request.last
        base = high if reverse else low
    else:
        low, high = 0, last
        base = frame
    # Nothing is known before the first prompt of any object, or, backward, behind the last.
    prompted = [number for frames in answered.values() for number in frames]
    base = min(base, max(prompted)) if reverse else max(base, min(prompted))
    if request.extent == "count":
        low, high = base - request.count, base + request.count
    return base, max(low, 0) if reverse else min(high, last)


def _first_frame(
    annotation: Annotation,
    object_id: int,
    answered: Sequence[int],
    base: int,
    forward: Sequence[Pass],
    *,
    reverse: bool,
) -> int:
    """Return the frame on which the tracking of one object begins.

    That is ``base`` if the object is known there, or will be after the ``forward`` passes, else the frame beside the
    nearest one on the side that tracking comes from. Nothing is known on the far side of its outermost prompt.
    """
    outermost = max(answered) if reverse else min(answered)
    if (base >= outermost) if reverse else (base <= outermost):
        return outermost
    known = set(annotation.track(object_id).masks.frames())
    step = -1 if reverse else 1
    nearest = next(
        frame
        for frame in range(base, outermost - step, -step)
        if frame in known
        or frame == outermost
        or any(frame in each.frames and object_id in each.objects for each in forward)
    )
    return base if nearest == base else nearest + step


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
