"""Which image of the viewer is the movie, and how it is read: time axis, channel, plane, contrast."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from pydantic import Field
from pydantic.config import JsonDict
from pydantic.dataclasses import dataclass as pydantic_dataclass

from napari_sam2v.layers.geometry import LayerGeometry, image_shape
from napari_sam2v.view_state import Choice, Contrast, titled
from src_model.errors import MovieError
from src_model.frames import Plane
from src_model.frames.axes import FEW_CHANNELS

if TYPE_CHECKING:
    from napari.components import Dims
    from napari.layers import Image


_LETTERS = {
    "t": "T", "time": "T", "frame": "T", "frames": "T", "timepoint": "T",
    "c": "C", "ch": "C", "channel": "C", "channels": "C",
    "z": "Z", "depth": "Z", "plane": "Z", "slice": "Z",
}  # fmt: skip
MOST_AXES = 5
_SINGLE = ("channel", "plane")


@dataclass(frozen=True, slots=True)
class LayerColors:
    """Image layers that become the red, green and blue of one movie; None stays black.

    Attributes
    ----------
    red, green, blue
        Names of layers of the same shape and place.
    """

    red: str | None = None
    green: str | None = None
    blue: str | None = None

    @property
    def names(self) -> tuple[str | None, str | None, str | None]:
        """The three in order."""
        return self.red, self.green, self.blue


LayerChannel: TypeAlias = int | tuple[int | None, ...] | LayerColors | None

_CHOSEN_LATER: JsonDict = {"choices": True}


@pydantic_dataclass(frozen=True)
class MovieOptions:
    """Which image layer is annotated, and how it is read as a movie.

    Attributes
    ----------
    layer_name
        Name of the image layer.
    axes
        One letter an axis of the layer (T, C, Z, Y, X, without the samples of RGB), such as ``"TCYX"``.
    channel
        Number of one channel, from 0; up to three numbers that become red, green and blue; several layers that do; None
        if there is no choice.
    plane
        Number of a plane along Z, from 0; ``"max"``, ``"mean"``, or None if there is no choice.
    contrast
        Whether values are stretched between percentiles of the movie or between the layer's contrast limits.
    """

    layer_name: str = Field(
        title="Layer",
        description="The movie to annotate",
        json_schema_extra={
            "choices": True,
            "missing": "No movie open",
            "remedy": "Drop a file on the viewer, or try File > Open Sample > sam2v.",
        },
    )
    axes: str = Field(
        title="Time",
        description="The axis along which objects are followed: time, or depth of a stack",
        json_schema_extra=_CHOSEN_LATER,
    )
    channel: LayerChannel = Field(
        default=None, title="Channel", description="Which channel the model sees", json_schema_extra=_CHOSEN_LATER
    )
    plane: Plane = Field(
        default=None,
        title="Plane",
        description="The plane or projection of each volume that the model sees",
        json_schema_extra=_CHOSEN_LATER,
    )
    contrast: Contrast = Field(
        default="percentile",
        title="Contrast",
        description="How intensities are scaled for the model, in the same way on all frames",
        json_schema_extra=titled(
            (
                "percentile",
                "movie percentiles",
                "The darkest and the brightest 0.5 % of all values are cut off",
            ),
            ("limits", "layer's contrast", "What you see: the contrast limits of the layer"),
        ),
    )

    @property
    def time_axis(self) -> int | None:
        """Which axis of the layer is time; None if it is a single image."""
        return self.axes.index("T") if "T" in self.axes else None

    def geometry(self, image: Image) -> LayerGeometry:
        """Give the place of the movie in the viewer; MovieError if the layer has changed its axes."""
        return LayerGeometry(image, self.axes, plane=self.plane if isinstance(self.plane, int) else None)


def axis_choices(image: Image) -> tuple[Choice, ...]:
    """List which axis of a layer may be time, the likeliest first; the values are axes such as ``"TCYX"``.

    Raises
    ------
    MovieError
        If the layer has more axes than a movie can have.
    """
    shape = image_shape(image)
    leading = shape[:-2]
    if image.ndim > MOST_AXES:
        raise MovieError(
            f"layer '{image.name}' has {image.ndim} axes, shape {shape}: expected at most {MOST_AXES} "
            "(time, channel, z, y, x); make a layer of a part of it"
        )
    known = _known_letters(image)
    if not leading:
        return (Choice("YX", "single image"),)
    letters = [_letters(leading, known, time) for time in range(len(leading))]
    order = sorted(range(len(leading)), key=lambda axis: -_likeliness(axis, leading, known))
    choices = [Choice(letters[axis], f"{_axis_name(image, axis)}: {leading[axis]} frames") for axis in order]
    if len(leading) == 1 and known[0] == "C":
        choices.insert(0, Choice("CYX", "single image"))
    return tuple(choices)


def channel_choices(image: Image, axes: str, siblings: Iterable[Image] = ()) -> tuple[Choice, ...]:
    """List the channels to choose from; nothing where there is no choice.

    Parameters
    ----------
    image
        The image layer.
    axes
        Its axes, as in :class:`MovieOptions`.
    siblings
        Other layers of the viewer; those of the same shape and place can be combined with it to colors.
    """
    if image.rgb:
        return ()
    if "C" in axes:
        count = image_shape(image)[axes.index("C")]
        single: list[Choice] = [Choice(number, f"channel {number}") for number in range(count)]
        if 2 <= count <= FEW_CHANNELS:
            mapping = tuple(range(min(count, 3)))
            text = " + ".join(map(str, mapping))
            single.append(Choice(mapping, f"channels {text} as colors"))
        return tuple(single) if count > 1 else ()
    family = [image, *(other for other in siblings if other is not image and _alike(image, other))]
    if len(family) < 2:
        return ()
    colors = assign_colors(family[:3])
    text = " + ".join(name for name in colors.names if name is not None)
    return Choice(None, image.name), Choice(colors, f"{text} as colors")


def plane_choices(image: Image, axes: str) -> tuple[Choice, ...]:
    """List the planes and projections to choose from; nothing where there is no choice."""
    if "Z" not in axes:
        return ()
    depth = image_shape(image)[axes.index("Z")]
    planes: list[Choice] = [Choice("max", "brightest (maximum)"), Choice("mean", "average")]
    planes.extend(Choice(number, f"plane {number}") for number in range(depth))
    return tuple(planes)


def guess(image: Image, dims: Dims | None = None) -> MovieOptions:
    """Choose what most people would: the likeliest time axis, and the channel and plane that are shown.

    Raises
    ------
    MovieError
        As `axis_choices`.
    """
    return with_axes(image, MovieOptions(layer_name=image.name, axes=str(axis_choices(image)[0].key)), dims)


def with_axes(image: Image, options: MovieOptions, dims: Dims | None = None) -> MovieOptions:
    """Fill in channel and plane where the axes were chosen: those that are shown, or the middle plane."""
    shape = image_shape(image)
    place = LayerGeometry(image, options.axes)

    def shown(letter: str, otherwise: int) -> int | None:
        if letter not in options.axes:
            return None
        axis = options.axes.index(letter)
        entry = otherwise if dims is None else place.shown_entry(dims, axis)
        return int(np.clip(entry, 0, shape[axis] - 1))

    depth = shape[options.axes.index("Z")] if "Z" in options.axes else 1
    return replace(options, layer_name=image.name, channel=shown("C", 0), plane=shown("Z", depth // 2))


def as_shown(image: Image, options: MovieOptions, dims: Dims) -> MovieOptions:
    """Replace the channel and the plane by those that a viewer shows; mappings and projections stay."""
    shown = with_axes(image, options, dims)
    single = {name: getattr(shown, name) for name in _SINGLE if isinstance(getattr(options, name), int)}
    return replace(options, **single)


def difference_in_words(options: MovieOptions, other: MovieOptions) -> str:
    """Name the channel and the plane of options where they differ from another's, such as "channel 1 and plane 3"."""
    pairs = [(name, getattr(options, name)) for name in _SINGLE if getattr(options, name) != getattr(other, name)]
    return " and ".join(f"{name} {number}" for name, number in pairs)


