"""A person who follows the review queue, knows the truth, and mends what an event shows and nothing else.

An event is one look: at its objects on its frames, and at the frame before. What is right costs nothing more. What is
wrong costs a click for each mask that is drawn, cleared or deleted, and one for each edge (of a track or of a division)
that is cut or drawn. Drawn masks are the true ones. Divisions are accepted and rejected as the queue does it: a click
where one that was marked is taken away. After the queue the person may go through all frames, for what no event showed.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from src_model.document import (
    AddObject,
    AnnotatedObject,
    ClearFrames,
    DeleteObject,
    Division,
    MarkDivision,
    MergeObjects,
    RemoveDivision,
    SetMask,
    SplitObject,
)
from src_model.errors import AnnotationError
from src_model.masks import Rle, intersection_area, masks_from_labels, pairwise_mask_iou
from src_model.workflow.review import ReviewKind, ReviewQueue, accept, reject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from whole_movie import Tracks

    from src_model.document import Annotation, DocumentView
    from src_model.workflow.review import ReviewEvent

RIGHT = 0.5
"""IoU with a true object from which on a mask is its."""

PAIRS = (ReviewKind.OVERLAP, ReviewKind.LOOKALIKE)
"""Kinds that show two objects."""


@dataclass(slots=True)
class Reviewer:
    """Reviews a document, which it changes.

    Attributes
    ----------
    document
        What is reviewed.
    truth
        True labels of each frame, and parents.
    clicks
        So far.
    """

    document: Annotation
    truth: Tracks
    clicks: int = 0
    _queue: ReviewQueue = field(default_factory=ReviewQueue)
    _seen: set[tuple[ReviewKind, int, int, int]] = field(default_factory=set)
    _true_masks: list[dict[int, Rle]] = field(default_factory=list)
    _known: dict[int, tuple[int, dict[int, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._true_masks = [masks_from_labels(labels) for labels in self.truth.labels]

    def looks(self) -> Iterator[DocumentView]:
        """Look at what is worst and was not looked at yet, and mend it, until nothing is left; yield what it became."""
        while (event := self._next()) is not None:
            with suppress(AnnotationError):  # divisions that would contradict each other: they stay as they are
                self._look(event)
            yield self.document.snapshot()

    def passes(self) -> Iterator[DocumentView]:
        """Go through the movie, draw all that nobody holds and take away what is on nothing, a look a frame."""
        for frame, masks in enumerate(self._true_masks):
            for label in masks.keys() - set(self._labels(frame).values()):
                with suppress(AnnotationError):
                    self._add(label, frame)
            for number in self._in_view(frame) - self._labels(frame).keys():
                self._redraw(number, frame, None, alone=self._is_nothing(number))
            yield self.document.snapshot()

    def _next(self) -> ReviewEvent | None:
        for event in self._queue.update(self.document.snapshot()):
            # By place, not by object, as mending gives objects other numbers.
            y, x = event.worst.place
            place = (event.kind, event.frame, round(y), round(x))
            if place not in self._seen:
                self._seen.add(place)
                return event
        return None

    def _look(self, event: ReviewEvent) -> None:
        if event.kind is ReviewKind.DIVISION:
            self._judge_division(event)
            return
        concerned = (event.object_id, *event.others) if event.kind in PAIRS else (event.object_id,)
        for number in concerned:
            follower: int | None = number
            for frame in range(event.start, min(event.stop, len(self.truth.labels))):
                if follower is not None:
                    follower = self._mend(follower, frame)

    def _judge_division(self, event: ReviewEvent) -> None:
        labels = self._labels(event.frame)
        mother = self._labels(event.frame - 1).get(event.object_id)
        daughters = {labels.get(number) for number in event.others}
        is_right = mother is not None and len(daughters) == 2
        if is_right and all(self.truth.parents.get(label or 0) == mother for label in daughters):
            self.document.do(accept(event, self.document))
        else:
            self.clicks += event.object_id in self.document.divisions
            self.document.do(reject(event, self.document))

    def _mend(self, number: int, frame: int) -> int | None:
        """Mend an object on a frame; return who goes on from there: another one where it was cut, None where gone."""
        seen = self._seen_on(number)
        before = [t for t in seen if t < frame]
        was = self._labels(before[-1]).get(number) if before else None
        here = self._labels(frame).get(number)
        if frame in seen and here is None:
            return self._redraw(number, frame, was, alone=self._is_nothing(number))
        if frame not in seen:
            self._continue(number, frame, was)
        elif not before:
            self._begin(number, frame, here)
        elif here is not None and was is not None and here != was:
            return self._cut(number, frame, was, here)
        return number

    def _add(self, label: int, frame: int) -> None:
        """Draw a cell that nobody holds, and which another daughter's drawing did not settle: as what it was before."""
        before = self._holder(label, frame - 1)
        if self._holder(label, frame) is not None:
            return
        if before is not None and before not in self._labels(frame):
            self._draw(before, frame, label)
            return
        number = self.document.next_id()
        self.document.do(AddObject(AnnotatedObject(number)))
        self._draw(number, frame, label)
        self._begin(number, frame, label)

    def _redraw(self, number: int, frame: int, label: int | None, *, alone: bool) -> int | None:
        """Draw the true mask in place of one that is on nothing, or those of its daughters; else take it away."""
        if label in self._true_masks[frame] and self._holder(label, frame) is None:
            self._draw(number, frame, label)
            return number
        if self._children(label, frame):
            self._divide(number, label, frame)
            return None
        self.clicks += 1
        self.document.do(DeleteObject(number) if alone else ClearFrames(number, frame, frame + 1))
        return None if alone else number

    def _continue(self, number: int, frame: int, label: int | None) -> None:
        """See to an object that has no mask: it is another one, was missed, divided, or is gone."""
        if label is None:
            return
        if label in self._true_masks[frame]:
            other = self._holder(label, frame)
            if other is None:
                self._draw(number, frame, label)
            else:
                self._join(number, other, frame)
        elif self._children(label, frame):
            self._divide(number, label, frame)

    def _begin(self, number: int, frame: int, label: int | None) -> None:
        """See to an object that begins: it is another one, was missed before, comes of a division, or came in."""
        if frame == 0 or label is None:
            return
        if label in self._true_masks[frame - 1]:
            other = self._holder(label, frame - 1)
            if other is None:
                self._draw(number, frame - 1, label)
            else:
                self._join(other, number, frame)
            return
        parent = self.truth.parents.get(label)
        mother = None if parent is None else self._holder(parent, frame - 1)
        if parent is not None and mother is not None:
            self._divide(mother, parent, frame)

    def _cut(self, number: int, frame: int, was: int, here: int) -> int:
        """See to an object that goes on as another one: its daughter, or one that it was mistaken for."""
        if self.truth.parents.get(here) == was:
            self._divide(number, was, frame)
            return self._holder(here, frame) or number
        rest = self._split(number, frame)
        other, former = self._holder(was, frame), self._holder(here, frame - 1)
        if other is not None:
            self._join(number, other, frame)
        if former is not None:
            self._join(former, rest, frame)
        return number

    def _join(self, earlier: int, later: int, frame: int) -> None:
        """Make an object go on as another one from a frame on."""
        if self._seen_on(later)[0] < frame:
            later = self._split(later, frame)
        if self._seen_on(earlier)[-1] >= frame:
            self._split(earlier, frame)
        if earlier in self.document.divisions:
            self.clicks += 1
            self.document.do(RemoveDivision(earlier))
        self.clicks += 1
        self.document.do(MergeObjects(earlier, later, "keep"))

    def _divide(self, mother: int, label: int, frame: int) -> None:
        """Mark a true division; daughters that nobody holds are drawn."""
        marked = self.document.divisions.get(mother)
        known = set() if marked is None or marked.frame != frame else set(marked.daughters)
        if self._seen_on(mother)[-1] >= frame:  # her own edge becomes that to a daughter, and costs nothing
            known.add(self._split(mother, frame, clicks=0))
        daughters = {self._daughter(child, frame, known) for child in self._children(label, frame)}
        self.clicks += len(daughters - known)
        self.document.do(MarkDivision(Division(mother, frame, tuple(daughters))))

    def _daughter(self, label: int, frame: int, known: set[int]) -> int:
        """Return an object that begins on a frame as a true one, made for it if need be."""
        labels = self._labels(frame)
        holder = next((number for number, each in labels.items() if each == label), None)
        if holder is not None:
            return holder if self._seen_on(holder)[0] == frame else self._split(holder, frame)
        # The mother's mask that went on over both of them is redrawn as the first.
        free = [number for number in known if number not in labels]
        number = free[0] if free else self.document.next_id()
        if not free:
            self.document.do(AddObject(AnnotatedObject(number)))
        self._draw(number, frame, label)
        return number

    def _children(self, label: int | None, frame: int) -> list[int]:
        return [each for each in self._true_masks[frame] if label and self.truth.parents.get(each) == label]

    def _split(self, number: int, frame: int, clicks: int = 1) -> int:
        new = self.document.next_id()
        self.clicks += clicks
        self.document.do(SplitObject(number, frame, new))
        return new

    def _draw(self, number: int, frame: int, label: int) -> None:
        """Draw a true mask; as with a brush its pixels are nobody else's any more."""
        self.clicks += 1
        mask = self._true_masks[frame][label]
        for other, entry in self.document.masks_at(frame).items():
            if other != number and intersection_area(entry.mask, mask):
                left = Rle.encode(entry.mask.decode() & ~mask.decode())
                self.document.do(SetMask(other, frame, left, entry.score, entry.object_score, entry.origin))
        self.document.do(SetMask(number, frame, mask))

    def _labels(self, frame: int) -> dict[int, int]:
        """Return the true object of each mask on a frame that has one."""
        if frame < 0:
            return {}
        revision, known = self._known.get(frame, (-1, {}))
        if revision != self.document.revision:
            known = self._compared(frame)
            self._known[frame] = self.document.revision, known
        return known

    def _compared(self, frame: int) -> dict[int, int]:
        found = {n: entry.mask for n, entry in self.document.masks_at(frame).items() if not entry.mask.is_empty}
        truth = self._true_masks[frame]
        if not found or not truth:
            return {}
        overlaps, labels = pairwise_mask_iou(list(found.values()), list(truth.values())), list(truth)
        best = overlaps.argmax(axis=1)
        return {n: labels[b] for n, b, row in zip(found, best, overlaps, strict=True) if row[b] >= RIGHT}

    def _in_view(self, frame: int) -> set[int]:
        return {number for number, entry in self.document.masks_at(frame).items() if not entry.mask.is_empty}

    def _is_nothing(self, number: int) -> bool:
        return not any(number in self._labels(frame) for frame in self._seen_on(number))

    def _holder(self, label: int | None, frame: int) -> int | None:
        return next((number for number, each in self._labels(frame).items() if each == label), None)

    def _seen_on(self, number: int) -> list[int]:
        """Return the frames on which an object is in view, ascending."""
        entries = self.document.masklet(number).entries()
        return sorted(frame for frame, entry in entries.items() if not entry.mask.is_empty)
