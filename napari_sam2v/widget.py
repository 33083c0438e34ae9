"""The dock widget: the panel, the workbench and the viewer, connected."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from napari_sam2v.binding.host import QtHost
from napari_sam2v.binding.keys import KeyBinding
from napari_sam2v.binding.layer_binding import LayerBinding
from napari_sam2v.binding.model_binding import ModelBinding
from napari_sam2v.binding.movie_binding import MovieBinding
from napari_sam2v.binding.object_binding import ObjectBinding
from napari_sam2v.binding.save_binding import SaveBinding
from napari_sam2v.binding.tool_binding import ToolBinding
from napari_sam2v.binding.work_binding import WorkBinding
from napari_sam2v.panel.panel import Panel
from napari_sam2v.preferences import load_preferences
from napari_sam2v.workbench import Workbench
from src_model.errors import AnnotationFileError

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer
    from qtpy.QtGui import QCloseEvent

    from napari_sam2v.layers import LayerGeometry
    from src_model.annotation import Annotation
    from src_model.frames import FrameSource, Normalization


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
        self.viewer = napari_viewer
        self.panel = Panel(self)
        self.host = QtHost(self)
        self.layers: LayerBinding | None = None
        self._preferences = load_preferences()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.panel)
        self.workbench = Workbench(self.host.post, lambda: self.model.load())
        self.workbench.events.problem.connect(self._notify)
        self._bind(recovery_folder)
        self.viewer.dims.events.current_step.connect(self._on_step)

    def _bind(self, recovery_folder: Path | None) -> None:
        wishes, panel, work = self._preferences, self.panel, self.workbench
        self.keys = KeyBinding(self, wishes.keys)
        self.model = ModelBinding(
            panel.model, work, self.host.post, told=work.events.problem.emit, model=wishes.model, device=wishes.device
        )
        self.objects = ObjectBinding(panel, work, show_frame=self.show_frame, call_later=self.host.call_later)
        self.work = WorkBinding(
            panel, work, flush=self.flush, show_frame=self.show_frame, keys=self.keys.names, follow=wishes.follow
        )
        self.tools = ToolBinding(panel.prompts, self.viewer, work, lambda: self.layers)
        self.saving = SaveBinding(
            panel,
            work,
            ask_path=self._ask_path,
            take_document=self.take_document,
            flush=self.flush,
            told=work.tell,
            autosave=wishes.autosave,
            folder=recovery_folder,
        )
        self.movie = MovieBinding(
            self.viewer,
            panel.image,
            opened=self._on_opened,
            renormalized=self._on_normalization,
            told=work.tell,
            contrast=wishes.contrast,
        )

    def show_frame(self, frame: int) -> None:
        """Bring a frame of the movie into view."""
        if self.movie.geometry is not None:
            self.movie.geometry.show_frame(self.viewer.dims, frame)

    def flush(self) -> None:
        """Take over at once what was just drawn."""
        if self.layers is not None:
            self.layers.flush()

    def take_document(self, annotation: Annotation) -> None:
        """Put a document that was read on the workbench, with the movie that is open.

        Raises
        ------
        AnnotationFileError
            If no movie is open, or another one than the document's.
        """
        source, geometry = self.movie.source, self.movie.geometry
        if source is None or geometry is None:
            raise AnnotationFileError(f"open the movie '{annotation.movie.name}' first, then this annotation of it")
        differences = annotation.movie.differences(source)
        if differences:
            raise AnnotationFileError(
                f"this annotation is of '{annotation.movie.name}', not of '{source.name}': {'; '.join(differences)}"
            )
        self._put(annotation, source, geometry)

    def close_all(self) -> None:
        """Let go of the viewer and of the worker; unsaved work stays recoverable."""
        self.viewer.dims.events.current_step.disconnect(self._on_step)
        self.movie.close()
        self.model.close()
        self.workbench.close()
        if self.layers is not None:
            self.flush()
            self.layers.close()
            self.layers = None
        self.saving.close()
        self.keys.close()

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Let go of everything when the panel is closed."""
        with suppress(RuntimeError):  # parts of a closing window may be gone already
            self.close_all()
        super().closeEvent(event)

    def _on_opened(self, annotation: Annotation, source: FrameSource, geometry: LayerGeometry) -> None:
        self._put(annotation, source, geometry)

    def _on_normalization(self, normalization: Normalization) -> None:
        self.workbench.use_normalization(normalization)

    def _put(self, annotation: Annotation, source: FrameSource, geometry: LayerGeometry) -> None:
        if self.layers is not None:
            self.flush()
            self.layers.close()
            self.layers = None
        self.workbench.open(annotation, source)
        self.layers = LayerBinding(
            self.viewer,
            self.workbench,
            geometry,
            call_later=self.host.call_later,
            refused=self._refuse,
            made=self._on_layer,
        )
        self.tools.on_layers()
        self.layers.results.show_tracks(self._preferences.show_tracks)
        self._on_step()

    def _on_layer(self, layer: Layer) -> None:
        self.keys.bind_layer(layer)

    def _on_step(self, _event: object = None) -> None:
        geometry = self.movie.geometry if hasattr(self, "movie") else None
        frame = None if geometry is None else geometry.shown_frame(self.viewer.dims)
        if frame is not None and self.workbench.document is not None:
            self.workbench.show_frame(frame)
            self.objects.show_frame(frame)

    def _refuse(self, text: str) -> None:
        self.workbench.events.problem.emit(text)

    def _notify(self, text: str) -> None:
        from napari.utils.notifications import show_warning

        show_warning(text)

    def _ask_path(self, title: str, suffix: str, save: bool) -> Path | None:
        pattern = f"sam2v annotation (*{suffix})"
        ask = QFileDialog.getSaveFileName if save else QFileDialog.getOpenFileName
        name, _ = ask(self, title, "", pattern)
        if not name:
            return None
        path = Path(name)
        return path if path.suffix == suffix or not save else path.with_name(path.name + suffix)
