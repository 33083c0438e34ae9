"""What hosts ask the tracker of a document, and what it answers: plain values that may cross threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.document.snapshot import snapshots_of

if TYPE_CHECKING:
    from src_model.document import DocumentView
    from src_model.document.snapshot import ObjectSnapshot
    from src_model.masks import MaskletFrame, Rle
    from src_model.workflow.plan import Direction

_MOST_ALIKE = 32
"""Objects whose masks are read to learn their size: more would tell the same, later."""


@dataclass(frozen=True, slots=True)
class PromptRequest:
    """Asks for the mask of an object on a frame from all prompts that the snapshot holds there.

    Attributes
    ----------
    known
        The object, with the prompt to be answered.
    frame
        Frame number, from 0.
    alike
        Other objects of the kind, whose masks tell the first click on an object how large one is.
    """

    known: ObjectSnapshot
    frame: int
    alike: tuple[ObjectSnapshot, ...] = ()


def prompt_request(document: DocumentView, object_id: int, frame: int) -> PromptRequest:
    """Ask for an object's mask on a frame, in the light of the objects that were begun last; no mask is read.

    Objects of another class are left out, where both have one.
    """
    others = [number for number in document.objects if number != object_id][-_MOST_ALIKE:]
    known, *rest = snapshots_of(document, [object_id, *others])
    kind = known.class_name
    alike = tuple(each for each in rest if not kind or each.class_name in ("", kind))
    return PromptRequest(known, frame, alike)


@dataclass(frozen=True, slots=True)
class RepairRequest:
    """Asks to track an object again around a corrected frame, up to the next prompted or fixed frame on each side.

    Attributes
    ----------
    known
        The object, with an answered prompt on ``frame``.
    frame
        Number of the corrected frame, from 0.
    direction
        On which sides of it frames are tracked again.
    """

    known: ObjectSnapshot
    frame: int
    direction: Direction = "both"


@dataclass(frozen=True, slots=True)
class FindRequest:
    """Asks for every object of a frame that is not known there.

    Attributes
    ----------
    frame
        Frame number, from 0.
    known
        Masks ``(Y, X)`` of objects that are not looked for.
    typical_area
        Pixels of an object of the kind; None: found by a first look.
    """

    frame: int
    known: tuple[Rle, ...] = ()
    typical_area: float | None = None


@dataclass(frozen=True, slots=True)
class PromptOutcome:
    """The answer to a prompt.

    Attributes
    ----------
    object_id, frame
        The number of the object, from 1, and the frame number, from 0.
    candidates
        All candidates: three for a single click, one otherwise.
    chosen
        Which of them is meant, as far as the network and the size of other objects tell.
    """

    object_id: int
    frame: int
    candidates: tuple[MaskletFrame, ...]
    chosen: int

    @property
    def mask(self) -> MaskletFrame:
        """The chosen candidate."""
        return self.candidates[self.chosen]


@dataclass(frozen=True, slots=True)
class FrameOutcome:
    """One tracked frame.

    Attributes
    ----------
    frame
        Frame number, from 0.
    masks
        Newly tracked masks by object id; prompted and fixed frames stay as they are and are not among them.
    reverse
        Whether it was tracked towards earlier frames.
    damaged
        Why the frame could not be read, and stays without new masks; None where it could.
    """

    frame: int
    masks: dict[int, MaskletFrame]
    reverse: bool
    damaged: str | None = None
