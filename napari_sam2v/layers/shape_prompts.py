"""The Shapes layer of boxes; outlines drawn on it become masks, lines become clicks."""

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
LEAST_SIDE = 2.0
"""Pixels. A smaller box comes from a click, or from a drag that was broken off, and holds nothing to be found."""
LEAST_AREA = 4
"""Pixels of an outline, for the same reason."""
MOST_CLICKS = 5
"""How many clicks stand for a line: the model was made for a few, and more of them add nothing but time."""
CLICK_DISTANCE = 3.0
"""Pixels between two of them at least."""
HALF = 0.5
"""napari puts the centre of pixel 3 at 3.0; boxes and outlines have its edges at 3 and 4."""


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    """A finished shape: its number in the layer, kind in napari's words, vertices (N, 2) (y, x), and sign."""

    number: int
    key: Key
    kind: str
    vertices: NDArray[np.float64]
    sign: int


class ShapePrompts(TaggedLayer["Shapes", PromptBox]):
    """Boxes as rectangles, one for each object and frame: a new one replaces the old.

    Polygons, lassos and ellipses become masks when they are finished, lines become a few clicks along them, outside of
    the object where Control was held; both leave the layer. What is too small to be meant is refused.
    Parameters and signals are those of `TaggedLayer`.
    """

    _is_outside = False

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
        layer.mouse_drag_callbacks.append(self._on_mouse)
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
        """Turn outlines into masks and lines into clicks, and keep the newest box of each object and frame."""
        masks: dict[Key, NDArray[np.bool_]] = {}
        lines: list[PromptEdit] = []
        newest: dict[Key, int] = {}
        entries = self._finished()
        for entry in entries:
            if self._box(entry) is not None:
                newest[entry.key] = entry.number
                continue
            if entry.kind == "path":
                lines.extend(self._scribble(entry))
                continue
            mask = None if entry.kind == "rectangle" else self._mask(entry)
            if mask is None or mask.sum() < LEAST_AREA:
                self.refused.emit(_refusal(entry, mask))
            else:
                masks[entry.key] = mask | masks.get(entry.key, False)
        gone = [entry.number for entry in entries if newest.get(entry.key) != entry.number]
        if gone:
            with self._quietly():
                self.layer.remove(gone)
        return [*(PromptEdit(*key, kind="mask", mask=Rle.encode(mask)) for key, mask in masks.items()), *lines]

    def _finished(self) -> list[_Entry]:
        """List the shapes that are not being drawn any more."""
        tags = self._tags().tolist()
        kinds = [str(kind) for kind in self.layer.shape_type]
        found = []
        for number, ((object_id, sign), kind, vertices) in enumerate(zip(tags, kinds, self.layer.data, strict=True)):
            frames, yx = self.geometry.from_data(vertices)
            if object_id != UNCLAIMED:
                found.append(_Entry(number, (object_id, int(frames[0])), kind, yx + HALF, sign))
        return found

    def _edit(self, key: Key, value: PromptBox | None) -> PromptEdit:
        return PromptEdit(*key, kind="box", box=value)

    def _style(self, layer: Any, colors: NDArray[np.float64], signs: NDArray[np.int64]) -> None:
        layer.edge_color = colors

    def _frames(self) -> NDArray[np.int64]:
        firsts = [vertices[0] for vertices in self.layer.data]
        return self.geometry.from_data(np.array(firsts).reshape(-1, self.geometry.ndim))[0]

    def _box(self, entry: _Entry) -> PromptBox | None:
        """Return the part of a rectangle's extent inside the image, None if it is too small or another shape."""
        low = np.maximum(entry.vertices.min(axis=0), 0)
        high = np.minimum(entry.vertices.max(axis=0), self.geometry.shape[1:])
        if entry.kind != "rectangle" or (high - low < LEAST_SIDE).any() or not self._is_frame(entry.key[1]):
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

    def _scribble(self, entry: _Entry) -> list[PromptEdit]:
        """Turn a line into clicks at equal distances along it; those beside the image are left out."""
        points = clicks_along(entry.vertices - HALF)
        inside = (points > -HALF).all(axis=1) & (points < np.array(self.geometry.shape[1:]) - HALF).all(axis=1)
        if not inside.any() or not self._is_frame(entry.key[1]):
            self.refused.emit(_refusal(entry, None))
            return []
        clicks = tuple((float(y), float(x)) for y, x in points[inside])
        return [PromptEdit(*entry.key, kind="scribble", points=clicks, labels=(int(entry.sign > 0),) * len(clicks))]

    def _claim(self) -> None:
        self.sign = -1 if self._is_outside else 1
        super()._claim()

    def _on_mouse(self, _layer: Shapes, event: Any) -> None:
        """Note at the press how a line is meant."""
        self._is_outside = "Control" in event.modifiers

    def _is_frame(self, frame: int) -> bool:
        return 0 <= frame < self.geometry.shape[0]

    def _rectangle(self, frame: int, box: PromptBox) -> NDArray[np.float64]:
        y0, x0, y1, x1 = (edge - HALF for edge in box)
        return self.geometry.to_data(frame, [(y0, x0), (y0, x1), (y1, x1), (y1, x0)])


def clicks_along(vertices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return up to `MOST_CLICKS` points (N, 2) at equal distances along a line of vertices (M, 2) (y, x), M >= 1."""
    walked = np.concatenate(([0.0], np.cumsum(np.linalg.norm(np.diff(vertices, axis=0), axis=1))))
    number = int(np.clip(walked[-1] // CLICK_DISTANCE, 1, MOST_CLICKS))
    places = (np.arange(number) + 0.5) / number * walked[-1]
    return np.column_stack([np.interp(places, walked, vertices[:, axis]) for axis in (0, 1)])


def _refusal(entry: _Entry, mask: NDArray[np.bool_] | None) -> str:
    """Say why nothing comes of a shape."""
    size = entry.vertices.max(axis=0) - entry.vertices.min(axis=0)
    if entry.kind == "rectangle" and (size < LEAST_SIDE).any():
        return (
            f"This box is smaller than {LEAST_SIDE:g} pixels: drag from one corner of the object to the opposite one."
        )
    if mask is not None and mask.any():
        return f"This outline holds fewer than {LEAST_AREA} pixels: drag around the object."
    return "Draw inside the image: what was drawn covers none of it."
