"""The review section, the viewer and the review queue, which is brought up to date a moment after each change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_sam2v.bindings.movie_binding import MovieBinding
    from napari_sam2v.controllers import AnnotationController
    from napari_sam2v.panel.panel import Panel
    from src_model.document import Annotation
    from src_model.workflow.progress import RunProgress
    from src_model.workflow.review import ReviewEvent

_REFRESH_MILLISECONDS = 500
"""How long a document has to stay as it is before it is looked at again."""


class ReviewBinding:
    """Shows what is doubtful, and where.

    Parameters
    ----------
    viewer
        Its camera goes to the place of an event.
    panel
        Holds the review section.
    controller
        Holds the document and its review.
    movie
        Brings frames of the movie into view.
    """

    def __init__(
        self, viewer: ViewerModel, panel: Panel, controller: AnnotationController, movie: MovieBinding
    ) -> None:
        self._viewer, self._section, self._movie = viewer, panel.review, movie
        self._controller, self._review = controller, controller.review
        self._document: Annotation | None = None
        self._timer = QTimer(panel)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._review.refresh)
        self._section.next_requested.connect(lambda: self._review.step(1))
        self._section.previous_requested.connect(lambda: self._review.step(-1))
        self._section.accept_requested.connect(self._review.accept)
        self._section.reject_requested.connect(self._review.reject)
        self._section.chosen.connect(self._review.choose)
        self._review.signals.changed.connect(self._show_rows)
        self._review.signals.shown.connect(self._show_event)
        controller.events.document.connect(self._on_document)
        controller.events.run.connect(self._on_run)
        self._on_document()

    def close(self) -> None:
        """Look at nothing any more."""
        self._timer.stop()
        if self._document is not None:
            self._document.events.history.disconnect(self._touch, missing_ok=True)

    def _on_document(self) -> None:
        self.close()
        self._document = self._controller.document
        if self._document is not None:
            self._document.events.history.connect(self._touch)
            self._touch()
        self._show_rows()

    def _on_run(self, progress: RunProgress | None) -> None:
        if progress is None:
            self._touch()

    def _touch(self) -> None:
        """Look at the document a little later; after a run, which changes it with every frame, and not beside it."""
        if self._document is not None and not self._controller.has_run:
            self._timer.start(_REFRESH_MILLISECONDS)

    def _show_rows(self) -> None:
        events = self._review.events
        current = self._review.current
        self._section.set_rows(self._review.rows(), events.index(current) if current in events else None)

    def _show_event(self, event: ReviewEvent) -> None:
        self._controller.select(event.object_id)
        self._movie.show_frame(event.frame)
        geometry = self._movie.geometry
        if geometry is not None:
            geometry.look_at(self._viewer, event.frame, event.worst.place)
        self._controller.events.notice.emit(f"{event.kind}: {event.worst.why}".capitalize())
