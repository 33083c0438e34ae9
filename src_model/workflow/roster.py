"""All objects that are followed through a movie: what is known of each track, and the session's objects, kept alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_model.document import AnnotatedFrame, Origin
from src_model.masks import MaskletFrame, Rle
from src_model.prompts import Prompt
from src_model.tracking.object_state import ObjectState
from src_model.workflow.followed_track import FollowedTrack
from src_model.workflow.movie_outcome import Beginning, Ending, FoundDivision

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from src_model.document.snapshot import ObjectSnapshot
    from src_model.tracking import Session
    from src_model.workflow.movie_outcome import BeginReason, OutcomeBuilder


class Roster:
    """The objects of a session, and their tracks.

    Parameters
    ----------
    session
        The session, with the objects that are known.
    known
        Objects of the document that are tracked or claim pixels.
    next_id
        Number of the first new object.
    kept
        Frames whose masks are held of each track.

    Attributes
    ----------
    session
        The session.
    tracks
        By object id.
    first
        The first frame that is tracked.
    """

    def __init__(self, session: Session, known: Sequence[ObjectSnapshot], next_id: int, kept: int) -> None:
        self.session, self.first = session, 0
        self.tracks = {each.object_id: FollowedTrack.of(each) for each in known if each.prompts}
        self._known, self._next_id, self._kept = known, next_id, kept

    def begin_at(self, first: int) -> None:
        """Take the first frame that is tracked, and the masks that known objects have shortly before it."""
        self.first = first
        for each in self._known:
            for frame in range(max(0, first - self._kept), first):
                if each.object_id in self.tracks and (entry := each.mask(frame)) is not None:
                    self.see(each.object_id, frame, entry.mask)

    def forget_removed(self) -> None:
        """Let go of objects that a person removed meanwhile."""
        for number in self.tracks.keys() - self.session.objects.keys():
            del self.tracks[number]

    def see(self, number: int, frame: int, mask: Rle) -> None:
        """Take the mask ``(Y, X)`` of an object on the next frame."""
        self.tracks[number].see(frame, mask, self._kept)

    def seen(self, frame: int, *, but: Sequence[int] = ()) -> dict[int, Rle]:
        """Return the masks ``(Y, X)`` of a frame that are not empty, by object id, without those of some objects."""
        masks = {number: track.mask(frame) for number, track in self.tracks.items() if number not in but}
        return {number: mask for number, mask in masks.items() if not mask.is_empty}

    def is_held(self, number: int, frame: int) -> bool:
        """Whether a person says that an object goes on from a frame on."""
        item = self.session.objects[number]
        return self.tracks[number].is_locked or any(at >= frame for at in (*item.prompts, *item.locked))

    def begin(self, masks: Mapping[int, AnnotatedFrame], prompted: int) -> int:
        """Begin an object with its masks on some frames, of which one is its prompt; return its id."""
        number = self._placed(masks, prompted)
        self.tracks[number] = FollowedTrack(number, joins=min(masks))
        for frame in sorted(masks):
            self.see(number, frame, masks[frame].mask)
        return number

    def tell_beginning(self, step: OutcomeBuilder, number: int, reason: BeginReason | None) -> None:
        """Say that an object began, and why; None: to be seen by where it came in."""
        track, item = self.tracks[number], self.session.objects[number]
        if step.frame == self.first:
            reason = "first frame"
        elif reason is None:
            reason = "edge" if track.touches_edge(first=True) else "appeared"
        prompted = next(iter(item.prompts))
        entries = item.masklet.entries().items()
        masks = {frame: AnnotatedFrame.of(entry, origin_of(frame, prompted)) for frame, entry in entries}
        step.beginnings.append(Beginning(number, reason, prompted, masks))

    def drop(self, number: int, frame: int) -> None:
        """Take the mask of a tracked frame back, and what the network remembers of it."""
        item = self.session.objects[number]
        item.masklet.restore(frame, MaskletFrame(Rle.empty(self.session.frame_shape), 0.0, 0.0))
        item.bank.forget(frame)
        item.directions.pop(frame, None)  # so that no memory is made of it again

    def prompt_again(self, step: OutcomeBuilder, number: int, entry: AnnotatedFrame) -> None:
        """Let an object go on from another mask on this frame."""
        item = self.session.objects[number]
        item.masklet.restore(step.frame, entry.entry)
        item.prompts[step.frame] = Prompt(mask=entry.mask)
        item.bank.expect(step.frame)
        self.see(number, step.frame, entry.mask)
        step.masks.pop(number, None)
        step.found_again[number] = entry

    def go_on_as_daughter(self, step: OutcomeBuilder, mother: int, frame: int) -> int:
        """Let what was tracked of a mother from a frame on be a daughter, with the memories of it."""
        held = self.session.objects[mother]
        later = {at: entry for at, entry in held.masklet.entries().items() if at >= frame}
        masks = {at: AnnotatedFrame.of(entry, origin_of(at, frame)) for at, entry in later.items()}
        number = self._placed(masks, frame)
        daughter, item = self.tracks[mother].split(frame, number), self.session.objects[number]
        for at in later:
            memory = held.bank.recent.get(at)
            if memory is not None and at != frame:
                item.bank.remember(at, memory)
        self.tracks[number] = daughter
        step.masks.pop(mother, None)
        self.tell_beginning(step, number, "division")
        return number

    def mark_division(
        self, step: OutcomeBuilder, mother: int, frame: int, daughters: tuple[int, int], score: float
    ) -> None:
        """End a mother before a frame and note whom she became."""
        item, track = self.session.objects[mother], self.tracks[mother]
        for at in [at for at in item.masklet.frames if at >= frame]:
            item.masklet.delete(at)
            item.directions.pop(at, None)
        item.forget_memories()
        track.end_before(frame)
        step.masks.pop(mother, None)
        for daughter in daughters:
            self.tracks[daughter].is_daughter = True
        step.divisions.append(FoundDivision(mother, daughters, frame, score, is_marked=True))
        step.endings.append(Ending(mother, track.last_seen, "division"))

    def _placed(self, masks: Mapping[int, AnnotatedFrame], frame: int) -> int:
        """Give the session an object, prompted with its mask on a frame; return its id."""
        number, self._next_id = self._next_id, self._next_id + 1
        prompts = {frame: Prompt(mask=masks[frame].mask)}
        directions = {other: False for other in masks if other != frame}
        self.session.restore(ObjectState(number, dict(masks), prompts, directions=directions))
        return number


def origin_of(frame: int, prompted: int) -> Origin:
    """Say where the mask of a frame comes from, of an object that is prompted on another or on this one."""
    if frame == prompted:
        return Origin.PROMPTED
    return Origin.TRACKED if frame > prompted else Origin.TRACKED_BACK
