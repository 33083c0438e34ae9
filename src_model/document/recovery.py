"""Work that was not saved when its process ended: found, given back, or thrown away, as the user says."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.document.annotation import Annotation
from src_model.document.database import check_header, check_tables, connect
from src_model.document.recovery_folder import RecoveryFolder, default_folder
from src_model.document.working_copy import WorkingCopy
from src_model.errors import AnnotationFileError, Sam2vError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Recoverable:
    """Unsaved work of a process that is gone.

    Attributes
    ----------
    folder
        Folder of the working copy.
    movie
        Name of the movie.
    file
        The file of the document; None if it was never saved.
    time
        Of the last change that is kept, in seconds since 1970.
    objects, masks
        How many objects and masks it holds.
    """

    folder: Path
    movie: str
    file: Path | None
    time: float
    objects: int
    masks: int


def find_recoverable(folder: Path | None = None) -> tuple[Recoverable, ...]:
    """Find unsaved work of processes that are gone, the latest first.

    What belongs to a process that lives is left alone. What holds no unsaved work, because its process ended when
    everything was saved or before there was anything, is removed. What cannot be read is left where it is.

    Parameters
    ----------
    folder
        Where to look; left out, the folder of the user.
    """
    found = []
    for claimed in RecoveryFolder.all_in(folder or default_folder()):
        if not claimed.claim():
            continue
        try:
            document = _opened(claimed, thoroughly=False)
        except (OSError, sqlite3.Error, Sam2vError):
            document = None
            if not WorkingCopy(claimed).path.exists():
                claimed.remove()
        if document is not None and document.is_modified:
            found.append(_described(claimed.path, document))
            document.close()
        elif document is not None:
            document.close()
            claimed.remove()
        claimed.release()
    return tuple(sorted(found, key=lambda item: -item.time))


def recover(item: Recoverable) -> Annotation:
    """Give unsaved work back as a document, which goes on where it lies: see :class:`~src_model.document.Autosave`.

    Raises
    ------
    AnnotationFileError
        If it is damaged, of another version, gone, or in use by another process.
    """
    claimed = _claimed(item)
    try:
        return _opened(claimed)
    except (OSError, sqlite3.Error, Sam2vError) as error:
        claimed.release()
        raise AnnotationFileError(f"the unsaved work in '{item.folder}' cannot be recovered: {error}") from error


def discard(item: Recoverable) -> None:
    """Throw unsaved work away for good; AnnotationFileError if another process has it."""
    _claimed(item).remove()


def _opened(claimed: RecoveryFolder, *, thoroughly: bool = True) -> Annotation:
    copy = WorkingCopy(claimed)
    check_header(copy.path)
    with closing(connect(copy.path)) as connection:
        check_tables(connection, copy.path.name, pages=thoroughly)
    return Annotation.opened(copy, copy.path.name)


def _described(folder: Path, document: Annotation) -> Recoverable:
    last = max((step.time for step in document.steps()), default=folder.stat().st_mtime)
    file = document.file
    return Recoverable(
        folder,
        document.movie.name,
        None if file is None else file.path,
        last,
        len(document.objects),
        document.mask_count,
    )


def _claimed(item: Recoverable) -> RecoveryFolder:
    folder = RecoveryFolder(item.folder)
    if not item.folder.is_dir():
        raise AnnotationFileError(f"there is no unsaved work in '{item.folder}' any more")
    if not folder.claim():
        raise AnnotationFileError(f"the unsaved work in '{item.folder}' is in use by another process")
    return folder
