"""All objects of a movie together, forward: masks compete, new objects begin, divisions are found, tracks end."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np

from src_model.document import AnnotatedFrame, Origin
from src_model.errors import DamagedFrameError
from src_model.masks import MaskletFrame, Rle, pairwise_containment
from src_model.workflow.competition import UNCLAIMED, Claim, claim_strength, settle, unclaimed, without
from src_model.workflow.divider import Divider
from src_model.workflow.division_cues import diameter_of, distance_between
from src_model.workflow.finding import median_area
from src_model.workflow.followed_track import FollowedTrack, oddity
from src_model.workflow.mother_search import EARLIER, NEAR
from src_model.workflow.movie_outcome import Doubt, Ending, OutcomeBuilder
from src_model.workflow.roster import Roster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from src_model.document.snapshot import ObjectSnapshot
    from src_model.tracking import FrameResult, Session
    from src_model.workflow.finding import Finder
    from src_model.workflow.movie_outcome import MovieOutcome, WholeMovieOptions
    from src_model.workflow.two_in_one import TwoInOne

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
    two_in_one
        Tells masks that hold two cells.
    """

    def __init__(
        self,
        session: Session,
        finder: Finder,
        options: WholeMovieOptions,
        known: tuple[ObjectSnapshot, ...],
        next_id: int,
        two_in_one: TwoInOne,
    ) -> None:
        self._session = session
        self._finder = finder
        self._options = options
        self._roster = Roster(session, known, next_id, options.every + _BACK + EARLIER + 1)
        self._tracks = self._roster.tracks
        self._divider = Divider(self._roster, options, two_in_one)
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
        self._roster.begin_at(frames.start)
        self._looked = None if look_first else frames.start - 1
        for frame in frames:
            step = OutcomeBuilder(frame)
            tracked = self._track(step)
            if tracked.damaged is None:
                self._compete(step, tracked)
                if self._options.divisions != "off":
                    self._divider.divide(step)
                if self._looked is None or frame - self._looked >= self._options.every:
                    self._begin_found(step, None)
                    self._looked = frame
                elif (where := self._suspected(frame)) is not None:
                    self._begin_found(step, where)
                self._end(step)
            elif self._looked is None:
                self._roster.first = frame + 1  # a movie begins with its first frame that can be read
            yield step.outcome(tracked.damaged)

    # One frame -------------------------------------------------------------------------------------------------------

    def _track(self, step: OutcomeBuilder) -> FrameResult:
        from src_model.tracking import FrameResult

        self._roster.forget_removed()
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
            claim = claims[number]
            entry = self._session.objects[number].masklet.get(step.frame)
            assert entry is not None, "it has a claim"
            if mask.is_empty and not entry.mask.is_empty and not claim.fixed:
                self._roster.drop(number, step.frame)
                entry = MaskletFrame(mask, entry.score, 0.0)
            self._roster.see(number, step.frame, mask)
            if not claim.fixed:
                step.masks[number] = MaskletFrame(mask, entry.score, entry.object_score)

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
        claimed = list(self._roster.seen(step.frame).values())
        areas = median_area(track.last_mask for track in self._tracks.values() if track.is_active)
        found = self._finder.look(
            self._session.movie.read(step.frame),
            self._session.normalization,
            known=claimed,
            typical_area=areas,
            where=where,
            thorough=step.frame == self._roster.first,
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
                born.append(self._begin(step.frame, entry))
        for number, met in born:
            divides = self._options.divisions != "off" and step.frame > self._roster.first
            others = [other for other, _ in born]
            reason = self._divider.reason_to_begin(step, number, met, others) if divides else None
            self._roster.tell_beginning(step, number, reason)

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
        self._roster.prompt_again(step, nearest[1], entry)
        return True

    def _begin(self, frame: int, entry: AnnotatedFrame) -> tuple[int, int | None]:
        """Begin an object with a mask, and follow it back to where it came from; return it and the object it met."""
        number = self._roster.begin({frame: entry}, frame)
        track = self._tracks[number]
        met = None
        stop = max(self._roster.first - 1, frame - self._options.every - _BACK - 1)
        if stop < frame - 1:
            item = self._session.objects[number]
            results = self._session.propagate(frame - 1, None if stop < 0 else stop, reverse=True, objects=[number])
            with closing(results):  # type: ignore[type-var]  # a generator
                for result in results:
                    mask, met = self._seen_back(track, result)
                    if mask is None:
                        self._roster.drop(number, result.frame)
                        item.masklet.delete(result.frame)
                        break
                    found = MaskletFrame(mask, result.scores[number], result.object_scores[number])
                    item.masklet.restore(result.frame, found)
                    track.see_before(result.frame, mask)
        return number, met

    def _seen_back(self, track: FollowedTrack, result: FrameResult) -> tuple[Rle | None, int | None]:
        """Return the mask of a new object on an earlier frame, and whom it meets there."""
        mask = result.rles.get(track.object_id)
        if mask is None or mask.is_empty or oddity(mask, track.first_mask) is not None:
            return None, None
        others = self._roster.seen(result.frame, but=[track.object_id])
        if others:
            shares = pairwise_containment([mask], list(others.values()))[0]
            if shares.max() > UNCLAIMED:
                return None, list(others)[int(shares.argmax())]
        return without(mask, list(others.values())), None
