"""Files that are there under their name only when they are complete."""

from __future__ import annotations

import os
import uuid
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def replacing_path(path: Path) -> Iterator[Path]:
    """Give a path to write a file to, which takes the place of ``path`` when the block ends without an error.

    The file has to be on the disk itself by then: see :func:`bring_to_disk`.

    Raises
    ------
    OSError
        If it cannot be written; what was at ``path`` is untouched then.
    """
    # In the same folder, so that the last step is a rename within one file system.
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        yield part
        os.replace(part, path)
        _sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Give an open file to write to, which takes the place of ``path``; as :func:`replacing_path`."""
    with replacing_path(path) as part:
        with part.open("wb") as file:
            yield file
        bring_to_disk(part)


def bring_to_disk(path: Path) -> None:
    """Wait until a file is on the disk itself, not only on its way there."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Bring the rename itself to disk, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
