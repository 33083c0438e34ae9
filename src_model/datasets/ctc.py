"""Cell Tracking Challenge folders: `01/tNNN.tif` with truth in `01_GT` (drawn by experts) and `01_ST` (by programs).

Identities come from the markers in `01_GT/TRA`, outlines from the segmentations: each segmented cell takes the id of
the marker that it covers by more than half, as the challenge itself matches them, and is left out if it covers none.
Where both say something of one cell, gold (`01_GT/SEG`) goes before silver (`01_ST/SEG`). Frames with a segmentation
count as labelled; where experts drew only some of its cells, `known_frames` tells which. Markers themselves are
the labels where nothing is segmented at all: in simulated data they are whole cells, elsewhere mere spots.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np
import tifffile

from src_model.datasets.listing import files_in, folders_in, licence_of, read_text
from src_model.datasets.movie import Dataset, FlatMovie, Kind, Labels, as_labels, recent_movie
from src_model.errors import MovieError
from src_model.frames.folder import read_image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from src_model.frames import FrameSource

Truth: TypeAlias = Literal["best", "gold", "silver", "markers"]
_TIFF = (".tif", ".tiff")
_LABELS = re.compile(r"man_(?:seg|track)_?([0-9]+)(?:_([0-9]+))?")
_FRAME = re.compile(r"t([0-9]+)")


@dataclass(frozen=True)
class CtcMovie(FlatMovie):
    """A sequence of the challenge.

    Attributes
    ----------
    images : Path
        Folder of its frames.
    plane : int or None
        Which plane of each volume, for 3D sequences.
    truth : "best", "gold", "silver" or "markers"
        What the labels come from; "best" as the module says.
    """

    images: Path
    plane: int | None = None
    truth: Truth = "best"

    @property
    def movie(self) -> FrameSource:
        """The frames, or a plane of each."""
        depth = _depth(self._frames[0])
        if depth == 1 and self.plane is not None:
            raise MovieError(f"plane={self.plane} cannot be chosen in '{self.images}': its images are flat")
        if depth == 1:
            return recent_movie(self.images)
        return recent_movie(self.images, "TZYX", self._plane_of(depth))

    def _plane_of(self, depth: int) -> int:
        """Return the chosen plane of volumes, if there is such a one."""
        if self.plane is None or not 0 <= self.plane < depth:
            raise MovieError(
                f"'{self.images}' holds volumes of {depth} planes: pass plane=0 to {depth - 1} to track through one"
            )
        return self.plane

    @property
    def labelled_frames(self) -> Sequence[int]:
        """Frames that are segmented, or have markers where none is."""
        return tuple(sorted({frame for paths in self._sources for frame in paths}))

    def known_frames(self, object_id: int) -> Sequence[int]:
        """Labelled frames on which the cell is drawn, or has no marker either; the first call reads all labels."""
        return tuple(frame for frame, undrawn in self._undrawn.items() if object_id not in undrawn)

    @cached_property
    def _undrawn(self) -> dict[int, set[int]]:
        """Cells that have a marker but no outline, by labelled frame."""
        undrawn: dict[int, set[int]] = {}
        for frame in self.labelled_frames:
            marked = np.unique(self._read(self._markers[frame])) if frame in self._markers else np.empty(0, np.int32)
            undrawn[frame] = set(np.setdiff1d(marked, self.labels(frame)).tolist())
        return undrawn

    @property
    def parents(self) -> Mapping[int, int]:
        """Parent by daughter, from man_track.txt."""
        return self._parents

    @cached_property
    def _parents(self) -> Mapping[int, int]:
        path = self._truth_folder("GT") / "TRA" / "man_track.txt"
        rows = [line.split() for line in read_text(path).splitlines() if line.strip()] if path.is_file() else []
        if not all(len(row) == 4 and all(part.isascii() and part.isdigit() for part in row) for row in rows):
            raise MovieError(
                f"'{path}' is damaged: expected four whole numbers a line (id, first and last frame, parent)"
            )
        return MappingProxyType({int(row[0]): int(row[3]) for row in rows if int(row[3]) > 0})

    @cached_property
    def _frames(self) -> list[Path]:
        frames = files_in(self.images, _TIFF)
        if not frames or not all(_FRAME.fullmatch(path.stem) for path in frames):
            raise MovieError(
                f"'{self.images}' is no sequence: expected frames t000.tif, t001.tif, ... and nothing else"
            )
        return frames

    @cached_property
    def _numbers(self) -> dict[int, int]:
        """Frame by the number in the file's name."""
        return {int(path.stem[1:]): frame for frame, path in enumerate(self._frames)}

    @cached_property
    def _markers(self) -> dict[int, Path]:
        return self._labels_in(self._truth_folder("GT") / "TRA")

    @cached_property
    def _sources(self) -> tuple[dict[int, Path], ...]:
        """Label files by frame; the best source comes last and is painted over the others."""
        gold = self._labels_in(self._truth_folder("GT") / "SEG")
        silver = self._labels_in(self._truth_folder("ST") / "SEG")
        wanted = {
            "best": (silver, gold) if silver or gold else (self._markers,),
            "gold": (gold,),
            "silver": (silver,),
            "markers": (self._markers,),
        }[self.truth]
        if not any(wanted):
            raise MovieError(
                f"'{self.images}' has no {self.truth} truth: expected label images in '{self.images.name}_GT/SEG', "
                f"'{self.images.name}_ST/SEG' or '{self.images.name}_GT/TRA' beside it"
            )
        return wanted

    def _truth_folder(self, which: str) -> Path:
        return self.images.with_name(f"{self.images.name}_{which}")

    def _labels_in(self, folder: Path) -> dict[int, Path]:
        """Label files of a folder by frame; of those of single planes the ones of the chosen plane."""
        found = {}
        for path in files_in(folder, _TIFF) if folder.is_dir() else ():
            match = _LABELS.fullmatch(path.stem)
            if match is None:
                raise MovieError(f"'{path}' is not named as labels are: expected man_seg000.tif or man_track000.tif")
            if match[2] is not None and int(match[2]) != self.plane:
                continue
            if int(match[1]) not in self._numbers:
                raise MovieError(f"'{path}' belongs to no frame: expected 't{match[1]}.tif' in '{self.images}'")
            found[self._numbers[int(match[1])]] = path
        return found

    def _read_labels(self, frame: int) -> Labels:
        paths = [source[frame] for source in self._sources if frame in source]
        if not self._markers or self._sources == (self._markers,):
            return self._read(paths[-1])
        if frame not in self._markers:
            raise MovieError(f"'{paths[-1]}' has no markers: expected those of its frame in {self.images.name}_GT/TRA")
        markers = self._read(self._markers[frame])
        merged = np.zeros_like(markers)
        for path in paths:
            labels = named_by_markers(self._read(path), markers, path)
            merged[np.isin(merged, labels)] = 0  # a cell that is drawn again is drawn anew
            merged = np.where(labels > 0, labels, merged)
        return merged

    def _read(self, path: Path) -> Labels:
        values, _ = read_image(path)
        if values.ndim == 3:
            values = values[self._plane_of(len(values))]
        return as_labels(values, path)


