"""Reading labels movies of other programs: TIFF, zarr, folders of images, arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from src_model.errors import FormatError, MovieError, StoppedError
from src_model.formats.imported import Imported
from src_model.formats.label_values import as_labels
from src_model.formats.run import never, no_progress
from src_model.frames import open_movie
from src_model.masks import Masklet, masks_from_labels

if TYPE_CHECKING:
    from collections.abc import Callable

    from src_model.formats.run import Progress
    from src_model.frames import MovieLike

MOST_OBJECTS: Final = 2**16
"""An image with more values than this is no labels movie."""


def read_labels(
    movie: MovieLike,
    *,
    axes: str | None = None,
    name: str | None = None,
    progress: Progress = no_progress,
    cancelled: Callable[[], bool] = never,
) -> Imported:
    """Read a labels movie; each number is an object, and keeps it as its id.

    Parameters
    ----------
    movie
        The path of anything that opens as a movie, an array, or an open movie.
    axes
        One letter an axis, where nothing tells.
    name
        What to call it; left out, the file's name.
    progress, cancelled
        As in :class:`~src_model.formats.run.ExportOptions`.

    Raises
    ------
    FormatError
        If it cannot be opened, a frame is damaged, or it holds no labels.
    StoppedError
        If it was cancelled.
    """
    try:
        source = open_movie(movie, axes=axes, name=name)
        length = len(source)
        masklets: dict[int, Masklet] = {}
        for frame in range(length):
            if cancelled():
                raise StoppedError(f"reading '{source.name}' was stopped")
            labels = as_labels(source.read(frame), f"{source.name}, frame {frame}")
            for label, mask in masks_from_labels(labels).items():
                if label not in masklets:
                    masklets[label] = Masklet(label, labels.shape)
                masklets[label].set(frame, mask)
            if len(masklets) > MOST_OBJECTS:
                raise FormatError(
                    f"'{source.name}' has more than {MOST_OBJECTS} different values by frame {frame}: expected labels, "
                    "one number an object; is it an image?"
                )
            progress(frame + 1, length)
    except MovieError as error:
        raise FormatError(str(error)) from error
    ordered = tuple(masklets[label] for label in sorted(masklets))
    return Imported(source.name, (length, source.shape[1], source.shape[2]), ordered)
