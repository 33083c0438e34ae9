"""Journals: files to which changes are only ever appended, so that one that breaks off is good up to there.

An entry is a mark, the length of what follows, its checksum, and a container as in annotation files.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import IO, TYPE_CHECKING, Final

from pydantic import ValidationError

from src_model.annotation.container import MAX_FILE_BYTES, read_container, write_container
from src_model.annotation.schema import JournalEntry
from src_model.errors import AnnotationFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from src_model.annotation.codec import Arrays

_HEADER: Final = struct.Struct("<4sQI")
_MARK: Final = b"S2VJ"


def packed_entry(entry: JournalEntry, arrays: Arrays) -> bytes:
    """Return an entry as the bytes to be appended."""
    buffer = io.BytesIO()
    write_container(buffer, entry.model_dump_json(), arrays)
    content = buffer.getvalue()
    return _HEADER.pack(_MARK, len(content), zlib.crc32(content)) + content


def read_entries(path: Path) -> Iterator[tuple[JournalEntry, Arrays]]:
    """Read the entries of a journal in order, up to the first that is not whole.

    Raises
    ------
    AnnotationFileError
        If an entry is whole but of a newer version, or holds what no entry can.
    OSError
        If the file cannot be read.
    """
    with path.open("rb") as file:
        for offset, length, checksum in _extents(file):
            file.seek(offset)
            content = file.read(length)
            if zlib.crc32(content) != checksum:
                return
            yield _read_entry(content, path.name)


def last_entry(path: Path) -> JournalEntry | None:
    """Return the head of the last whole entry, or None if there is none; errors as :func:`read_entries`."""
    with path.open("rb") as file:
        for offset, length, checksum in reversed(list(_extents(file))):
            file.seek(offset)
            content = file.read(length)
            if zlib.crc32(content) == checksum:
                return _read_entry(content, path.name)[0]
    return None


def _extents(file: IO[bytes]) -> Iterator[tuple[int, int, int]]:
    """Find the entries that are there in full length: where each begins, how long it is, its checksum."""
    size = file.seek(0, io.SEEK_END)
    offset = 0
    while offset + _HEADER.size <= size:
        file.seek(offset)
        mark, length, checksum = _HEADER.unpack(file.read(_HEADER.size))
        offset += _HEADER.size
        if mark != _MARK or length > min(size - offset, MAX_FILE_BYTES):
            return
        yield offset, length, checksum
        offset += length


def _read_entry(content: bytes, name: str) -> tuple[JournalEntry, Arrays]:
    head, arrays = read_container(io.BytesIO(content), name)
    try:
        return JournalEntry.model_validate(head), arrays
    except ValidationError as error:
        raise AnnotationFileError(f"the journal '{name}' is damaged: {error.errors()[0]['msg']}") from error
