"""The open document on layers of the viewer: prompts and paint go in, masks and tracks come out."""

from __future__ import annotations

from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from napari_sam2v.controllers.object_marks import rgb
from napari_sam2v.layers.geometry import LayerGeometry
from napari_sam2v.layers.label_stack import label_type
from napari_sam2v.layers.prompt_layers import PromptLayers
from napari_sam2v.layers.result_layers import ResultLayers
from src_model.document import label_image
from src_model.document.lineage import parents_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_sam2v.controllers import AnnotationController
    from napari_sam2v.layers.painted_labels import MaskEdit
    from napari_sam2v.layers.prompt_types import PromptEdit
    from src_model.document import Annotation, FramesChanged, ObjectsChanged
    from src_model.masks import Rle


class LayerBinding:
    """Connects the document of a controller with layers of a viewer.

    Parameters
    ----------
    viewer
        Viewer that the layers are added to.
    controller
        With the document; it takes prompts and paint.
    show_tracks
        Whether centroids are shown as tracks.

    Attributes
    ----------
    geometry
        Where the movie lies; None if no document is shown.
    prompts, results
        The layers of the document; None if no document is shown.
    """

    opened = Signal()
    """Another document is shown, on layers of its own."""
    made = Signal(object)
    """A napari layer was made."""
    prompted = Signal()
    """A prompt was given."""

    def __init__(self, viewer: ViewerModel, controller: AnnotationController, *, show_tracks: bool = False) -> None:
        self.geometry: LayerGeometry | None = None
        self.prompts: PromptLayers | None = None
        self.results: ResultLayers | None = None
        self._viewer, self._controller, self._show_tracks = viewer, controller, show_tracks
        self._document: Annotation | None = None

    def open(self, geometry: LayerGeometry) -> None:
        """Show the controller's document where its movie lies."""
        self._document, self.geometry = self._controller.annotation, geometry
        labels = _DocumentLabels(self._document)
        self.prompts = PromptLayers(self._viewer, geometry, refusal=labels.refusal)
        self.results = ResultLayers(self._viewer, geometry, labels)
        for layers in (self.prompts, self.results):
            layers.refused.connect(self._on_refused)
            layers.made.connect(self._on_made)  # psygnal would emit, to find out what ``emit`` takes
        self.prompts.edited.connect(self._on_prompts)
        self.results.edited.connect(self._on_paint)
        self._connect(self._document, listen=True)
        self._show_all(self._document, self.results)
        self.opened.emit()
        self.results.show_tracks(self._show_tracks)

    def close(self) -> None:
        """Take over what was just drawn, and remove the layers."""
        if self.prompts is None or self.results is None or self._document is None:
            return
        self.flush()
        self._connect(self._document, listen=False)
        self.prompts.close()
        self.results.close()
        self.prompts = self.results = self.geometry = self._document = None

    def flush(self) -> None:
        """Take over at once what was just drawn, as before saving or tracking."""
        if self.prompts is not None and self.results is not None:
            self.prompts.flush()
            self.results.flush()

    @property
    def own(self) -> tuple[Any, ...]:
        """The napari layers of the plugin that there are now."""
        return tuple(layer for part in (self.prompts, self.results) if part is not None for layer in part.layers)

    def _show_all(self, document: Annotation, results: ResultLayers) -> None:
        self._show_colors()
        self._show_prompts()
        self._show_divisions()
        if document.mask_count:
            frames = ((object_id, document.track(object_id).masks.frames()) for object_id in document.objects)
            # before there is a layer, which would be drawn once more otherwise
            results.update(chain.from_iterable(zip(repeat(object_id), known) for object_id, known in frames))
            results.show()
        self._select()

    def _connect(self, document: Annotation, *, listen: bool) -> None:
        events = document.events
        pairs: tuple[tuple[Any, Any], ...] = (
            (events.prompts, self._show_prompts),
            (events.frames, self._on_frames),
            (events.objects, self._on_objects),
            (events.divisions, self._show_divisions),
            (events.project, self._redraw),
            (self._controller.events.selection, self._select),
        )
        for signal, slot in pairs:
            if listen:
                signal.connect(slot)
            else:
                signal.disconnect(slot, missing_ok=True)

    # From the layers -------------------------------------------------------------------------------------------------

    def _on_made(self, layer: Layer) -> None:
        self.made.emit(layer)

    def _on_refused(self, text: str) -> None:
        self._controller.events.problem.emit(text)

    def _on_prompts(self, edits: tuple[PromptEdit, ...]) -> None:
        self._controller.prompts.edit(*edits)
        self._show_prompts()  # an edit that was refused is taken back on the layer too
        self.prompted.emit()

    def _on_paint(self, edits: tuple[MaskEdit, ...]) -> None:
        self._controller.prompts.paint(*edits)

    # From the document -----------------------------------------------------------------------------------------------

    def _select(self) -> None:
        """Let prompts and paint go to the selected object, or the new one that would be started."""
        if self.prompts is not None and self.results is not None:
            self.prompts.set_object(self._controller.prompted_id)
            self.results.select(self._controller.prompted_id)

    def _on_frames(self, change: FramesChanged) -> None:
        if self.results is None:
            return
        if self.results.layer is None:
            self.results.show()
        self.results.update(
            (object_id, frame)
            for object_id, spans in change.spans.items()
            for start, stop in spans
            for frame in range(start, stop)
        )

    def _on_objects(self, change: ObjectsChanged) -> None:
        if change.removed and self.results is not None:
            self.results.remove(change.removed)
        self._show_colors()
        if change.edited:
            self._redraw()  # one may have been hidden or shown
        self._select()

    def _redraw(self) -> None:
        if self.results is not None:
            self.results.redraw()

    def _show_prompts(self) -> None:
        if self.prompts is not None and self._document is not None:
            self.prompts.show(
                {
                    (object_id, frame): prompt
                    for object_id, info in self._document.objects.items()
                    if info.visible
                    for frame, prompt in self._document.prompts(object_id).items()
                }
            )

    def _show_colors(self) -> None:
        if self.prompts is not None and self.results is not None and self._document is not None:
            colors = {object_id: rgb(info.color) for object_id, info in self._document.objects.items()}
            self.prompts.set_colors(colors)
            self.results.set_colors(colors)

    def _show_divisions(self) -> None:
        if self.results is not None and self._document is not None:
            self.results.set_parents(parents_of(self._document.divisions.values()))


class _DocumentLabels:
    """A document as :class:`~napari_sam2v.layers.FrameLabels`; hidden objects are left out."""

    def __init__(self, annotation: Annotation) -> None:
        self._annotation = annotation

    @property
    def dtype(self) -> np.dtype[Any]:
        return label_type(self._annotation.next_id())

    def labels(self, frame: int) -> NDArray[np.integer[Any]]:
        return label_image(self._annotation, frame, dtype=self.dtype, visible_only=True)

    def mask(self, object_id: int, frame: int) -> Rle | None:
        return self._annotation.mask_at(object_id, frame) if object_id in self._annotation.objects else None

    def refusal(self, object_id: int, frame: int) -> str | None:
        document = self._annotation
        if object_id not in document.objects or not document.is_locked(object_id, frame):
            return None
        info = document.object(object_id)
        what = f"{info.title} is locked" if info.locked else f"Frame {frame} of {info.title} is locked"
        return f"{what}: unlock it to paint there."
