"""A zip archive with a JSON head and NumPy arrays: how it is written, and read when its bytes are hostile.

Nothing is unpacked to disk, only members with known names are read, every size is checked before memory is taken, and
no pickled data is accepted.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Final

import numpy as np
from pydantic_core import from_json

from src_model import __version__
from src_model.annotation.codec import ARRAY_TYPES, Arrays
from src_model.annotation.schema import FORMAT, VERSION
from src_model.errors import AnnotationFileError, Sam2vError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

HEAD: Final = "manifest.json"
MAX_FILE_BYTES: Final = 2**31
MAX_HEAD_BYTES: Final = 2**27
MAX_HEAD_VALUES: Final = 2**24
"""As many numbers, texts and lists in the head at most: each takes far more memory than its text."""
MAX_ARRAY_BYTES: Final = 2**31
"""Of all arrays together, unpacked."""

_MAX_MEMBERS: Final = 64
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def write_container(file: IO[bytes], head: str, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Write head and arrays to an open file; equal contents make equal bytes."""
    with zipfile.ZipFile(file, "w") as archive:
        _write_member(archive, HEAD, head.encode())
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
            _write_member(archive, f"{name}.npy", buffer.getbuffer())


def read_container(file: IO[bytes], name: str) -> tuple[object, Arrays]:
    """Read a container; return the head, of a format and version known here but else unchecked, and the arrays.

    Parameters
    ----------
    file
        Open for reading, and seekable.
    name
        What to call it in errors.

    Raises
    ------
    AnnotationFileError
        If it is no container, too large, of a newer version, or damaged.
    OSError
        If it cannot be read.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = _members(archive, name)
            head = _read_head(archive, members, name)
            return head, _read_arrays(archive, members, name)
    except Sam2vError:
        raise
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError) as error:
        raise AnnotationFileError(f"'{name}' is damaged, or no annotation of sam2v: {error}") from error


def check_version(head: object, name: str) -> None:
    """Raise AnnotationFileError unless a head is that of an annotation that this version reads."""
    fields = head if isinstance(head, dict) else {}
    version = fields.get("version")
    if fields.get("format") != FORMAT or not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise AnnotationFileError(f"'{name}' is no annotation of sam2v; expected a head with format '{FORMAT}'")
    if version > VERSION:
        program = str(fields.get("program"))[:40]
        raise AnnotationFileError(
            f"'{name}' was made by a newer version of sam2v ({program}), format {version}; this is sam2v {__version__} "
            f"and reads up to {VERSION}. Update with: pip install --upgrade napari-sam2v"
        )


def _write_member(archive: zipfile.ZipFile, name: str, content: bytes | memoryview) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(info, "w", force_zip64=len(content) >= 2**31) as member:
        member.write(content)


def _members(archive: zipfile.ZipFile, name: str) -> dict[str, zipfile.ZipInfo]:
    found = archive.infolist()
    members = {info.filename: info for info in found}
    if len(found) > _MAX_MEMBERS or len(members) != len(found):
        raise AnnotationFileError(f"'{name}' is damaged: it has {len(found)} parts, or one twice")
    if HEAD not in members:
        raise AnnotationFileError(f"'{name}' is no annotation of sam2v: it has no '{HEAD}'")
    for info in found:
        if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise AnnotationFileError(
                f"'{name}' is damaged: its part '{info.filename:.100}' is encrypted or packed oddly"
            )
    return members


def _read_head(archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], name: str) -> object:
    size = members[HEAD].file_size
    if size > MAX_HEAD_BYTES:
        raise AnnotationFileError(f"'{name}' has a head of {size} bytes; annotations have {MAX_HEAD_BYTES} at most")
    content = archive.read(members[HEAD])
    # Bounds the number of values from above, without reading them.
    values = content.count(b",") + content.count(b"[") + content.count(b"{") + 1
    if values > MAX_HEAD_VALUES:
        raise AnnotationFileError(f"'{name}' has up to {values} values; annotations have {MAX_HEAD_VALUES} at most")
    try:
        head = from_json(content)
    except ValueError as error:
        raise AnnotationFileError(f"'{name}' is damaged: its head is no JSON: {error}") from error
    check_version(head, name)
    return head


def _read_arrays(archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], name: str) -> Arrays:
    unknown = [member for member in members if member != HEAD and member.removesuffix(".npy") not in ARRAY_TYPES]
    if unknown:
        raise AnnotationFileError(f"'{name}' is damaged: it has a part '{unknown[0]:.100}', which no annotation has")
    total = sum(info.file_size for member, info in members.items() if member != HEAD)
    if total > MAX_ARRAY_BYTES:
        raise AnnotationFileError(f"'{name}' unpacks to {total} bytes; annotations have {MAX_ARRAY_BYTES} at most")
    return {
        member.removesuffix(".npy"): _array(archive.read(info), member, name)
        for member, info in members.items()
        if member != HEAD
    }


def _array(content: bytes, member: str, name: str) -> NDArray[np.generic]:
    """Read a one-dimensional array whose type and size are what they have to be."""
    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueError(f"it has version {version}")
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    except ValueError as error:
        raise AnnotationFileError(f"'{name}' is damaged: its part '{member}' is no array: {error}") from error
    expected = ARRAY_TYPES[member.removesuffix(".npy")]
    if dtype.str not in expected or len(shape) != 1 or shape[0] * dtype.itemsize != len(content) - file.tell():
        raise AnnotationFileError(
            f"'{name}' is damaged: '{member}' is {dtype} of shape {shape} in {len(content)} bytes, "
            f"expected one row of {' or '.join(expected)}"
        )
    return np.frombuffer(content, dtype, offset=file.tell())
