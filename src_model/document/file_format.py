"""Annotations on disk: ``.sam2v`` files, which are databases. What they hold is described in docs/document.md."""

from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from src_model import __version__
from src_model.document.annotation import Annotation
from src_model.document.database import CELLS, check_header, check_tables, connect, damaged
from src_model.document.history import ROOT
from src_model.document.working_copy import SavedFile, WorkingCopy
from src_model.errors import AnnotationFileError, Sam2vError
from src_model.files import replacing

if TYPE_CHECKING:
    from os import PathLike

    from src_model.document.view import DocumentView

SUFFIX: Final = ".sam2v"


def save(annotation: Annotation, path: str | PathLike[str] | None = None, *, force: bool = False) -> Path:
    """Save an annotation and note in it that it was.

    Parameters
    ----------
    annotation
        The document to save; its history is saved with it.
    path
        Where, with the suffix ``.sam2v``; left out, the file it was loaded from or saved to last. A file that is there
        is replaced.
    force
        Replace the annotation's own file even if another program changed it since.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    AnnotationFileError
        If there is no path, the suffix is another, the file cannot be written, or it was changed by another program.
    """
    if path is None and annotation.path is None:
        raise AnnotationFileError("the annotation was never saved, so it needs a path to be saved to")
    target = Path(path) if path is not None else annotation.path
    assert target is not None, "checked above"
    annotation.mark_saved(write(annotation, target, known=None if force else annotation.file))
    return target


def write(view: DocumentView, path: str | PathLike[str], *, known: SavedFile | None = None) -> SavedFile:
    """Write a document to a file, as it is now.

    Parameters
    ----------
    view
        The document; on another thread than its own a snapshot of it, which is written as it was when it was taken.
    path
        With the suffix ``.sam2v``; an existing file is replaced.
    known
        The document's own file, which is not replaced if another program changed it since.

    Returns
    -------
    SavedFile
        For :meth:`Annotation.mark_saved`, on the document's own thread.

    Raises
    ------
    AnnotationFileError
        If the suffix is not ``.sam2v``, the file cannot be written, or another program changed it; what was there is
        untouched then.
    """
    target, frozen = Path(path).absolute(), view.snapshot()
    _check_unchanged(target, known)
    if target.suffix.lower() != SUFFIX:
        raise AnnotationFileError(f"an annotation is saved as a {SUFFIX} file, not as '{target.name}'")
    try:
        with replacing(target) as part:
            _copy(frozen, part)
        stamp = _stamp(target)
    except (OSError, sqlite3.Error) as error:
        raise AnnotationFileError(f"the annotation cannot be saved as '{target}': {error}") from error
    return SavedFile(target, stamp or (0, 0), frozen.position.revision)


def load(path: str | PathLike[str], *, copy: WorkingCopy | None = None) -> Annotation:
    """Load an annotation, with its history.

    Parameters
    ----------
    path
        A ``.sam2v`` file. It is copied, and never written to but by :func:`save`.
    copy
        Where the document lies while it is open; a folder that goes with the process if left out.

    Raises
    ------
    AnnotationFileError
        If there is no such file, or it is too large, damaged, foreign, or of another version.
    """
    source = Path(path).absolute()
    check_header(source)
    working = copy or WorkingCopy()
    stamp = _stamp(source)
    try:
        shutil.copyfile(source, working.path)
        with closing(connect(working.path)) as connection:
            check_tables(connection, source.name)
        annotation = Annotation.opened(working, source.name)
    except OSError as error:
        raise AnnotationFileError(f"the annotation '{source}' cannot be read: {error}") from error
    except sqlite3.Error as error:
        raise damaged(source.name, error) from error
    except AnnotationFileError:
        raise
    except Sam2vError as error:
        raise damaged(source.name, error) from error
    annotation.mark_saved(SavedFile(source, stamp or (0, 0), annotation.revision))
    return annotation


def _copy(view: DocumentView, part: Path) -> None:
    """Copy what a view shows, with its history, into a file that needs no write-ahead log."""
    with closing(view.copy.reader()) as source, closing(sqlite3.connect(part, isolation_level=None)) as target:
        source.backup(target)
        # Network drives bear no write-ahead log, and while it is there no memory that processes share.
        target.execute("PRAGMA locking_mode = EXCLUSIVE")
        target.execute("PRAGMA journal_mode = DELETE")
        target.execute("BEGIN")
        _take_back(target, view)
        target.execute("DELETE FROM facts WHERE name = 'saved'")
        target.executemany(
            "INSERT OR REPLACE INTO facts VALUES (?, ?)",
            [("program", f"sam2v {__version__}"), ("saved_at", time.time())],
        )
        target.execute("COMMIT")


def _take_back(target: sqlite3.Connection, view: DocumentView) -> None:
    """Take out of a copy what was done after the view was taken."""
    position, version = view.position, view.version
    facts = dict(target.execute("SELECT name, value FROM facts WHERE name IN ('version', 'current')").fetchall())
    if facts.get("version") == version and facts.get("current", ROOT) == position.current:
        return
    for table in CELLS:
        target.execute(f"DELETE FROM {table} WHERE version > ?", (version,))
    target.execute("DELETE FROM steps WHERE number > ?", (position.newest,))
    target.execute(
        "UPDATE steps SET latest_child = (SELECT max(child.number) FROM steps AS child "
        "WHERE child.parent = steps.number AND child.number <> steps.number) WHERE latest_child > ?",
        (position.newest,),
    )
    target.execute("UPDATE steps SET revision = ? WHERE number = ?", (position.revision, position.current))
    target.executemany(
        "INSERT OR REPLACE INTO facts VALUES (?, ?)", [("version", version), ("current", position.current)]
    )


def _check_unchanged(target: Path, known: SavedFile | None) -> None:
    if known is not None and target.absolute() == known.path and _stamp(target) not in (None, known.stamp):
        raise AnnotationFileError(
            f"'{target}' was changed by another program since it was opened; save under another name, or replace it "
            "with force=True"
        )


def _stamp(path: Path) -> tuple[int, int] | None:
    """Return what tells whether a file was changed; None if it is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
