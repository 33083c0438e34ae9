"""All prompt layers of a movie: the tools that are used on them, and the edits that come of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from napari_sam2v.layers.label_stack import label_type
from napari_sam2v.layers.painted_labels import MaskEdit, PaintedLabels
from napari_sam2v.layers.point_prompts import INSIDE, OUTSIDE, PointPrompts
from napari_sam2v.layers.prompt_types import Key, PromptEdit, Tool
from napari_sam2v.layers.shape_prompts import ShapePrompts
from napari_sam2v.view_state import Color
from src_model.errors import MaskError
from src_model.masks import Rle, labels_from_masks, masks_from_labels

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels
    from numpy.typing import NDArray

    from napari_sam2v.layers.geometry import LayerGeometry
    from src_model.document import Prompt

_MODES: Mapping[Tool, str] = {
    "point+": "add",
    "point-": "add",
    "scribble": "add_path",
    "box": "add_rectangle",
    "polygon": "add_polygon",
    "lasso": "add_polygon_lasso",
    "paint": "paint",
}


class PromptLayers:
    """The Points, Shapes and Labels layers in which prompts are given and shown.

    A layer is made when its tool is first activated, or when the document has something to show on it. One that the
    user removes comes back the same way. `edited` is emitted a moment after the user made edits, with one tuple of
    them; the document's answer comes back through `show`, which emits nothing.

    Parameters
    ----------
    viewer
        Viewer that the layers are added to.
    geometry
        Axes of the movie, and its place in the viewer.
    refusal
        Says in a sentence why an object must not be painted on a frame, None if it may; as in `FrameLabels`.
    """

    edited = Signal(tuple)
    """tuple[PromptEdit, ...]"""
    refused = Signal(str)
    """A sentence for the user."""
    made = Signal(object)
    """A layer that was made."""
    tool_changed = Signal(str)

    def __init__(
        self,
        viewer: ViewerModel,
        geometry: LayerGeometry,
        *,
        refusal: Callable[[int, int], str | None] = lambda object_id, frame: None,
    ) -> None:
        self._viewer = viewer
        self._geometry = geometry
        self._tool: Tool = "pan"
        self._masks = _MaskPrompts(geometry.shape[1:], refusal)
        self._points = PointPrompts(viewer, geometry, name="sam2v points")
        self._shapes = ShapePrompts(viewer, geometry, name="sam2v boxes")
        self._paint = PaintedLabels(viewer, geometry, self._masks, name="sam2v paint", opacity=0.9, contour=2)
        for part in self._parts:
            part.refused.connect(self.refused.emit)
            part.made.connect(self.made.emit)
        self._points.edited.connect(self.edited.emit)
        self._shapes.edited.connect(self.edited.emit)
        self._paint.edited.connect(self._on_painted)
        viewer.dims.events.ndisplay.connect(self._on_ndisplay)

    @property
    def layers(self) -> tuple[Any, ...]:
        """The napari layers there are now."""
        return tuple(part.layer for part in self._parts if part.layer is not None)

    @property
    def tool(self) -> Tool:
        """The tool that was activated last."""
        return self._tool

    @property
    def active_tool(self) -> Tool:
        """The tool that a click in the viewer would use now: the user may have changed the layer or its mode since."""
        active = self._viewer.layers.selection.active
        part = next((each for each in self._parts if each.layer is not None and each.layer is active), None)
        if part is None:
            return "pan"
        mode = str(part.layer.mode)
        if part is self._points:
            point: Tool = "point+" if self._points.sign == INSIDE else "point-"
            return point if mode == _MODES[point] else "pan"
        return next((tool for tool in _MODES if self._part_of(tool) is part and _MODES[tool] == mode), "pan")

    def set_object(self, object_id: int) -> None:
        """Let new prompts belong to this object."""
        self._points.object_id = self._shapes.object_id = object_id
        self._paint.select(object_id)

    def set_tool(self, tool: Tool) -> bool:
        """Take a tool: make its layer if need be, activate it and set its mode.

        Returns
        -------
        bool
            False if the viewer shows nothing that can be clicked on; `refused` says why, and the tool stays.
        """
        problem = None if tool == "pan" else self._geometry.problem(self._viewer.dims)
        if problem is not None:
            self.refused.emit(problem)
            return False
        if tool == "pan":
            for layer in self.layers:
                layer.mode = "pan_zoom"
        else:
            part = self._part_of(tool)
            layer = part.require(activate=True)
            layer.visible = True
            layer.mode = _MODES[tool]
        if tool in ("point+", "point-"):
            self._points.sign = INSIDE if tool == "point+" else OUTSIDE
        self._tool = tool
        self.tool_changed.emit(tool)
        return True

    def show(self, prompts: Mapping[Key, Prompt]) -> None:
        """Show the document's prompts, by object id and frame, and no others."""
        self._points.show({key: (tuple(p.points), tuple(p.labels)) for key, p in prompts.items() if p.points})
        self._shapes.show({key: p.box for key, p in prompts.items() if p.box is not None})
        frames = self._masks.replace({key: p.mask for key, p in prompts.items() if p.mask is not None})
        if frames:
            self._paint.update(frames)

    def set_colors(self, colors: Mapping[int, Color]) -> None:
        """Color prompts by object."""
        for part in self._parts:
            part.set_colors(colors)

    def flush(self) -> None:
        """Emit at once what waits to be emitted, as before saving."""
        self._points.take_edits()
        self._shapes.take_edits()
        self._paint.take_strokes()

    def close(self) -> None:
        """Remove the layers and let go of the viewer."""
        self._viewer.dims.events.ndisplay.disconnect(self._on_ndisplay)
        for part in self._parts:
            part.close()

    @property
    def _parts(self) -> tuple[PointPrompts, ShapePrompts, PaintedLabels]:
        return self._points, self._shapes, self._paint

    def _part_of(self, tool: Tool) -> PointPrompts | ShapePrompts | PaintedLabels:
        if tool in ("point+", "point-"):
            return self._points
        return self._paint if tool == "paint" else self._shapes

    def _on_ndisplay(self, _event: object = None) -> None:
        if self._viewer.dims.ndisplay != 2 and self.active_tool != "pan":
            self.set_tool("pan")

    def _on_painted(self, edits: tuple[MaskEdit, ...]) -> None:
        prompts = []
        for edit in edits:
            mask = None if edit.mask.box is None else edit.mask
            prompts.append(PromptEdit(edit.object_id, edit.frame, kind="mask", mask=mask))
            self._masks.put((edit.object_id, edit.frame), mask)  # shown until the document says otherwise
        self.edited.emit(tuple(prompts))


