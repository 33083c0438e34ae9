"""What a person is asked to look at: one event for each stretch of frames that is doubtful for one reason."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_AGAIN: Final = 0.7
"""What each further place of an object counts, in the score that it would have alone."""


class ReviewKind(StrEnum):
    """Why something is doubtful."""

    SCORE = "low score"
    """The network is not sure of the mask, or of whether the object is there."""
    AREA = "area jump"
    """Much larger or smaller than on the frames before."""
    SHAPE = "shape jump"
    """Another outline than on the frame before, wherever it moved."""
    OVERLAP = "overlap"
    """Two objects claim the same pixels."""
    LOST = "lost in between"
    """Not seen between frames on which it is seen."""
    APPEARS = "appears"
    """Begins after the first frame, away from the edge, and comes of no division."""
    DISAPPEARS = "disappears"
    """Ends before the last frame, away from the edge, and does not divide."""
    FAST = "too fast"
    """Moved farther than objects of its size do here."""
    DIVISION = "division"
    """Suggested, or marked with a low score."""
    LOOKALIKE = "may be swapped"
    """A neighbour of the same size lies as near to where the object was as the object itself."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One frame of one object that is doubtful.

    Attributes
    ----------
    kind
        Why.
    object_id, frame
        Who, and where; frames count from 0.
    score
        How likely it is wrong, 0 to 1.
    why
        The reason in words, with numbers.
    place
        ``(y, x)`` in pixels of the movie, where to look.
    others
        Other objects that it concerns: who overlaps, the daughters of a division.
    """

    kind: ReviewKind
    object_id: int
    frame: int
    score: float
    why: str
    place: tuple[float, float]
    others: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ReviewEvent:
    """Frames of one object, without gaps, that are doubtful for one reason.

    Attributes
    ----------
    start, stop
        The frames, ``stop`` excluded.
    worst
        Kind, object, frame, score, reason and place of the worst of them.
    """

    start: int
    stop: int
    worst: Flag

    @property
    def kind(self) -> ReviewKind:
        """Why it is doubtful."""
        return self.worst.kind

    @property
    def object_id(self) -> int:
        """The object that is to be looked at."""
        return self.worst.object_id

    @property
    def others(self) -> tuple[int, ...]:
        """Other objects that it concerns."""
        return self.worst.others

    @property
    def frame(self) -> int:
        """The worst frame, from 0."""
        return self.worst.frame

    @property
    def score(self) -> float:
        """How much it is worth a look, 0 to 1: how likely it is wrong, less where the object has worse places."""
        return self.worst.score

    def is_same(self, other: ReviewEvent) -> bool:
        """Whether both are about the same, though one of them may reach farther."""
        same = (self.kind, self.object_id, self.others) == (other.kind, other.object_id, other.others)
        return same and self.start < other.stop and other.start < self.stop

    @property
    def order(self) -> tuple[float, int, int, str, tuple[int, ...]]:
        """Sorts events, the worst first."""
        return -self.score, self.frame, self.object_id, self.kind, self.others


def events_of(flags: Iterable[Flag]) -> tuple[ReviewEvent, ...]:
    """Join flags of one kind and the same objects on consecutive frames; return the events, the worst first.

    What speaks against one mask for several reasons is more likely wrong, by all of them: the chance that it is right
    is the product of theirs. So what is about one place stands together.
    """
    groups: dict[tuple[ReviewKind, int, tuple[int, ...]], list[Flag]] = defaultdict(list)
    right: dict[tuple[int, int], float] = defaultdict(lambda: 1.0)
    every = list(flags)
    for flag in every:
        right[flag.object_id, flag.frame] *= 1 - flag.score
    for flag in every:
        together = replace(flag, score=1 - right[flag.object_id, flag.frame])
        groups[flag.kind, flag.object_id, flag.others].append(together)
    events = [event for group in groups.values() for event in _joined(sorted(group, key=lambda flag: flag.frame))]
    return tuple(sorted(_discounted(events), key=lambda event: event.order))


def _discounted(events: list[ReviewEvent]) -> Iterator[ReviewEvent]:
    """Let further places of one object count less: who looks at the worst of them sees what is wrong with it."""
    places: dict[int, list[int]] = defaultdict(list)
    for event in sorted(events, key=lambda event: event.order):
        seen = places[event.object_id]
        if event.frame not in seen:
            seen.append(event.frame)
        score = event.score * _AGAIN ** seen.index(event.frame)
        yield replace(event, worst=replace(event.worst, score=score))


def _joined(flags: list[Flag]) -> Iterator[ReviewEvent]:
    """Join flags of one kind and object, by ascending frame."""
    first = 0
    for place in range(1, len(flags) + 1):
        if place == len(flags) or flags[place].frame > flags[place - 1].frame + 1:
            run = flags[first:place]
            yield ReviewEvent(run[0].frame, run[-1].frame + 1, max(run, key=lambda flag: (flag.score, -flag.frame)))
            first = place
