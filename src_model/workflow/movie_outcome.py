"""What tracking a whole movie finds, frame by frame: plain values that may cross threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from src_model.document.division_scores import ScoredDivision
from src_model.workflow.requests import FrameOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from src_model.document import AnnotatedFrame
    from src_model.masks import MaskletFrame

BeginReason = Literal["first frame", "edge", "division", "appeared"]
DivisionChoice = Literal["auto", "ask", "off"]
EndReason = Literal["edge", "lost", "division"]
DoubtReason = Literal["on another object", "jumped", "fragment"]


@dataclass(frozen=True, slots=True)
class WholeMovieOptions:
    """How a whole movie is tracked.

    Attributes
    ----------
    every
        Frames between two looks for new objects, at least 1. Where a division is suspected it is looked at once.
    divisions
        ``"auto"``: those of a score of at least ``min_division`` are marked, less sure ones are suggested. ``"ask"``:
        none is marked, all are suggested; the mother goes on as one of the daughters. ``"off"``: new objects just
        begin.
    min_division
        0 to 1.
    patience
        Frames for which an object that is not seen is still looked for, before its track ends.
    frames
        Frame numbers, ascending by 1; None: from the first, or from where a run was stopped, to the last.
    """

    every: int = 5
    divisions: DivisionChoice = "auto"
    min_division: float = 0.6
    patience: int = 5
    frames: range | None = None

    def marks_division(self, score: float) -> bool:
        """Whether a division of a score, 0 to 1, is marked; else it is suggested at most."""
        return self.divisions == "auto" and score >= self.min_division


@dataclass(frozen=True, slots=True)
class Beginning:
    """An object begins.

    Attributes
    ----------
    object_id
        Its number.
    reason
        Why it begins.
    prompted
        Number of the frame on which it was found, and has a prompt.
    masks
        By frame, from the first on which it is seen.
    """

    object_id: int
    reason: BeginReason
    prompted: int
    masks: Mapping[int, AnnotatedFrame]

    @property
    def frame(self) -> int:
        """Its first frame."""
        return min(self.masks)


@dataclass(frozen=True, slots=True)
class Ending:
    """An object ends: the last frame on which it is seen, and why."""

    object_id: int
    frame: int
    reason: EndReason


@dataclass(frozen=True, slots=True)
class FoundDivision(ScoredDivision):
    """A division that tracking found.

    Attributes
    ----------
    is_marked
        Whether the document has it; else it is a suggestion.
    """

    is_marked: bool


@dataclass(frozen=True, slots=True)
class Doubt:
    """A frame on which the mask of an object was dropped, and why; ``other`` is who holds the cell, where one does."""

    object_id: int
    frame: int
    reason: DoubtReason
    other: int | None = None


@dataclass(frozen=True, slots=True)
class MovieOutcome(FrameOutcome):
    """One frame of all objects.

    Attributes
    ----------
    beginnings, endings, divisions, doubts
        What happened on it, or was found out there of frames shortly before.
    found_again
        Objects that were lost and are prompted with their mask on this frame.
    """

    beginnings: tuple[Beginning, ...] = ()
    endings: tuple[Ending, ...] = ()
    divisions: tuple[FoundDivision, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    found_again: Mapping[int, AnnotatedFrame] = field(default_factory=dict)


class OutcomeBuilder:
    """Collects what is found on one frame."""

    def __init__(self, frame: int) -> None:
        self.frame = frame
        self.masks: dict[int, MaskletFrame] = {}
        self.beginnings: list[Beginning] = []
        self.endings: list[Ending] = []
        self.divisions: list[FoundDivision] = []
        self.doubts: list[Doubt] = []
        self.found_again: dict[int, AnnotatedFrame] = {}

    def outcome(self, damaged: str | None) -> MovieOutcome:
        """Return it as a value."""
        happened = (tuple(self.beginnings), tuple(self.endings), tuple(self.divisions), tuple(self.doubts))
        return MovieOutcome(self.frame, self.masks, False, damaged, *happened, self.found_again)
