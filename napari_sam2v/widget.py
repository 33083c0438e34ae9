"""The dock widget: the panel, the controller and the viewer, connected."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_sam2v.bindings.annotation_binding import AnnotationBinding
from napari_sam2v.bindings.close_question import CloseQuestion
from napari_sam2v.bindings.close_watcher import CloseWatcher
from napari_sam2v.bindings.dialogs import Dialogs, may_replace
from napari_sam2v.bindings.file_binding import FileBinding
from napari_sam2v.bindings.key_binding import KeyBinding
from napari_sam2v.bindings.layer_binding import LayerBinding
from napari_sam2v.bindings.main_thread import MainThread
from napari_sam2v.bindings.model_binding import ModelBinding
from napari_sam2v.bindings.movie_binding import MovieBinding
from napari_sam2v.bindings.object_binding import ObjectBinding
from napari_sam2v.bindings.save_binding import SaveBinding
from napari_sam2v.bindings.tool_binding import ToolBinding
from napari_sam2v.controllers import AnnotationController
from napari_sam2v.controllers.background_tasks import BackgroundTasks
from napari_sam2v.layers import GraphicsGuard
from napari_sam2v.panel.panel import Panel
from napari_sam2v.panel.view_state import TrackSettings
from napari_sam2v.preferences import load_preferences, remember
from src_model.folders import cache_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Layer
    from napari.viewer import Viewer
    from qtpy.QtGui import QCloseEvent

    from napari_sam2v.layers import LayerGeometry
    from src_model.document import Annotation
    from src_model.frames import FrameSource

_logger = logging.getLogger(__name__)


class Sam2vWidget(QWidget):
    """The sam2v panel in a viewer.

    Parameters
    ----------
    napari_viewer
        Given by napari.
    recovery_folder
        Where unsaved work is kept; the user's own folder if left out.
    """

    def __init__(self, napari_viewer: Viewer, recovery_folder: Path | None = None) -> None:
        super().__init__()
        self.viewer = unwrapped(napari_viewer)
        self._graphics = GraphicsGuard(self.viewer)
        self.panel = Panel(self)
        self.host = MainThread(self)
        self.dialogs = Dialogs(self)
        self.layers: LayerBinding | None = None
        self._is_closed = False
        self._warned_of: str | None = None
        self._preferences = load_preferences()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.panel)
        kept = cache_folder("features") if self._preferences.keep_features else None
        self.controller = AnnotationController(self.host.post, lambda: self.model.load(), kept)
        self.controller.events.problem.connect(self._notify)
        self.controller.events.status.connect(self._on_status)
        self._bind(recovery_folder)
        self.viewer.dims.events.current_step.connect(self._on_step)
        self._close_watcher = CloseWatcher(self, self.close_all)

    def _bind(self, recovery_folder: Path | None) -> None:
        wishes, panel, work = self._preferences, self.panel, self.controller
        self.keys = KeyBinding(self, wishes.keys)
        self.model = ModelBinding(
            panel.model,
            work,
            self.host.post,
            told=work.events.problem.emit,
            may_stop=self.dialogs.may_stop,
            model=wishes.model,
            device=wishes.device,
            precision=wishes.precision,
        )
        self.objects = ObjectBinding(panel, work, show_frame=self.show_frame, call_later=self.host.call_later)
        self.work = AnnotationBinding(
            panel,
            work,
            flush=self.flush,
            show_frame=self.show_frame,
            keys=self.keys.names,
            call_later=self.host.call_later,
            tool=lambda: self.tools.active_tool if hasattr(self, "tools") else "",
            take_first=lambda: self.tools.take_first(),
            settings=TrackSettings(
                repair_after_correction=wishes.repair, collect_prompts=wishes.collect_prompts, follow=wishes.follow
            ),
            scope=wishes.track_objects,
            remember=remember,
        )
        self.close_question = CloseQuestion(work)
        self.tasks = BackgroundTasks(self.host.post, panel.result.set_running, work.report_error)
        self.tools = ToolBinding(
            panel.prompts, self.viewer, work, self.tasks, lambda: self.layers, changed=self.work.show_tool
        )
        self.saving = SaveBinding(
            panel,
            work,
            self.tasks,
            ask_save=self.dialogs.to_save,
            ask_open=self.dialogs.to_open,
            may_lose=self.dialogs.may_lose,
            take_document=self.take_document,
            place=lambda: self.movie.place,
            take_masks=lambda path: self.files.import_from(path),
            flush=self.flush,
            told=work.report_error,
            autosave=wishes.autosave,
            folder=recovery_folder,
        )
        self.files = FileBinding(
            panel.result,
            work,
            self.tasks,
            ask_path=self.dialogs.to_export,
            may_replace=lambda path: may_replace(path, self),
            flush=self.flush,
            movie=lambda: self.movie.source,
            holds=lambda document: self.movie.holds(document),
        )
        self.movie = MovieBinding(
            self.viewer,
            panel.image,
            self.host.post,
            opened=self._on_opened,
            dropped=self.saving.let_go,
            closed=self._on_closed,
            call_later=self.host.call_later,
            renormalized=work.use_normalization,
            repainted=work.use_movie,
            told=work.report_error,
            reading=self._on_reading,
            contrast=wishes.contrast,
        )
        work.before_jobs = self.movie.check_pixels

    def show_frame(self, frame: int) -> None:
        """Bring a frame of the movie into view."""
        if self.movie.geometry is not None:
            self.movie.geometry.show_frame(self.viewer.dims, frame)

    def flush(self) -> None:
        """Take over at once what was just drawn."""
        if self.layers is not None:
            self.layers.flush()

    def take_document(
        self, annotation: Annotation, done: Callable[[], None], failed: Callable[[Exception], None]
    ) -> None:
        """Put a document that was read on the controller, with the open movie; as `MovieBinding.take_document`."""
        self.flush()
        self.movie.take_document(annotation, done, failed)

    def close_all(self) -> None:
        """Let go of the viewer and of the workers; unsaved work stays recoverable."""
        if self._is_closed:
            return
        self._is_closed = True
        self.viewer.dims.events.current_step.disconnect(self._on_step)
        steps = (
            self._close_watcher.close,
            self.tasks.close,
            self.movie.close,
            self.model.close,
            self.tools.close,
            self.close_question.close,
            self.controller.close,
            self._close_layers,
            self.saving.close,
            self.keys.close,
            self._graphics.close,
            self.host.close,
        )
        for step in steps:
            try:
                step()
            except Exception:  # parts of a closing window may be gone already; the rest must be let go all the same
                _logger.exception("the panel did not close as it should")

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Let go of everything when the panel is closed."""
        self.close_all()
        super().closeEvent(event)

    def _on_opened(self, annotation: Annotation, source: FrameSource, geometry: LayerGeometry) -> None:
        shown = self.layers
        if annotation is self.controller.document and shown is not None and shown.geometry.lengths == geometry.lengths:
            self.controller.use_movie(source)  # another channel: the same frames, and the same work
        else:
            self._put(annotation, source, geometry)

    def _on_reading(self, text: str) -> None:
        if text:
            self.panel.status.set_text(text, "busy")
        else:
            self.work.refresh()

    def _on_status(self) -> None:
        document = self.controller.document
        if document is not None:
            self.movie.seen.follow(document.project.normalization)

    def _on_closed(self) -> None:
        self._close_layers()
        self.controller.close_document()

    def _close_layers(self) -> None:
        if self.layers is not None:
            self.flush()
            self.layers.close()
            self.layers = None

    def _put(self, annotation: Annotation, source: FrameSource, geometry: LayerGeometry) -> None:
        self._close_layers()
        self.controller.open(annotation, source)
        self.layers = LayerBinding(
            self.viewer,
            self.controller,
            geometry,
            call_later=self.host.call_later,
            refused=self._refuse,
            made=self._on_layer,
            prompted=self._warn_of_channel,
        )
        self.tools.on_layers()
        self.layers.results.show_tracks(self._preferences.show_tracks)
        self._on_step()

    def _on_layer(self, layer: Layer) -> None:
        self.keys.bind_layer(layer)

    def _on_step(self, _event: object = None) -> None:
        geometry = self.movie.geometry
        frame = None if geometry is None else geometry.shown_frame(self.viewer.dims)
        if frame is not None and self.controller.document is not None:
            self.controller.show_frame(frame)
            self.objects.show_frame(frame)
        self.movie.show_followable()

    def _warn_of_channel(self) -> None:
        """Say once that prompts are answered in another channel than the one that is shown."""
        text = self.movie.elsewhere()
        if text is not None and text != self._warned_of:
            self._refuse(text)
        self._warned_of = text

    def _refuse(self, text: str) -> None:
        self.controller.events.problem.emit(text)

    def _notify(self, text: str) -> None:
        from napari.utils.notifications import show_warning

        show_warning(text)


def unwrapped(viewer: Viewer) -> Viewer:
    """Return the viewer itself where napari gives a proxy of it, whose layers are other objects than the viewer's."""
    inner: Viewer = getattr(viewer, "__wrapped__", viewer)
    return inner
