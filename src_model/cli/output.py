"""Labels movies: one number a pixel and frame, written frame by frame."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from src_model import __version__
from src_model.cli.files import check_writable, complete_file
from src_model.errors import MaskError, MissingExtraError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from src_model.masks import Masklet, Overlap

TIFF_SUFFIXES = (".tif", ".tiff")
_CLASSIC_TIFF_BYTES = 2**31
"""Movies of more bytes are written as BigTIFF; compressed they might fit, but nobody knows before."""
_CHUNK_SIDE = 1024


@dataclass(frozen=True, slots=True)
class LabelsMovie:
    """What is written.

    Attributes
    ----------
    masklets
        The objects.
    shape
        ``(T, Y, X)``; frames that no object holds are empty.
    overlap
        Who gets a pixel that several objects claim.
    """

    masklets: Mapping[int, Masklet]
    shape: tuple[int, int, int]
    overlap: Overlap = "score"

    @property
    def dtype(self) -> np.dtype[np.unsignedinteger[Any]]:
        """The smallest type that holds all object numbers."""
        return label_dtype(self.masklets)

    def frames(self) -> Iterator[NDArray[np.integer]]:
        """Paint one frame after the other: ``(Y, X)``."""
        from src_model.masks import labels_at

        for frame in range(self.shape[0]):
            yield labels_at(self.masklets.values(), frame, self.shape[1:], self.dtype, overlap=self.overlap)


def label_dtype(object_ids: Collection[int]) -> np.dtype[np.unsignedinteger[Any]]:
    """Choose the smallest unsigned type that holds all object ids.

    Raises
    ------
    MaskError
        If one is larger than any label image can hold.
    """
    import numpy as np

    largest = max(object_ids, default=0)
    for kind in (np.uint8, np.uint16, np.uint32):
        if largest <= np.iinfo(kind).max:
            return np.dtype(kind)
    raise MaskError(f"object {largest} cannot be written as a label: numbers go up to {np.iinfo(np.uint32).max}")


def check_labels_path(path: Path) -> None:
    """Find out before hours of work whether labels can be written.

    Raises
    ------
    typer.BadParameter
        If the suffix is unknown or the place cannot be written to.
    MissingExtraError
        If this is a zarr folder and zarr is not installed.
    """
    if path.suffix.lower() == ".zarr":
        _import_zarr(path)
    elif path.suffix.lower() not in TIFF_SUFFIXES:
        raise typer.BadParameter(f"'{path}' must end in .tif, .tiff or .zarr", param_hint="--out")
    check_writable(path, "--out")


def write_labels(path: Path, labels: LabelsMovie, on_frame: Callable[[], None] = lambda: None) -> Path:
    """Write a labels movie as TIFF or OME-Zarr, by the suffix; it appears when it is complete.

    Parameters
    ----------
    path
        Ends in .tif, .tiff or .zarr; what is there is replaced.
    labels
        The movie.
    on_frame
        Called for each frame.

    Raises
    ------
    MissingExtraError
        If this is a zarr folder and zarr is not installed.
    """
    with complete_file(path) as part:
        frames = _counted(labels.frames(), on_frame)
        (_write_zarr if path.suffix.lower() == ".zarr" else _write_tiff)(part, labels, frames, path.name)
    return path


def _counted(frames: Iterable[NDArray[np.integer]], on_frame: Callable[[], None]) -> Iterator[NDArray[np.integer]]:
    for frame in frames:
        on_frame()
        yield frame


def _write_tiff(part: Path, labels: LabelsMovie, frames: Iterator[NDArray[np.integer]], name: str) -> None:
    import tifffile

    large = math.prod(labels.shape) * labels.dtype.itemsize > _CLASSIC_TIFF_BYTES
    with tifffile.TiffWriter(part, bigtiff=large, ome=True) as tiff:
        tiff.write(
            frames,
            shape=labels.shape,
            dtype=labels.dtype,
            photometric="minisblack",
            compression="zlib",
            # Compressed by several threads, frames would pile up in memory.
            maxworkers=1,
            software=f"sam2v {__version__}",
            metadata={"axes": "TYX", "Name": name},
        )


def _write_zarr(part: Path, labels: LabelsMovie, frames: Iterator[NDArray[np.integer]], name: str) -> None:
    zarr = _import_zarr(part)
    group = zarr.open_group(store=str(part), mode="w", zarr_format=3)
    array = group.create_array(
        "0",
        shape=labels.shape,
        chunks=(1, *(min(side, _CHUNK_SIDE) for side in labels.shape[1:])),
        dtype=labels.dtype,
        dimension_names=["t", "y", "x"],
    )
    for number, frame in enumerate(frames):
        array[number] = frame
    axes = [{"name": "t", "type": "time"}, {"name": "y", "type": "space"}, {"name": "x", "type": "space"}]
    scale = {"type": "scale", "scale": [1.0, 1.0, 1.0]}
    group.attrs["ome"] = {
        "version": "0.5",
        "multiscales": [
            {"name": name, "axes": axes, "datasets": [{"path": "0", "coordinateTransformations": [scale]}]}
        ],
        "image-label": {"colors": [], "properties": [{"label-value": number} for number in labels.masklets]},
    }


def _import_zarr(path: Path) -> Any:
    try:
        import zarr
    except ImportError as error:
        raise MissingExtraError("zarr", "zarr", f"writing '{path}'") from error
    return zarr
