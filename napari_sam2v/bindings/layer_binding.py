"""One document on its layers: prompts and paint go in, masks and tracks come out."""

from __future__ import annotations

from itertools import chain, repeat
from typing import TYPE_CHECKING

from napari_sam2v.bindings.document_labels import DocumentLabels
from napari_sam2v.controllers.object_marks import rgb
from napari_sam2v.layers import CallLater, LayerGeometry, PromptLayers, ResultLayers

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_sam2v.controllers import AnnotationController
    from napari_sam2v.layers import MaskEdit, PromptEdit
    from src_model.document import DivisionsChanged, FramesChanged, ObjectsChanged


class LayerBinding:
    """Connects the document on a controller with the layers of a viewer, until it is closed.

    Parameters
    ----------
    viewer
        Where the layers are.
    controller
        With the document on it.
    geometry
        Where the movie lies.
    call_later
        How to wait on this thread.
    refused
        Takes a sentence for the user.
    made
        Takes layers that were made.
    prompted
        Called after a prompt was given.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        controller: AnnotationController,
        geometry: LayerGeometry,
        *,
        call_later: CallLater,
        refused: Callable[[str], None],
        made: Callable[[Layer], None],
        prompted: Callable[[], None],
    ) -> None:
        self.geometry = geometry
        self._prompted = prompted
        self._viewer = viewer
        self._controller = controller
        self._document = controller.annotation
        labels = DocumentLabels(self._document)
        self.prompts = PromptLayers(viewer, geometry, call_later=call_later, refusal=labels.refusal)
        self.results = ResultLayers(viewer, geometry, labels, call_later=call_later)
        for layers in (self.prompts, self.results):
            layers.refused.connect(refused)
            layers.made.connect(made)
        self.prompts.edited.connect(self._on_prompts)
        self.results.edited.connect(self._on_paint)
        self._listen()
        self.show_all()

    def show_all(self) -> None:
        """Show everything that the document holds."""
        self._show_colours()
        self._show_prompts()
        self._show_divisions()
        if self._document.mask_count:
            frames = (
                (object_id, self._document.track(object_id).masks.frames()) for object_id in self._document.objects
            )
            # before there is a layer, which would be drawn once more otherwise
            self.results.update(chain.from_iterable(zip(repeat(object_id), known) for object_id, known in frames))
            self.results.show()
        self.select(self._controller.selected)

    def select(self, _object_id: int | None) -> None:
        """Let prompts and paint go to the selected object, or the new one that would be started."""
        self.prompts.set_object(self._controller.prompted_id)
        self.results.select(self._controller.prompted_id)

    def flush(self) -> None:
        """Take over at once what was just drawn, as before saving or tracking."""
        self.prompts.flush()
        self.results.flush()

    def close(self) -> None:
        """Remove the layers and stop listening."""
        self._connect(listen=False)
        self.prompts.close()
        self.results.close()

    def _listen(self) -> None:
        self._connect(listen=True)

    def _connect(self, *, listen: bool) -> None:
        events = self._document.events
        pairs = (
            (events.prompts, self._on_prompts_changed),
            (events.frames, self._on_frames),
            (events.objects, self._on_objects),
            (events.divisions, self._on_divisions),
            (events.project, self._on_project),
            (self._controller.events.selection, self.select),
        )
        for signal, slot in pairs:
            if listen:
                signal.connect(slot)  # type: ignore[arg-type]
            else:
                signal.disconnect(slot, missing_ok=True)

    # From the layers -------------------------------------------------------------------------------------------------

    def _on_prompts(self, edits: tuple[PromptEdit, ...]) -> None:
        self._controller.prompts.edit(*edits)
        self._show_prompts()  # an edit that was refused is taken back on the layer too
        self._prompted()

    def _on_paint(self, edits: tuple[MaskEdit, ...]) -> None:
        self._controller.prompts.paint(*edits)

    # From the document -----------------------------------------------------------------------------------------------

    def _on_prompts_changed(self, _change: object) -> None:
        self._show_prompts()

    def _on_frames(self, change: FramesChanged) -> None:
        pairs = [
            (object_id, frame)
            for object_id, spans in change.spans.items()
            for start, stop in spans
            for frame in range(start, stop)
        ]
        if self.results.layer is None:
            self.results.show()
        self.results.update(pairs)

    def _on_objects(self, change: ObjectsChanged) -> None:
        if change.removed:
            self.results.remove(change.removed)
        self._show_colours()
        if change.edited:
            self.results.redraw()  # one may have been hidden or shown
        self.select(self._controller.selected)

    def _on_divisions(self, _change: DivisionsChanged) -> None:
        self._show_divisions()

    def _on_project(self) -> None:
        self.results.redraw()

    def _show_prompts(self) -> None:
        self.prompts.show(
            {
                (object_id, frame): prompt
                for object_id, info in self._document.objects.items()
                if info.visible
                for frame, prompt in self._document.prompts(object_id).items()
            }
        )

    def _show_colours(self) -> None:
        colours = {object_id: rgb(info.color) for object_id, info in self._document.objects.items()}
        self.prompts.set_colours(colours)
        self.results.set_colours(colours)

    def _show_divisions(self) -> None:
        self.results.set_parents(
            {
                daughter: division.parent
                for division in self._document.divisions.values()
                for daughter in division.daughters
            }
        )
