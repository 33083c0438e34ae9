"""Labels movies: one number a pixel and frame, written frame by frame."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from src_model.cli.files import check_writable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from src_model.document import DocumentView
    from src_model.masks import Overlap

TIFF_SUFFIXES = (".tif", ".tiff")


@dataclass(frozen=True, slots=True)
class LabelsMovie:
    """What is written.

    Attributes
    ----------
    document
        The objects; their masks are read frame by frame. Frames that no object holds are empty.
    overlap
        Who gets a pixel that several objects claim.
    """

    document: DocumentView
    overlap: Overlap = "score"

    @property
    def shape(self) -> tuple[int, int, int]:
        """``(T, Y, X)``."""
        return (self.document.movie.length, *self.document.movie.frame_shape)

    @property
    def dtype(self) -> np.dtype[np.unsignedinteger[Any]]:
        """The smallest type that holds all object numbers."""
        from src_model.formats.label_movie import label_dtype

        return label_dtype(self.document.objects)

    def frames(self) -> Iterator[NDArray[np.integer]]:
        """Paint one frame after the other: ``(Y, X)``."""
        from src_model.masks import labels_from_masks

        for frame in range(self.shape[0]):
            entries = self.document.masks_at(frame)
            masks = {number: entry.mask for number, entry in entries.items()}
            scores = {number: entry.score for number, entry in entries.items()}
            yield labels_from_masks(masks, self.shape[1:], self.dtype, overlap=self.overlap, scores=scores)


def means_ctc(out: str) -> bool:
    """Whether ``--out`` means a folder of the Cell Tracking Challenge: it ends as a folder does, or one is there."""
    path = Path(out)
    is_movie = path.suffix.lower() in (*TIFF_SUFFIXES, ".zarr")
    return not is_movie and (out.endswith(("/", os.sep)) or path.is_dir())


def check_labels_path(path: Path, *, sources: Collection[Path] = (), force: bool = False, is_ctc: bool = False) -> None:
    """Find out before hours of work whether labels can and may be written.

    Parameters
    ----------
    path
        The TIFF file or folder that is to be written.
    sources, force
        As in :func:`~src_model.formats.target.check_target`.
    is_ctc
        Whether it is a folder of the Cell Tracking Challenge.

    Raises
    ------
    typer.BadParameter
        If the suffix is unknown or the place cannot or must not be written to.
    MissingExtraError
        If this is a zarr folder and zarr is not installed.
    """
    from src_model.formats import ctc, marks, ome_zarr

    if is_ctc:
        check_writable(path, "--out", ctc.is_ours, folder=True, sources=sources, force=force)
        return
    is_zarr = path.suffix.lower() == ".zarr"
    if is_zarr:
        ome_zarr.import_zarr(f"writing '{path}'")
    elif path.suffix.lower() not in TIFF_SUFFIXES:
        raise typer.BadParameter(
            f"'{path}' must end in .tif, .tiff or .zarr, or in / for a folder of the Cell Tracking Challenge",
            param_hint="--out",
        )
    # Labels that were exported or saved from a viewer may have been corrected by hand.
    is_tracked = partial(ome_zarr.is_ours if is_zarr else marks.is_our_tiff, ending=marks.TRACKED)
    check_writable(path, "--out", is_tracked, folder=is_zarr, sources=sources, force=force)


def check_numbers(objects: Collection[int]) -> None:
    """Find out before hours of work whether labels can have the numbers of the objects; MaskError if not."""
    from src_model.formats.label_movie import label_dtype

    label_dtype(objects)


def write_labels(path: Path, labels: LabelsMovie, on_frame: Callable[[], None] = lambda: None) -> Path:
    """Write a labels movie as TIFF or OME-Zarr, by the suffix; it appears when it is complete.

    Parameters
    ----------
    path
        Ends in .tif, .tiff or .zarr; what is there is replaced.
    labels
        The labels, painted frame by frame.
    on_frame
        Called for each frame.

    Raises
    ------
    MissingExtraError
        If this is a zarr folder and zarr is not installed.
    """
    from src_model.files import replacing
    from src_model.formats.label_movie import LabelInfo, LabelMovie
    from src_model.formats.labels_tiff import write_ome_tiff
    from src_model.formats.marks import SOFTWARE, TRACKED
    from src_model.formats.ome_zarr import write_ome_zarr

    infos = tuple(LabelInfo(number) for number in labels.document.objects)
    frames = _counted(labels.frames(), on_frame)
    movie = LabelMovie(path.name, labels.shape, labels.dtype, frames, labels=infos, software=f"{SOFTWARE}{TRACKED}")
    with replacing(path) as part:
        (write_ome_zarr if path.suffix.lower() == ".zarr" else write_ome_tiff)(part, movie)
    return path


def _counted(frames: Iterable[NDArray[np.integer]], on_frame: Callable[[], None]) -> Iterator[NDArray[np.integer]]:
    for frame in frames:
        on_frame()
        yield frame
