"""The plan by which frames are cut out of a stack: which channels, which plane, gray or RGB."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from src_model.errors import MovieError

if TYPE_CHECKING:
    from src_model.frames.axes import Channel, Plane

MAX_FRAME_PIXELS = 2**28
"""A frame with more pixels than this (16,384 squared) is taken for a damaged or hostile header."""

Color: TypeAlias = Literal["gray", "rgb", "composite"]
Projection: TypeAlias = Literal["max", "mean"]
_ORDER = "TZCYXS"


@dataclass(frozen=True, slots=True)
class Pick:
    """What is taken of one axis.

    Attributes
    ----------
    start, stop : int
        The range to read.
    rgb : tuple of (int or None) or None
        Entries of that range that become red, green and blue (None stays black); None if the range is kept as it is.
    """

    start: int
    stop: int
    rgb: tuple[int | None, ...] | None = None


@dataclass(frozen=True, slots=True)
class FramePlan:
    """How frames are cut out of a stack.

    Attributes
    ----------
    axes : str
        One letter an axis of the stack.
    stack_shape : tuple of int
        Its shape.
    shape : tuple of int
        (T, Y, X) or (T, Y, X, 3) of the frames.
    dtype : np.dtype
        Type of the frames' values (float32 after a mean over planes).
    channels, samples : Pick
        What is taken of the axes C and S; only one of the two is longer than 1 or mapped to colors.
    planes : tuple of int
        Start and stop along Z.
    projection : "max", "mean" or None
        How several planes become one.
    color : "gray", "rgb" or "composite"
        "composite" frames are channels mapped to red, green and blue, "rgb" ones were colors from the start.
    """

    axes: str
    stack_shape: tuple[int, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    channels: Pick
    samples: Pick
    planes: tuple[int, int]
    projection: Projection | None
    color: Color

    def length(self, letter: str) -> int:
        """Length of an axis of the stack, 1 if there is no such axis."""
        return self.stack_shape[self.axes.index(letter)] if letter in self.axes else 1

    def index(self, times: slice, planes: slice) -> tuple[slice, ...]:
        """Give the slices of the stack that hold some frames and planes."""
        cuts = {
            "T": times,
            "Z": planes,
            "C": slice(self.channels.start, self.channels.stop),
            "S": slice(self.samples.start, self.samples.stop),
        }
        return tuple(
            cuts.get(letter, slice(0, length)) for letter, length in zip(self.axes, self.stack_shape, strict=True)
        )

    def arrange(self, block: np.ndarray) -> np.ndarray:
        """Order a block's axes as (T, Z, C, Y, X, S), adding those that the stack lacks."""
        present = [letter for letter in _ORDER if letter in self.axes]
        others = [i for i, letter in enumerate(self.axes) if letter not in _ORDER]  # all of length 1
        ordered = block.transpose(others + [self.axes.index(letter) for letter in present])
        lengths = dict(zip(present, ordered.shape[len(others) :], strict=True))
        return ordered.reshape([lengths.get(letter, 1) for letter in _ORDER])

    def colors(self, block: np.ndarray) -> np.ndarray:
        """Turn (n, C, Y, X, S) into the frames' (n, Y, X) or (n, Y, X, 3)."""
        if self.color == "gray":
            return block[:, 0, :, :, 0]
        if self.color == "rgb":
            return block[:, 0]
        rgb = self.channels.rgb or self.samples.rgb or ()
        by_channel = self.channels.rgb is not None
        mapped = np.zeros((block.shape[0], *block.shape[2:4], 3), dtype=block.dtype)
        for color, entry in enumerate(rgb):
            if entry is not None:
                mapped[..., color] = block[:, entry, :, :, 0] if by_channel else block[:, 0, :, :, entry]
        return mapped


