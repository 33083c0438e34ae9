"""Which axis of a stack is time, depth, channel, and what to assume where nothing says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from src_model.errors import MovieError

Channel: TypeAlias = int | Sequence[int | None] | None
Plane: TypeAlias = int | Literal["max", "mean"] | None

KNOWN_AXES = "TCZYXS"
FEW_CHANNELS = 4
"""Up to so many entries look like channels; more look like planes or frames."""


def name_axes(
    axes: str | None, recorded: str | None, shape: tuple[int, ...], *, channel: Channel, plane: Plane, name: str
) -> str:
    """Give each axis of a stack its letter.

    Parameters
    ----------
    axes : str or None
        What the user says, such as "TCYX"; it wins.
    recorded : str or None
        What the file says; used where the user says nothing.
    shape : tuple of int
        Shape of the stack.
    channel, plane
        What the user chose; a choice tells that there is such an axis.
    name : str
        Name of the movie, for messages.

    Returns
    -------
    str
        One letter an axis, out of T, C, Z, Y, X, S (samples of an RGB image); others only for length 1.

    Raises
    ------
    MovieError
        The letters do not fit the shape, or more than one reading is possible.
    """
    _check_shape(shape, name)
    if axes is not None:
        letters = _check_given(axes, shape, name)
    elif recorded is not None:
        letters = _check_recorded(recorded, shape, name)
    else:
        letters = _infer(shape, channel=channel, plane=plane, name=name)
    letters = _last_channels_as_samples(letters, shape)
    return _find_time(letters, shape, channel=channel, plane=plane)


def _check_shape(shape: tuple[int, ...], name: str) -> None:
    try:
        sizes = [int(length) for length in shape]
    except (TypeError, ValueError) as error:  # dask writes unknown lengths as NaN
        raise MovieError(
            f"movie '{name}' has the shape {shape} with unknown lengths: "
            "call compute_chunk_sizes() on the dask array first"
        ) from error
    if len(sizes) < 2:
        raise MovieError(f"movie '{name}' has the shape {shape}: expected at least the axes Y and X, usually (T, Y, X)")
    if 0 in sizes:
        raise MovieError(f"movie '{name}' is empty, its shape is {shape}: expected at least one frame with one pixel")


def _check_given(axes: str, shape: tuple[int, ...], name: str) -> str:
    letters = axes.upper()
    unknown = sorted(set(letters) - set(KNOWN_AXES))
    if unknown:
        raise MovieError(
            f"axes '{axes}' of movie '{name}' has the unknown letters {unknown}: "
            "use T (time), C (channel), Z (depth), Y, X and S (samples of an RGB image)"
        )
    if len(set(letters)) != len(letters) or not {"Y", "X"} <= set(letters):
        raise MovieError(f"axes '{axes}' of movie '{name}' must name Y and X, and no axis twice, such as 'TCYX'")
    if len(letters) != len(shape):
        raise MovieError(
            f"axes '{axes}' of movie '{name}' names {len(letters)} axes, but its shape {shape} has {len(shape)}: "
            "give one letter an axis"
        )
    return letters


def _check_recorded(recorded: str, shape: tuple[int, ...], name: str) -> str:
    letters = recorded.upper()
    if len(letters) != len(shape) or not {"Y", "X"} <= set(letters):
        raise MovieError(
            f"movie '{name}' of shape {shape} says that its axes are '{recorded}', which does not fit: "
            "say what they are (--axes TYX; in Python axes='TYX')"
        )
    long = [i for i, letter in enumerate(letters) if letter not in KNOWN_AXES and shape[i] > 1]
    if len(long) == 1 and "T" not in letters:
        return letters[: long[0]] + "T" + letters[long[0] + 1 :]
    if long or any(letters.count(letter) > 1 for letter in KNOWN_AXES):
        raise MovieError(
            f"movie '{name}' of shape {shape} says that its axes are '{recorded}', which can be read in several ways: "
            "say what they are (--axes TZYX; in Python axes='TZYX')"
        )
    return letters


def _infer(shape: tuple[int, ...], *, channel: Channel, plane: Plane, name: str) -> str:
    if len(shape) == 2:
        return "YX"
    if shape[-1] in (3, 4) and shape[-2] > 4:
        color = {3: "YXS", 4: "TYXS", 5: "TZYXS"}
        if len(shape) in color:
            return color[len(shape)]
    if len(shape) == 3:
        return "TYX"
    candidates = {4: ("TCYX", "TZYX"), 5: ("TCZYX", "TZCYX")}.get(len(shape), ())
    usable = [axes for axes in candidates if _choices_fit(axes, shape, channel=channel, plane=plane)]
    if len(usable) == 1:
        return usable[0]
    if usable and (len(shape) == 4 or 1 in shape[1:3]):
        return usable[0]  # the axis in question has length 1: both readings give the same frames
    likely = [axes for axes in usable if shape[axes.index("C")] <= FEW_CHANNELS < shape[axes.index("Z")]]
    if len(likely) == 1:
        return likely[0]
    readings = " or ".join(f"'{axes}'" for axes in candidates) or "no usual order of axes"
    raise MovieError(
        f"movie '{name}' of shape {shape} is ambiguous, it could be {readings}: say which (--axes TCYX; in Python "
        "axes='TCYX'), and choose along the axis that is left (--channel, --plane; in Python channel=..., plane=...)"
    )


def _choices_fit(axes: str, shape: tuple[int, ...], *, channel: Channel, plane: Plane) -> bool:
    for letter, choice in (("C", channel), ("Z", plane)):
        if letter in axes:
            if choice is None and shape[axes.index(letter)] > 1:
                return False
        elif choice is not None:
            return False
    return True


def _last_channels_as_samples(letters: str, shape: tuple[int, ...]) -> str:
    """Read a last axis C of 3 or 4 as the samples of an RGB image, which is what people mean by 'TYXC'."""
    if letters.endswith("C") and shape[-1] in (3, 4) and "S" not in letters:
        return letters[:-1] + "S"
    return letters


def _find_time(letters: str, shape: tuple[int, ...], *, channel: Channel, plane: Plane) -> str:
    """Let the only sequence there is run along time: slices of a volume are frames, and so are very many 'channels'.

    ImageJ and OME files often carry a movie under Z or C because nobody said otherwise when it was written.
    """
    if "T" in letters:
        return letters
    depth = shape[letters.index("Z")] if "Z" in letters else 1
    channels = shape[letters.index("C")] if "C" in letters else 1
    if depth > 1 and plane is None:
        return letters.replace("Z", "T")
    if channels > FEW_CHANNELS and depth == 1 and channel is None:
        return letters.replace("C", "T")
    return letters
