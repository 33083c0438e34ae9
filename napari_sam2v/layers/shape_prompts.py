"""The Shapes layer of boxes; outlines drawn on it become masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_sam2v.layers.prompt_types import Key, PromptBox, PromptEdit
from napari_sam2v.layers.tagged_layer import FEATURES, UNCLAIMED, TaggedLayer
from src_model.masks import Polygon, Rle, polygons_to_mask

if TYPE_CHECKING:
    from napari.layers import Shapes
    from numpy.typing import NDArray

EDGE_PIXELS = 1.5
CIRCLE_VERTICES = 64
HALF = 0.5
"""napari puts the centre of pixel 3 at 3.0; boxes and outlines have its edges at 3 and 4."""


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    """A finished shape: its number in the layer, its kind in napari's words, and its vertices (N, 2) (y, x)."""

    number: int
    key: Key
    kind: str
    vertices: NDArray[np.float64]


class ShapePrompts(TaggedLayer["Shapes", PromptBox]):
    """Boxes as rectangles, one for each object and frame: a new one replaces the old.

    Polygons, lassos, closed paths and ellipses become masks when they are finished, and leave the layer.
    Parameters and signals are those of `TaggedLayer`.
    """

    def _make(self) -> Shapes:
        layer: Shapes = self.viewer.add_shapes(
            ndim=self.geometry.ndim,
            name=self._name,
            features={name: np.zeros(0, np.int64) for name in FEATURES},
            feature_defaults={"object_id": UNCLAIMED, "frame": 0, "sign": 1},
            face_color="transparent",
            edge_color="white",
            edge_width=EDGE_PIXELS,
            **self.geometry.options(self.viewer.dims),
        )
        self._set_up(layer)
        return layer

    def _rewrite(self) -> None:
        keys = list(self._given)
        self.layer.data = []
        if keys:
            boxes = [self._rectangle(key[1], box) for key, box in self._given.items()]
            self.layer.add(boxes, shape_type="rectangle", edge_width=EDGE_PIXELS, face_color="transparent")
        self._write_tags([key[0] for key in keys], [key[1] for key in keys], [1] * len(keys))

    def _collect(self) -> dict[Key, PromptBox]:
        boxes = {entry.key: self._box(entry) for entry in self._finished()}
        return {key: box for key, box in boxes.items() if box is not None}

    def _tidy(self) -> list[PromptEdit]:
        """Turn outlines into masks, and keep the newest box of each object and frame."""
        masks: dict[Key, NDArray[np.bool_]] = {}
        newest: dict[Key, int] = {}
        entries = self._finished()
        for entry in entries:
            if self._box(entry) is not None:
                newest[entry.key] = entry.number
                continue
            mask = self._mask(entry)
            if mask is None or not mask.any():
                self.refused.emit("Draw inside the image: what was drawn covers none of it.")
            else:
                masks[entry.key] = mask | masks.get(entry.key, False)
        gone = [entry.number for entry in entries if newest.get(entry.key) != entry.number]
        if gone:
            with self._quietly():
                self.layer.remove(gone)
        return [PromptEdit(*key, kind="mask", mask=Rle.encode(mask)) for key, mask in masks.items()]

    def _finished(self) -> list[_Entry]:
        """List the shapes that are not being drawn any more."""
        ids = self._tags()[:, 0].tolist()
        kinds = [str(kind) for kind in self.layer.shape_type]
        found = []
        for number, (object_id, kind, vertices) in enumerate(zip(ids, kinds, self.layer.data, strict=True)):
            frames, yx = self.geometry.from_data(vertices)
            if object_id != UNCLAIMED:
                found.append(_Entry(number, (object_id, int(frames[0])), kind, yx + HALF))
        return found

    def _edit(self, key: Key, value: PromptBox | None) -> PromptEdit:
        return PromptEdit(*key, kind="box", box=value)

    def _style(self, layer: Any, colours: NDArray[np.float64], signs: NDArray[np.int64]) -> None:
        layer.edge_color = colours

    def _frames(self) -> NDArray[np.int64]:
        firsts = [vertices[0] for vertices in self.layer.data]
        return self.geometry.from_data(np.array(firsts).reshape(-1, self.geometry.ndim))[0]

    def _box(self, entry: _Entry) -> PromptBox | None:
        """Return the part of a rectangle's extent inside the image, None if there is none or it is another shape."""
        low = np.maximum(entry.vertices.min(axis=0), 0)
        high = np.minimum(entry.vertices.max(axis=0), self.geometry.shape[1:])
        if entry.kind != "rectangle" or (low >= high).any() or not self._is_frame(entry.key[1]):
            return None
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    def _mask(self, entry: _Entry) -> NDArray[np.bool_] | None:
        vertices = entry.vertices
        if entry.kind == "ellipse":  # stored as the corners of the rectangle around it
            angles = np.linspace(0, 2 * np.pi, CIRCLE_VERTICES, endpoint=False)
            centre, first, second = vertices.mean(axis=0), vertices[1] - vertices[0], vertices[3] - vertices[0]
            vertices = centre + np.outer(np.cos(angles), first / 2) + np.outer(np.sin(angles), second / 2)
        if entry.kind == "line" or len(vertices) < 3 or not self._is_frame(entry.key[1]):
            return None
        return polygons_to_mask([Polygon(vertices)], self.geometry.shape[1:])

    def _is_frame(self, frame: int) -> bool:
        return 0 <= frame < self.geometry.shape[0]

    def _rectangle(self, frame: int, box: PromptBox) -> NDArray[np.float64]:
        y0, x0, y1, x1 = (edge - HALF for edge in box)
        return self.geometry.to_data(frame, [(y0, x0), (y0, x1), (y1, x1), (y1, x0)])
