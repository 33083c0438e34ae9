"""Runs of the tracker: started, followed, stopped; what is finished is in the document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_sam2v.controllers.plans import plan_run
from napari_sam2v.controllers.tracking_run import TrackingRun, follow
from napari_sam2v.controllers.worker import End, Job
from napari_sam2v.panel.view_state import RunProgress
from src_model.document import AnswerPrompt, Group, SetMaskPrompt
from src_model.document.spans import described
from src_model.errors import NoPromptError
from src_model.workflow import RepairRequest, snapshot_of, snapshots_of

if TYPE_CHECKING:
    from psygnal import SignalInstance

    from napari_sam2v.controllers.annotation_controller import AnnotationController
    from napari_sam2v.panel.view_state import TimeMarks, TrackOptions
    from src_model.document import Annotation, FramesChanged, LocksChanged, ObjectsChanged, PromptsChanged
    from src_model.workflow import FrameOutcome, ObjectSnapshot

_KEY = "run"


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A run that is about to begin: how many frames, what it is called, and what the tracker is asked."""

    total: int
    label: str
    objects: tuple[int, ...]
    request: Any


class TrackController:
    """Tracks objects of the document on a controller.

    A run ends when all frames are done, when it is stopped, and before anything it must not outlive: another document
    or model, an undo. Nothing else ends it. What is clicked, painted, locked or deleted meanwhile, the tracker knows
    from the next frame on.
    """

    def __init__(self, controller: AnnotationController) -> None:
        self._controller = controller
        self._run: TrackingRun | None = None
        self._job: Job | None = None
        self._objects: tuple[int, ...] = ()
        self._edited: set[int] = set()  # of those, since the tracker last heard of edits
        self._is_taking = False
        controller.interrupts.append(self.stop)
        controller.edited.append(self._follow_edits)

    @property
    def is_tracking(self) -> bool:
        """Whether a run is under way or about to begin."""
        return self._job is not None

    @property
    def progress(self) -> RunProgress | None:
        """How far the run is."""
        if self._run is not None:
            return self._run.progress
        return None if self._job is None else RunProgress(0, 0, text="Getting ready")

    def track(self, request: TrackOptions) -> None:
        """Track as asked; a run that is under way is stopped first and keeps what it has."""
        controller, tracker = self._controller, self._controller.tracker

        def prepare() -> _Prepared:
            plan = plan_run(controller.annotation, request, controller.frame, controller.selected)
            known = snapshots_of(controller.annotation, plan.objects)
            return _Prepared(plan.total, plan.label, plan.objects, (plan, known))

        self._start(prepare, lambda asked: follow(tracker, *asked))

    def repair(self) -> None:
        """Track the selected object again around the shown frame, up to the next prompt or lock on each side.

        A mask without a prompt on that frame, painted or tracked, becomes the prompt. An erased one does not: that the
        object is not there says nothing about other frames.
        """
        controller, tracker = self._controller, self._controller.tracker
        object_id, frame = controller.selected, controller.frame
        if self.is_tracking:
            controller.events.problem.emit("Tracking is under way. Stop it, or wait for its end, then repair")
            return

        def prepare() -> _Prepared:
            mask = None if object_id is None else controller.annotation.mask_at(object_id, frame)
            if object_id is None or mask is None:
                raise NoPromptError("there is nothing to repair from: correct the mask on this frame first")
            if mask.is_empty:
                raise NoPromptError(
                    f"{controller.annotation.object(object_id).title} is not on frame {frame}, so there is nothing to "
                    "repair from; the frames beside it stay as they are. Correct a frame on which it is seen"
                )
            self._make_prompt(object_id, frame)
            label = f"Repair {controller.annotation.object(object_id).title} around frame {frame}"
            request = RepairRequest(snapshot_of(controller.annotation, object_id), frame)
            span = repair_span(controller.object_marks.of(object_id), frame, controller.damaged)
            return _Prepared(max(1, len(span) - 1), label, (object_id,), request)

        self._start(prepare, tracker.repair)

    def stop(self) -> None:
        """Stop tracking; every finished frame stays."""
        self._controller.worker.stop(_KEY)
        self._end(End(stopped=True))

    # Inside ----------------------------------------------------------------------------------------------------------

    def _start(self, prepare: Callable[[], _Prepared], work: Callable[[Any], Iterator[FrameOutcome]]) -> None:
        """Queue a run; it is prepared when the prompts before it are answered."""
        self.stop()

        def begin() -> object:
            prepared = prepare()
            self._objects = prepared.objects
            self._edited.clear()
            self._listen(self._controller.annotation, listen=True)
            self._run = TrackingRun.start(self._controller.annotation, prepared.total, prepared.label)
            self._controller.events.run.emit(self._run.progress)
            return prepared.request

        def take(outcome: FrameOutcome) -> None:
            if job is self._job:  # else a frame that was under way when the run was stopped
                self._take(outcome)

        def finish(end: End) -> None:
            if job is self._job:
                self._end(end)

        job = self._job = Job(_KEY, begin, work, take, finish)
        self._controller.has_run = True
        self._controller.events.run.emit(self.progress)
        self._controller.worker.submit(job)

    def _take(self, outcome: FrameOutcome) -> None:
        assert self._run is not None, "a run begins before its first frame"
        self._is_taking = True
        try:
            self._run.take(outcome)
        finally:
            self._is_taking = False
        if self._run.is_open:
            self._controller.events.run.emit(self._run.progress)
        else:
            self.stop()  # something was undone meanwhile

    def _end(self, end: End) -> None:
        run, self._run = self._run, None
        job, self._job = self._job, None
        if job is None:
            return
        if run is not None:
            self._listen(run.annotation, listen=False)
            run.close()
        self._controller.end_run()
        self._controller.events.run.emit(None)
        self._controller.events.status.emit()
        if run is not None and run.damaged:
            self._controller.damaged |= run.damaged
            self._controller.events.problem.emit(f"Cannot be read, and gone over: {described(run.damaged)}")
        if end.error is not None:
            self._controller.report_error(end.error)

    def _follow_edits(self) -> None:
        """Let the run that is under way know what was edited, before its next frame."""
        if self._run is None:
            return
        document, tracker = self._controller.annotation, self._controller.tracker

        def prepare() -> tuple[tuple[ObjectSnapshot, ...], set[int]]:
            # Only those that were edited: to look through all masks of all objects takes long in a long movie.
            edited = self._edited.intersection(self._objects)
            self._edited.clear()
            there = edited & document.objects.keys()
            return snapshots_of(document, sorted(there)), edited - there

        def work(asked: tuple[tuple[ObjectSnapshot, ...], set[int]]) -> Iterator[None]:
            known, gone = asked
            tracker.follow(known, gone=gone)
            return iter(())

        self._controller.worker.submit(Job(("edits",), prepare, work, lambda _: None, is_brief=True))

    def _listen(self, annotation: Annotation, *, listen: bool) -> None:
        events = annotation.events
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
        if not self._is_taking:  # what the run itself brings, the tracker knows
            self._edited.update(change.spans)

    def _note_objects(self, change: ObjectsChanged) -> None:
        self._edited.update(change.added, change.removed, change.edited)

    def _make_prompt(self, object_id: int, frame: int) -> None:
        """Let the mask of a frame that has no prompt be one."""
        document = self._controller.annotation
        mask = document.mask_at(object_id, frame)
        if document.prompt(object_id, frame) is None and mask is not None:
            document.do(
                Group(
                    f"Mask prompt, object {object_id}, frame {frame}",
                    (SetMaskPrompt(object_id, frame, mask), AnswerPrompt(object_id, frame, mask, 1.0, 1.0)),
                )
            )


def repair_span(marks: TimeMarks, frame: int, damaged: Iterable[int] = ()) -> range:
    """Return the frames that a repair from ``frame`` may change: known ones up to a prompt, a lock, paint or a gap.

    Frames that are known to be damaged are no gap.
    """
    free = ~(np.isnan(marks.scores) | marks.prompted | marks.locked | marks.edited)
    passable = free.copy()
    for number in damaged:
        passable[number] |= np.isnan(marks.scores[number])
    before, after = np.flatnonzero(~passable[:frame]), np.flatnonzero(~passable[frame + 1 :])
    first = int(before[-1]) + 1 if before.size else 0
    stop = frame + 1 + int(after[0]) if after.size else marks.length
    reached = [frame, *(first + np.flatnonzero(free[first:stop])).tolist()]
    return range(min(reached), max(reached) + 1)


def can_be_repaired(marks: TimeMarks, frame: int, damaged: Iterable[int] = ()) -> bool:
    """Whether a person made the mask of a frame on which the object is seen, and not those beside it."""
    if not 0 <= frame < marks.length or np.isnan(marks.scores[frame]) or marks.absent[frame]:
        return False
    return bool(marks.prompted[frame] | marks.edited[frame]) and len(repair_span(marks, frame, damaged)) > 1
