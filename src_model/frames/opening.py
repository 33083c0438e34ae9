"""Opening anything that is a movie: arrays, files, folders."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from src_model.errors import MovieError
from src_model.frames.arrays import open_npy, open_npz
from src_model.frames.axes import Channel, Plane, name_axes
from src_model.frames.folder import PICTURE_SUFFIXES, open_folder, open_picture
from src_model.frames.microscopes import READERS, open_microscope
from src_model.frames.plan import plan_frames
from src_model.frames.source import FrameSource, LazyStack, NamedStack, check_dtype, is_frame_source
from src_model.frames.stack import StackSource
from src_model.frames.tiff import open_tiff
from src_model.frames.video import open_video
from src_model.frames.zarr_store import is_zarr, open_zarr

if TYPE_CHECKING:
    from collections.abc import Callable

MovieLike: TypeAlias = "FrameSource | LazyStack | str | os.PathLike[str]"

TIFF_SUFFIXES = (".tif", ".tiff", ".btf", ".tf2", ".tf8", ".lsm", ".stk")
VIDEO_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".3gp", ".avi", ".mkv", ".webm", ".ogv", ".flv", ".wmv", ".asf"),
    *(".mpg", ".mpeg", ".m2v", ".ts", ".mts", ".m2ts", ".h264", ".264"),
)
ANIMATION_SUFFIXES = (".gif", ".png", ".apng", ".webp")
MICROSCOPE_SUFFIXES = tuple(READERS)
_ACCEPTED = (
    "a TIFF, .npy, .npz, .gif or video (.mp4, .avi, .mov, .mkv, .webm, .mpg, .wmv, ...) file, a microscope's file "
    f"({', '.join(MICROSCOPE_SUFFIXES)}), a .zarr folder or a zip file of one, or a folder of PNG, JPEG, BMP or TIFF "
    "images"
)


def open_movie(
    source: MovieLike,
    *,
    axes: str | None = None,
    channel: Channel = None,
    plane: Plane = None,
    name: str | None = None,
    series: int | None = None,
) -> FrameSource:
    """Open anything that is a movie; frames are read when asked for.

    Parameters
    ----------
    source : FrameSource, array or path
        A NumPy, dask, zarr or similar array; the path of a TIFF, .npy, .npz, GIF or video file, of a microscope's file
        (through bioio), of a zarr or OME-Zarr folder or zip file, or of a folder of images; a movie that is open
        already is given back as it is.
    axes : str or None
        One letter an axis: T, C, Z, Y, X, S (samples of RGB), such as "TCYX". Left out, the file's metadata or the
        shape tells: (Y, X), (T, Y, X) and (T, Y, X, 3 or 4) are understood; others need ``channel``, ``plane`` or this.
    channel : int, sequence of up to three (int or None), or None
        One channel for gray frames; or those that become red, green and blue.
    plane : int, "max", "mean" or None
        The plane along Z, or a projection over it. A stack with Z but no time, of which no plane is chosen, is a movie
        through its planes.
    name : str or None
        What a user would call the movie; left out, the file's name.
    series : int or None
        Which image, in a TIFF, .npz, zarr or microscope's file with several.

    Returns
    -------
    FrameSource
        Frames of shape (Y, X) or (Y, X, 3).

    Raises
    ------
    MovieError
        The movie cannot be opened, is empty, or a choice is missing or does not exist.
    MissingExtraError
        An optional package is needed.
    """
    if is_frame_source(source):
        options = {"axes": axes, "channel": channel, "plane": plane, "name": name, "series": series}
        given = [option for option, value in options.items() if value is not None]
        if given:
            raise MovieError(
                f"{', '.join(given)} cannot be given for '{source.name}', an open movie: pass its array or path instead"
            )
        return source
    if isinstance(source, (str, os.PathLike)):
        opened = _open_path(Path(source).expanduser(), series)
    elif isinstance(source, LazyStack):
        opened = NamedStack(source, None, "array")
    else:
        raise MovieError(
            f"a movie cannot be made from {type(source).__name__}: expected an array such as NumPy's, or the path of "
            f"{_ACCEPTED}"
        )
    stack, title = opened.stack, name or opened.name
    shape = tuple(stack.shape)
    dtype = check_dtype(stack.dtype, title)
    letters = name_axes(axes, opened.axes, shape, channel=channel, plane=plane, name=title)
    plan = plan_frames(letters, shape, dtype, channel=channel, plane=plane, name=title, channel_names=opened.channels)
    return StackSource(stack, plan, title, opened.notes)


def _open_path(path: Path, series: int | None) -> NamedStack:
    if not path.exists():
        raise MovieError(f"there is no file or folder '{path}': expected the path of {_ACCEPTED}")
    suffix = path.suffix.lower()
    if is_zarr(path):
        return open_zarr(path, series)
    if path.is_file() and suffix in _WITH_SERIES:
        return _WITH_SERIES[suffix](path, series)
    if series is not None:
        raise MovieError(
            f"series={series} cannot be given for '{path}' (--series): only TIFF, .npz, zarr and microscopes' files "
            "hold several"
        )
    if path.is_dir():
        return open_folder(path)
    if suffix == ".npy":
        return open_npy(path)
    if suffix in VIDEO_SUFFIXES:
        return open_video(path)
    if suffix in (*PICTURE_SUFFIXES, *ANIMATION_SUFFIXES):
        return _open_picture(path)
    raise MovieError(f"'{path}' has the extension '{suffix}', which is not known: expected {_ACCEPTED}")


def _open_picture(path: Path) -> NamedStack:
    """Open a picture, which is a movie by itself if it is animated."""
    animated = None
    if path.suffix.lower() in ANIMATION_SUFFIXES:
        from src_model.frames.animation import open_animation  # needs Pillow

        animated = open_animation(path)
    return open_picture(path) if animated is None else animated


_WITH_SERIES: dict[str, Callable[[Path, int | None], NamedStack]] = {
    **dict.fromkeys(TIFF_SUFFIXES, open_tiff),
    **dict.fromkeys(MICROSCOPE_SUFFIXES, open_microscope),
    ".npz": open_npz,
}
