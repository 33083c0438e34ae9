"""Find all: every object of the shown frame is looked for on the worker; then the user says how many of them stay."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from psygnal import Signal, SignalGroup

from napari_sam2v.controllers.worker import End, Job
from napari_sam2v.wording import count
from src_model.document import AddDetections, DeleteObject, Group
from src_model.errors import StoppedError
from src_model.workflow import RunProgress, find_request, look_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_sam2v.controllers.annotation_controller import AnnotationController
    from napari_sam2v.controllers.worker import Post
    from src_model.detection import Detector
    from src_model.document import Annotation
    from src_model.workflow import DocumentTracker, FindRequest

_KEY = "find"
_OTHER_STEP = "Something else was done since. Undo that, or find again"


class FindSignals(SignalGroup):
    """Signals of a search, emitted on the main thread.

    Attributes
    ----------
    progress
        How far it is: `RunProgress`; None when it has ended.
    changed
        What was found last, how many of it stay, or whether that can be changed.
    """

    progress = Signal(object)
    changed = Signal()


@dataclass(frozen=True, slots=True)
class FoundObjects:
    """What a search added to the document.

    Attributes
    ----------
    action
        All that was found.
    step
        Number of the document's step that added it.
    object_ids
        Of the new objects, the one with the best score first.
    scores
        Of the new objects, in that order, 0 to 1.
    kept
        How many of them are in the document.
    revision
        Of the document, as long as nothing else is done.
    """

    action: AddDetections
    step: int
    object_ids: tuple[int, ...]
    scores: tuple[float, ...]
    kept: int
    revision: int


class FindController:
    """Finds objects of the open document. All methods belong on the main thread.

    A search ends when it is done or stopped, and before another document, another model or an undo. What is clicked
    meanwhile is answered between two of its steps.

    Parameters
    ----------
    controller
        Holds the document, the shown frame and the worker.
    post
        Has functions called on the main thread, from any thread.

    Attributes
    ----------
    detector
        What proposes objects, for whole movies too; automatic masks if None.
    progress
        How far a search is; None where none is under way.
    found
        What was found last in the open document; None where nothing was.
    """

    def __init__(self, controller: AnnotationController, post: Post) -> None:
        self.signals = FindSignals()
        self.detector: Detector | None = None
        self.progress: RunProgress | None = None
        self.found: FoundObjects | None = None
        self._controller, self._post = controller, post
        self._document: Annotation | None = None
        self._job: Job | None = None
        self._is_changing = False
        controller.interrupts.append(self.stop)
        controller.events.document.connect(self._on_document)

    @property
    def fixed_reason(self) -> str | None:
        """Why it cannot be changed how many objects stay; None where it can."""
        if self.found is None:
            return "Find all first"
        return None if self._controller.annotation.revision == self.found.revision else _OTHER_STEP

    def start(self) -> None:
        """Look for every object of the shown frame that is not annotated, in place of a search that is under way."""
        controller = self._controller
        if controller.tracking.is_tracking:
            controller.events.problem.emit("Tracking is under way. Stop it, or wait for its end, then find")
            return
        self.stop()
        document, tracker, frame = controller.annotation, controller.tracker, controller.frame
        text = f"Looking for objects on frame {frame:,}"

        def work(request: FindRequest) -> Iterator[AddDetections]:
            yield look_for(request, tracker, detector=self.detector, progress=report, cancelled=job.stop.is_set)

        def report(done: int, total: int) -> None:
            controller.worker.do_brief_ones()
            self._post(lambda: show(RunProgress(done, total, frame, text=text)))

        def show(progress: RunProgress) -> None:
            if job is self._job:
                self._show(progress)

        def take(found: AddDetections) -> None:
            if job is self._job:  # else it was stopped during its last step
                self._end()
                self._take(found, tracker)

        def finish(end: End) -> None:
            if job is self._job:
                self._end()
                if end.error is not None and not isinstance(end.error, StoppedError):
                    controller.report_error(end.error)

        job = self._job = Job(_KEY, lambda: find_request(document, frame), work, take, finish)
        self._show(RunProgress(0, 0, frame, text=text))
        controller.events.status.emit()
        controller.worker.submit(job)

    def stop(self) -> None:
        """Stop looking; the document stays as it is."""
        self._controller.worker.stop(_KEY)
        if self._job is not None:
            self._end()

    def keep(self, number: int) -> None:
        """Let only so many of the objects stay that were found last, at least 1: those with the best scores.

        It becomes part of the step that added them. Nothing happens where something else was done since.
        """
        found = self.found
        if found is None or self.fixed_reason is not None:
            return
        number = min(max(number, 1), len(found.object_ids))
        if number == found.kept:
            return
        # Those that come back get the numbers that they had: each is added behind the last one that stayed.
        others = tuple(DeleteObject(object_id) for object_id in found.object_ids[number:])
        self._is_changing = True
        try:
            self._controller.do(Group(found.action.label, (found.action, *others)), join=found.step)
        finally:
            self._is_changing = False
        self.found = replace(found, kept=number, revision=self._controller.annotation.revision)
        self.signals.changed.emit()

    # Inside ----------------------------------------------------------------------------------------------------------

    def _take(self, action: AddDetections, tracker: DocumentTracker) -> None:
        controller, document = self._controller, self._controller.annotation
        if not controller.is_current(tracker):
            controller.events.problem.emit("Another contrast or channel was chosen meanwhile: find again")
            return
        before = document.objects.keys()
        done = controller.do(action)
        if done is None:
            return  # the user was told why
        new = tuple(number for number in document.objects if number not in before)
        if done.step is None or not new:
            controller.events.notice.emit(_nothing_found(action.frame, is_first=not document.masks_at(action.frame)))
            return
        entries = [document.frame(number, action.frame) for number in new]
        scores = tuple(1.0 if entry is None else entry.score for entry in entries)
        self.found = FoundObjects(action, done.step, new, scores, len(new), document.revision)
        self.signals.changed.emit()
        controller.events.notice.emit(
            f"Found {count(len(new), 'object')} on frame {action.frame:,}. Too many? The slider takes the least sure "
            "away. Then click what is missing, delete what is wrong, and track all."
        )

    def _show(self, progress: RunProgress | None) -> None:
        self.progress = progress
        self.signals.progress.emit(progress)

    def _end(self) -> None:
        self._job = None
        self._show(None)
        self._controller.events.status.emit()

    def _on_document(self) -> None:
        if self._document is not None:
            self._document.events.history.disconnect(self._on_history, missing_ok=True)
        self._document, self.found = self._controller.document, None
        if self._document is not None:
            self._document.events.history.connect(self._on_history)
        self.signals.changed.emit()

    def _on_history(self) -> None:
        if self.found is not None and not self._is_changing:
            self.signals.changed.emit()


def _nothing_found(frame: int, *, is_first: bool) -> str:
    if is_first:
        return (
            f"Nothing was found on frame {frame:,}. Click one object, so that their size is known, and find again; or "
            "choose another contrast or channel under Image."
        )
    return f"Nothing else was found on frame {frame:,}. Click what is missing."
