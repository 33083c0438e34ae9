"""The plots of the selected objects on the controller: what is selected is measured, a click goes to its frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer

from napari_sam2v.controllers.object_marks import rgb
from napari_sam2v.controllers.plots_controller import MOST_OBJECTS, PlotsController
from napari_sam2v.panel.lineage_painting import ObjectLook
from napari_sam2v.wording import curves_line
from src_model.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_sam2v.bindings.file_binding import FileBinding
    from napari_sam2v.bindings.movie_binding import MovieBinding
    from napari_sam2v.controllers import AnnotationController, Post
    from napari_sam2v.panel.object_table import ObjectTable
    from napari_sam2v.panel.plots_panel import PlotsPanel

_REFRESH_MILLISECONDS = 200
"""Between two turns of measuring, and so how often curves follow a run of the tracker at most."""


def make_plots_panel() -> PlotsPanel:
    """Make the panel; pyqtgraph is imported not before somebody wants plots.

    Raises
    ------
    MissingExtraError
        If pyqtgraph is not installed.
    """
    try:
        from napari_sam2v.panel.plots_panel import PlotsPanel
    except ModuleNotFoundError as error:
        if error.name != "pyqtgraph":
            raise
        raise MissingExtraError("pyqtgraph", "napari", "plotting") from error
    return PlotsPanel()


class PlotsBinding:
    """Shows curves of the selected objects, and goes where a person clicks.

    Parameters
    ----------
    panel
        The dock of the plots.
    controller
        Holds the document and the frame.
    table
        Holds the selection of several objects.
    movie
        Brings frames into view.
    files
        Writes the numbers into a file.
    post
        Has functions called on the main thread, from any thread.
    """

    def __init__(
        self,
        panel: PlotsPanel,
        controller: AnnotationController,
        table: ObjectTable,
        movie: MovieBinding,
        files: FileBinding,
        post: Post,
    ) -> None:
        self._panel, self._controller, self._table = panel, controller, table
        self._files = files
        self._plots = PlotsController(controller, post)
        self._timer = QTimer(panel)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._plots.refresh)
        panel.canvas.frame_clicked.connect(movie.show_frame)
        panel.table_requested.connect(self._write_table)
        table.selection_changed.connect(self._plots.choose)
        self._signals: tuple[tuple[Any, Callable[..., None]], ...] = (
            (controller.events.frame, self._show_frame),
            (self._plots.signals.changed, self._show_curves),
            (self._plots.signals.stale, self._refresh_soon),
        )
        for signal, slot in self._signals:
            signal.connect(slot)
        self._show_curves()
        self._show_frame(controller.frame)
        self._plots.choose(table.selection())
        self._refresh_soon()

    def close(self) -> None:
        """Measure and show nothing any more."""
        self._timer.stop()
        self._table.selection_changed.disconnect(self._plots.choose)
        for signal, slot in self._signals:
            signal.disconnect(slot, missing_ok=True)
        self._plots.close()

    def _refresh_soon(self) -> None:
        if not self._timer.isActive():
            self._timer.start(_REFRESH_MILLISECONDS)

    def _show_curves(self) -> None:
        document, found = self._plots.document, self._plots.measurement
        objects = {} if document is None else document.objects
        series = [each for each in found.series if each.object_id in objects]
        looks = {each.object_id: ObjectLook("", rgb(objects[each.object_id].color)) for each in series}
        self._panel.canvas.set_length(0 if document is None else document.movie.length)
        self._panel.canvas.set_curves(series, looks, found.units)
        self._panel.set_enabled_reason(None if series else "Select objects that have masks")
        self._show_line()

    def _show_frame(self, frame: int) -> None:
        self._panel.canvas.set_frame(frame)
        self._show_line()

    def _show_line(self) -> None:
        document, found = self._plots.document, self._plots.measurement
        first = found.series[0].object_id if found.series else None
        title = "" if document is None or first is None or not document.has(first) else document.object(first).title
        self._panel.set_line(curves_line(found, title, self._controller.frame, MOST_OBJECTS, self._plots.left_out))

    def _write_table(self) -> None:
        """Write the table of the selected objects, which holds what the curves show, and more."""
        from src_model.formats.settings import ExportSettings

        self._files.export("csv", ExportSettings(overlap=None, visible_only=False), self._table.selection())
