"""All objects of a movie together, forward: masks compete, new objects begin, divisions are found, tracks end."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np

from src_model.document import AnnotatedFrame, Origin
from src_model.errors import DamagedFrameError
from src_model.masks import MaskletFrame, Rle, pairwise_containment
from src_model.prompts import Prompt
from src_model.tracking.object_state import ObjectState
from src_model.workflow.brightness import brightness_likeness
from src_model.workflow.competition import UNCLAIMED, Claim, claim_strength, settle, unclaimed, without
from src_model.workflow.division_cues import diameter_of, distance_between, divided_parts
from src_model.workflow.finding import median_area
from src_model.workflow.followed_track import FollowedTrack, oddity
from src_model.workflow.mother_search import EARLIER, NEAR, find_mother
from src_model.workflow.movie_outcome import Beginning, Doubt, Ending, FoundDivision, OutcomeBuilder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from src_model.document.snapshot import ObjectSnapshot
    from src_model.tracking import FrameResult, Session
    from src_model.workflow.division_cues import DivisionCues
    from src_model.workflow.finding import Finder
    from src_model.workflow.movie_outcome import BeginReason, MovieOutcome, WholeMovieOptions

_TYPICAL = 3.0
"""What begins is at most so many times larger or smaller than the objects are in the median."""

_RECALLED = 1.0
"""Diameters within which a lost object is found again; a third more for each frame that it was lost."""

_SUGGESTED = 0.25
"""Divisions whose score is less than what is asked for by no more than this are suggested."""

_BACK = 2
"""Frames for which a new object is tracked back beyond the last look, on which it may have been missed."""


class MovieFollower:
    """Tracks all objects of a session forward, on the worker's thread.

    What is held of an object here is a few masks: those that a look back may reach. The session lets go of the memories
    of objects that end.

    Parameters
    ----------
    session
        The session, with the objects that are known.
    finder
        Looks for new objects.
    options
        How often, and what is made of divisions.
    known
        Objects of the document that are tracked or claim pixels.
    next_id
        Number of the first new object.
    """

    def __init__(
        self,
        session: Session,
        finder: Finder,
        options: WholeMovieOptions,
        known: tuple[ObjectSnapshot, ...],
        next_id: int,
    ) -> None:
        self._session = session
        self._finder = finder
        self._options = options
        self._next_id = next_id
        self._kept = options.every + _BACK + EARLIER + 1
        self._known = known
        self._tracks = {each.object_id: FollowedTrack.of(each) for each in known if each.prompts}
        self._first = 0
        self._looked: int | None = None

    def run(self, frames: range, *, look_first: bool) -> Iterator[MovieOutcome]:
        """Go through frames, one after the other.

        Parameters
        ----------
        frames
            Frame numbers, ascending.
        look_first
            Whether new objects are looked for on the first of them, whatever is suspected.
        """
        self._first = frames.start
        self._looked = None if look_first else frames.start - 1
        for each in self._known:
            for frame in range(max(0, frames.start - self._kept), frames.start):
                if each.object_id in self._tracks and (entry := each.mask(frame)) is not None:
                    self._tracks[each.object_id].see(frame, entry.mask, self._kept)
        for frame in frames:
            step = OutcomeBuilder(frame)
            tracked = self._track(step)
            if tracked.damaged is None:
                self._compete(step, tracked)
                if self._options.divisions != "off":
                    self._divide_in_parts(step)
                if self._looked is None or frame - self._looked >= self._options.every:
                    self._begin_found(step, None)
                    self._looked = frame
                elif (where := self._suspected(frame)) is not None:
                    self._begin_found(step, where)
                self._end(step)
            elif self._looked is None:
                self._first = frame + 1  # a movie begins with its first frame that can be read
            yield step.outcome(tracked.damaged)

    # One frame -------------------------------------------------------------------------------------------------------

    def _track(self, step: OutcomeBuilder) -> FrameResult:
        from src_model.tracking import FrameResult

        held = self._session.objects
        for number in self._tracks.keys() - held.keys():  # removed by a person meanwhile
            del self._tracks[number]
        active = [n for n, track in self._tracks.items() if track.is_active and step.frame >= track.joins]
        if active:
            for result in self._session.propagate(step.frame, step.frame + 1, objects=active):
                return result
        try:
            self._session.movie.read(step.frame)
        except DamagedFrameError as error:
            return FrameResult(step.frame, {}, {}, {}, damaged=str(error))
        return FrameResult(step.frame, {}, {}, {})

    def _compete(self, step: OutcomeBuilder, tracked: FrameResult) -> None:
        """Let masks compete; those that are dropped leave no trace in memory."""
        claims = {}
        for number, track in self._tracks.items():
            item, frame = self._session.objects[number], step.frame
            entry = item.masklet.get(frame)
            if entry is None or (number not in tracked.rles and not track.is_locked):
                continue
            fixed, mask, before = track.is_locked or item.is_fixed(frame), entry.mask, track.last_mask
            reason = None if fixed else oddity(mask, before)
            if reason is not None:
                step.doubts.append(Doubt(number, frame, reason))
                mask = Rle.empty(mask.shape)
            claims[number] = Claim(mask, claim_strength(mask, entry.score, entry.object_score, before), fixed)
        settled = settle(claims)
        step.doubts += [Doubt(n, step.frame, "on another object", other) for n, other in settled.lost.items()]
        for number, mask in settled.masks.items():
            track, claim = self._tracks[number], claims[number]
            entry = self._session.objects[number].masklet.get(step.frame)
            assert entry is not None, "it has a claim"
            if mask.is_empty and not entry.mask.is_empty and not claim.fixed:
                self._drop(number, step.frame)
                entry = MaskletFrame(mask, entry.score, 0.0)
            track.see(step.frame, mask, self._kept)
            if not claim.fixed:
                step.masks[number] = MaskletFrame(mask, entry.score, entry.object_score)

    def _drop(self, number: int, frame: int) -> None:
        """Take the mask of a tracked frame back, and what the network remembers of it."""
        item = self._session.objects[number]
        item.masklet.restore(frame, MaskletFrame(Rle.empty(self._session.frame_shape), 0.0, 0.0))
        item.bank.forget(frame)
        item.directions.pop(frame, None)  # so that no memory is made of it again

    def _end(self, step: OutcomeBuilder) -> None:
        for number, track in self._tracks.items():
            is_over = track.is_active and track.unseen > self._options.patience
            if is_over and step.frame >= max(self._session.objects[number].prompts, default=0):
                track.is_active = False
                self._session.objects[number].forget_memories()
                step.endings.append(Ending(number, track.last_seen, "edge" if track.touches_edge() else "lost"))

    # New objects -----------------------------------------------------------------------------------------------------

    def _suspected(self, frame: int) -> Rle | None:
        """Return the surroundings of objects that may have divided on a frame; None where there is none."""
        shape = self._session.frame_shape
        where = np.zeros(shape, bool)
        for track in self._tracks.values():
            if track.is_active and track.has_shrunk(frame):
                y0, x0, y1, x1 = track.surroundings(NEAR)
                where[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)] = True
        return Rle.encode(where) if where.any() else None

    def _begin_found(self, step: OutcomeBuilder, where: Rle | None) -> None:
        """Look for cells that nobody claims, and begin an object with each."""
        claimed = [mask for track in self._tracks.values() if not (mask := track.mask(step.frame)).is_empty]
        areas = median_area(track.last_mask for track in self._tracks.values() if track.is_active)
        found = self._finder.look(
            self._session.movie.read(step.frame),
            self._session.normalization,
            known=claimed,
            typical_area=areas,
            where=where,
            thorough=step.frame == self._first,
        )
        typical = areas or median_area(item.mask for item in found) or 1.0
        born = []
        for item in found:
            free = unclaimed(item.mask, claimed)
            if free is None or not 1 / _TYPICAL <= free.area / typical <= _TYPICAL:
                continue
            claimed.append(free)
            entry = AnnotatedFrame(free, item.score, 1.0, Origin.PROMPTED)
            if not self._recall(step, entry):
                born.append(self._begin(step.frame, entry, look_back=step.frame > self._first))
        for number, met in born:
            divides = self._options.divisions != "off" and step.frame > self._first
            reason = self._mother_of(step, number, met, [other for other, _ in born]) if divides else None
            self._tell_beginning(step, number, reason)

    def _recall(self, step: OutcomeBuilder, entry: AnnotatedFrame) -> bool:
        """Give what was found to the nearest object that was lost a moment ago."""
        nearest = None
        for track in self._tracks.values():
            if not track.is_active or not track.unseen or track.last_mask is None:
                continue
            before = track.last_mask
            reach = _RECALLED * diameter_of(before.area) * (1 + (track.unseen - 1) / 3)
            distance = distance_between(before, entry.mask)
            if distance < reach and 0.6 <= entry.mask.area / before.area <= 1 / 0.6:
                nearest = min(nearest or (distance, track.object_id), (distance, track.object_id))
        if nearest is None:
            return False
        self._prompt_again(step, nearest[1], entry)
        return True

    def _prompt_again(self, step: OutcomeBuilder, number: int, entry: AnnotatedFrame) -> None:
        """Let an object go on from another mask on this frame."""
        item = self._session.objects[number]
        item.masklet.restore(step.frame, entry.entry)
        item.prompts[step.frame] = Prompt(mask=entry.mask)
        item.bank.expect(step.frame)
        self._tracks[number].see(step.frame, entry.mask, self._kept)
        step.masks.pop(number, None)
        step.found_again[number] = entry

    def _begin(self, frame: int, entry: AnnotatedFrame, *, look_back: bool) -> tuple[int, int | None]:
        """Begin an object with a mask, and follow it back to where it came from; return it and the object it met."""
        number, self._next_id = self._next_id, self._next_id + 1
        self._place(number, {frame: entry}, frame)
        track = self._tracks[number] = FollowedTrack(number, joins=frame)
        track.see(frame, entry.mask, self._kept)
        met = None
        stop = max(self._first - 1, frame - self._options.every - _BACK - 1)
        if look_back and stop < frame - 1:
            item = self._session.objects[number]
            results = self._session.propagate(frame - 1, None if stop < 0 else stop, reverse=True, objects=[number])
            with closing(results):  # type: ignore[type-var]  # a generator
                for result in results:
                    mask, met = self._seen_back(track, result)
                    if mask is None:
                        self._drop(number, result.frame)
                        item.masklet.delete(result.frame)
                        break
                    found = MaskletFrame(mask, result.scores[number], result.object_scores[number])
                    item.masklet.restore(result.frame, found)
                    track.see_before(result.frame, mask)
        return number, met

    def _place(self, number: int, masks: dict[int, AnnotatedFrame], frame: int) -> None:
        """Give the session an object, prompted with its mask on a frame."""
        prompts = {frame: Prompt(mask=masks[frame].mask)}
        directions = {other: False for other in masks if other != frame}
        self._session.restore(ObjectState(number, masks, prompts, directions=directions))

    def _seen_back(self, track: FollowedTrack, result: FrameResult) -> tuple[Rle | None, int | None]:
        """Return the mask of a new object on an earlier frame, and whom it meets there."""
        mask = result.rles.get(track.object_id)
        if mask is None or mask.is_empty or oddity(mask, track.first_mask) is not None:
            return None, None
        others = {n: m for n, t in self._tracks.items() if t is not track and not (m := t.mask(result.frame)).is_empty}
        if others:
            shares = pairwise_containment([mask], list(others.values()))[0]
            if shares.max() > UNCLAIMED:
                return None, list(others)[int(shares.argmax())]
        return without(mask, list(others.values())), None

    def _tell_beginning(self, step: OutcomeBuilder, number: int, reason: BeginReason | None) -> None:
        track, item = self._tracks[number], self._session.objects[number]
        if reason is None:
            reason = "edge" if track.touches_edge(first=True) else "appeared"
        prompted = next(iter(item.prompts))
        masks = {
            frame: AnnotatedFrame.of(entry, _origin(frame, prompted)) for frame, entry in item.masklet.entries().items()
        }
        step.beginnings.append(
            Beginning(number, "first frame" if step.frame == self._first else reason, prompted, masks)
        )

    # Divisions -------------------------------------------------------------------------------------------------------

    def _divide_in_parts(self, step: OutcomeBuilder) -> None:
        """Divide objects whose mask falls into two daughters, or suggest it of those that are not marked."""
        for number in list(step.masks):
            track = self._tracks[number]
            if track.is_daughter_on(step.frame):
                continue
            found = divided_parts(track.mask(step.frame), track.earlier(step.frame, EARLIER))
            if found is None or found[2].score < self._options.min_division or self._is_held(number, step.frame):
                continue
            score = self._score_seen(step.frame, *found)
            if score < self._options.min_division:
                continue
            old = step.masks[number]
            parts = [AnnotatedFrame(part, old.score, old.object_score, Origin.PROMPTED) for part in found[:2]]
            if not self._options.marks_division(score):
                self._suggest_parts(step, number, parts, score)
                continue
            first, second = (self._begin(step.frame, part, look_back=False)[0] for part in parts)
            self._mark(step, number, step.frame, (first, second), score)
            for daughter in (first, second):
                self._tell_beginning(step, daughter, "division")

    def _score_seen(self, frame: int, first: Rle, second: Rle, cues: DivisionCues) -> float:
        """Return the score of a division whose daughters are looked at in the image, which only then is read."""
        return cues.with_brightness(brightness_likeness(self._session.movie.read(frame), first, second)).score

    def _suggest_parts(self, step: OutcomeBuilder, number: int, parts: list[AnnotatedFrame], score: float) -> None:
        """Let an object go on as the first of its two parts, begin one with the other, and mark nothing."""
        self._session.objects[number].bank.forget(step.frame)
        self._prompt_again(step, number, parts[0])
        new, _ = self._begin(step.frame, parts[1], look_back=False)
        for each in (self._tracks[number], self._tracks[new]):
            each.joins, each.is_daughter = step.frame, True  # neither divides again at once
        self._tell_beginning(step, new, None)
        step.divisions.append(FoundDivision(number, (number, new), step.frame, score, is_marked=False))

    def _mother_of(self, step: OutcomeBuilder, number: int, met: int | None, born: list[int]) -> BeginReason | None:
        """Find the object that became a new one and another, and mark the division, or suggest it."""
        track = self._tracks[number]
        if track.is_daughter:
            return "division"
        frame = track.joins
        best = find_mother(number, self._tracks, born, met, self._session.movie.read(frame))
        if best is None or best.score < self._options.min_division - _SUGGESTED:
            return None
        score, mother, sibling = best.score, best.mother, best.sibling
        if not self._options.marks_division(score) or self._is_held(mother, frame):
            step.divisions.append(FoundDivision(mother, (sibling, number), frame, score, is_marked=False))
            return None
        if sibling == mother:
            sibling = self._go_on_as_daughter(step, mother, frame)
        self._mark(step, mother, frame, (sibling, number), score)
        return "division"

    def _is_held(self, number: int, frame: int) -> bool:
        """Whether a person says that an object goes on from a frame on."""
        item = self._session.objects[number]
        return self._tracks[number].is_locked or any(at >= frame for at in (*item.prompts, *item.locked))

    def _go_on_as_daughter(self, step: OutcomeBuilder, mother: int, frame: int) -> int:
        """Let what was tracked of a mother from a frame on be a daughter, with the memories of it."""
        held = self._session.objects[mother]
        number, self._next_id = self._next_id, self._next_id + 1
        later = {at: entry for at, entry in held.masklet.entries().items() if at >= frame}
        masks = {at: AnnotatedFrame.of(entry, _origin(at, frame)) for at, entry in later.items()}
        self._place(number, masks, frame)
        daughter, item = self._tracks[mother].split(frame, number), self._session.objects[number]
        for at in later:
            memory = held.bank.recent.get(at)
            if memory is not None and at != frame:
                item.bank.remember(at, memory)
        self._tracks[number] = daughter
        step.masks.pop(mother, None)
        self._tell_beginning(step, number, "division")
        return number

    def _mark(self, step: OutcomeBuilder, mother: int, frame: int, daughters: tuple[int, int], score: float) -> None:
        """End a mother before a frame and note whom she became."""
        item, track = self._session.objects[mother], self._tracks[mother]
        for at in [at for at in item.masklet.frames if at >= frame]:
            item.masklet.delete(at)
            item.directions.pop(at, None)
        item.forget_memories()
        track.end_before(frame)
        step.masks.pop(mother, None)
        for daughter in daughters:
            self._tracks[daughter].is_daughter = True
        step.divisions.append(FoundDivision(mother, daughters, frame, score, is_marked=True))
        step.endings.append(Ending(mother, track.last_seen, "division"))


def _origin(frame: int, prompted: int) -> Origin:
    if frame == prompted:
        return Origin.PROMPTED
    return Origin.TRACKED if frame > prompted else Origin.TRACKED_BACK
