"""Where a movie lies in the viewer: its frames, rows and columns, and the world that napari shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from src_model.errors import MovieError

if TYPE_CHECKING:
    from napari.components import Dims, ViewerModel
    from napari.layers import Image, Layer
    from numpy.typing import ArrayLike, NDArray

PLACEMENT = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
"""What an image passes on to the layers that lie on it."""


class LayerGeometry:
    """How an image layer's axes carry a movie, and where it lies in the world.

    Layers that belong to the movie have as many axes as the image, because napari lines up layers by their last axes.
    Along channels, and along planes that are projected, they have one entry only, at 0: `place` moves that entry to
    whatever the viewer shows, so that prompts do not vanish when another channel is looked at.

    Parameters
    ----------
    image
        The image layer; its transforms are read anew each time.
    axes
        One letter an axis of the layer (T, C, Z, Y, X, without the samples of RGB), such as ``"TCYX"``.
    plane
        The plane that is annotated, where there is a Z axis and no projection.

    Raises
    ------
    MovieError
        If the letters do not fit the layer.
    """

    def __init__(self, image: Image, axes: str, *, plane: int | None = None) -> None:
        if len(axes) != image.ndim or axes[-2:] != "YX" or len(set(axes)) != len(axes) or not set(axes) <= set("TCZYX"):
            raise MovieError(
                f"axes {axes!r} do not fit the layer '{image.name}' with {image.ndim} axes: "
                "expected one letter an axis, Y and X last, such as 'TCYX'"
            )
        self.image = image
        self.axes = axes
        self.plane = plane if "Z" in axes else None
        self.time_axis = axes.index("T") if "T" in axes else None
        self.lengths = tuple(int(length) for length in image_shape(image))
        fixed = {axes.index("Z")} if self.plane is not None else set()
        self.free_axes = tuple(axis for axis, letter in enumerate(axes) if letter in "CZ" and axis not in fixed)
        self.fixed = {axis: int(self.plane or 0) for axis in fixed}

    @property
    def ndim(self) -> int:
        """Number of axes of the image and of the layers on it."""
        return len(self.axes)

    @property
    def shape(self) -> tuple[int, int, int]:
        """``(T, Y, X)``."""
        frames = 1 if self.time_axis is None else self.lengths[self.time_axis]
        return frames, self.lengths[-2], self.lengths[-1]

    def to_data(self, frame: int, points: ArrayLike) -> NDArray[np.float64]:
        """Give the data coordinates ``(N, ndim)`` of points ``(N, 2)`` (y, x) on a frame."""
        yx = np.asarray(points, np.float64).reshape(-1, 2)
        data = np.zeros((len(yx), self.ndim))
        data[:, -2:] = yx
        if self.time_axis is not None:
            data[:, self.time_axis] = frame
        for axis, position in self.fixed.items():
            data[:, axis] = position
        return data

    def from_data(self, data: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Give the frames ``(N,)`` and the ``(N, 2)`` (y, x) of data coordinates ``(N, ndim)``."""
        table = np.asarray(data, np.float64).reshape(-1, self.ndim)
        times = np.zeros(len(table)) if self.time_axis is None else table[:, self.time_axis]
        return np.round(times).astype(np.int64), table[:, -2:]

    def world_to_movie(self, position: ArrayLike) -> tuple[int, float, float]:
        """Give (frame, y, x) of a world position, which may have more axes than the image (the last ones count)."""
        frames, yx = self.from_data([self.image.world_to_data(position)])
        return int(frames[0]), float(yx[0, 0]), float(yx[0, 1])

    def shown_frame(self, dims: Dims) -> int | None:
        """Give the frame that a viewer shows, None where it stands outside the movie."""
        if self.time_axis is None:
            return 0
        frame = self.shown_entry(dims, self.time_axis)
        return frame if 0 <= frame < self.shape[0] else None

    def shown_entry(self, dims: Dims, axis: int) -> int:
        """Give the entry along an axis of the image that a viewer shows; may lie outside the image."""
        return int(np.round(self.image.world_to_data(dims.point)[axis]))

    def show_frame(self, dims: Dims, frame: int) -> None:
        """Let a viewer show a frame."""
        if self.time_axis is None:
            return
        position = np.array(self.image.world_to_data(dims.point))
        position[self.time_axis] = frame
        world = self.image.data_to_world(position)
        dims.set_point(dims.ndim - self.ndim + self.time_axis, float(world[self.time_axis]))

    def look_at(self, viewer: ViewerModel, frame: int, point: tuple[float, float]) -> None:
        """Move the camera of a viewer, without zooming, to a point (y, x) of a frame."""
        camera = getattr(viewer, "scene", viewer).camera  # napari 0.9 moved it to the scene
        world = self.image.data_to_world(self.to_data(frame, [point])[0])
        camera.center = (*camera.center[:-2], *map(float, world[-2:]))

    def problem(self, dims: Dims) -> str | None:
        """Say why prompts cannot be given in what a viewer shows, None if they can."""
        if dims.ndisplay != 2:
            return "The viewer is in 3-D: switch back to 2-D (Ctrl+Y) to click on the frames."
        if set(dims.displayed) != {dims.ndim - 2, dims.ndim - 1}:
            return "The viewer shows other axes than y and x: roll them back (Ctrl+E) to click on the frames."
        for axis, plane in self.fixed.items():
            shown = self.shown_entry(dims, axis)
            if shown != plane:
                return f"Plane {plane} is annotated, but plane {shown} is shown: move the slider back to {plane}."
        return None

    def options(self, dims: Dims | None = None) -> dict[str, Any]:
        """Give the keyword arguments with which a new layer lies on the image."""
        given = {name: getattr(self.image, name) for name in PLACEMENT}
        given["translate"] = self._translate(dims)
        return given

    def place(self, layer: Layer, dims: Dims | None = None, *, broadcast: bool = False) -> None:
        """Lay a layer on the image where it does not already; its entry at 0 of free axes goes to what is shown.

        Parameters
        ----------
        layer
            A layer with ``ndim`` axes.
        dims
            Dims of the viewer; None keeps the entry at 0.
        broadcast
            Whether the layer has all entries along the free axes, as the image has.
        """
        for name, value in self.options(None if broadcast else dims).items():
            if not _same(getattr(layer, name), value):
                setattr(layer, name, value)

    def _translate(self, dims: Dims | None) -> NDArray[np.float64]:
        translate = np.asarray(self.image.translate, np.float64)
        if dims is None or not self.free_axes:
            return translate
        offset = np.zeros(self.ndim)
        for axis in self.free_axes:
            offset[axis] = np.clip(self.shown_entry(dims, axis), 0, self.lengths[axis] - 1)
        moved = np.subtract(self.image.data_to_world(offset), self.image.data_to_world(np.zeros(self.ndim)))
        # translate is applied before the affine transform, which the difference of world positions has in it
        shift: NDArray[np.float64] = np.linalg.solve(np.asarray(self.image.affine.linear_matrix), moved)
        return translate + shift


def image_shape(image: Image) -> tuple[int, ...]:
    """Give the shape of an image layer's finest level, without the samples of RGB."""
    shape = tuple(finest(image).shape)
    return shape[:-1] if image.rgb else shape


def finest(image: Image) -> Any:
    """Give the array of an image layer, of a multiscale one the finest level."""
    return image.data[0] if image.multiscale else image.data


def _same(first: object, second: object) -> bool:
    if isinstance(first, np.ndarray) or isinstance(second, np.ndarray):
        return np.array_equal(np.asarray(first), np.asarray(second))
    if hasattr(first, "affine_matrix") and hasattr(second, "affine_matrix"):
        return bool(np.array_equal(first.affine_matrix, second.affine_matrix))
    return bool(first == second)
