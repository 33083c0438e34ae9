"""Results and truth in the folders of the Cell Tracking Challenge."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tifffile

from src_model.errors import MovieError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class TrackingFolder:
    """A folder of tracked cells in two dimensions.

    Parameters
    ----------
    files
        The TIFF file of each frame, in order.
    parents
        Daughter label to mother label.
    outlines
        Of a truth folder, the files with whole cells by frame number; there ``files`` has markers. None elsewhere.
    """

    files: tuple[Path, ...]
    parents: Mapping[int, int]
    outlines: Mapping[int, Path] | None

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> TrackingFolder:
        """Find the frames and read the table of tracks.

        A folder with ``TRA`` in it is a truth folder. Without a table, there are no mothers.

        Raises
        ------
        MovieError
            If there are no TIFF files, or the table is not one of four whole numbers a line.
        """
        folder, outlines = Path(path), None
        if (folder / "TRA").is_dir():
            outlines = {_number(file): file for file in folder.glob("SEG/*.tif")}
            folder = folder / "TRA"
        files = tuple(sorted(folder.glob("*.tif"), key=_number))
        if not files:
            raise MovieError(f"'{folder}' holds no .tif files with labels: give a folder of tracked cells")
        parents: dict[int, int] = {}
        for table in folder.glob("*_track.txt"):
            parents.update(_read_parents(table))
        return cls(files, parents, outlines)

    def frames(self) -> Iterator[NDArray[np.integer]]:
        """Read the ``(Y, X)`` labels of one frame after the other."""
        return (read_labels(file) for file in self.files)


def read_labels(file: Path) -> NDArray[np.integer]:
    """Read ``(Y, X)`` labels from a TIFF file.

    Raises
    ------
    MovieError
        If the file cannot be read or is not one picture of integers.
    """
    try:
        labels = np.asarray(tifffile.imread(file))
    except (OSError, ValueError) as error:
        raise MovieError(f"'{file}' cannot be read as TIFF: {error}") from error
    if labels.ndim != 2 or not np.issubdtype(labels.dtype, np.integer):
        raise MovieError(f"'{file}' must hold integer labels (Y, X), got {labels.dtype} {labels.shape}")
    return labels


def _number(file: Path) -> int:
    digits = re.search(r"(\d+)$", file.stem)
    if digits is None:
        raise MovieError(f"'{file}' has no frame number at the end of its name, such as mask000.tif")
    return int(digits[1])


def _read_parents(table: Path) -> dict[int, int]:
    parents: dict[int, int] = {}
    for line in table.read_text(encoding="utf-8").splitlines():
        if not line.strip():
            continue
        try:
            label, _, _, parent = (int(part) for part in line.split())
        except ValueError as error:
            raise MovieError(f"'{table}' must have lines 'label first last parent', got {line!r:.100}") from error
        if parent:
            parents[label] = parent
    return parents
