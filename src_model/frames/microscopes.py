"""Files of microscope makers, through bioio and its readers."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from typing import TYPE_CHECKING

from src_model.errors import MissingExtraError, MovieError
from src_model.frames.source import LazyStack, NamedStack, choose_series

if TYPE_CHECKING:
    from pathlib import Path

logging.getLogger("bioio").addHandler(logging.NullHandler())  # or what it logs ends up in the user's terminal

READERS = {".nd2": "bioio-nd2", ".lif": "bioio-lif", ".czi": "bioio-czi", ".oib": "bioio-bioformats"}
"""The package that reads each kind of file."""
EXTRA = ("bioio-nd2", "bioio-lif")
"""Those that the extra installs; bioio-czi has the GPL as its licence, bioio-bioformats needs Java."""


def open_microscope(path: Path, series: int | None = None) -> NamedStack:
    """Open a file of a microscope maker; planes are read when they are asked for.

    Parameters
    ----------
    path : Path
        The file.
    series : int or None
        Which scene (position, tile, ...), where the file has several.

    Raises
    ------
    MissingExtraError
        bioio is not installed.
    MovieError
        The reader of this kind of file is not installed, the file is damaged, or it has several scenes.
    """
    try:
        import bioio
    except ImportError as error:
        raise MissingExtraError("bioio", "microscopes", f"reading '{path}'") from error
    from bioio_base.exceptions import UnsupportedFileFormatError

    try:
        image = bioio.BioImage(path)
        scenes = [str(name) for name in image.scenes]
        image.set_scene(choose_series(len(scenes), series, scenes, path, "scenes"))
        data, axes = image.dask_data, str(image.dims.order)
        channels = tuple(str(name) for name in image.channel_names or ())
    except UnsupportedFileFormatError as error:
        raise _unsupported(path) from error
    except MovieError:
        raise
    except Exception as error:  # each reader has errors of its own
        raise MovieError(f"'{path}' cannot be opened ({type(error).__name__}: {error}): it may be damaged") from error
    return NamedStack(data, axes, path.name, channels=channels if len(channels) == _length(data, axes, "C") else ())


def _unsupported(path: Path) -> MovieError:
    reader = READERS[path.suffix.lower()]
    if find_spec(reader.replace("-", "_")) is not None:
        return MovieError(
            f"'{path}' cannot be read by {reader}: it may be damaged, or of another kind than its name says"
        )
    reason = (
        "" if reader in EXTRA else "; the extra 'microscopes' leaves it out because of its licence or what it needs"
    )
    return MovieError(f"'{path}' cannot be read without the package '{reader}': pip install {reader}{reason}")


def _length(data: LazyStack, axes: str, letter: str) -> int:
    return int(data.shape[axes.index(letter)]) if letter in axes else 1
