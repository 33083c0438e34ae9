"""A Labels layer over a document: shows its masks frame by frame, and hands over what the user paints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal
from superqt.utils import qdebounced

from napari_sam2v.layers.label_stack import LabelStack, Stroke, label_type
from napari_sam2v.layers.owned_layer import OwnedLayer
from src_model.masks import Rle, as_array

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels
    from numpy.typing import NDArray

    from napari_sam2v.layers.geometry import LayerGeometry
    from napari_sam2v.layers.label_stack import FrameLabels
    from napari_sam2v.view_state import Color

QUIET_MILLISECONDS = 50
"""How long nothing has to be painted before napari's own undo, which has no end, counts as a stroke."""
_UNKNOWN = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class MaskEdit:
    """What painting made of one object on one frame.

    Attributes
    ----------
    object_id
        The label that was painted, or painted over; may be one that the document does not hold yet.
    frame
        Frame number, from 0.
    mask
        The object's whole mask after the stroke, hidden parts included; empty if all of it was erased.
    """

    object_id: int
    frame: int
    mask: Rle


class PaintedLabels(OwnedLayer["Labels"]):
    """The label images of a document as a layer of the viewer.

    Nothing but some decoded frames is kept. A finished stroke (also napari's own undo of one) comes out of `edited` as
    one tuple of edits; then the layer shows the document again, which has to have taken them when the emission ends.
    Pixels of objects that refuse to be painted stay as they are, and `refused` says why.

    Parameters
    ----------
    viewer
        Viewer that the layer is added to.
    geometry
        Axes of the movie, and its place in the viewer.
    labels
        Gives the label images of the document.
    name
        Name of the layer, as the layer list shows it.
    opacity
        Opacity of the layer, 0 to 1.
    contour
        Width of the outlines in screen pixels; 0 fills the masks.
    """

    edited = Signal(tuple)
    refused = Signal(str)

    def __init__(
        self,
        viewer: ViewerModel,
        geometry: LayerGeometry,
        labels: FrameLabels,
        *,
        name: str,
        opacity: float = 0.6,
        contour: int = 0,
    ) -> None:
        super().__init__(viewer, geometry, broadcast=True)
        self._labels = labels
        self._name = name
        self._options = {"opacity": opacity}
        self._contour = contour
        self._selected = 1
        self._stack = LabelStack(geometry, labels, self._on_written)
        self._settled = qdebounced(self._take_when_released, timeout=QUIET_MILLISECONDS)
        self._colors: dict[int, Color] = {}
        self._pressed = False
        self._taking = False

    def select(self, object_id: int) -> None:
        """Let the brush paint this object."""
        self._selected = object_id
        if self._stack.dtype != self._dtype():
            self._rebuild()
        if self.layer is not None:
            self.layer.selected_label = object_id

    def set_colors(self, colors: Mapping[int, Color]) -> None:
        """Color objects; ids without a color are white."""
        if dict(colors) != self._colors:
            self._colors = dict(colors)
            if self.layer is not None:
                self.layer.colormap = _colormap(self._colors)

    def update(self, frames: Iterable[int] | None = None) -> None:
        """Show frames anew that changed in the document (None: all); costs nothing for those that are not shown."""
        changed = None if frames is None else set(frames)
        self._stack.forget(changed)
        if self._stack.dtype != self._dtype():
            self._rebuild()
        elif not self._taking and (changed is None or self.geometry.shown_frame(self.viewer.dims) in changed):
            self._redraw()

    def take_strokes(self) -> None:
        """Hand over now what was painted; nothing happens where nothing was."""
        self._settled.cancel()
        strokes = self._stack.take_strokes()
        if not strokes:
            return
        edits: list[MaskEdit] = []
        reasons: list[str] = []
        for frame, stroke in strokes.items():
            changed = self._allowed(frame, stroke, reasons)
            edits.extend(self._edits(frame, stroke, changed))
        self._taking = True
        try:
            if edits:
                self.edited.emit(tuple(edits))
            for reason in dict.fromkeys(reasons):
                self.refused.emit(reason)
        finally:
            self._taking = False
            self._redraw()

    def _make(self) -> Labels:
        layer: Labels = self.viewer.add_labels(
            self._stack,
            name=self._name,
            colormap=_colormap(self._colors),
            **self._options,
            **self.geometry.options(),
        )
        layer.contour = self._contour
        layer.selected_label = self._selected
        layer.events.paint.connect(self._on_painted)
        layer.mouse_drag_callbacks.append(self._on_mouse)
        return layer

    def _detached(self) -> None:
        self._settled.cancel()
        self._settled.flush(restart_timer=False)  # which ends its timer: that must not outlive the layer
        self._stack.take_strokes()
        self._pressed = False

    def _redraw(self) -> None:
        if self.layer is not None and self.layer.visible:
            self.layer.refresh(extent=False, thumbnail=False)

    def _dtype(self) -> np.dtype[Any]:
        """Type for the ids of the document and the one the brush has."""
        fits = self._selected <= np.iinfo(self._labels.dtype).max
        return np.dtype(self._labels.dtype if fits else label_type(self._selected))

    def _rebuild(self) -> None:
        """Change the type of the layer, which only new data can do."""
        self.take_strokes()
        self._stack = LabelStack(self.geometry, self._labels, self._on_written, dtype=self._dtype())
        if self.layer is not None:
            self.layer.data = self._stack

    def _on_written(self) -> None:
        self._settled()

    def _on_painted(self, _event: object = None) -> None:
        self._pressed = False
        self.take_strokes()

    def _on_mouse(self, _layer: Labels, event: Any) -> Iterator[None]:
        """Know whether a stroke goes on; its end is announced by the layer's paint event."""
        self._pressed = True
        yield
        while event.type == "mouse_move":
            yield
        self._pressed = False

    def _take_when_released(self) -> None:
        if not self._pressed:
            self.take_strokes()

    def _allowed(self, frame: int, stroke: Stroke, reasons: list[str]) -> NDArray[np.bool_]:
        """Return the pixels that changed, but for those of objects that refuse, and note why those do."""
        changed: NDArray[np.bool_] = stroke.before != stroke.after
        for object_id in _ids_in(stroke, changed):
            reason = self._labels.refusal(object_id, frame)
            if reason is not None:
                reasons.append(reason)
                changed &= (stroke.before != object_id) & (stroke.after != object_id)
        return changed

    def _edits(self, frame: int, stroke: Stroke, changed: NDArray[np.bool_]) -> Iterator[MaskEdit]:
        for object_id in _ids_in(stroke, changed):
            known = self._labels.mask(object_id, frame)
            mask = np.zeros(changed.shape, bool) if known is None else np.array(as_array(known))
            mask[changed & (stroke.before == object_id)] = False
            mask[changed & (stroke.after == object_id)] = True
            yield MaskEdit(object_id, frame, Rle.encode(mask))


def _ids_in(stroke: Stroke, where: NDArray[np.bool_]) -> list[int]:
    ids = np.union1d(stroke.before[where], stroke.after[where])
    return [int(object_id) for object_id in ids if object_id]


def _colormap(colors: Mapping[int, Color]) -> Any:
    from napari.utils.colormaps import DirectLabelColormap

    table: dict[int | None, tuple[float, ...]] = {None: _rgba(_UNKNOWN), 0: (0.0, 0.0, 0.0, 0.0)}
    table.update({object_id: _rgba(color) for object_id, color in colors.items()})
    return DirectLabelColormap(color_dict=table)


def _rgba(color: Color) -> tuple[float, ...]:
    return (*(part / 255 for part in color), 1.0)
