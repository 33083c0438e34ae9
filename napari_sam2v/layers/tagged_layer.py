"""What point and box layers have in common: each entry carries its object, and edits are found by comparing."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from psygnal import Signal
from superqt.utils import qdebounced

from napari_sam2v.layers.owned_layer import OwnedLayer
from napari_sam2v.view_state import Color

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from numpy.typing import NDArray

    from napari_sam2v.layers.geometry import LayerGeometry
    from napari_sam2v.layers.prompt_types import Key, PromptEdit

_Layer = TypeVar("_Layer")
_Value = TypeVar("_Value")

_logger = logging.getLogger(__name__)
QUIET_MILLISECONDS = 30
"""How long a layer has to stay as it is before it is read: one click of the user makes several events."""
UNCLAIMED = 0
"""Object id of an entry that napari has begun but not finished: a polygon that is being drawn."""

FEATURES = ("object_id", "frame", "sign")


class TaggedLayer(OwnedLayer[_Layer], Generic[_Layer, _Value]):
    """A prompt layer whose entries have the features object_id, frame and sign.

    After any change by the user the layer is read as a whole and compared with what it held before, so that edits come
    out right however they were made: dragged, set in the feature table, several at once.

    Parameters
    ----------
    viewer, geometry
        As for `OwnedLayer`.
    name
        Name of the layer, as the layer list shows it.
    """

    edited = Signal(tuple)
    refused = Signal(str)

    def __init__(self, viewer: ViewerModel, geometry: LayerGeometry, *, name: str) -> None:
        super().__init__(viewer, geometry)
        self._name = name
        self.object_id = 1
        self.sign = 1
        self._given: dict[Key, _Value] = {}  # as the document has it
        self._known: dict[Key, _Value] = {}  # as the layer gives it back, where floats may differ in the last digit
        self._colors: dict[int, Color] = {}
        self._owed: dict[Key, _Value] | None = None  # what is to be shown once a shape that is being drawn is finished
        self._writing = False
        self._changed = qdebounced(self.take_edits, timeout=QUIET_MILLISECONDS)

    def show(self, values: Mapping[Key, _Value]) -> None:
        """Show what the document holds, and nothing else; emits nothing, makes the layer only if there is anything."""
        if self.layer is not None and self._is_drawing():
            self._owed = dict(values)  # writing now would break the drag off, and make a shape of what there is of it
            return
        self._changed.cancel()
        self._owed = None
        same = self._given == dict(values)
        self._given = dict(values)
        if self.layer is None:
            if values:
                self.require()
        elif not same or self._is_changed():
            self._restore()

    def set_colors(self, colors: Mapping[int, Color]) -> None:
        """Color entries by object."""
        if dict(colors) != self._colors:
            self._colors = dict(colors)
            self._restyle()

    def take_edits(self) -> None:
        """Emit now what the user changed since the last time; nothing happens where nothing did.

        A layer that cannot be made sense of, since an event of napari's did not match what it holds, shows the document
        again, and `refused` says so: the next prompt must work.
        """
        self._changed.cancel()
        if self.layer is None:
            return
        try:
            edits = self._read()
        except Exception:
            _logger.exception("the layer '%s' cannot be read", self._name)
            self._restore()
            self.refused.emit("The last drawing cannot be used and was removed; draw it again.")
            return
        if edits:
            self.edited.emit(tuple(edits))
        if self._owed is not None and not self._is_drawing():
            self.show(self._owed)

    def _read(self) -> list[PromptEdit]:
        """Take over what the layer holds; returns how that differs from what it held."""
        edits = self._tidy()
        found = self._collect()
        for key in dict.fromkeys((*self._known, *found)):
            if self._known.get(key) != found.get(key):
                edits.append(self._edit(key, found.get(key)))
        self._known, self._given = found, dict(found)
        self._restyle()
        return edits

    def _is_changed(self) -> bool:
        try:
            return self._collect() != self._known
        except Exception:
            _logger.exception("the layer '%s' cannot be read", self._name)
            return True

    def _restore(self) -> None:
        """Show what the document holds, on a new layer where this one is in no good state."""
        try:
            self._write()
        except Exception:
            _logger.exception("the layer '%s' cannot be written", self._name)
            self.viewer.layers.remove(self.layer)
            if self._given:
                self.require()

    @abstractmethod
    def _collect(self) -> dict[Key, _Value]:
        """Read the layer."""

    @abstractmethod
    def _rewrite(self) -> None:
        """Put what the document gave into the layer."""

    @abstractmethod
    def _style(self, layer: Any, colors: NDArray[np.float64], signs: NDArray[np.int64]) -> None:
        """Style the entries of a layer that has at least one."""

    @abstractmethod
    def _edit(self, key: Key, value: _Value | None) -> PromptEdit:
        """Say that an object's prompts on a frame are now these."""

    def _tidy(self) -> list[PromptEdit]:
        """Take out of the layer what cannot stay; returns edits that follow from it."""
        return []

    def _set_up(self, layer: Any) -> None:
        """Fill a new layer and listen to it."""
        self.layer = layer
        self._write()
        layer.events.data.connect(self._on_data)
        layer.events.features.connect(self._on_features)

    def _write(self) -> None:
        with self._quietly():
            self.layer.selected_data = set()
            self._rewrite()
        self._known = self._collect()
        self._restyle()

    def _detached(self) -> None:
        self._changed.cancel()
        self._changed.flush(restart_timer=False)  # which ends its timer: that must not outlive the layer
        if self._owed is not None:
            self._given, self._owed = self._owed, None

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        before, self._writing = self._writing, True
        try:
            yield
        finally:
            self._writing = before

    def _align(self) -> None:
        """Give each entry its row of features: napari keeps the row of a polygon that it drops as too short."""
        table, entries = self.layer.features, len(self.layer.data)
        surplus = len(table) - entries
        if not surplus:
            return
        rows = [*range(len(table)), *(-1,) * -surplus]  # -1: an entry that has no row is nobody's yet
        if surplus > 0:
            nobodys = [row for row in rows if table["object_id"].iloc[row] == UNCLAIMED]
            gone = {*nobodys[len(nobodys) - surplus :]} if len(nobodys) >= surplus else {*rows[entries:]}
            rows = [row for row in rows if row not in gone]
        empty = {"object_id": UNCLAIMED, "frame": 0, "sign": 1}
        tags = [[int(table[name].iloc[row]) if row >= 0 else empty[name] for name in FEATURES] for row in rows]
        with self._quietly():
            self._write_tags(*zip(*tags, strict=True) if tags else ((), (), ()))

    def _tags(self) -> NDArray[np.int64]:
        """Return (N, 2) object ids and signs of the entries."""
        self._align()
        table = self.layer.features
        columns = [np.nan_to_num(np.asarray(table[name], np.float64)) for name in ("object_id", "sign")]
        return np.column_stack(columns).astype(np.int64)

    def _write_tags(self, object_ids: Iterable[int], frames: Iterable[int], signs: Iterable[int]) -> None:
        values = zip(FEATURES, (object_ids, frames, signs), strict=True)
        self.layer.features = {name: np.asarray(list(column), np.int64) for name, column in values}

    def _is_drawing(self) -> bool:
        """Whether an entry was begun and is not finished."""
        return bool((self._tags()[:, 0] == UNCLAIMED).any())

    def _restyle(self) -> None:
        if self.layer is None or not len(self.layer.data):
            return
        tags = self._tags()
        with self._quietly():
            self._style(self.layer, self._rgba(tags[:, 0]), tags[:, 1])

    def _rgba(self, object_ids: Iterable[int]) -> NDArray[np.float64]:
        rows = [(*self._colors.get(int(object_id), (255, 255, 255)), 255) for object_id in object_ids]
        return np.asarray(rows, np.float64).reshape(-1, 4) / 255

    def _on_data(self, event: Any) -> None:
        if self._writing:
            return
        action = str(getattr(event.action, "value", event.action))
        try:
            if action == "adding":  # napari would tag a new entry as the one that was last selected
                with self._quietly():
                    self.layer.feature_defaults = {"object_id": UNCLAIMED, "frame": 0, "sign": 1}
            elif action == "added":
                self._claim()
        except Exception:  # napari's own handling of the mouse must not end here; reading the layer mends it
            _logger.exception("an event of the layer '%s' does not match what it holds", self._name)
        if action in ("added", "removed", "changed"):
            self._changed()

    def _on_features(self, _event: object) -> None:
        if not self._writing:
            self._changed()

    def _claim(self) -> None:
        """Give entries that are finished now to the current object; the others are taken out again."""
        problem = self.geometry.problem(self.viewer.dims)
        if problem is not None:
            self.refused.emit(problem)
            return
        tags = self._tags()
        new = tags[:, 0] == UNCLAIMED
        if new.any():
            tags[new] = self.object_id, self.sign
            with self._quietly():
                self._write_tags(tags[:, 0], self._frames(), tags[:, 1])
            self._restyle()

    @abstractmethod
    def _frames(self) -> NDArray[np.int64]:
        """Return the frame of each entry."""
