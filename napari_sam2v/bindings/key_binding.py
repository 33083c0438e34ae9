"""What each key does in a viewer with the panel, and whether it clashes with others."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from napari_sam2v.actions import ACTIONS
from napari_sam2v.view_state import TOOLS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_sam2v.widget import Sam2vWidget
    from src_model.workflow.plan import Direction


_SHARED = frozenset({"Ctrl+Z", "Ctrl+Shift+Z"})
"""napari undoes brush strokes with these; on our layers the document does that, strokes included."""


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
        widget.work.set_keys(self._shortcuts.keys)
        widget.lineage.set_keys(self._shortcuts.keys)
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
            **{tool: partial(widget.tools.activate, tool) for tool in TOOLS},
            "answer": widget.work.answer,
            "next_mask": controller.prompts.next_mask,
            "clear_frame": controller.prompts.clear,
            "undo": widget.work.undo,
            "redo": widget.work.redo,
            "next_object": widget.work.next_object,
            "previous_object": lambda: controller.select_neighbour(-1),
            "toggle_masks": self._toggle_masks,
            "show_plots": widget.open_plots,
            "show_lineage": widget.lineage.open,
            "worst_frame": widget.objects.jump_to_worst,
            "review_next": lambda: controller.review.step(1),
            "review_previous": lambda: controller.review.step(-1),
            "review_accept": controller.review.accept,
            "review_reject": controller.review.reject,
            "lock_frame": controller.toggle_frame_lock,
            "previous_prompt": lambda: self._jump_to_prompt(-1),
            "next_prompt": lambda: self._jump_to_prompt(1),
            "track_forward": lambda: self._track("forward"),
            "track_backward": lambda: self._track("backward"),
            "track_both": lambda: self._track("both"),
            "track_all": lambda: widget.work.track_all(widget.panel.track.whole_movie_request()),
            "find_all": widget.finding.find,
            "stop": self._stop,
            "repair": widget.work.repair,
            **widget.edits.handlers,
        }

    def _track(self, direction: Direction) -> None:
        self._widget.work.track(self._widget.panel.track.request(direction))

    def _stop(self) -> None:
        self._widget.controller.tracking.stop()
        self._widget.controller.finding.stop()

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


class Shortcuts:
    """Keys of the plugin on the viewer and on its layers.

    Layers are bound too, because an active layer's keys win over the viewer's.

    Parameters
    ----------
    handlers
        What to do, by action id; actions without one are not bound.
    keys
        The user's own keys by action id; an empty one unbinds.

    Attributes
    ----------
    keys
        Key by action id, of the actions that have one.
    problems
        Sentences on keys that are not understood or clash; the actions concerned have no key.
    """

    def __init__(self, handlers: Mapping[str, Callable[[], None]], keys: Mapping[str, str] | None = None) -> None:
        self._handlers = {name: handler for name, handler in handlers.items() if name in {a.id for a in ACTIONS}}
        resolved, self.problems = resolve_keys(keys or {})
        self.keys = {name: key for name, key in resolved.items() if name in self._handlers}
        self._bound: list[tuple[Any, str]] = []

    def bind_viewer(self, viewer: ViewerModel) -> None:
        """Bind the keys on a viewer; those that another plugin bound there stay with it, and become problems."""
        taken = _napari_keys()
        for action in ACTIONS:
            key = self.keys.get(action.id)
            if key is None:
                continue
            if _normal(key) in {_normal(str(bound)) for bound in viewer.keymap}:
                self.problems.append(f"{key} is taken by another plugin: choose another key for '{action.title}'.")
                del self.keys[action.id]
                continue
            if _normal(key) in taken and _normal(key) not in _SHARED:
                self.problems.append(
                    f"{key} is also napari's key for '{taken[_normal(key)]}': '{action.title}' has it now."
                )
            self._bind(viewer, key, action.id)
            self._bound.append((viewer, key))  # layers are removed when the panel closes

    def bind_layer(self, layer: Layer) -> None:
        """Bind the keys on a layer that belongs to the plugin."""
        for action_id, key in self.keys.items():
            self._bind(layer, key, action_id)

    def unbind(self) -> None:
        """Take all keys back."""
        for provider, key in self._bound:
            provider.bind_key(key, None)
        self._bound.clear()

    def _bind(self, provider: Any, key: str, action_id: str) -> None:
        handler = self._handlers[action_id]

        def pressed(_provider: object) -> None:
            handler()

        provider.bind_key(key, pressed, overwrite=True)


def resolve_keys(chosen: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Combine the user's keys with the defaults.

    Parameters
    ----------
    chosen
        Key by action id; unknown ids are ignored, an empty key unbinds.

    Returns
    -------
    keys : dict of str
        Key of each action that has one, by action id.
    problems : list of str
        Sentences on keys that are no keys, or that two actions share (the user's choice wins, then the first).
    """
    keys: dict[str, str] = {}
    problems: list[str] = []
    owners: dict[str, str] = {}
    ordered = sorted(ACTIONS, key=lambda action: action.id not in chosen)
    for action in ordered:
        key = chosen.get(action.id, action.key).strip()
        if not key:
            continue
        name = _normal(key)
        if not name:
            problems.append(f"'{key}' is no key, so '{action.title}' has none: write it as 'G' or 'Control-Shift-G'.")
        elif name in owners:
            problems.append(f"{key} is set for two actions: '{owners[name]}' keeps it, '{action.title}' has no key.")
        else:
            owners[name] = action.title
            keys[action.id] = key
    return {action.id: keys[action.id] for action in ACTIONS if action.id in keys}, problems


def _normal(key: str) -> str:
    """Write a key in one way, such as 'Ctrl+Z'; empty if it is none."""
    from napari.utils.key_bindings import coerce_keybinding

    try:
        name = str(coerce_keybinding(key))
    except (ValueError, TypeError, KeyError):
        return ""
    modifiers_only = name.endswith("+") and not name.endswith("++") and name != "+"
    return "" if modifiers_only else name


def _napari_keys() -> dict[str, str]:
    """List napari's own single keys and combinations: what each does."""
    from napari.settings import get_settings

    shortcuts = get_settings().shortcuts.shortcuts
    return {_normal(str(key)): str(action).partition(":")[2] for action, keys in shortcuts.items() for key in keys}
