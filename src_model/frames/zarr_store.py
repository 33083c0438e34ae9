"""Zarr folders and zip files: plain arrays, those of xarray, and OME-Zarr images, of which the finest level is read."""

from __future__ import annotations

import weakref
import zipfile
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from src_model.errors import MissingExtraError, MovieError
from src_model.frames.source import SERIES_LISTED, LazyStack, NamedStack, choose_series

if TYPE_CHECKING:
    from pathlib import Path

    import zarr

_MARKERS = ("zarr.json", ".zarray", ".zgroup", ".zattrs")
_LETTERS_OF_TYPES = {"time": "T", "channel": "C"}
_LETTERS_OF_NAMES = {
    **dict.fromkeys(("t", "time", "frame", "frames"), "T"),
    **dict.fromkeys(("c", "channel", "channels", "band"), "C"),
    **dict.fromkeys(("z", "plane", "depth", "slice"), "Z"),
    **dict.fromkeys(("y", "row", "rows", "height"), "Y"),
    **dict.fromkeys(("x", "column", "columns", "col", "width"), "X"),
    **dict.fromkeys(("s", "sample", "samples", "rgb"), "S"),
}
ZIP_SUFFIXES = (".zip", ".ozx")


class StoredArray:
    """A zarr array in a file or folder that may go away: what is not there reads as empty, which it is not.

    Parameters
    ----------
    array : zarr.Array
        The array.
    path : Path
        Where it is.
    """

    def __init__(self, array: LazyStack, path: Path) -> None:
        self._array = array
        self._path = path
        self.shape = tuple(array.shape)
        self.dtype = array.dtype
        self.chunks = array.chunks  # type: ignore[attr-defined]  # zarr arrays have them

    def __getitem__(self, index: tuple[slice, ...], /) -> object:
        """Read a block."""
        if not self._path.exists():
            raise FileNotFoundError(f"'{self._path}'")
        return self._array[index]


def is_zarr(path: Path) -> bool:
    """Tell whether a folder is a zarr array or group, or a file is a zip, which may hold one."""
    if path.is_file():
        return path.suffix.lower() in ZIP_SUFFIXES
    return path.suffix.lower() == ".zarr" or any((path / marker).is_file() for marker in _MARKERS)


def open_zarr(path: Path, series: int | None = None) -> NamedStack:
    """Open a zarr folder without reading its values.

    Parameters
    ----------
    path : Path
        A folder with an array, a group with one array, an OME-Zarr image, or a collection of such images.
    series : int or None
        Which image of a collection.

    Raises
    ------
    MissingExtraError
        The package zarr is not installed.
    MovieError
        There is no array, several to choose from, or the metadata makes no sense.
    """
    try:
        import zarr
    except ImportError as error:
        raise MissingExtraError("zarr", "zarr", f"reading '{path}'") from error
    try:
        node = _open_zip(path) if path.is_file() else zarr.open(store=str(path), mode="r")
        if isinstance(node, zarr.Group):
            return _from_group(node, path, series)
        if series is not None:
            raise MovieError(f"series {series} does not exist in '{path}': it is one array (leave out --series)")
    except MovieError:
        raise
    except Exception as error:  # damaged metadata fails in many ways
        raise MovieError(f"'{path}' cannot be opened as zarr ({error!r}): it may be incomplete") from error
    return _named(node, _dimension_letters(node), path)


def _named(array: object, axes: str | None, path: Path) -> NamedStack:
    return NamedStack(StoredArray(_as_stack(array, path.name, path), path), axes, path.name)


def _open_zip(path: Path) -> object:
    """Open a zipped store, which may lie in a folder inside the file."""
    import zarr

    with zipfile.ZipFile(path) as file:
        inside = [name for name in file.namelist() if name.rpartition("/")[2] in _MARKERS]
    if not inside:
        raise MovieError(f"'{path}' is a zip file without zarr data in it: expected a zipped .zarr folder")
    top = min(inside, key=lambda name: name.count("/")).rpartition("/")[0]
    store = zarr.storage.ZipStore(path, mode="r")
    node = zarr.open(store=store, mode="r", path=top)
    weakref.finalize(node, store.close)
    return node


def _from_group(group: zarr.Group, path: Path, series: int | None) -> NamedStack:
    metadata = dict(group.attrs.asdict())
    ome = metadata.get("ome", metadata)
    if not isinstance(ome, Mapping):
        raise MovieError(f"the 'ome' metadata of '{path}' is {ome!r}: expected a mapping as in OME-Zarr 0.5")
    if "bioformats2raw.layout" in ome and "plate" not in ome:
        return _from_collection(group, path, series)
    if "multiscales" in ome:
        choose_series(1, series, [path.name], path)
        return _from_multiscales(group, ome["multiscales"], path)
    if "plate" in ome or "well" in ome:
        raise _several_fields(group, ome, path)
    return _from_arrays(group, path, series)


def _from_arrays(group: zarr.Group, path: Path, series: int | None) -> NamedStack:
    """Find the images among the arrays of a group, which xarray keeps beside the coordinates of their axes."""
    arrays = {key: _as_stack(group[key], key, path) for key in sorted(group.array_keys())}
    images = {key: array for key, array in arrays.items() if len(array.shape) >= 2}
    if not images:
        listed = ", ".join(list(arrays)[:5]) or "none"
        raise MovieError(
            f"'{path}' is a zarr group without an image: it has no OME-Zarr metadata, and its arrays ({listed}) are "
            "no images; give the path of an image inside"
        )
    described = [f"'{key}' {tuple(array.shape)} {array.dtype}" for key, array in images.items()]
    array = list(images.values())[choose_series(len(images), series, described, path, "arrays")]
    return _named(array, _dimension_letters(array), path)


