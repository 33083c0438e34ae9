"""From what was asked to be tracked to the ways through the movie: which objects, which frames, which direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from src_model.document import Origin
from src_model.document.lineage import life_of
from src_model.document.provenance import ORIGINS
from src_model.errors import FrameRangeError, LockedError, NoPromptError
from src_model.tracking.passes import Pass, left_of, staggered, within

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from src_model.document import DocumentView

Direction = Literal["both", "forward", "backward"]


@dataclass(frozen=True, slots=True)
class TrackRequest:
    """What is to be tracked.

    Attributes
    ----------
    objects
        Ids of objects; None: all.
    direction
        Towards later frames, earlier ones, or both.
    start
        Frame number, from 0, from which it goes. None: from the first of the frames to be tracked, backward from the
        last; both ways each object from its own first prompt, so that what lies between its prompts is tracked once.
    first, last
        Frame numbers between which it stays, both included; None: to the end of the movie.
    count
        Track so many frames from ``start`` at most; None: all.
    only_missing
        Leave out what was tracked before, as after a run that was stopped.
    """

    objects: tuple[int, ...] | None = None
    direction: Direction = "both"
    start: int | None = None
    first: int = 0
    last: int | None = None
    count: int | None = None
    only_missing: bool = False


@dataclass(frozen=True, slots=True)
class TrackPlan:
    """What a run tracks.

    Attributes
    ----------
    objects
        Ids of the objects, in the order of the document.
    passes
        Ways through the movie, forward before backward; one begins wherever another object joins.
    label
        What the step is called in the history.
    tracked_before
        How many frames were left out because they were tracked before.
    """

    objects: tuple[int, ...]
    passes: tuple[Pass, ...]
    label: str
    tracked_before: int = 0

    @property
    def total(self) -> int:
        """Frames to be tracked; one that is tracked both ways counts twice."""
        return _frames_in(self.passes)


def plan_tracking(document: DocumentView, request: TrackRequest) -> TrackPlan:
    """Plan a run over a document whose prompts are answered.

    Each object is tracked from the frame on which the run begins, or, where it is not known there, from the nearest
    frame on which it is, so that no frame between is left out; none before the division that it comes of, nor from its
    own division on.

    Raises
    ------
    NoPromptError
        If there is nothing that could be tracked.
    LockedError
        If all that could be tracked is locked.
    FrameRangeError
        If no frame lies in the chosen direction.
    """
    answered = _trackable(document, list(document.objects if request.objects is None else request.objects))
    objects = list(answered)
    lives = {number: life_of(number, document.divisions, document.movie.length) for number in objects}
    passes: list[Pass] = []
    for reverse in (False, True):
        if request.direction in ("both", "backward" if reverse else "forward"):
            base = _base(document, request, answered, reverse=reverse)
            end = _end(document, request, base, reverse=reverse)
            # Both ways without a start, each object turns where it began.
            turns = request.start is None and request.direction == "both" and reverse
            starts = {}
            for number, frames in answered.items():
                own = max(request.first, min(frames)) if turns else base
                starts[number] = _first_frame(document, number, frames, own, passes, reverse=reverse)
            if request.direction == "both" and reverse:
                # An object that is prompted on the first frame it is on was tracked forward from it: nothing is left.
                firsts = {n: max(end, lives[n].start) for n in starts}
                starts = {n: frame for n, frame in starts.items() if frame != firsts[n] or frame not in answered[n]}
            passes += staggered(starts, end, reverse=reverse)
    passes = within(passes, lives)
    if not passes:
        place = "" if request.start is None else f" from frame {request.start}"
        raise FrameRangeError(
            f"there is no frame to track {request.direction}{place}: "
            f"the movie has frames 0 to {document.movie.length - 1}"
        )
    wanted = _frames_in(passes)
    if request.only_missing:
        ways = {number: _ways(document, number) for number in objects}
        passes = left_of(passes, answered, lambda number, frame: ways[number].get(frame))
    who = document.object(objects[0]).title if len(objects) == 1 else f"{len(objects)} objects"
    way = {"forward": "", "backward": " backward", "both": " both ways"}[request.direction]
    return TrackPlan(tuple(objects), tuple(passes), f"Track {who}{way}", wanted - _frames_in(passes))


def _frames_in(passes: Iterable[Pass]) -> int:
    return sum(len(each.frames) for each in passes)


def _last(document: DocumentView, request: TrackRequest) -> int:
    last = document.movie.length - 1
    return last if request.last is None else min(request.last, last)


def _base(
    document: DocumentView, request: TrackRequest, answered: Mapping[int, Sequence[int]], *, reverse: bool
) -> int:
    """Return the frame from which tracking goes in one direction."""
    base = request.start
    if base is None:
        base = _last(document, request) if reverse else request.first
    # Nothing is known before the first prompt of any object, or, backward, behind the last.
    if reverse:
        return min(base, max(map(max, answered.values())))
    return max(base, min(map(min, answered.values())))


def _end(document: DocumentView, request: TrackRequest, base: int, *, reverse: bool) -> int:
    """Return the last frame of one direction, included."""
    low, high = request.first, _last(document, request)
    if request.count is not None:
        low, high = max(low, base - request.count), min(high, base + request.count)
    return low if reverse else high


def _first_frame(
    document: DocumentView,
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
    known = set(document.track(object_id).masks.frames())
    step = -1 if reverse else 1
    nearest = next(
        frame
        for frame in range(base, outermost - step, -step)
        if frame in known
        or frame == outermost
        or any(frame in each.frames and object_id in each.objects for each in forward)
    )
    return base if nearest == base else nearest + step


def _trackable(document: DocumentView, wanted: list[int]) -> dict[int, list[int]]:
    """Return the answered prompts, by frame, of the objects that can be tracked."""
    if not wanted:
        raise NoPromptError("there is no object yet; prompt one with a click, a box or a mask first")
    prompted = {number: frames for number in wanted if (frames := _answered(document, number))}
    if not prompted:
        titles = _titles(document, wanted)
        raise NoPromptError(f"{titles} cannot be tracked without a prompt; click it, draw a box, or paint it")
    free = {number: frames for number, frames in prompted.items() if not document.object(number).locked}
    if not free:
        raise LockedError(f"{_titles(document, prompted)} cannot be tracked while locked; unlock to track")
    return free


def _answered(document: DocumentView, object_id: int) -> list[int]:
    """Frames with a prompt and the mask that answers it."""
    return [frame for frame in document.prompts(object_id) if document.frame(object_id, frame) is not None]


def _ways(document: DocumentView, object_id: int) -> dict[int, bool]:
    """Return the tracked frames of an object, with whether they were tracked in reverse."""
    origins = {fact.frame: ORIGINS[fact.origin] for fact in document.track(object_id).masks.facts()}
    return {frame: origin is Origin.TRACKED_BACK for frame, origin in origins.items() if origin.is_tracked}


def _titles(document: DocumentView, objects: Iterable[int]) -> str:
    titles = [document.object(object_id).title for object_id in objects]
    return titles[0] if len(titles) == 1 else f"{len(titles)} objects"
