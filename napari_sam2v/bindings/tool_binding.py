"""What clicks in the viewer do: the prompt tools, and selecting an object where no tool is active."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal

from napari_sam2v.layers.prompt_layers import imported_masks
from napari_sam2v.wording import count
from src_model.document import label_image

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from napari.components import ViewerModel
    from napari.layers import Labels

    from napari_sam2v.bindings.layer_binding import LayerBinding
    from napari_sam2v.controllers import AnnotationController
    from napari_sam2v.controllers.background_tasks import BackgroundTasks
    from napari_sam2v.layers.prompt_types import Tool
    from napari_sam2v.panel.prompt_section import PromptSection
    from src_model.masks import Rle

_TOOLS: dict[str, Tool] = {
    "point_positive": "point+",
    "point_negative": "point-",
    "scribble": "scribble",
    "box": "box",
    "lasso": "lasso",
    "paint": "paint",
    "": "pan",
}
_CLICK_PIXELS = 5
"""Pixels of the screen; a press that moves further is a drag, which moves the camera."""
_NAMES = {tool: name for name, tool in _TOOLS.items()}


class ToolBinding:
    """Connects the tools of the panel with the prompt layers, and Labels layers with the prompts made of them.

    While no tool is active, because it was put away or because Space is held for napari's pan and zoom, a click on a
    mask selects its object and prompts nothing.

    Parameters
    ----------
    section
        Section of the panel that offers the tools.
    viewer
        Whose Labels layers are offered.
    controller
        Holds the document and takes prompts.
    layers
        The layers of the document.
    tasks
        Read a Labels layer, which may take its time.
    """

    changed = Signal()
    """Another tool is active."""

    def __init__(
        self,
        section: PromptSection,
        viewer: ViewerModel,
        controller: AnnotationController,
        layers: LayerBinding,
        tasks: BackgroundTasks,
    ) -> None:
        self._section, self._viewer, self._controller = section, viewer, controller
        self._layers, self._tasks = layers, tasks
        section.tool_chosen.connect(self.activate)
        layers.opened.connect(self._on_layers)
        section.labels_imported.connect(lambda name: self._import(name, every=True))
        section.label_imported.connect(lambda name: self._import(name, every=False))
        for event in (viewer.layers.events.inserted, viewer.layers.events.removed, viewer.layers.events.renamed):
            event.connect(self._offer_labels)
        viewer.layers.selection.events.active.connect(self._show_tool)
        viewer.dims.events.ndisplay.connect(self._show_tool)
        viewer.mouse_drag_callbacks.append(self._on_mouse)
        self._offer_labels()

    def close(self) -> None:
        """Disconnect from the viewer."""
        events = self._viewer.layers.events
        for event in (events.inserted, events.removed, events.renamed):
            event.disconnect(self._offer_labels)
        self._viewer.layers.selection.events.active.disconnect(self._show_tool)
        self._viewer.dims.events.ndisplay.disconnect(self._show_tool)
        if self._on_mouse in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._on_mouse)

    @property
    def active_tool(self) -> str:
        """Action id of the tool that a click in the viewer would use now; empty for none."""
        prompts = self._layers.prompts
        return "" if prompts is None else _NAMES.get(prompts.active_tool, "")

    def activate_for_new_object(self) -> None:
        """Be ready for the first prompt of a new object: keep the active tool, unless that only takes away."""
        if self.active_tool in ("", "point_negative"):
            self.activate("point_positive")

    def activate(self, tool: str) -> None:
        """Activate a tool by its action id; an empty one puts the tool away."""
        prompts = self._layers.prompts
        if prompts is None or not prompts.set_tool(_TOOLS[tool]):
            self._section.set_tool(self.active_tool or None)

    def _on_layers(self) -> None:
        """Follow the tools of new prompt layers."""
        prompts = self._layers.prompts
        assert prompts is not None, "they were just made"
        prompts.tool_changed.connect(lambda _tool: self._show_tool())
        prompts.made.connect(lambda layer: layer.events.mode.connect(self._show_tool))
        for layer in prompts.layers:
            layer.events.mode.connect(self._show_tool)
        self._show_tool()

    def _show_tool(self, _event: object = None) -> None:
        self._section.set_tool(self.active_tool or None)
        self.changed.emit()

    def _on_mouse(self, _viewer: ViewerModel, event: Any) -> Iterator[None]:
        """Select the object whose mask is clicked."""
        if not self._is_free(event):
            return
        start = np.asarray(event.pos)
        yield
        while event.type == "mouse_move":
            if np.linalg.norm(np.asarray(event.pos) - start) >= _CLICK_PIXELS:
                return
            yield
        self._select_at(event.position)

    def _is_free(self, event: Any) -> bool:
        """Whether a click would do nothing else: neither a tool of ours nor one of another layer takes it."""
        active = self._viewer.layers.selection.active
        mode = str(getattr(active, "mode", "pan_zoom"))
        return not self.active_tool and mode == "pan_zoom" and event.button == 1 and not event.modifiers

    def _select_at(self, position: Any) -> None:
        geometry, document = self._layers.geometry, self._controller.document
        if geometry is None or document is None or geometry.problem(self._viewer.dims) is not None:
            return
        frame, y, x = geometry.world_to_movie(position)
        length, height, width = geometry.shape
        if not (0 <= frame < length and -0.5 <= y < height - 0.5 and -0.5 <= x < width - 0.5):
            return
        found = int(label_image(document, frame, visible_only=True)[round(y), round(x)])
        if found:
            self._controller.select(found)

    def _labels(self) -> list[Labels]:
        from napari.layers import Labels

        own = self._layers.own
        return [layer for layer in self._viewer.layers if isinstance(layer, Labels) and layer not in own]

    def _offer_labels(self, _event: object = None) -> None:
        self._section.set_labels_layers([layer.name for layer in self._labels()])

    def _import(self, name: str, *, every: bool) -> None:
        controller, geometry = self._controller, self._layers.geometry
        found = [layer for layer in self._labels() if layer.name == name]
        if geometry is None or not found:
            return
        frame, target = controller.frame, None if every else controller.selected
        label = None if every else int(found[0].selected_label)

        def take(masks: Mapping[int, Rle]) -> None:
            if geometry is self._layers.geometry:  # else another movie is open by now
                self._take_masks(name, frame, [(target, mask) for mask in masks.values()])

        self._tasks.run(
            f"Reading '{name}'",
            lambda _progress, _stopped: imported_masks(found[0], geometry, frame, label=label),
            take,
        )

    def _take_masks(self, name: str, frame: int, masks: Sequence[tuple[int | None, Rle]]) -> None:
        known = self._controller.annotation.objects  # the selected one may have been deleted meanwhile
        wanted = [(number if number in known else None, mask) for number, mask in masks]
        if not self._controller.prompts.take_masks(frame, wanted):
            return
        results = self._layers.results
        if results is not None and results.layer is not None:
            # keys go to the active layer first, and that of the labels has an undo of its own
            self._viewer.layers.selection.active = results.layer
        them = "Track all objects" if len(masks) > 1 else "Track it"
        taken = f"Took {count(len(masks), 'mask')} of '{name}' as they are, in one step"
        self._controller.events.notice.emit(f"{taken}. {them}, or correct one with a click.")