def named_by_markers(labels: Labels, markers: Labels, origin: object) -> Labels:
    """Give each segmented cell the id of the marker that it covers by more than half, or of the largest such.

    Parameters
    ----------
    labels, markers
        (Y, X) int32 of one frame, 0 is background.
    origin
        File of the labels, for messages.

    Returns
    -------
    np.ndarray
        (Y, X) int32; cells without a marker are background.

    Raises
    ------
    MovieError
        The two differ in size.
    """
    if labels.shape != markers.shape:
        raise MovieError(
            f"'{origin}' has the size {labels.shape}: expected {markers.shape} as the markers of its frame"
        )
    both = (labels > 0) & (markers > 0)
    pairs, overlaps = np.unique(np.stack([labels[both], markers[both]]), axis=1, return_counts=True)
    sizes = np.bincount(np.unique(markers, return_inverse=True)[1].ravel())
    size_of = dict(zip(np.unique(markers).tolist(), sizes.tolist(), strict=True))
    chosen: dict[int, tuple[int, int]] = {}
    for cell, marker, overlap in zip(*pairs.tolist(), overlaps.tolist(), strict=True):
        if 2 * overlap > size_of[marker] and overlap > chosen.get(cell, (0, 0))[0]:
            chosen[cell] = (overlap, marker)
    cells, places = np.unique(labels, return_inverse=True)
    names = np.array([chosen.get(cell, (0, 0))[1] for cell in cells.tolist()], np.int32)
    named: Labels = names[places].reshape(labels.shape)
    return named


def _depth(path: Path) -> int:
    """Count the planes of an image without reading it."""
    try:
        with tifffile.TiffFile(path) as file:
            shape = tuple(length for length in file.series[0].shape if length > 1)
    except Exception as error:  # a damaged file fails in many ways
        raise MovieError(f"'{path}' cannot be read as a TIFF file ({error}): it may be damaged or truncated") from error
    return shape[0] if len(shape) > 2 else 1


def is_ctc(path: Path) -> bool:
    """Tell whether a folder holds sequences of the challenge."""
    return path.is_dir() and bool(_sequences(path))


def open_ctc(path: Path, *, plane: int | None = None, truth: Truth = "best", kind: Kind = "microscopy") -> Dataset:
    """Open the folder of a data set, such as "Fluo-N2DH-SIM+", with its sequences "01" and "02".

    Parameters
    ----------
    path
        The folder that holds "01", "01_GT" and so on.
    plane
        Plane of each volume to track through, from 0; needed for 3D sequences, which are refused without it.
    truth
        What the labels come from; "best" as the module says.
    kind
        What the movies show.

    Raises
    ------
    MovieError
        There is no sequence with truth.
    """
    if truth not in get_args(Truth):
        raise MovieError(f"truth={truth!r} is unknown: expected one of {', '.join(get_args(Truth))}")
    sequences = _sequences(path)
    if not sequences:
        raise MovieError(f"'{path}' has no sequence with truth: expected folders such as '01' with '01_GT' beside it")
    movies = tuple(CtcMovie(f"{path.name}/{name}", kind, path / name, plane, truth) for name in sequences)
    return Dataset(path.name, "ctc", movies, licence_of(path))


def _sequences(path: Path) -> list[str]:
    names = set(folders_in(path))
    return [name for name in sorted(names) if re.fullmatch("[0-9]{2}", name) and {f"{name}_GT", f"{name}_ST"} & names]