def plan_frames(
    axes: str,
    shape: tuple[int, ...],
    dtype: np.dtype[np.generic],
    *,
    channel: Channel,
    plane: Plane,
    name: str,
    channel_names: tuple[str, ...] = (),
) -> FramePlan:
    """Decide how frames are cut out of a stack.

    Parameters
    ----------
    axes : str
        One letter an axis, as `src_model.frames.axes.name_axes` gives them.
    shape : tuple of int
        Shape of the stack.
    dtype : np.dtype
        Type of its values, native byte order.
    channel : int, sequence of (int or None), or None
        A channel for gray frames; up to three channels to become red, green, blue; None for gray or RGB as they are.
    plane : int, "max", "mean" or None
        A plane along Z, or a projection over it; None if there is no choice.
    name : str
        Name of the movie, for messages.
    channel_names : tuple of str
        Names of the channels along C, for messages.

    Raises
    ------
    MovieError
        A choice is missing, does not exist, or the frames are absurdly large.
    """
    lengths = dict(zip(axes, (int(length) for length in shape), strict=True))
    movie = f"movie '{name}' (axes {axes}, shape {tuple(shape)})"
    if channel_names:
        listed = ", ".join(f"{number}: {title}" for number, title in enumerate(channel_names[:8]))
        movie = f"movie '{name}' (axes {axes}, shape {tuple(shape)}, channels {listed})"
    height, width = lengths["Y"], lengths["X"]
    if height * width > MAX_FRAME_PIXELS:
        raise MovieError(f"{movie} has frames of more than {MAX_FRAME_PIXELS} pixels: pass a cropped array")
    planes, projection = _pick_planes(plane, lengths.get("Z", 1), movie)
    channels, samples, color = _pick_colors(channel, lengths.get("C", 1), lengths.get("S", 1), movie)
    frames = (lengths.get("T", 1), height, width)
    return FramePlan(
        axes=axes,
        stack_shape=tuple(int(length) for length in shape),
        shape=frames if color == "gray" else (*frames, 3),
        dtype=np.dtype(np.float32) if projection == "mean" else dtype,
        channels=channels,
        samples=samples,
        planes=planes,
        projection=projection,
        color=color,
    )


def _pick_planes(plane: Plane, depth: int, movie: str) -> tuple[tuple[int, int], Projection | None]:
    choices = f"choose one of 0 to {depth - 1}, or 'max' or 'mean' for a projection (--plane 0; in Python plane=0)"
    if plane is None:
        if depth > 1:
            raise MovieError(f"{movie} has {depth} planes along Z: {choices}")
        return (0, 1), None
    if plane == "max" or plane == "mean":
        return (0, depth), plane
    number = _entry(plane)
    if number is None or not 0 <= number < depth:
        raise MovieError(f"plane {plane!r} does not exist in {movie}: {choices}")
    return (number, number + 1), None


def _pick_colors(channel: Channel, channels: int, samples: int, movie: str) -> tuple[Pick, Pick, Color]:
    whole = Pick(0, 1)
    if channel is None:
        if channels > 1:
            raise MovieError(
                f"{movie} has {channels} channels along C: choose one of 0 to {channels - 1} (--channel 0; in Python "
                "channel=0), map them to red, green and blue (--channel 0,1,-; in Python channel=(0, 1, None)), or say "
                "what this axis is (--axes; in Python axes='...')"
            )
        if samples not in (1, 3, 4):
            raise MovieError(f"{movie} has {samples} samples a pixel: choose one of 0 to {samples - 1} (--channel 0)")
        return (whole, whole, "gray") if samples == 1 else (whole, Pick(0, 3), "rgb")
    if channels > 1 or samples == 1:  # choose along C; what is left along S is gray or RGB by itself
        if samples > 1 and _entry(channel) is None:
            raise MovieError(f"channel {channel!r} cannot map colors in {movie}, which has RGB channels: pass one")
        pick, color = _pick_entries(channel, channels, movie)
        _, kept, kind = _pick_colors(None, 1, samples, movie)
        return pick, kept, kind if color == "gray" else color
    pick, color = _pick_entries(channel, samples, movie)
    return whole, pick, color


def _pick_entries(channel: object, count: int, movie: str) -> tuple[Pick, Color]:
    valid = f"it has {count} channels, 0 to {count - 1}" if count > 1 else "it has one channel, 0"
    one = _entry(channel)
    if one is not None:
        if not 0 <= one < count:
            raise MovieError(f"channel {one} does not exist in {movie}: {valid}")
        return Pick(one, one + 1), "gray"
    entries = tuple(channel) if isinstance(channel, (tuple, list)) else ()
    numbers = [None if entry is None else _entry(entry) for entry in entries]
    used = [number for number in numbers if number is not None]
    strange = any(number is None and entry is not None for number, entry in zip(numbers, entries, strict=True))
    if not used or len(entries) > 3 or strange:
        raise MovieError(
            f"channel {channel!r} of {movie} is not understood: pass a number, or up to three for red, green and "
            f"blue such as (0, 1, None); {valid}"
        )
    for number in used:
        if not 0 <= number < count:
            raise MovieError(f"channel {number} in {channel!r} does not exist in {movie}: {valid}")
    first = min(used)
    rgb = tuple(None if number is None else number - first for number in (*numbers, None, None, None)[:3])
    return Pick(first, max(used) + 1, rgb), "composite"


def _entry(value: object) -> int | None:
    """Read a whole number (Python or NumPy), None for anything else; True is not a number."""
    if isinstance(value, (bool, np.bool_)):
        return None
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        return None
