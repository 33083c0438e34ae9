"""The layers that show what was tracked: masks that can be painted on, and tracks of centroids."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_sam2v.layers.centroid_tracks import CentroidTracks
from napari_sam2v.layers.painted_labels import PaintedLabels
from napari_sam2v.view_state import Color
from src_model.errors import MovieError

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_sam2v.layers.geometry import LayerGeometry
    from napari_sam2v.layers.label_stack import FrameLabels


class ResultLayers:
    """The Labels layer of results and, if asked for, the Tracks layer.

    Parameters
    ----------
    viewer
        Viewer that the layers are added to.
    geometry
        Axes of the movie, and its place in the viewer.
    labels
        Gives the label images of the document.
    """

    edited = Signal(tuple)
    """tuple[MaskEdit, ...]: one stroke of the brush"""
    refused = Signal(str)
    """A sentence for the user."""
    made = Signal(object)
    """A layer that was made."""

    def __init__(
        self,
        viewer: ViewerModel,
        geometry: LayerGeometry,
        labels: FrameLabels,
    ) -> None:
        self._masks = PaintedLabels(viewer, geometry, labels, name="sam2v masks")
        self._masks.edited.connect(self.edited.emit)
        self._masks.refused.connect(self.refused.emit)
        self._masks.made.connect(self.made.emit)
        self._tracks: CentroidTracks | None = None
        self._no_tracks = ""
        try:
            self._tracks = CentroidTracks(viewer, geometry, labels, name="sam2v tracks")
            self._tracks.made.connect(self.made.emit)
        except MovieError as error:
            self._no_tracks = str(error)

    @property
    def layer(self) -> Any:
        """The Labels layer, None if there is none."""
        return self._masks.layer

    @property
    def layers(self) -> tuple[Any, ...]:
        """The napari layers there are now."""
        layers = (self._masks.layer, None if self._tracks is None else self._tracks.layer)
        return tuple(layer for layer in layers if layer is not None)

    def show(self) -> None:
        """Make the Labels layer if there is none."""
        self._masks.require()

    def show_tracks(self, shown: bool = True) -> None:
        """Show the tracks, or take them away; `refused` says so where napari cannot show them."""
        if self._tracks is not None:
            self._tracks.show(shown)
        elif shown:
            self.refused.emit(self._no_tracks)

    def update(self, changed: Iterable[tuple[int, int]]) -> None:
        """Take over that the masks of these (object id, frame) pairs changed, appeared or are gone."""
        pairs = list(changed)
        if self._tracks is not None:
            self._tracks.update(pairs)
        if pairs:
            self._masks.update({frame for _, frame in pairs})

    def redraw(self) -> None:
        """Show all frames anew though no mask changed, such as when objects are hidden."""
        self._masks.update()

    def remove(self, object_ids: Iterable[int]) -> None:
        """Take over that objects are gone with all their masks."""
        if self._tracks is not None:
            self._tracks.remove(object_ids)
        self._masks.update()

    def set_parents(self, parents: Mapping[int, Collection[int]]) -> None:
        """Connect the tracks of daughters with those of their parents."""
        if self._tracks is not None:
            self._tracks.set_parents(parents)

    def set_colors(self, colors: Mapping[int, Color]) -> None:
        """Color masks and tracks by object."""
        self._masks.set_colors(colors)
        if self._tracks is not None:
            self._tracks.set_colors(colors)

    def select(self, object_id: int) -> None:
        """Let the brush paint this object."""
        self._masks.select(object_id)

    def flush(self) -> None:
        """Hand over at once what was painted, as before saving."""
        self._masks.take_strokes()

    def close(self) -> None:
        """Remove the layers and let go of the viewer."""
        self._masks.close()
        if self._tracks is not None:
            self._tracks.close()