def assign_colors(images: Sequence[Image]) -> LayerColors:
    """Let up to three layers become red, green and blue, each the color nearest to its colormap."""
    tints = {image.name: np.asarray(image.colormap.map(1.0), np.float64).ravel()[:3] for image in images[:3]}
    names = list(tints)
    best = max(
        permutations(range(3), len(names)),
        key=lambda order: sum(tints[name][color] for name, color in zip(names, order, strict=True)),
    )
    slots: list[str | None] = [None, None, None]
    for name, color in zip(names, best, strict=True):
        slots[color] = name
    return LayerColors(*slots)


def _known_letters(image: Image) -> list[str | None]:
    labels = [str(label).strip().lower() for label in image.axis_labels]
    return [_LETTERS.get(label) for label in labels[: image.ndim - 2]]


def _likeliness(axis: int, leading: Sequence[int], known: Sequence[str | None]) -> float:
    letter = known[axis]
    if letter == "T":
        return 4
    if letter == "C":
        return 0
    if letter == "Z":
        return 1  # through the planes of a volume, if nothing else can be time
    return 3 - 0.1 * axis if leading[axis] > FEW_CHANNELS else 2 - 0.1 * axis


def _letters(leading: Sequence[int], known: Sequence[str | None], time: int) -> str:
    others = [axis for axis in range(len(leading)) if axis != time]
    kinds = {axis: known[axis] if known[axis] in ("C", "Z") else None for axis in others}
    for axis in others:
        kinds[axis] = kinds[axis] or ("C" if leading[axis] <= FEW_CHANNELS else "Z")
    if len(others) == 2 and kinds[others[0]] == kinds[others[1]]:
        shorter, longer = sorted(others, key=lambda axis: leading[axis])
        kinds = {shorter: "C", longer: "Z"}
    return "".join("T" if axis == time else str(kinds[axis]) for axis in range(len(leading))) + "YX"


def _axis_name(image: Image, axis: int) -> str:
    label = str(image.axis_labels[axis]).strip()
    unnamed = not label or label.lstrip("-").isdigit() or label.lower().startswith("axis")
    return f"axis {axis}" if unnamed else label


def _alike(image: Image, other: Image) -> bool:
    if other.rgb or image_shape(other) != image_shape(image):
        return False
    corners = np.vstack([np.zeros(image.ndim), np.eye(image.ndim)])
    return all(np.allclose(image.data_to_world(corner), other.data_to_world(corner)) for corner in corners)
