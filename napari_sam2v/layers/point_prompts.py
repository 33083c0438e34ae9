"""The Points layer of clicks: inside the object and outside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from napari_sam2v.layers.prompt_types import Key, Point, PromptEdit
from napari_sam2v.layers.tagged_layer import FEATURES, UNCLAIMED, TaggedLayer

if TYPE_CHECKING:
    from napari.layers import Points
    from numpy.typing import NDArray

Clicks: TypeAlias = tuple[tuple[Point, ...], tuple[int, ...]]
"""Points and their labels."""

INSIDE, OUTSIDE = 1, -1
DRAG_PIXELS = 5
RIGHT_BUTTON = 2


class PointPrompts(TaggedLayer["Points", Clicks]):
    """Clicks as a Points layer: discs lie inside the object, crosses outside, colors tell objects apart.

    A click has the sign of the tool; with the right button or with Control it lies outside whatever the tool.
    Parameters and signals are those of `TaggedLayer`.
    """

    _click_outside = False

    def _make(self) -> Points:
        size = float(np.clip(0.015 * max(self.geometry.shape[1:]), 3, 30))
        layer: Points = self.viewer.add_points(
            np.zeros((0, self.geometry.ndim)),
            name=self._name,
            size=size,
            features={name: np.zeros(0, np.int64) for name in FEATURES},
            feature_defaults={"object_id": UNCLAIMED, "frame": 0, "sign": INSIDE},
            border_color="white",
            border_width=0.1,
            **self.geometry.options(self.viewer.dims),
        )
        self._set_up(layer)
        layer.mouse_drag_callbacks.append(self._on_mouse)
        return layer

    def _rewrite(self) -> None:
        rows = [
            (key, point, label)
            for key, (points, labels) in self._given.items()
            for point, label in zip(points, labels, strict=True)
        ]
        data = [self.geometry.to_data(key[1], [point]) for key, point, _ in rows]
        self.layer.data = np.concatenate(data) if data else np.zeros((0, self.geometry.ndim))
        signs = [INSIDE if label else OUTSIDE for *_, label in rows]
        self._write_tags([key[0] for key, *_ in rows], [key[1] for key, *_ in rows], signs)

    def _collect(self) -> dict[Key, Clicks]:
        found: dict[Key, tuple[list[Point], list[int]]] = {}
        frames, yx = self.geometry.from_data(self.layer.data)
        for (object_id, sign), frame, (y, x) in zip(self._tags().tolist(), frames.tolist(), yx.tolist(), strict=True):
            points, labels = found.setdefault((object_id, frame), ([], []))
            points.append((y, x))
            labels.append(int(sign > 0))
        return {key: (tuple(points), tuple(labels)) for key, (points, labels) in found.items()}

    def _tidy(self) -> list[PromptEdit]:
        """Remove clicks beside the image, and those that nobody claimed."""
        frames, yx = self.geometry.from_data(self.layer.data)
        length, height, width = self.geometry.shape
        inside = (frames >= 0) & (frames < length) & (yx >= -0.5).all(axis=1)
        inside &= (yx <= np.array([height - 0.5, width - 0.5])).all(axis=1)
        if not inside.all():
            self.refused.emit(f"Click inside the image: its frames have {height} x {width} pixels.")
        bad = np.flatnonzero(~inside | (self._tags()[:, 0] == UNCLAIMED))
        if len(bad):
            with self._quietly():
                self.layer.remove(bad.tolist())
        return []

    def _edit(self, key: Key, value: Clicks | None) -> PromptEdit:
        points, labels = value or ((), ())
        return PromptEdit(*key, kind="points", points=points, labels=labels)

    def _style(self, layer: Any, colors: NDArray[np.float64], signs: NDArray[np.int64]) -> None:
        layer.face_color = colors
        layer.symbol = ["disc" if sign > 0 else "x" for sign in signs]

    def _frames(self) -> NDArray[np.int64]:
        return self.geometry.from_data(self.layer.data)[0]

    def _claim(self) -> None:
        sign = self.sign
        if self._click_outside:
            self.sign = OUTSIDE
        try:
            super()._claim()
        finally:
            self.sign, self._click_outside = sign, False

    def _on_mouse(self, layer: Points, event: Any) -> Iterator[None]:
        """Note at the press how the click is meant; napari adds the point at the release."""
        self._click_outside = layer.mode == "add" and (event.button == RIGHT_BUTTON or "Control" in event.modifiers)
        start = np.asarray(event.pos)
        yield
        while event.type == "mouse_move":
            if np.linalg.norm(np.asarray(event.pos) - start) >= DRAG_PIXELS:
                self._click_outside = False  # a drag: no point comes of it
            yield
