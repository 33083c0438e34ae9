"""A layer of the viewer that the plugin makes when it is first needed, and that the user may remove at any time."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from psygnal import Signal

from napari_sam2v.layers.geometry import PLACEMENT

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_sam2v.layers.geometry import LayerGeometry

_Layer = TypeVar("_Layer")


class OwnedLayer(Generic[_Layer]):
    """A layer that lies on the movie's image and follows it.

    Parameters
    ----------
    viewer
        Viewer that the layer is added to.
    geometry
        Axes of the movie, and its place in the viewer.
    broadcast
        Whether the layer has all channels and planes, as the image has, or one entry that follows what is shown.
    """

    made = Signal(object)
    """The layer, when it was made; shortcuts are bound then."""

    def __init__(self, viewer: ViewerModel, geometry: LayerGeometry, *, broadcast: bool = False) -> None:
        self.viewer = viewer
        self.geometry = geometry
        self.layer: Any = None  # a napari layer; napari's own types are Any to type checkers
        self._broadcast = broadcast
        viewer.layers.events.removed.connect(self._on_removed)
        for name in PLACEMENT:
            getattr(geometry.image.events, name).connect(self._follow)
        if geometry.free_axes and not broadcast:
            viewer.dims.events.point.connect(self._follow)

    def require(self, *, activate: bool = False) -> _Layer:
        """Return the layer, and make it if there is none.

        Parameters
        ----------
        activate
            Whether it becomes the viewer's active layer; otherwise the active one stays.
        """
        if self.layer is None:
            selected = set(self.viewer.layers.selection)
            active = self.viewer.layers.selection.active
            self.layer = self._make()
            if not activate:
                self.viewer.layers.selection = selected
                self.viewer.layers.selection.active = active
            self.made.emit(self.layer)
        if activate:
            self.viewer.layers.selection.active = self.layer
        layer: _Layer = self.layer
        return layer

    def close(self) -> None:
        """Remove the layer, and disconnect from the viewer and the image."""
        self.viewer.layers.events.removed.disconnect(self._on_removed)
        for name in PLACEMENT:
            getattr(self.geometry.image.events, name).disconnect(self._follow)
        self.viewer.dims.events.point.disconnect(self._follow)
        if self.layer is not None and self.layer in self.viewer.layers:
            self.viewer.layers.remove(self.layer)
        self.layer = None
        self._detached()

    @abstractmethod
    def _make(self) -> _Layer:
        """Add the layer to the viewer."""

    def _detached(self) -> None:
        """Forget what belonged to a layer that is gone."""

    def _follow(self, _event: object = None) -> None:
        if self.layer is not None:
            self.geometry.place(self.layer, self.viewer.dims, broadcast=self._broadcast)

    def _on_removed(self, event: Any) -> None:
        if self.layer is not None and event.value is self.layer:
            self.layer = None
            self._detached()
