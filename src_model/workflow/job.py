"""The job that tracks a movie: the one loop of the command line, CVAT's commands and napari.

A job belongs to two threads, which may be one. On the document's thread it is made, takes each frame into the document
and is closed; on the worker's thread, which need not be another, it computes. Hosts show its progress and stop it.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from src_model.document import AnswerPrompt, ApplyPatch, Origin, Patch
from src_model.document.provenance import ORIGINS
from src_model.document.snapshot import snapshot_of, snapshots_of
from src_model.workflow.plan import plan_tracking
from src_model.workflow.progress import RunProgress
from src_model.workflow.requests import PromptRequest, RepairRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psygnal import SignalInstance

    from src_model.document import (
        AnnotatedFrame,
        Annotation,
        FramesChanged,
        LocksChanged,
        ObjectsChanged,
        PromptsChanged,
    )
    from src_model.document.snapshot import ObjectSnapshot
    from src_model.workflow.document_tracker import DocumentTracker
    from src_model.workflow.plan import TrackRequest
    from src_model.workflow.requests import FrameOutcome

_LEAST_SECONDS_FOR_A_GUESS = 1.0
_MADE_BY_TRACKER = (Origin.PROMPTED, Origin.TRACKED, Origin.TRACKED_BACK)


@dataclass(frozen=True, slots=True)
class Edits:
    """What was edited of the objects of a job while it ran.

    Attributes
    ----------
    known
        Those that were edited, as they are now.
    gone
        Ids of those that were deleted.
    """

    known: tuple[ObjectSnapshot, ...]
    gone: frozenset[int]


class TrackingJob:
    """One run of the tracker over a document; its frames are seen as they come, and are one step of the history.

    Made by :meth:`track` or :meth:`repair`. What a person edits meanwhile stays, and :meth:`edits` tells the tracker
    of it. An undo ends a job.

    Parameters
    ----------
    annotation
        The document that takes the frames.
    objects
        Ids of the objects that are tracked.
    total
        Frames to come, about; 0 if unknown.
    tracked_before
        How many were left out because they were tracked before.
    label
        What the step is called.
    work
        What the tracker is asked, on the worker's thread.
    """

    def __init__(
        self,
        annotation: Annotation,
        objects: tuple[int, ...],
        total: int,
        label: str,
        work: Callable[[DocumentTracker], Iterator[FrameOutcome]],
        tracked_before: int = 0,
    ) -> None:
        self.annotation = annotation
        self.objects = objects
        self.damaged: set[int] = set()
        """Frames that could not be read."""
        self.found = False
        """Whether a mask came that no prompt had given."""
        self.tracked_before = tracked_before
        self._work = work
        self._total = total
        self._frame = -1
        self._done = 0
        self._began = time.monotonic()
        self._opened = annotation.propagation(label)
        self._edited: set[int] = set()
        self._is_taking = False
        self._listen(listen=True)

    @classmethod
    def track(cls, annotation: Annotation, request: TrackRequest) -> TrackingJob:
        """Track objects through the movie; prompts are answered before, as by :func:`answer_prompts`.

        Raises
        ------
        NoPromptError, LockedError, FrameRangeError
            If there is nothing to track.
        """
        plan = plan_tracking(annotation, request)
        known = snapshots_of(annotation, plan.objects)
        return cls(
            annotation,
            plan.objects,
            plan.total,
            plan.label,
            lambda tracker: tracker.propagate(known, plan.passes),
            plan.tracked_before,
        )

    @classmethod
    def repair(cls, annotation: Annotation, object_id: int, frame: int, total: int = 0) -> TrackingJob:
        """Track an object again around a corrected frame, up to the next prompted or fixed frame on each side."""
        request = RepairRequest(snapshot_of(annotation, object_id), frame)
        label = f"Repair {annotation.object(object_id).title} around frame {frame}"
        return cls(annotation, (object_id,), total, label, lambda tracker: tracker.repair(request))

    @property
    def is_open(self) -> bool:
        """Whether the document still takes frames; undo ends a job."""
        return self._opened.is_open

    @property
    def progress(self) -> RunProgress:
        """How far it is, and how long it may still take."""
        seconds = time.monotonic() - self._began
        left = None
        if self._done > 1 and seconds > _LEAST_SECONDS_FOR_A_GUESS:
            left = seconds / (self._done - 1) * max(0, self._total - self._done)
        return RunProgress(self._done, self._total, self._frame, left, self._opened.label)

    @property
    def summary(self) -> str:
        """What was found out besides masks, in sentences; empty where nothing is."""
        return ""

    def outcomes(self, tracker: DocumentTracker) -> Iterator[FrameOutcome]:
        """Compute, frame by frame, on the worker's thread; closing the generator ends it."""
        return self._work(tracker)

    def take(self, outcome: FrameOutcome) -> RunProgress:
        """Take a frame into the document, on its thread."""
        if self._done == 0:
            self._began = time.monotonic()  # loading the network is not tracking
        self._done += 1
        self._frame = outcome.frame
        if outcome.damaged is not None:
            self.damaged.add(outcome.frame)
        self.found = self.found or bool(outcome.masks)
        self._opened.reverse = outcome.reverse
        self._is_taking = True
        try:
            self._opened.add(outcome.frame, outcome.masks)
        finally:
            self._is_taking = False
        return self.progress

    @property
    def has_edits(self) -> bool:
        """Whether :meth:`edits` would tell the tracker anything."""
        return not self._edited.isdisjoint(self.objects)

    def edits(self) -> Edits:
        """Return what was edited since this was asked last, on the document's thread; for ``tracker.follow``."""
        # Only those that were edited: to look through all masks of all objects takes long in a long movie.
        edited = self._edited.intersection(self.objects)
        self._edited.clear()
        there = edited & self.annotation.objects.keys()
        return Edits(snapshots_of(self.annotation, sorted(there)), frozenset(edited - there))

    def close(self) -> None:
        """Make one step of what came; nothing happens the second time."""
        self._listen(listen=False)
        self._opened.close()

    def _listen(self, *, listen: bool) -> None:
        events = self.annotation.events
        pairs: tuple[tuple[SignalInstance, Callable[[Any], None]], ...] = (
            (events.frames, self._note_spans),
            (events.prompts, self._note_spans),
            (events.locks, self._note_spans),
            (events.objects, self._note_objects),
        )
        for signal, slot in pairs:
            if listen:
                signal.connect(slot)
            else:
                signal.disconnect(slot, missing_ok=True)

    def _note_spans(self, change: FramesChanged | PromptsChanged | LocksChanged) -> None:
        if not self._is_taking:  # what the job itself brings, the tracker knows
            self._edited.update(change.spans)

    def _note_objects(self, change: ObjectsChanged) -> None:
        self._edited.update(change.added, change.removed, change.edited)


