"""A Tracks layer of the objects' centroids that keeps up with a document while frames pour in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QTimer

from napari_sam2v.layers.owned_layer import OwnedLayer
from src_model.errors import MovieError
from src_model.masks import centroid

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Tracks
    from numpy.typing import NDArray

    from napari_sam2v.layers.geometry import LayerGeometry
    from napari_sam2v.layers.label_stack import FrameLabels
    from napari_sam2v.view_state import Color

WORK_SECONDS = 0.008
"""How long centroids are computed before the viewer gets its turn again."""

PAUSE_SECONDS = 0.02
IDLE_FACTOR = 20
"""After drawing the layer, it rests so many times as long as that took: 5 % of the time goes into drawing."""


class CentroidTracks(OwnedLayer["Tracks | None"]):
    """Centroids of objects through time.

    Changes are noted at once and worked off in short turns. napari builds all tracks anew whenever one point changes
    (0.3 s for 100,000), so they are drawn the less often the longer that takes. There is no layer as long as there are
    no centroids, because napari cannot show empty tracks.

    Parameters
    ----------
    viewer
        Viewer that the layer is added to.
    geometry
        Axes of the movie, and its place in the viewer.
    masks
        Gives the masks of the document.
    name
        Name of the layer, as the layer list shows it.
    clock
        Returns the time in seconds.

    Raises
    ------
    MovieError
        If napari cannot show tracks of such a movie: time has to be the first of at most four axes.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        geometry: LayerGeometry,
        masks: FrameLabels,
        *,
        name: str,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        if geometry.time_axis != 0 or geometry.ndim > 4:
            raise MovieError(
                f"tracks cannot be shown on '{geometry.image.name}' with the axes {geometry.axes}: napari needs time "
                "as the first of at most four axes"
            )
        super().__init__(viewer, geometry)
        self._masks = masks
        self._name = name
        self._clock = clock
        self._shown = False
        self._pending: dict[tuple[int, int], None] = {}
        self._centres: dict[int, NDArray[np.float32]] = {}
        self._parents: dict[int, Collection[int]] = {}
        self._colors: dict[int, Color] = {}
        self._stale = False
        self._rest_until = 0.0
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._work)

    @property
    def shown(self) -> bool:
        """Whether tracks are wanted; while they are not, changes are noted and nothing is computed."""
        return self._shown

    def show(self, shown: bool = True) -> None:
        """Show the tracks, or take their layer away."""
        self._shown = shown
        if shown:
            self._stale = True
            self._start()
            return
        self._timer.stop()
        if self.layer is not None:
            self.viewer.layers.remove(self.layer)

    def update(self, changed: Iterable[tuple[int, int]]) -> None:
        """Note (object id, frame) pairs whose masks changed, appeared or are gone."""
        self._pending.update(dict.fromkeys(changed))
        self._start()

    def remove(self, object_ids: Iterable[int]) -> None:
        """Forget whole objects."""
        gone = set(object_ids)
        self._pending = {pair: None for pair in self._pending if pair[0] not in gone}
        for object_id in gone & self._centres.keys():
            del self._centres[object_id]
            self._stale = True
        self._start()

    def set_parents(self, parents: Mapping[int, Collection[int]]) -> None:
        """Say which objects each daughter comes from; they are several where objects fused."""
        if dict(parents) != self._parents:
            self._parents, self._stale = dict(parents), True
            self._start()

    def set_colors(self, colors: Mapping[int, Color]) -> None:
        """Color tracks by object."""
        if dict(colors) != self._colors:
            self._colors, self._stale = dict(colors), True
            self._start()

    def table(self) -> NDArray[np.float64]:
        """Return what is drawn: (N, ndim + 1) rows of object id and data coordinates, by object and frame."""
        rows = []
        for object_id, centres in sorted(self._centres.items()):
            frames = np.flatnonzero(~np.isnan(centres[:, 0]))
            data = self.geometry.to_data(0, centres[frames])
            data[:, 0] = frames
            rows.append(np.column_stack([np.full(len(frames), float(object_id)), data]))
        return np.concatenate(rows) if rows else np.zeros((0, self.geometry.ndim + 1))

    def _start(self) -> None:
        if self._shown and not self._timer.isActive() and (self._pending or self._stale):
            self._timer.start(0)

    def _work(self) -> None:
        deadline = self._clock() + WORK_SECONDS
        while self._pending:
            object_id, frame = next(iter(self._pending))
            del self._pending[object_id, frame]
            self._note(object_id, frame)
            if self._clock() >= deadline:
                break
        waiting = self._rest_until - self._clock()
        if self._stale and waiting <= 0:
            self._draw()
        if self._pending or self._stale:
            self._timer.start(round(1000 * (PAUSE_SECONDS if self._pending else max(waiting, PAUSE_SECONDS))))

    def _note(self, object_id: int, frame: int) -> None:
        mask = self._masks.mask(object_id, frame)
        centre = None if mask is None else centroid(mask)
        centres = self._centres.get(object_id)
        if centres is None:
            if centre is None:
                return
            centres = self._centres[object_id] = np.full((self.geometry.shape[0], 2), np.nan, np.float32)
        centres[frame] = np.nan if centre is None else centre
        self._stale = True

    def _draw(self) -> None:
        began = self._clock()
        self._stale = False
        table = self.table()
        if not len(table):
            if self.layer is not None:
                self.viewer.layers.remove(self.layer)
            self._shown, self._stale = True, False  # they are still wanted, there is just nothing to draw
            return
        self._style(self.require(), table)
        ended = self._clock()
        self._rest_until = ended + IDLE_FACTOR * (ended - began)

    def _style(self, layer: Any, table: NDArray[np.float64]) -> None:
        layer.colormaps_dict = {"track_id": _TrackColors(self._colors)}
        layer.data = table
        here = {int(object_id) for object_id in np.unique(table[:, 0])}
        known = {child: [each for each in parents if each in here] for child, parents in self._parents.items()}
        layer.graph = {child: parents for child, parents in known.items() if parents and child in here}

    def _make(self) -> Tracks | None:
        return self.viewer.add_tracks(self.table(), name=self._name, **self.geometry.options(self.viewer.dims))

    def _detached(self) -> None:
        self._timer.stop()
        self._stale = True  # drawn again when they are asked for; not at once, or they could not be removed
        self._shown = False


class _TrackColors:
    """Looks like a colormap to a Tracks layer: object ids in, colors out; unknown ones are white."""

    name = "objects"

    def __init__(self, colors: Mapping[int, Color]) -> None:
        self._ids = np.array(sorted(colors), np.int64)
        self._table = np.ones((len(colors) + 1, 4), np.float32)
        for row, object_id in enumerate(self._ids.tolist()):
            self._table[row, :3] = np.asarray(colors[object_id]) / 255

    def map(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Color object ids."""
        ids = np.asarray(values).astype(np.int64)
        rows = np.searchsorted(self._ids, ids)
        known = rows < len(self._ids)
        known[known] = self._ids[rows[known]] == ids[known]
        table: NDArray[np.float32] = self._table[np.where(known, rows, len(self._ids))]
        return table