def _several_fields(group: zarr.Group, ome: Mapping[str, object], path: Path) -> MovieError:
    """Name the movies in a plate or a well, one a field of view."""
    fields: list[str] = []
    wells = _paths(ome.get("plate"), "wells")
    for well in wells[:3]:
        node = _as_group(group[well], well, path)
        attributes = dict(node.attrs.asdict())
        inner = attributes.get("ome", attributes)
        described = inner.get("well") if isinstance(inner, Mapping) else None
        fields += [f"{well}/{field}" for field in _paths(described, "images")]
    fields += _paths(ome.get("well"), "images")
    kind = f"a plate with {len(wells)} well{'s' * (len(wells) != 1)}" if "plate" in ome else "a well"
    listed = ", ".join(fields[:8]) + (", ..." if len(fields) > 8 or len(wells) > 3 else "")
    example = f"such as '{path}/{fields[0]}'" if fields else "of which it names none"
    return MovieError(f"'{path}' is {kind}: give the path of one field of view, {example} (fields: {listed or 'none'})")


def _paths(holder: object, key: str) -> list[str]:
    entries = holder.get(key) if isinstance(holder, Mapping) else None
    found = [entry.get("path") for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []
    return [name for name in found if isinstance(name, str)]


def _from_collection(group: zarr.Group, path: Path, series: int | None) -> NamedStack:
    images = sorted((key for key in group.group_keys() if key.isdigit()), key=int)
    if not images:
        raise MovieError(f"'{path}' is a collection of images that is empty: it may be incomplete")
    opened = {key: _from_group(_as_group(group[key], key, path), path, None) for key in images[:SERIES_LISTED]}
    described = [f"{item.axes} {tuple(item.stack.shape)} {item.stack.dtype}" for item in opened.values()]
    key = images[choose_series(len(images), series, described, path, "images")]
    return opened[key] if key in opened else _from_group(_as_group(group[key], key, path), path, None)


def _from_multiscales(group: zarr.Group, multiscales: object, path: Path) -> NamedStack:
    try:
        image = multiscales[0]  # type: ignore[index]
        levels = [str(dataset["path"]) for dataset in image["datasets"]]
        axes = image.get("axes") or _axes_of_systems(image)
    except (LookupError, TypeError, AttributeError) as error:
        raise MovieError(
            f"the OME-Zarr metadata of '{path}' is damaged ({error!r}): expected multiscales with datasets"
        ) from error
    if not levels:
        raise MovieError(f"the OME-Zarr image '{path}' is empty: its multiscales list no datasets")
    stacks = [_as_stack(group[level], level, path) for level in levels]
    finest = max(stacks, key=lambda stack: stack.shape[-1] * stack.shape[-2])
    return _named(finest, _ome_letters(axes, len(finest.shape), path), path)


def _axes_of_systems(image: Mapping[str, object]) -> object:
    """Find the axes where OME-Zarr 0.6 keeps them: in the coordinate system that the levels are transformed to."""
    systems = image.get("coordinateSystems")
    if not isinstance(systems, list) or not systems:
        return None
    transformations = image["datasets"][0].get("coordinateTransformations") or [{}]  # type: ignore[index]
    output = transformations[-1].get("output")
    wanted = output.get("name") if isinstance(output, Mapping) else output
    return next((system for system in systems if system.get("name") == wanted), systems[0])["axes"]


def _ome_letters(axes: object, ndim: int, path: Path) -> str | None:
    if axes is None:  # before OME-Zarr 0.3 all images were five-dimensional
        return "TCZYX" if ndim == 5 else None
    letters = []
    for axis in axes if isinstance(axes, Sequence) else []:
        name = axis.get("name") if isinstance(axis, Mapping) else axis
        if not isinstance(name, str) or not name:
            raise MovieError(f"the OME-Zarr metadata of '{path}' has the axis {axis!r}: expected a name such as 't'")
        kind = axis.get("type") if isinstance(axis, Mapping) else None
        letters.append(_LETTERS_OF_TYPES.get(str(kind), name[0].upper()))
    return "".join(letters)


def _dimension_letters(array: object) -> str | None:
    """Read the axes of an array from the names of its dimensions: those of format 3, or those that xarray writes."""
    names = getattr(getattr(array, "metadata", None), "dimension_names", None)
    attributes = getattr(array, "attrs", None)
    if not names and attributes is not None:
        names = dict(attributes).get("_ARRAY_DIMENSIONS")
    if not isinstance(names, Sequence) or not all(isinstance(name, str) and name for name in names):
        return None
    letters = "".join(_LETTERS_OF_NAMES.get(name.lower(), "Q") for name in names)
    if "Q" in letters and all(len(name) == 1 for name in names):
        letters = "".join(names).upper()
    return letters if {"Y", "X"} <= set(letters) and letters.count("Q") <= 1 else None


def _as_stack(node: object, key: str, path: Path) -> LazyStack:
    if not isinstance(node, LazyStack):
        raise MovieError(f"'{key}' in '{path}' is {type(node).__name__}: expected an array")
    return node


def _as_group(node: object, key: str, path: Path) -> zarr.Group:
    import zarr

    if not isinstance(node, zarr.Group):
        raise MovieError(f"'{key}' in '{path}' is {type(node).__name__}: expected a group with an image")
    return node
