"""Labels movies as OME-Zarr: version 0.5 (zarr format 3), or 0.4 (format 2) for programs that read no newer one.

Written with zarr alone: the metadata of a label image is small, and the libraries for it bring cloud clients along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from src_model.document.units import space_unit, time_unit
from src_model.errors import MissingExtraError
from src_model.formats.marks import ZARR_ATTRIBUTE, is_our_zarr

if TYPE_CHECKING:
    from pathlib import Path

    from src_model.formats.label_movie import LabelInfo, LabelMovie

NgffVersion: TypeAlias = Literal["0.4", "0.5"]
_CHUNK_SIDE: Final = 1024
"""Pixels: chunks of some 2 MB, which viewers and network drives load well, and no more than one frame in each."""


def write_ome_zarr(path: Path, movie: LabelMovie, version: NgffVersion = "0.5") -> None:
    """Write an OME-Zarr label image with one chunk or more a frame.

    Parameters
    ----------
    path
        The folder, which does not exist yet.
    movie
        The labels and what is known of them; its frames are taken once.
    version
        Version of OME-Zarr; 0.4 is for programs that read no newer one.

    Raises
    ------
    MissingExtraError
        If zarr is not installed.
    """
    zarr = import_zarr(f"writing '{path}'")
    old = version == "0.4"
    group = zarr.open_group(store=str(path), mode="w", zarr_format=2 if old else 3)
    options = {"chunk_key_encoding": {"name": "v2", "separator": "/"}} if old else {"dimension_names": ["t", "y", "x"]}
    array = group.create_array(
        "0",
        shape=movie.shape,
        chunks=(1, *(min(side, _CHUNK_SIDE) for side in movie.shape[1:])),
        dtype=movie.dtype,
        **options,
    )
    for number, frame in enumerate(movie.frames):
        array[number] = frame
    metadata = _metadata(movie)
    if old:
        metadata["multiscales"][0]["version"] = metadata["image-label"]["version"] = version
        group.attrs.update(metadata)
    else:
        group.attrs["ome"] = {"version": version, **metadata}
    group.attrs[ZARR_ATTRIBUTE] = movie.software


def is_ours(path: Path, ending: str = "") -> bool:
    """Tell whether a folder holds nothing but what :func:`write_ome_zarr` left, with a mark that ends so."""
    return is_our_zarr(path, "0", ending)


def import_zarr(purpose: str) -> Any:
    """Import the package zarr, or raise MissingExtraError."""
    try:
        import zarr
    except ImportError as error:
        raise MissingExtraError("zarr", "zarr", purpose) from error
    return zarr


def _metadata(movie: LabelMovie) -> dict[str, Any]:
    axes: list[dict[str, str]] = [
        {"name": "t", "type": "time"},
        {"name": "y", "type": "space"},
        {"name": "x", "type": "space"},
    ]
    for axis, name in zip(axes, movie.units, strict=True):
        unit = time_unit(name) if axis["name"] == "t" else space_unit(name)
        if unit is not None:
            axis["unit"] = unit.name
    scale = {"type": "scale", "scale": [float(size) for size in movie.scale]}
    datasets = [{"path": "0", "coordinateTransformations": [scale]}]
    return {
        "multiscales": [{"name": movie.name, "axes": axes, "datasets": datasets}],
        "image-label": {
            "colors": [_color(info) for info in movie.labels if info.color],
            "properties": [{"label-value": info.label, **(info.texts or {})} for info in movie.labels],
        },
    }


def _color(info: LabelInfo) -> dict[str, Any]:
    return {"label-value": info.label, "rgba": [*bytes.fromhex(info.color[1:]), 255]}
