"""A dock beside the panel that is opened by a button: one at a time, and gone for good when it is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from qtpy.QtWidgets import QWidget

from napari_sam2v.bindings.closing import CloseWatcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.viewer import Viewer


class Closable(Protocol):
    """What shows something in a panel until it is closed."""

    def close(self) -> None:
        """Show nothing any more."""


PanelT = TypeVar("PanelT", bound=QWidget)
BindingT = TypeVar("BindingT", bound=Closable)


class PanelDock(Generic[PanelT, BindingT]):
    """Opens a panel in a dock of its own, and lets go of it when it is closed.

    Parameters
    ----------
    viewer
        Viewer in whose window the dock is.
    name
        Title of the dock.
    make
        Makes the panel, when it is opened.
    bind
        Connects a panel with the document; returns what shows it until it is closed.

    Attributes
    ----------
    panel, binding
        Of the open dock; None where it is closed.
    """

    def __init__(
        self, viewer: Viewer, name: str, make: Callable[[], PanelT], bind: Callable[[PanelT], BindingT]
    ) -> None:
        self._viewer, self._name, self._make, self._bind = viewer, name, make, bind
        self._watcher: CloseWatcher | None = None
        self.panel: PanelT | None = None
        self.binding: BindingT | None = None

    def open(self) -> None:
        """Open the dock, or bring it to the front."""
        if self.panel is None:
            self.panel = self._make()
            self._viewer.window.add_dock_widget(self.panel, name=self._name, area="bottom")
            self.binding = self._bind(self.panel)
            self._watcher = CloseWatcher(self.panel, self._let_go)
        dock = self.panel.parentWidget()
        if dock is not None:
            dock.show()
            dock.raise_()

    def close(self) -> None:
        """Close the dock, if it is open."""
        if self.panel is not None:
            self._viewer.window.remove_dock_widget(self.panel)

    def _let_go(self) -> None:
        if self.binding is not None:
            self.binding.close()
        self.panel = self.binding = self._watcher = None
