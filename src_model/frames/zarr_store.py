"""Zarr folders: plain arrays (format 2 and 3) and OME-Zarr images, of which the finest level is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from src_model.errors import MissingExtraError, MovieError
from src_model.frames.source import LazyStack, NamedStack

if TYPE_CHECKING:
    from pathlib import Path

    import zarr

_MARKERS = ("zarr.json", ".zarray", ".zgroup", ".zattrs")
_LETTERS_OF_TYPES = {"time": "T", "channel": "C"}


def is_zarr(path: Path) -> bool:
    """Tell whether a folder is a zarr array or group."""
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
        node = zarr.open(store=str(path), mode="r")
        if isinstance(node, zarr.Group):
            return _from_group(node, path, series)
    except MovieError:
        raise
    except Exception as error:  # damaged metadata fails in many ways
        raise MovieError(f"'{path}' cannot be opened as zarr ({error!r}): it may be incomplete") from error
    return NamedStack(node, _dimension_letters(node), path.name)


def _from_group(group: zarr.Group, path: Path, series: int | None) -> NamedStack:
    metadata = dict(group.attrs.asdict())
    ome = metadata.get("ome", metadata)
    if not isinstance(ome, Mapping):
        raise MovieError(f"the 'ome' metadata of '{path}' is {ome!r}: expected a mapping as in OME-Zarr 0.5")
    if "bioformats2raw.layout" in ome:
        return _from_collection(group, path, series)
    if "multiscales" in ome:
        return _from_multiscales(group, ome["multiscales"], path)
    arrays = sorted(group.array_keys())
    if len(arrays) == 1:
        array = group[arrays[0]]
        return NamedStack(_as_stack(array, arrays[0], path), _dimension_letters(array), path.name)
    listed = ", ".join(arrays[:5]) + (f" and {len(arrays) - 5} more" if len(arrays) > 5 else "")
    raise MovieError(
        f"'{path}' is a zarr group with {len(arrays)} arrays ({listed or 'none'}) and no OME-Zarr metadata: "
        "expected one; give the path of an array inside"
    )


def _from_collection(group: zarr.Group, path: Path, series: int | None) -> NamedStack:
    images = sorted((key for key in group.group_keys() if key.isdigit()), key=int)
    if series is None and len(images) == 1:
        return _from_group(_as_group(group[images[0]], images[0], path), path, None)
    if series is None or str(series) not in images:
        listed = ", ".join(images[:5])
        raise MovieError(f"'{path}' holds {len(images)} images ({listed}): pass series=... to choose one")
    return _from_group(_as_group(group[str(series)], str(series), path), path, None)


def _from_multiscales(group: zarr.Group, multiscales: object, path: Path) -> NamedStack:
    try:
        image = multiscales[0]  # type: ignore[index]
        levels = [str(dataset["path"]) for dataset in image["datasets"]]
        axes = image.get("axes")
    except (LookupError, TypeError, AttributeError) as error:
        raise MovieError(
            f"the OME-Zarr metadata of '{path}' is damaged ({error!r}): expected multiscales with datasets"
        ) from error
    if not levels:
        raise MovieError(f"the OME-Zarr image '{path}' is empty: its multiscales list no datasets")
    stacks = [_as_stack(group[level], level, path) for level in levels]
    finest = max(stacks, key=lambda stack: stack.shape[-1] * stack.shape[-2])
    return NamedStack(finest, _ome_letters(axes, len(finest.shape), path), path.name)


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
    """Read the axes of a format 3 array from its dimension names, where these are single letters."""
    names = getattr(getattr(array, "metadata", None), "dimension_names", None)
    if not names or not all(isinstance(name, str) and len(name) == 1 for name in names):
        return None
    letters = "".join(names).upper()
    return letters if {"Y", "X"} <= set(letters) else None


def _as_stack(node: object, key: str, path: Path) -> LazyStack:
    if not isinstance(node, LazyStack):
        raise MovieError(f"'{key}' in '{path}' is {type(node).__name__}: expected an array")
    return node


def _as_group(node: object, key: str, path: Path) -> zarr.Group:
    import zarr

    if not isinstance(node, zarr.Group):
        raise MovieError(f"'{key}' in '{path}' is {type(node).__name__}: expected a group with an image")
    return node