class _MaskPrompts:
    """The mask prompts of the document as label images, for the paint layer."""

    def __init__(self, shape: tuple[int, int], refusal: Callable[[int, int], str | None]) -> None:
        self._shape = shape
        self._masks: dict[Key, Rle] = {}
        self.refusal = refusal

    @property
    def dtype(self) -> np.dtype[Any]:
        largest = max((object_id for object_id, _ in self._masks), default=0)
        return label_type(largest)

    def labels(self, frame: int) -> NDArray[np.integer[Any]]:
        here = {object_id: mask for (object_id, at), mask in self._masks.items() if at == frame}
        return labels_from_masks(here, self._shape, self.dtype)

    def mask(self, object_id: int, frame: int) -> Rle | None:
        return self._masks.get((object_id, frame))

    def put(self, key: Key, mask: Rle | None) -> None:
        self._masks.pop(key, None)
        if mask is not None:
            self._masks[key] = mask

    def replace(self, masks: Mapping[Key, Rle]) -> set[int]:
        """Hold these masks and no others; returns the frames where that changes anything."""
        keys = {*masks, *self._masks}
        changed = {key[1] for key in keys if masks.get(key) is not self._masks.get(key)}
        self._masks = dict(masks)
        return changed


def imported_masks(layer: Labels, geometry: LayerGeometry, frame: int, *, label: int | None = None) -> dict[int, Rle]:
    """Take masks out of a Labels layer, such as the result of another program, to be used as prompts of a frame.

    Parameters
    ----------
    layer
        Of the movie's size in y and x: a single label image, a movie of as many frames, or any array that has the
        same axes as the image.
    geometry
        Axes of the movie, and its place in the viewer.
    frame
        Frame number, from 0.
    label
        Take this label only; None takes all.

    Returns
    -------
    dict
        Masks by label, labels ascending.

    Raises
    ------
    MaskError
        If the layer has another size, or holds no such label on the frame.
    """
    data = layer.data[0] if layer.multiscale else layer.data
    shape, (length, height, width) = tuple(data.shape), geometry.shape
    index: tuple[Any, ...]
    if shape == geometry.lengths:
        chosen: dict[int | None, int] = {geometry.time_axis: frame}
        for axis, plane in geometry.fixed.items():
            chosen[axis] = plane
        index = tuple(chosen.get(axis, 0) for axis in range(geometry.ndim - 2))
    elif shape[-2:] == (height, width) and (len(shape) == 2 or shape[:-2] in ((1,), (length,))):
        index = () if len(shape) == 2 else (frame if shape[0] == length else 0,)
    else:
        raise MaskError(
            f"layer '{layer.name}' has the shape {shape}, which does not fit the movie: expected one label image of "
            f"{height} x {width} pixels or {length} of them"
        )
    masks = masks_from_labels(np.asarray(data[(*index, slice(None), slice(None))]))
    wanted = masks if label is None else {number: mask for number, mask in masks.items() if number == label}
    if not wanted:
        what = "any object" if label is None else f"the label {label}"
        raise MaskError(f"layer '{layer.name}' does not hold {what} on frame {frame}: go to a frame where it does")
    return wanted