def run_job(job: TrackingJob, tracker: DocumentTracker) -> Iterator[RunProgress]:
    """Do a job on the document's thread; closing the generator stops it, and what is done stays."""
    try:
        with closing(job.outcomes(tracker)) as outcomes:  # type: ignore[type-var]  # a generator
            for outcome in outcomes:
                yield job.take(outcome)
                if not job.is_open:
                    return  # something was undone meanwhile
    finally:
        job.close()


def start_over(annotation: Annotation) -> None:
    """Forget every mask that the tracker made, so that a job makes them anew; what a person painted or locked stays."""
    masks: dict[int, dict[int, AnnotatedFrame | None]] = {}
    for known in snapshots_of(annotation):
        made = (frame for frame, fact in known.frames.items() if ORIGINS[fact.origin] in _MADE_BY_TRACKER)
        masks[known.object_id] = {frame: None for frame in made if frame not in known.fixed}
    annotation.do(ApplyPatch("Start over from the prompts", Patch(masks=masks)))


def answer_prompts(annotation: Annotation, tracker: DocumentTracker) -> None:
    """Answer all prompts of a document that have no mask on their frame yet, on the document's thread.

    Raises
    ------
    PromptError, FrameRangeError
        If one does not fit the movie.
    DamagedFrameError
        If the frame of one cannot be read.
    """
    for number in annotation.objects:
        for frame in annotation.prompts(number):
            if annotation.frame(number, frame) is None:
                answer = tracker.answer(PromptRequest(snapshot_of(annotation, number), frame)).mask
                annotation.do(AnswerPrompt(number, frame, answer.mask, answer.score, answer.object_score))
