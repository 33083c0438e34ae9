"""What each key does in a viewer with the panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_sam2v.layers import Shortcuts
from napari_sam2v.panel.view_state import TOOLS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari_sam2v.panel.view_state import Direction
    from napari_sam2v.widget import Sam2vWidget


class KeyBinding:
    """Binds the keys of the actions while the panel is open.

    Parameters
    ----------
    widget
        The panel in its viewer.
    chosen
        The user's own keys by action id.
    """

    def __init__(self, widget: Sam2vWidget, chosen: Mapping[str, str]) -> None:
        self._widget = widget
        handlers = {name: self._guarded(handler) for name, handler in self._handlers().items()}
        self._shortcuts = Shortcuts(handlers, chosen)
        self._shortcuts.bind_viewer(widget.viewer)
        for problem in self._shortcuts.problems:
            widget.controller.events.problem.emit(problem)
        widget.layers.made.connect(self._shortcuts.bind_layer)
        widget.panel.set_keys({**dict.fromkeys(handlers, ""), **self._shortcuts.keys})

    def close(self) -> None:
        """Give the keys back."""
        self._shortcuts.unbind()

    def _guarded(self, handler: Callable[[], object]) -> Callable[[], None]:
        def act() -> None:
            if self._widget.controller.document is not None:
                handler()

        return act

    def _handlers(self) -> dict[str, Callable[[], object]]:
        widget, controller = self._widget, self._widget.controller
        return {
            **{tool: lambda tool=tool: widget.tools.activate(tool) for tool in TOOLS},
            "answer": widget.work.answer,
            "next_mask": controller.prompts.next_mask,
            "clear_frame": controller.prompts.clear,
            "undo": widget.work.undo,
            "redo": widget.work.redo,
            "next_object": widget.work.next_object,
            "previous_object": lambda: controller.select_neighbour(-1),
            "toggle_masks": self._toggle_masks,
            "worst_frame": widget.objects.jump_to_worst,
            "next_doubt": widget.objects.jump_to_next_doubt,
            "lock_frame": controller.toggle_frame_lock,
            "previous_prompt": lambda: self._jump_to_prompt(-1),
            "next_prompt": lambda: self._jump_to_prompt(1),
            "track_forward": lambda: self._track("forward"),
            "track_backward": lambda: self._track("backward"),
            "track_both": lambda: self._track("both"),
            "stop": controller.tracking.stop,
            "repair": widget.work.repair,
        }

    def _track(self, direction: Direction) -> None:
        self._widget.work.track(self._widget.panel.track.request(direction))

    def _toggle_masks(self) -> None:
        results = self._widget.layers.results
        if results is not None and results.layer is not None:
            results.layer.visible = not results.layer.visible

    def _jump_to_prompt(self, step: int) -> None:
        controller = self._widget.controller
        if controller.selected is None:
            return
        frames = [
            frame
            for frame in controller.annotation.prompts(controller.selected)
            if (frame - controller.frame) * step > 0
        ]
        if frames:
            self._widget.movie.show_frame(min(frames) if step > 0 else max(frames))
