"""Runs of the tracker in the panel: started, watched, stopped; finished frames are in the document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from napari_sam2v.controllers.worker import End, Job
from src_model.document import AnswerPrompt, Group, SetMaskPrompt
from src_model.document.spans import described
from src_model.errors import NoPromptError
from src_model.workflow import RunProgress, TrackingJob, TrackRequest, WholeMovieJob

if TYPE_CHECKING:
    from napari_sam2v.controllers.annotation_controller import AnnotationController
    from napari_sam2v.view_state import TimeMarks, TrackOptions
    from src_model.workflow import Edits, FrameOutcome, WholeMovieOptions

_KEY = "run"


class TrackController:
    """Tracks objects of the open document.

    A run ends when all frames are done, when it is stopped, and before another document, another model or an undo.
    Nothing else ends it: what is clicked, painted, locked or deleted meanwhile is known to the tracker from the next
    frame on.
    """

    def __init__(self, controller: AnnotationController) -> None:
        self._controller = controller
        self._run: TrackingJob | None = None
        self._job: Job | None = None
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

    def track(self, options: TrackOptions) -> None:
        """Track as asked; a run that is under way is stopped first and keeps what it has."""
        controller = self._controller

        def prepare() -> TrackingJob:
            return TrackingJob.track(controller.annotation, request_of(options, controller.frame, controller.selected))

        self._start(prepare)

    def track_all(self, options: WholeMovieOptions) -> None:
        """Find every object of the movie and track all of them; what was found out is a notice at the end.

        A run that is under way is stopped first; one over the whole movie goes on behind its last frame.
        """
        controller = self._controller

        def prepare() -> TrackingJob:
            return WholeMovieJob.begin(controller.annotation, options, detector=controller.finding.detector)

        self._start(prepare)

    def repair(self) -> None:
        """Track the selected object again around the shown frame, up to the next prompt or lock on each side.

        A mask without a prompt on that frame, painted or tracked, becomes the prompt. An erased one does not: that the
        object is not there says nothing about other frames.
        """
        controller = self._controller
        object_id, frame = controller.selected, controller.frame
        if self.is_tracking:
            controller.events.problem.emit("Tracking is under way. Stop it, or wait for its end, then repair")
            return

        def prepare() -> TrackingJob:
            mask = None if object_id is None else controller.annotation.mask_at(object_id, frame)
            if object_id is None or mask is None:
                raise NoPromptError("there is nothing to repair from: correct the mask on this frame first")
            if mask.is_empty:
                raise NoPromptError(
                    f"{controller.annotation.object(object_id).title} is not on frame {frame}, so there is nothing to "
                    "repair from; the frames beside it stay as they are. Correct a frame on which it is seen"
                )
            self._make_prompt(object_id, frame)
            span = repair_span(controller.object_marks.of(object_id), frame, controller.damaged)
            return TrackingJob.repair(controller.annotation, object_id, frame, max(1, len(span) - 1))

        self._start(prepare)

    def stop(self) -> None:
        """Stop tracking; every finished frame stays."""
        self._controller.worker.stop(_KEY)
        self._end(End(stopped=True))

    # Inside ----------------------------------------------------------------------------------------------------------

    def _start(self, prepare: Callable[[], TrackingJob]) -> None:
        """Queue a run; it is prepared when the prompts before it are answered."""
        self.stop()
        tracker = self._controller.tracker

        def begin() -> TrackingJob:
            self._run = prepare()
            self._controller.events.run.emit(self._run.progress)
            return self._run

        def take(outcome: FrameOutcome) -> None:
            if job is self._job:  # else a frame that was under way when the run was stopped
                self._take(outcome)

        def finish(end: End) -> None:
            if job is self._job:
                self._end(end)

        job = self._job = Job(_KEY, begin, lambda run: run.outcomes(tracker), take, finish)
        self._controller.has_run = True
        self._controller.events.run.emit(self.progress)
        self._controller.worker.submit(job)

    def _take(self, outcome: FrameOutcome) -> None:
        assert self._run is not None, "a run begins before its first frame"
        progress = self._run.take(outcome)
        if self._run.is_open:
            if self._run.has_edits:  # of which no step of the user's told
                self._follow_edits()
            self._controller.events.run.emit(progress)
        else:
            self.stop()  # something was undone meanwhile

    def _end(self, end: End) -> None:
        run, self._run = self._run, None
        job, self._job = self._job, None
        if job is None:
            return
        if run is not None:
            run.close()
        self._controller.end_run()
        self._controller.events.run.emit(None)
        self._controller.events.status.emit()
        if isinstance(run, WholeMovieJob) and (run.progress.done or not run.progress.total):
            self._sum_up(run)
        if run is not None and run.damaged:
            self._controller.damaged |= run.damaged
            self._controller.events.problem.emit(f"These could not be read, and were skipped: {described(run.damaged)}")
        if end.error is not None:
            self._controller.report_error(end.error)

    def _sum_up(self, run: WholeMovieJob) -> None:
        """Tell what a run over the whole movie came to; its frames are counted on the worker."""
        controller = self._controller
        if run.progress.total == 0:
            controller.events.notice.emit("All frames were tracked before. To have them tracked anew, undo that first.")
        elif not controller.annotation.objects:
            controller.events.notice.emit(
                "Nothing was found. Click one object, so that their size is known, and try again; or choose another "
                "contrast or channel under Image."
            )
        else:
            view = controller.annotation.snapshot()

            def work(_: None) -> Iterator[str]:
                yield run.summary_of(view)

            controller.worker.submit(Job(("summary",), None, work, controller.events.notice.emit))

    def _follow_edits(self) -> None:
        """Let the run that is under way know what was edited, before its next frame."""
        run = self._run
        if run is None:
            return
        tracker = self._controller.tracker

        def work(edits: Edits) -> Iterator[None]:
            tracker.follow(edits.known, gone=edits.gone)
            return iter(())

        self._controller.worker.submit(Job(("edits",), run.edits, work, lambda _: None, is_brief=True))

    def _make_prompt(self, object_id: int, frame: int) -> None:
        """Make a prompt of the mask on a frame that has none."""
        document = self._controller.annotation
        mask = document.mask_at(object_id, frame)
        if document.prompt(object_id, frame) is None and mask is not None:
            document.do(
                Group(
                    f"Mask prompt, object {object_id}, frame {frame}",
                    (SetMaskPrompt(object_id, frame, mask), AnswerPrompt(object_id, frame, mask, 1.0, 1.0)),
                )
            )


def request_of(options: TrackOptions, frame: int, selected: int | None) -> TrackRequest:
    """Make the request to the tracking job from what was chosen in the panel.

    Parameters
    ----------
    options
        How far, which way and for which objects, as chosen in the panel.
    frame
        Number of the frame that is shown, from 0.
    selected
        Id of the selected object; None if none is selected.
    """
    objects = None if options.objects == "all" else (selected,) if selected is not None else ()
    if options.extent == "range":
        return TrackRequest(objects, options.direction, first=options.first, last=options.last)
    count = options.count if options.extent == "count" else None
    return TrackRequest(objects, options.direction, start=frame, count=count)


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
    """Whether a user made the mask on a frame, the object is seen there, and the masks beside it are tracked ones."""
    if not 0 <= frame < marks.length or np.isnan(marks.scores[frame]) or marks.absent[frame]:
        return False
    return bool(marks.prompted[frame] | marks.edited[frame]) and len(repair_span(marks, frame, damaged)) > 1
