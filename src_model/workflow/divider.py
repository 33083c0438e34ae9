"""Divisions while a movie is followed: masks that became two cells, new objects that are somebody's daughters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_model.document import AnnotatedFrame
from src_model.workflow.brightness import brightness_likeness
from src_model.workflow.competition import without
from src_model.workflow.division_cues import best_cues, divided_parts
from src_model.workflow.mother_search import EARLIER, find_mother
from src_model.workflow.movie_outcome import FoundDivision
from src_model.workflow.roster import origin_of
from src_model.workflow.two_in_one import Cells

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from src_model.workflow.movie_outcome import BeginReason, OutcomeBuilder, WholeMovieOptions
    from src_model.workflow.roster import Roster
    from src_model.workflow.two_in_one import TwoInOne

_SUGGESTED = 0.25
"""Divisions whose score is less than what is asked for by no more than this are suggested."""

_GROWN = 0.8
"""Of the mother's usual area; two parts of one mask that are smaller together are chromosomes that part in one cell.

Measured on linked real movies, the areas of daughters sum to .87 to .99 of hers.
"""

_ASKED = 2
"""Frames between two times that the network is asked of every mask whether it holds two cells.

Each time costs an object half of what tracking it on one frame does.
"""


class Divider:
    """Finds divisions, and marks or suggests them.

    Parameters
    ----------
    roster
        All objects.
    options
        What is made of divisions.
    two_in_one
        Tells masks that hold two cells.
    """

    def __init__(self, roster: Roster, options: WholeMovieOptions, two_in_one: TwoInOne) -> None:
        self._roster, self._options, self._two_in_one = roster, options, two_in_one
        self._tracks = roster.tracks

    def divide(self, step: OutcomeBuilder) -> None:
        """Divide objects whose mask on this frame holds two daughters, or suggest it of those that are not marked."""
        for number in self._undivided(step):
            track = self._tracks[number]
            found = divided_parts(track.mask(step.frame), track.earlier(step.frame, EARLIER))
            if found is not None:
                self._divide_into(step, number, {step.frame: Cells(*found)})
        self._ask(step)

    def reason_to_begin(
        self, step: OutcomeBuilder, number: int, met: int | None, born: Sequence[int]
    ) -> BeginReason | None:
        """Find the object that became a new one and another, and mark the division, or suggest it.

        Parameters
        ----------
        step
            The frame on which it was found.
        number
            The new object.
        met
            The object that it ran into when it was followed back; None: none.
        born
            All objects that begin together.

        Returns
        -------
        "division" or None
            None: no division is marked.
        """
        roster, track = self._roster, self._tracks[number]
        if track.is_daughter:
            return "division"
        frame = track.joins
        best = find_mother(number, self._tracks, born, met, roster.session.movie.read(frame))
        if best is None or best.score < self._options.min_division - _SUGGESTED:
            return None
        score, mother, sibling = best.score, best.mother, best.sibling
        if not self._options.marks_division(score) or roster.is_held(mother, frame):
            step.divisions.append(FoundDivision(mother, (sibling, number), frame, score, is_marked=False))
            return None
        if sibling == mother:
            sibling = roster.go_on_as_daughter(step, mother, frame)
        roster.mark_division(step, mother, frame, (sibling, number), score)
        return "division"

    def _ask(self, step: OutcomeBuilder) -> None:
        """Divide objects of which the network tells that their mask holds two cells and held one before."""
        session, undivided = self._roster.session, self._undivided(step)
        changed = [number for number in undivided if self._tracks[number].has_changed(step.frame)]
        all_are_asked = (step.frame - self._roster.first) % _ASKED == 0
        asked = {number: self._tracks[number] for number in (undivided if all_are_asked else changed)}
        found = self._two_in_one.look_back(session.movie, session.normalization, asked, step.frame, changed)
        for number, cells in found.items():
            self._divide_into(step, number, cells)

    def _undivided(self, step: OutcomeBuilder) -> list[int]:
        """List the objects that were seen on this frame and may have divided, as far as a person said nothing else."""
        return [
            number
            for number, entry in step.masks.items()
            if not entry.mask.is_empty
            and not self._tracks[number].is_daughter_on(step.frame)
            and not self._roster.is_held(number, step.frame)
        ]

    def _divide_into(self, step: OutcomeBuilder, number: int, cells: Mapping[int, Cells]) -> None:
        """Divide an object into two cells, known from some frame on up to this one, if they look like its daughters."""
        cells = self._grown(number, cells)
        if step.frame not in cells:
            return
        first = min(cells)
        cues = best_cues(self._tracks[number].earlier(first, EARLIER), *cells[first], meets=True, as_one=True)
        if cues is None or cues.score < self._options.min_division:
            return
        # Only now the image is read.
        score = cues.with_brightness(brightness_likeness(self._roster.session.movie.read(first), *cells[first])).score
        daughters = self._daughters(step, number, cells)
        if score < self._options.min_division or not all(first in each and step.frame in each for each in daughters):
            return
        if not self._options.marks_division(score):
            self._suggest(step, number, [each[step.frame] for each in daughters], score)
            return
        one, other = (self._roster.begin(masks, step.frame) for masks in daughters)
        self._roster.mark_division(step, number, first, (one, other), score)
        for daughter in (one, other):
            self._roster.tell_beginning(step, daughter, "division")

    def _grown(self, number: int, cells: Mapping[int, Cells]) -> dict[int, Cells]:
        """Leave out the frames up to the last one on which two cells together are much smaller than their mother."""
        least = _GROWN * self._tracks[number].usual_area(min(cells))
        small = max((frame for frame, pair in cells.items() if sum(cell.area for cell in pair) < least), default=-1)
        return {frame: pair for frame, pair in cells.items() if frame > small}

    def _daughters(
        self, step: OutcomeBuilder, number: int, cells: Mapping[int, Cells]
    ) -> tuple[dict[int, AnnotatedFrame], dict[int, AnnotatedFrame]]:
        """Give two cells the pixels that nobody else claims, each to one of them."""
        entry = step.masks[number]
        daughters: tuple[dict[int, AnnotatedFrame], dict[int, AnnotatedFrame]] = ({}, {})
        for frame, (one, other) in cells.items():
            others = list(self._roster.seen(frame, but=[number]).values())
            masks = without(one, [*others, other]), without(other, others)
            for daughter, mask in zip(daughters, masks, strict=True):
                if not mask.is_empty:
                    origin = origin_of(frame, step.frame)
                    daughter[frame] = AnnotatedFrame(mask, entry.score, entry.object_score, origin)
        return daughters

    def _suggest(self, step: OutcomeBuilder, number: int, parts: Sequence[AnnotatedFrame], score: float) -> None:
        """Let an object go on as the first of its two parts, begin one with the other, and mark nothing."""
        roster = self._roster
        roster.session.objects[number].bank.forget(step.frame)
        roster.prompt_again(step, number, parts[0])
        new = roster.begin({step.frame: parts[1]}, step.frame)
        for each in (self._tracks[number], self._tracks[new]):
            each.joins, each.is_daughter = step.frame, True  # neither divides again at once
        roster.tell_beginning(step, new, None)
        step.divisions.append(FoundDivision(number, (number, new), step.frame, score, is_marked=False))
