"""Curves of the chosen objects: measured in the background, a short turn at a time, and kept up with the document."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Final

from psygnal import Signal, SignalGroup

from napari_sam2v.controllers.background_tasks import BackgroundTasks
from napari_sam2v.controllers.document_listener import DocumentListener
from src_model.errors import MovieError
from src_model.measures import Measurement, MeasureUnits, SeriesMeter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from napari_sam2v.controllers.annotation_controller import AnnotationController
    from napari_sam2v.controllers.worker import Post
    from src_model.document import Annotation, FramesChanged, ObjectsChanged
    from src_model.frames import FrameSource

NOTHING: Final = Measurement((), MeasureUnits(), 0, 0)
"""What is known before anything is chosen."""

MOST_OBJECTS: Final = 20
"""Curves of more objects cannot be told apart, and would have to be drawn again and again."""

_TURN_SECONDS = 0.25
"""How long masks and frames are read before what is known is shown; a frame that takes longer is read all the same."""


class PlotsSignals(SignalGroup):
    """Signals of the curves, emitted on the main thread.

    Attributes
    ----------
    changed
        Other curves are known, or other names and colors.
    stale
        Something is left to measure: `PlotsController.refresh` is to be called a little later.
    """

    changed = Signal()
    stale = Signal()


class PlotsController:
    """Measures the chosen objects of the open document. All methods belong on the main thread.

    Parameters
    ----------
    controller
        Holds the document and its movie.
    post
        Has functions called on the main thread, from any thread.

    Attributes
    ----------
    measurement
        What is known of the chosen objects.
    """

    def __init__(self, controller: AnnotationController, post: Post) -> None:
        self.signals = PlotsSignals()
        self.measurement = NOTHING
        self._controller = controller
        self._tasks = BackgroundTasks(post, lambda _: None, controller.report_error, name="sam2v plots")
        self._listener = DocumentListener({"objects": self._on_objects, "frames": self._on_frames})
        self._meter = SeriesMeter()
        self._chosen: tuple[int, ...] = ()
        self._is_stale = False
        self._unreadable: FrameSource | None = None  # told once, and not read again
        controller.events.document.connect(self._on_document)
        controller.events.movie.connect(self._touch)
        self._on_document()

    def close(self) -> None:
        """Stop measuring."""
        self._controller.events.document.disconnect(self._on_document, missing_ok=True)
        self._controller.events.movie.disconnect(self._touch, missing_ok=True)
        self._listener.listen(None)
        self._tasks.close()

    @property
    def document(self) -> Annotation | None:
        """The document whose objects are measured."""
        return self._listener.document

    @property
    def left_out(self) -> int:
        """How many of the chosen objects are too many."""
        return max(0, len(self._chosen) - MOST_OBJECTS)

    def choose(self, object_ids: Sequence[int]) -> None:
        """Measure these objects from now on, the first `MOST_OBJECTS` of them."""
        if tuple(object_ids) != self._chosen:
            self._chosen = tuple(object_ids)
            wanted = set(self._chosen)
            known = tuple(each for each in self.measurement.series if each.object_id in wanted)
            self.measurement = Measurement(known, self.measurement.units, 0, 0)
            self.signals.changed.emit()
            self._touch()
            self.refresh()

    def refresh(self) -> None:
        """Measure for a while in the background, if anything changed or is left; one turn at a time."""
        document, meter = self._listener.document, self._meter
        if document is None or not self._is_stale or self._tasks.is_running:
            return
        self._is_stale = False
        view, chosen, source = document.snapshot(), self._chosen[:MOST_OBJECTS], self._controller.source
        readable = None if source is self._unreadable else source

        def work(_report: object, is_stopped: Callable[[], bool]) -> Measurement:
            end = perf_counter() + _TURN_SECONDS
            return meter.update(view, chosen, readable, lambda: is_stopped() or perf_counter() >= end)

        def done(found: Measurement) -> None:
            if meter is self._meter:
                self._take(chosen, found)

        def failed(error: Exception) -> None:
            self._controller.report_error(error)
            if isinstance(error, MovieError):
                self._unreadable = source
                self._touch()  # all but intensities is known without it

        self._tasks.replace("series", "", work, done, failed=failed)

    def _take(self, chosen: tuple[int, ...], found: Measurement) -> None:
        if chosen == self._chosen[:MOST_OBJECTS]:
            self.measurement = found
            self.signals.changed.emit()
        if self._is_stale or not found.is_complete:
            self._touch()

    def _touch(self) -> None:
        self._is_stale = True
        self.signals.stale.emit()

    def _on_document(self) -> None:
        self._tasks.cancel("series")
        self._listener.listen(self._controller.document)
        self._meter, self.measurement, self._unreadable = SeriesMeter(), NOTHING, None
        self.signals.changed.emit()
        self._touch()

    def _on_objects(self, change: ObjectsChanged) -> None:
        if not self._concerns((*change.added, *change.removed, *change.edited)):
            return
        self.signals.changed.emit()  # names and colors
        if self._concerns((*change.added, *change.removed)):
            self._touch()

    def _on_frames(self, change: FramesChanged) -> None:
        if self._concerns(change.spans):
            self._touch()

    def _concerns(self, object_ids: Iterable[int]) -> bool:
        return not set(self._chosen[:MOST_OBJECTS]).isdisjoint(object_ids)
