"""The open document with its movie: what is selected, what is shown, and every step that is taken on it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from psygnal import Signal, SignalGroup

from napari_sam2v.controllers.find_controller import FindController
from napari_sam2v.controllers.object_marks import Corrections, ObjectMarks
from napari_sam2v.controllers.prompt_controller import PromptController
from napari_sam2v.controllers.review_controller import ReviewController
from napari_sam2v.controllers.track_controller import TrackController
from napari_sam2v.controllers.worker import Job, Worker
from napari_sam2v.wording import error_text
from src_model.document import LockFrames, SetNormalization
from src_model.errors import Sam2vError
from src_model.workflow import DocumentTracker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_sam2v.controllers.worker import Post
    from src_model.document import Action, Annotation, Done
    from src_model.document.events import ObjectsChanged
    from src_model.frames import FrameSource, Normalization
    from src_model.tracking import StreamingPredictor


_logger = logging.getLogger(__name__)


class ControllerEvents(SignalGroup):
    """Signals of the controller, emitted on the main thread.

    Attributes
    ----------
    document
        Another document, or none, is open. What changes within a document, its own events say.
    movie
        Other images of the same frames are open, such as another channel.
    selection
        Another object is selected: its id; None if the next prompt starts a new object.
    frame
        Another frame is shown: its number, from 0.
    candidates
        Other masks answer the last prompt: `MaskCandidates`; None if there is nothing to choose from.
    run
        Progress of a run of the tracker: `RunProgress`; None when it has ended.
    busy
        Whether the model is answering a prompt.
    status
        Something changed that the status line may depend on.
    problem
        One sentence for the user on what did not work.
    notice
        One sentence for the user on what was done, such as a file that was written.
    """

    document = Signal()
    movie = Signal()
    selection = Signal(object)
    frame = Signal(int)
    candidates = Signal(object)
    run = Signal(object)
    busy = Signal(bool)
    status = Signal()
    problem = Signal(str)
    notice = Signal(str)


class AnnotationController:
    """Holds the open document, and takes every step on it. All methods belong on the main thread.

    Parameters
    ----------
    post
        Has functions called on the main thread, from any thread.
    features_folder
        Folder in which image features are kept for later sessions; they are not kept if left out.
    loads_early
        Says whether the model is loaded as soon as a movie is open, before the first prompt.

    Attributes
    ----------
    document
        The open document; None if no movie is chosen.
    source
        The movie of the document; None if none is chosen.
    selected
        Id of the object that prompts go to; None if the next prompt starts a new one.
    frame
        Number of the frame that is shown, from 0.
    damaged
        Numbers of the frames that could not be read.
    interrupts
        Called before a step that ends what runs: another document, another model, undo.
    edited
        Called after each edit, so that a run that goes on can take it into account.
    has_run
        Whether a run of the tracker is under way. It keeps the contrast and the images it started with.
    before_jobs
        Called before each use of the tracker; may replace the movie.
    """

    def __init__(
        self,
        post: Post,
        features_folder: Path | None = None,
        loads_early: Callable[[], bool] = lambda: False,
    ) -> None:
        self.events = ControllerEvents()
        self.worker = Worker(post)
        self.document: Annotation | None = None
        self.selected: int | None = None
        self.frame = 0
        self.damaged: set[int] = set()
        self.interrupts: list[Callable[[], None]] = []
        self.edited: list[Callable[[], None]] = []
        self.has_run = self.is_tracker_stale = False
        self.before_jobs: Callable[[], None] = lambda: None
        self._load_predictor: Callable[[], StreamingPredictor] | None = None
        self._features_folder = features_folder
        self._loads_early = loads_early
        self._tracker: DocumentTracker | None = None
        self._object_marks: ObjectMarks | None = None
        self._corrections: Corrections | None = None
        self.source: FrameSource | None = None
        self._normalization: Normalization | None = None
        self.prompts = PromptController(self)
        self.tracking = TrackController(self)
        self.review = ReviewController(self, post)
        self.finding = FindController(self, post)

    @property
    def annotation(self) -> Annotation:
        """The open document, where there must be one: the panel offers nothing before a movie is chosen."""
        if self.document is None:
            raise RuntimeError("no movie is chosen")
        return self.document

    @property
    def tracker(self) -> DocumentTracker:
        """The tracker of the document, on the movie as it is now."""
        self.before_jobs()
        assert self._tracker is not None, "made together with the document"
        return self._tracker

    def is_current(self, tracker: DocumentTracker) -> bool:
        """Whether answers of a tracker still count: not after another channel, contrast or model was chosen."""
        return tracker is self._tracker

    @property
    def object_marks(self) -> ObjectMarks:
        """What is known of each object of the document on each frame."""
        assert self._object_marks is not None, "made together with the document"
        return self._object_marks

    @property
    def corrections(self) -> Corrections:
        """Which frames of the document were corrected and not repaired yet."""
        assert self._corrections is not None, "made together with the document"
        return self._corrections

    # The document ----------------------------------------------------------------------------------------------------

    def open(self, annotation: Annotation, source: FrameSource) -> None:
        """Open a document with its movie, in place of the one before."""
        self.interrupt()
        self._leave()
        self.document, self.source = annotation, source
        # Connected first, because whoever else hears of a change may ask them.
        self._object_marks, self._corrections = ObjectMarks(annotation), Corrections(annotation)
        annotation.events.project.connect(self._on_project)
        annotation.events.objects.connect(self._on_objects)
        self._make_tracker()
        self.frame = min(self.frame, max(0, annotation.movie.length - 1))
        self.selected = next(iter(annotation.objects), None)
        self.events.document.emit()
        self.events.frame.emit(self.frame)
        self.events.selection.emit(self.selected)
        self.events.status.emit()

    def close_document(self) -> None:
        """Close the document without changing it, as when its movie was removed."""
        if self.document is None:
            return
        self.interrupt()
        self._leave()
        self.document = self.selected = self.source = self._tracker = self._object_marks = self._corrections = None
        self.events.document.emit()
        self.events.selection.emit(None)
        self.events.status.emit()

    def use_model(self, load_predictor: Callable[[], StreamingPredictor]) -> None:
        """Work with a model from now on, loaded on the worker when it is first needed; masks stay as they are."""
        self.interrupt()
        self._load_predictor = cache(load_predictor)  # once for all trackers
        self._make_tracker()

    def use_normalization(self, normalization: Normalization) -> None:
        """Use another normalization for what the model sees; a run that is under way keeps its own. Masks stay."""
        if normalization != self.annotation.project.normalization:
            self.do(SetNormalization(normalization))

    def use_movie(self, source: FrameSource) -> None:
        """Use other images of the same frames, such as another channel; the document stays open.

        A run that is under way goes on with the images it started with.
        """
        self.source = source
        self._renew_tracker()
        self.events.movie.emit()

    def do(self, action: Action, *, join: int | None = None) -> Done | None:
        """Do an action on the document. If it cannot be done, the user is told why, and None is returned."""
        try:
            done = self.annotation.do(action, join=join)
        except Sam2vError as error:
            self.report_error(error)
            return None
        self._fix_selection()
        for follow in self.edited:
            follow()
        self.events.status.emit()
        return done

    def undo(self) -> None:
        """Take the last step back."""
        self._move(self.annotation.undo)

    def redo(self) -> None:
        """Do the step that was taken back again."""
        self._move(self.annotation.redo)

    def interrupt(self) -> None:
        """Stop what runs; what is finished stays."""
        for interrupt in self.interrupts:
            interrupt()

    def end_run(self) -> None:
        """Note that the run has ended, and use the movie and contrast that were chosen meanwhile."""
        self.has_run = False
        if self.is_tracker_stale:
            self._make_tracker()

    def report_error(self, error: Exception) -> None:
        """Tell the user what did not work."""
        self.events.problem.emit(error_text(error))

    def close(self) -> None:
        """End the worker; the document stays open."""
        self.interrupt()
        self.review.close()
        self.worker.close()

    # Selecting -------------------------------------------------------------------------------------------------------

    @property
    def prompted_id(self) -> int:
        """Id of the object that the next prompt goes to: the selected one, or the one it would start."""
        return self.annotation.next_id() if self.selected is None else self.selected

    def select(self, object_id: int | None) -> None:
        """Select an object; None: the next prompt starts a new one."""
        if object_id != self.selected:
            self.selected = object_id
            self.events.selection.emit(object_id)
            self.events.status.emit()

    def select_neighbour(self, step: int) -> None:
        """Select the next (step 1) or the previous (step -1) object in the order of ids."""
        ids = list(self.annotation.objects)
        if ids:
            place = ids.index(self.selected) + step if self.selected in ids else (0 if step > 0 else -1)
            self.select(ids[place % len(ids)])

    def show_frame(self, frame: int) -> None:
        """Note which frame is shown."""
        if frame != self.frame:
            self.frame = frame
            self.events.frame.emit(frame)
            self.events.status.emit()

    def worst_frame(self) -> int | None:
        """Return the open frame on which the selected object has its lowest score; None where no frame is open."""
        return None if self.selected is None else self.object_marks.of(self.selected).worst_frame()

    def toggle_frame_lock(self) -> None:
        """Lock the shown frame of the selected object, or unlock it."""
        if self.selected is not None:
            locked = self.frame in self.annotation.locked_frames(self.selected)
            self.do(LockFrames(self.selected, (self.frame,), not locked))

    # Inside ----------------------------------------------------------------------------------------------------------

    def _leave(self) -> None:
        if self.document is not None:
            self.document.events.project.disconnect(self._on_project, missing_ok=True)
            self.document.events.objects.disconnect(self._on_objects, missing_ok=True)
            self.object_marks.close()
            self.corrections.close()

    def _on_project(self) -> None:
        """Follow the contrast of the document, which undo may have changed."""
        if self.document is not None and self.document.project.normalization != self._normalization:
            self._renew_tracker()

    def _on_objects(self, change: ObjectsChanged) -> None:
        """Have the tracker forget deleted objects, on the thread it works on."""
        tracker, gone = self._tracker, tuple(change.removed)
        if not gone or tracker is None or not tracker.is_started:
            return

        def forget(_: object) -> Iterator[None]:
            tracker.forget(gone)
            return iter(())

        self.worker.submit(Job(("forget", gone), lambda: None, forget, lambda _: None, is_brief=True))

    def _renew_tracker(self) -> None:
        if self.has_run:
            self.is_tracker_stale = True
        else:
            self._make_tracker()

    def _make_tracker(self) -> None:
        self.is_tracker_stale = False
        if self.document is not None and self.source is not None and self._load_predictor is not None:
            self._normalization = self.document.project.normalization
            self.damaged.clear()  # another channel may have other damaged frames
            self._tracker = DocumentTracker(
                self.source, self._load_predictor, normalization=self._normalization, cache_dir=self._features_folder
            )
            if self._loads_early():
                self._prepare(self._tracker)

    def _prepare(self, tracker: DocumentTracker) -> None:
        """Have the worker load the model and encode the shown frame, so that the first prompt is answered at once."""

        def prepare(frame: int) -> Iterator[None]:
            for part in (lambda: tracker.predictor, lambda: tracker.prepare(frame)):
                if not self.is_current(tracker):
                    return
                try:
                    part()
                except Exception:
                    # It fails again at the first prompt, and is shown to the user then.
                    _logger.debug("the model was not made ready for frame %d", frame, exc_info=True)
                    return
                yield  # a click that came meanwhile is answered first

        # The frame that is shown when it begins: napari goes to the middle of a movie that is opened.
        self.worker.submit(Job(("prepare",), lambda: self.frame, prepare, lambda _: None))

    def _move(self, move: Callable[[], str | None]) -> None:
        self.interrupt()
        move()
        self._fix_selection()
        self.events.status.emit()

    def _fix_selection(self) -> None:
        if self.selected is not None and self.selected not in self.annotation.objects:
            self.select(next(iter(self.annotation.objects), None))
