"""The dock widget: the panel, the controllers and the viewer, connected."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_sam2v.bindings.annotation_binding import AnnotationBinding
from napari_sam2v.bindings.closing import CloseQuestion, CloseWatcher
from napari_sam2v.bindings.dialogs import Dialogs
from napari_sam2v.bindings.file_binding import FileBinding
from napari_sam2v.bindings.find_binding import FindBinding
from napari_sam2v.bindings.key_binding import KeyBinding
from napari_sam2v.bindings.layer_binding import LayerBinding
from napari_sam2v.bindings.lineage_binding import LineageBinding, LineageDock
from napari_sam2v.bindings.lineage_edits import LineageEdits
from napari_sam2v.bindings.model_binding import ModelBinding
from napari_sam2v.bindings.movie_binding import MovieBinding
from napari_sam2v.bindings.object_binding import ObjectBinding
from napari_sam2v.bindings.panel_dock import PanelDock
from napari_sam2v.bindings.plots_binding import PlotsBinding, make_plots_panel
from napari_sam2v.bindings.review_binding import ReviewBinding
from napari_sam2v.bindings.save_binding import SaveBinding
from napari_sam2v.bindings.tool_binding import ToolBinding
from napari_sam2v.controllers import AnnotationController
from napari_sam2v.controllers.background_tasks import BackgroundTasks
from napari_sam2v.layers.graphics import GraphicsGuard
from napari_sam2v.panel.panel import Panel
from napari_sam2v.preferences import Preferences, load_preferences
from src_model.errors import MissingExtraError
from src_model.folders import cache_folder

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from qtpy.QtGui import QCloseEvent

_logger = logging.getLogger(__name__)


class Sam2vWidget(QWidget):
    """The sam2v panel in a viewer.

    Parameters
    ----------
    napari_viewer
        Viewer that napari opens the widget in.
    recovery_folder
        Where unsaved work is kept; the user's own folder if left out.
    """

    def __init__(self, napari_viewer: Viewer, recovery_folder: Path | None = None) -> None:
        super().__init__()
        self.viewer = unwrapped(napari_viewer)
        self.panel = Panel(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.panel)
        self._is_closed = False
        self._graphics = GraphicsGuard(self.viewer)
        preferences = load_preferences()
        self._make_controller(preferences)
        self._make_bindings(preferences, recovery_folder)
        self._close_question = CloseQuestion(self.controller)
        self._close_watcher = CloseWatcher(self, self.close_all)

    def _make_controller(self, preferences: Preferences) -> None:
        self.main_thread = MainThread(self)
        post = self.main_thread.post
        self.controller = AnnotationController(
            post,
            cache_folder("features") if preferences.keep_features else None,
            lambda: preferences.load_early and self.model.is_on_disk,
        )
        self.controller.events.problem.connect(_show_warning)
        report_error = self.controller.report_error
        self.tasks = BackgroundTasks(post, self.panel.result.set_running, report_error, name="sam2v files")

    def _make_bindings(self, preferences: Preferences, recovery_folder: Path | None) -> None:
        """Make the bindings; each takes those that it needs, which are made before it."""
        viewer, panel, controller, tasks = self.viewer, self.panel, self.controller, self.tasks
        post, dialogs = self.main_thread.post, Dialogs(self)
        self.model = ModelBinding(panel.model, controller, dialogs, post, preferences)
        controller.use_model(self.model.load)
        self.layers = LayerBinding(viewer, controller, show_tracks=preferences.show_tracks)
        self.tools = ToolBinding(panel.prompts, viewer, controller, self.layers, tasks)
        self.movie = MovieBinding(viewer, panel.image, controller, self.layers, post, contrast=preferences.contrast)
        self.work = AnnotationBinding(panel, controller, self.layers, self.movie, self.tools, preferences)
        self.finding = FindBinding(panel.finding, controller, self.work.answer)
        self.objects = ObjectBinding(panel, controller, self.movie)
        self.edits = LineageEdits(controller, panel.objects)
        self.lineage = LineageDock(
            viewer, lambda dock: LineageBinding(viewer, dock, controller, panel.objects, self.movie, self.edits)
        )
        panel.lineage.clicked.connect(lambda: self.lineage.open())
        self.review = ReviewBinding(viewer, panel, controller, self.movie)
        self.files = FileBinding(panel.result, controller, tasks, self.layers, self.movie, dialogs)
        self.plots = PanelDock(
            viewer,
            "sam2v plots",
            make_plots_panel,
            lambda dock: PlotsBinding(dock, controller, panel.objects, self.movie, self.files, post),
        )
        panel.plots.clicked.connect(lambda: self.open_plots())
        self.saving = SaveBinding(
            panel,
            controller,
            tasks,
            self.layers,
            self.movie,
            self.files,
            dialogs,
            autosave=preferences.autosave,
            folder=recovery_folder,
        )
        self.keys = KeyBinding(self, preferences.keys)
        self.movie.offer_layers()

    def open_plots(self) -> None:
        """Open the dock of the plots; where their package is missing, say so."""
        try:
            self.plots.open()
        except MissingExtraError as error:
            self.controller.report_error(error)

    def close_all(self) -> None:
        """End the workers and disconnect from the viewer; unsaved work stays recoverable."""
        if self._is_closed:
            return
        self._is_closed = True
        steps = (
            self._close_watcher.close,
            self.tasks.close,
            self.movie.close,
            self.model.close,
            self.tools.close,
            self._close_question.close,
            self.lineage.close,
            self.plots.close,
            self.controller.close,
            self.layers.close,
            self.work.close,
            self.finding.close,
            self.objects.close,
            self.review.close,
            self.saving.close,
            self.keys.close,
            self._graphics.close,
            self.main_thread.close,
        )
        for step in steps:
            try:
                step()
            except Exception:  # parts of a closing window may be gone already; the others must be closed all the same
                _logger.exception("the panel did not close as it should")

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """End everything when the panel is closed."""
        self.close_all()
        super().closeEvent(event)


class MainThread(QObject):
    """Calls functions on the thread it was made on.

    Unlike superqt's ``ensure_main_thread`` it queues calls from the main thread too, so that all are made in the order
    in which they were posted, and makes none after it was closed.

    Parameters
    ----------
    parent
        Owner; it takes this object, and what was posted and not called yet, with it.
    """

    _posted = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._is_closed = False
        self._posted.connect(self._call, Qt.ConnectionType.QueuedConnection)

    def post(self, call: Callable[[], None]) -> None:
        """Have a function called soon on the main thread; may be called from any thread."""
        try:
            self._posted.emit(call)
        except RuntimeError:  # the window is gone, and Qt's object with it
            return

    def close(self) -> None:
        """Call nothing any more, not even what was posted before."""
        self._is_closed = True

    def _call(self, call: Callable[[], None]) -> None:
        if not self._is_closed:
            call()


def unwrapped(viewer: Viewer) -> Viewer:
    """Return the viewer itself where napari gives a proxy of it, whose layers are other objects than the viewer's."""
    inner: Viewer = getattr(viewer, "__wrapped__", viewer)
    return inner


def _show_warning(text: str) -> None:
    from napari.utils.notifications import show_warning

    show_warning(text)
