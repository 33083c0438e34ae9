"""Files and folders that are there under their name only when they are complete."""

from __future__ import annotations

import os
import shutil
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def replacing(path: str | Path, *, durable: bool = True) -> Iterator[Path]:
    """Give a path to write to, which takes the place of ``path`` when the block ends without an error.

    After an error, or where the process is killed, what was at ``path`` is still there.

    Parameters
    ----------
    path
        The file or folder to write or to replace. Where it is a link, what the link leads to is replaced. A file keeps
        the permissions of the one it replaces.
    durable
        Wait until the file is on the disk itself, so that it outlasts a loss of power. False for what can be computed
        again. The files within a folder are not waited for.

    Yields
    ------
    Path
        A name in the same folder that does not exist yet; write a file or a folder there.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    target = Path(path).resolve()
    # In the same folder, so that the last step is a rename within one file system.
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        yield part
        if part.is_dir():
            _replace_folder(part, target)
        else:
            _replace_file(part, target, durable)
    finally:
        _remove(part)


def _replace_file(part: Path, target: Path, durable: bool) -> None:
    if durable:
        # Windows flushes only files that are open for writing, which is why this comes before the permissions.
        with part.open("rb+") as file:
            os.fsync(file.fileno())
    with suppress(OSError):  # there is no older file, or the drive knows no permissions
        shutil.copymode(target, part)
    os.replace(part, target)
    if durable:
        _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Bring a rename to the disk, where the system can: Windows opens no folders."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _replace_folder(part: Path, target: Path) -> None:
    """Put a new folder in the place of an old one: no system renames over a folder that holds something."""
    if not target.is_dir():
        os.replace(part, target)
        return
    old = part.with_suffix(".old")
    os.replace(target, old)
    try:
        os.replace(part, target)
    except BaseException:
        os.replace(old, target)
        raise
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
