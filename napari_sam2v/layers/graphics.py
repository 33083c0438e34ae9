"""Removing layers without a crash of the graphics driver."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


class GraphicsGuard:
    """Lets the layers of a viewer be removed without a crash of the graphics driver.

    vispy enables the vertex arrays of what it draws and never disables them. When a layer goes, so do its buffers, and
    some drivers then read a freed one while something else is drawn. So all arrays are disabled before a layer goes;
    each drawing enables those it needs.

    Parameters
    ----------
    viewer
        Whose layers are watched, whoever removes them.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        viewer.layers.events.removing.connect(self._on_removing)

    def close(self) -> None:
        """Disconnect from the viewer."""
        self._viewer.layers.events.removing.disconnect(self._on_removing)

    def _on_removing(self, event: Any) -> None:
        canvas = _canvas_of(self._viewer.layers[event.index])
        if canvas is not None:
            canvas.set_current()
            _disable_vertex_arrays()


def _canvas_of(layer: Layer) -> Any:
    """Return the vispy canvas on which a layer is drawn; None without a window.

    There is no other way from a layer to what draws it than the callbacks of the layer.
    """
    for entry in layer.events.opacity.callbacks:
        owner = entry[0]() if isinstance(entry, tuple) else None
        if type(owner).__module__.startswith("napari._vispy.layers"):
            with suppress(AttributeError):
                return owner.node.transforms.canvas
    return None


def _disable_vertex_arrays() -> None:
    from vispy.gloo import gl

    for location in range(int(gl.glGetParameter(gl.GL_MAX_VERTEX_ATTRIBS))):
        gl.glDisableVertexAttribArray(location)
