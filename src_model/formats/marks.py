"""Marks by which sam2v knows what it wrote itself: only that is replaced without being asked.

Names do not tell: raw movies are folders of numbered PNG images, TIFF files and zarr stores as well. So every file
says inside which program wrote it, where its format has a place for that.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import tifffile

from src_model import __version__

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SOFTWARE: Final = f"sam2v {__version__}"
"""What files say of the program that wrote them."""

TRACKED: Final = ", as tracked"
"""What label movies say behind that which the tracker wrote: nobody corrected them, so it may write them again."""

ZARR_ATTRIBUTE: Final = "sam2v"
"""The attribute of a store's root that says so."""

_BEGINNING: Final = "sam2v "
_ZARR_ENTRIES: Final = r"zarr\.json|\.zgroup|\.zattrs|\.zmetadata"
_LITTER: Final = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""What file managers leave in folders."""
_HEAD: Final = 4096
"""Bytes at the beginning of a file in which a mark is looked for."""
_MOST_ATTRIBUTES: Final = 2**26
"""Bytes of a store's attributes; larger ones are not read into memory to find a mark."""


def is_our_tiff(path: Path, ending: str = "") -> bool:
    """Tell whether a TIFF file names sam2v as its software, in a mark that ends so."""
    try:
        with tifffile.TiffFile(path) as tiff:
            tag = tiff.pages.first.tags.get("Software")
    except (tifffile.TiffFileError, OSError, ValueError, IndexError):
        return False
    return tag is not None and _is_mark(tag.value, ending)


def is_our_picture(path: Path) -> bool:
    """Tell whether a PNG or JPEG file names sam2v as its software."""
    head = head_of(path)
    if head.startswith(b"\x89PNG"):
        return b"tEXtSoftware\0" + _BEGINNING.encode() in head
    return head.startswith(b"\xff\xd8") and re.search(rb"\xff\xfe..sam2v ", head, re.DOTALL) is not None


def picture_mark(kind: str) -> dict[str, Any]:
    """Return the options by which Pillow saves a picture that names sam2v as its software.

    Parameters
    ----------
    kind
        The format as Pillow calls it: ``"PNG"`` or ``"JPEG"``.
    """
    if kind == "JPEG":
        return {"comment": SOFTWARE.encode()}
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Software", SOFTWARE)
    return {"pnginfo": info}


def is_our_zarr(path: Path, members: str, ending: str = "") -> bool:
    """Tell whether a zarr store says that sam2v wrote it, and has nothing in it that does not belong there.

    Parameters
    ----------
    path
        The folder to look into.
    members
        A pattern of what is in the store besides its metadata.
    ending
        How the mark has to end, as :data:`TRACKED`; any mark will do if left out.
    """
    known = re.compile(f"{_ZARR_ENTRIES}|{members}")
    if not all(known.fullmatch(entry.name) for entry in entries_of(path)):
        return False
    return any(_says_so(path / name, ending, *keys) for name, *keys in (("zarr.json", "attributes"), (".zattrs",)))


def is_our_folder(path: Path, members: str, is_ours: Callable[[Path], bool], unmarked: str = "") -> bool:
    """Tell whether a folder holds nothing but files that sam2v wrote.

    Parameters
    ----------
    path
        The folder to look into.
    members
        A pattern of the names of its files.
    is_ours
        Tells whether one of them carries the mark.
    unmarked
        The name of a file that has no place for a mark; it is ours where all others are.
    """
    entries = [entry for entry in entries_of(path) if entry.name != unmarked]
    return bool(entries) and all(re.fullmatch(members, entry.name) and is_ours(entry) for entry in entries)


def entries_of(folder: Path) -> list[Path]:
    """List a folder without what file managers leave in it."""
    return sorted(entry for entry in folder.iterdir() if entry.name not in _LITTER)


def head_of(path: Path) -> bytes:
    """Read the first bytes of a file; none if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError:
        return b""


def _is_mark(found: object, ending: str) -> bool:
    return str(found).startswith(_BEGINNING) and str(found).endswith(ending)


def _says_so(path: Path, ending: str, *keys: str) -> bool:
    """Tell whether a file of JSON has a mark that ends so under some keys."""
    try:
        if path.stat().st_size > _MOST_ATTRIBUTES:
            return False
        found = json.loads(path.read_bytes())
        for key in keys:
            found = found[key]
        return _is_mark(found[ZARR_ATTRIBUTE], ending)
    except (OSError, ValueError, LookupError, TypeError):
        return False
