"""Which image of the viewer is the movie, and how it is read: time axis, channel, plane, contrast."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import TYPE_CHECKING, Generic, Literal, TypeAlias, TypeVar

import numpy as np

from napari_sam2v.layers.geometry import LayerGeometry, image_shape
from src_model.errors import MovieError
from src_model.frames.axes import FEW_CHANNELS

if TYPE_CHECKING:
    from napari.components import Dims
    from napari.layers import Image

    from src_model.frames import Plane

Contrast: TypeAlias = Literal["percentile", "limits"]
_Value = TypeVar("_Value")

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


@dataclass(frozen=True, slots=True)
class Option(Generic[_Value]):
    """One entry of a combo box.

    Attributes
    ----------
    text
        What the user reads.
    value
        What it stands for.
    """

    text: str
    value: _Value


@dataclass(frozen=True, slots=True)
class MovieOptions:
    """What the user chose to annotate.

    Attributes
    ----------
    layer_name
        Of the image layer.
    axes
        One letter an axis of the layer (T, C, Z, Y, X, without the samples of RGB).
    channel
        One channel; up to three that become red, green and blue; several layers that do; None if there is no choice.
    plane
        A plane along Z, ``"max"``, ``"mean"``, or None if there is no choice.
    contrast
        Whether values are stretched between percentiles of the movie or between the layer's contrast limits.
    """

    layer_name: str
    axes: str
    channel: LayerChannel = None
    plane: Plane = None
    contrast: Contrast = "percentile"

    @property
    def time_axis(self) -> int | None:
        """Which axis of the layer is time; None if it is a single image."""
        return self.axes.index("T") if "T" in self.axes else None

    def geometry(self, image: Image) -> LayerGeometry:
        """Give the place of the movie in the viewer; MovieError if the layer has changed its axes."""
        return LayerGeometry(image, self.axes, plane=self.plane if isinstance(self.plane, int) else None)


def axis_options(image: Image) -> tuple[Option[str], ...]:
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
        return (Option("single image", "YX"),)
    readings = [_reading(leading, known, time) for time in range(len(leading))]
    order = sorted(range(len(leading)), key=lambda axis: -_likeliness(axis, leading, known))
    options = [Option(f"{_axis_name(image, axis)}: {leading[axis]} frames", readings[axis]) for axis in order]
    if len(leading) == 1 and known[0] == "C":
        options.insert(0, Option("single image", "CYX"))
    return tuple(options)


def channel_options(image: Image, axes: str, siblings: Iterable[Image] = ()) -> tuple[Option[LayerChannel], ...]:
    """List the channels to choose from; nothing where there is no choice.

    Parameters
    ----------
    image
        The layer.
    axes
        Its axes, as in :class:`MovieOptions`.
    siblings
        Other layers of the viewer; those of the same shape and place can be combined with it to colours.
    """
    if image.rgb:
        return ()
    if "C" in axes:
        count = image_shape(image)[axes.index("C")]
        single: list[Option[LayerChannel]] = [Option(f"channel {number}", number) for number in range(count)]
        if 2 <= count <= FEW_CHANNELS:
            mapping = tuple(range(min(count, 3)))
            text = " + ".join(map(str, mapping))
            single.append(Option(f"channels {text} as colours", mapping))
        return tuple(single) if count > 1 else ()
    family = [image, *(other for other in siblings if other is not image and _alike(image, other))]
    if len(family) < 2:
        return ()
    colours = assign_colours(family[:3])
    text = " + ".join(name for name in colours.names if name is not None)
    return Option(image.name, None), Option(f"{text} as colours", colours)


def plane_options(image: Image, axes: str) -> tuple[Option[Plane], ...]:
    """List the planes and projections to choose from; nothing where there is no choice."""
    if "Z" not in axes:
        return ()
    depth = image_shape(image)[axes.index("Z")]
    planes: list[Option[Plane]] = [Option("brightest (maximum)", "max"), Option("average", "mean")]
    planes.extend(Option(f"plane {number}", number) for number in range(depth))
    return tuple(planes)


def guess(image: Image, dims: Dims | None = None) -> MovieOptions:
    """Choose what most people would: the likeliest time axis, and the channel and plane that are shown.

    Raises
    ------
    MovieError
        As `axis_options`.
    """
    return with_axes(image, MovieOptions(image.name, axis_options(image)[0].value), dims)


def with_axes(image: Image, choice: MovieOptions, dims: Dims | None = None) -> MovieOptions:
    """Fill in channel and plane of a choice whose axes were chosen: those that are shown, or the middle plane."""
    shape = image_shape(image)
    place = LayerGeometry(image, choice.axes)

    def shown(letter: str, otherwise: int) -> int | None:
        if letter not in choice.axes:
            return None
        axis = choice.axes.index(letter)
        entry = otherwise if dims is None else place.shown_entry(dims, axis)
        return int(np.clip(entry, 0, shape[axis] - 1))

    depth = shape[choice.axes.index("Z")] if "Z" in choice.axes else 1
    return replace(choice, layer_name=image.name, channel=shown("C", 0), plane=shown("Z", depth // 2))


def as_shown(image: Image, choice: MovieOptions, dims: Dims) -> MovieOptions:
    """Replace the channel and the plane of a choice by those that a viewer shows; mappings and projections stay."""
    shown = with_axes(image, choice, dims)
    single = {name: getattr(shown, name) for name in _SINGLE if isinstance(getattr(choice, name), int)}
    return replace(choice, **single)


def difference_in_words(choice: MovieOptions, other: MovieOptions) -> str:
    """Name the channel and the plane of a choice where they differ from another's, such as "channel 1 and plane 3"."""
    pairs = [(name, getattr(choice, name)) for name in _SINGLE if getattr(choice, name) != getattr(other, name)]
    return " and ".join(f"{name} {number}" for name, number in pairs)


def assign_colours(images: Sequence[Image]) -> LayerColors:
    """Let up to three layers become red, green and blue, each the colour nearest to its colormap."""
    tints = {image.name: np.asarray(image.colormap.map(1.0), np.float64).ravel()[:3] for image in images[:3]}
    names = list(tints)
    best = max(
        permutations(range(3), len(names)),
        key=lambda order: sum(tints[name][colour] for name, colour in zip(names, order, strict=True)),
    )
    slots: list[str | None] = [None, None, None]
    for name, colour in zip(names, best, strict=True):
        slots[colour] = name
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


def _reading(leading: Sequence[int], known: Sequence[str | None], time: int) -> str:
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
