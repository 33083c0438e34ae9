"""Files and folders that appear under their names only when they are complete."""

from __future__ import annotations

import os
import shutil
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def complete_file(path: Path) -> Iterator[Path]:
    """Give a name to write to, and rename it to ``path`` afterwards; after an error nothing is left.

    What is there is replaced: ask :func:`~src_model.formats.target.check_target` first. What is written may be a file
    or a folder. Where ``path`` is a link, it goes where that leads.
    """
    target = path.resolve()
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        yield part
        if target.is_dir():
            _replace_folder(part, target)
        else:
            os.replace(part, target)
    finally:
        _remove(part)


def _replace_folder(part: Path, path: Path) -> None:
    """Put a new folder in the place of an old one, which is deleted last."""
    old = part.with_suffix(".old")
    os.replace(path, old)
    try:
        os.replace(part, path)
    except BaseException:
        os.replace(old, path)
        raise
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
