"""The find section and what finds objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superqt.utils import qdebounced

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_sam2v.controllers import AnnotationController
    from napari_sam2v.panel.find_section import FindSection
    from src_model.workflow.progress import RunProgress

_MOVED_MILLISECONDS = 100
"""How long the slider has to rest before the objects follow it."""


class FindBinding:
    """Connects the find section with the controller.

    Parameters
    ----------
    section
        The section of the panel.
    controller
        Holds the document and finds objects.
    answer
        Has the model answer what was just drawn, before a search.
    """

    def __init__(self, section: FindSection, controller: AnnotationController, answer: Callable[[], None]) -> None:
        self._section, self._controller, self._finding = section, controller, controller.finding
        self._answer = answer
        self._keep = qdebounced(self._finding.keep, timeout=_MOVED_MILLISECONDS)
        section.find_requested.connect(self.find)
        section.stop_requested.connect(self._finding.stop)
        section.kept.connect(self._keep)
        self._finding.signals.progress.connect(self._show_progress)
        self._finding.signals.changed.connect(self._show_found)
        controller.events.document.connect(self._on_document)
        controller.events.run.connect(self._on_run)
        self._on_document()

    def close(self) -> None:
        """Follow the slider no more."""
        self._keep.cancel()

    def find(self) -> None:
        """Find every object of the shown frame, or stop if that is under way."""
        if self._finding.progress is not None:
            self._finding.stop()
            return
        self._answer()
        self._finding.start()

    def _on_document(self) -> None:
        self._section.set_enabled_reason("Choose a movie first" if self._controller.document is None else None)
        self._show_found()

    def _on_run(self, progress: RunProgress | None) -> None:
        self._section.set_enabled_reason(None if progress is None else "Tracking is under way")

    def _show_progress(self, progress: RunProgress | None) -> None:
        self._section.set_progress(progress)

    def _show_found(self) -> None:
        found, reason = self._finding.found, self._finding.fixed_reason
        if found is None:
            self._section.set_found(0, 0, None, reason)
        else:
            self._section.set_found(found.kept, len(found.object_ids), found.scores[found.kept - 1], reason)
