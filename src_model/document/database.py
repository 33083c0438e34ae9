"""The SQLite database in which a document lives: its tables, and how one is made, opened and checked.

Cells are never changed in place. Every change adds rows with a new ``version``, marked with the ``step`` of the history
that made it, so that undo, branches and snapshots only choose which rows count: see :mod:`src_model.document.store`.
Bytes from outside are hostile: a file is looked at before SQLite opens it, its tables have to be ours to the letter,
and everything read from a row is checked where it is read.
"""

from __future__ import annotations

import os
import sqlite3
import struct
from typing import TYPE_CHECKING, Final

from src_model import __version__
from src_model.errors import AnnotationFileError

if TYPE_CHECKING:
    from pathlib import Path

APPLICATION_ID: Final = 0x53324131
"""``S2A1`` in the header of every document, by which it is told from other databases."""

VERSION: Final = 1
MAX_FILE_BYTES: Final = 2**36

SCHEMA: Final = (
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    (
        "CREATE TABLE steps (number INTEGER PRIMARY KEY, parent INTEGER NOT NULL, label TEXT NOT NULL, "
        "time REAL NOT NULL, revision INTEGER NOT NULL, latest_child INTEGER, touched TEXT NOT NULL, "
        "written INTEGER NOT NULL, replaced INTEGER NOT NULL) STRICT"
    ),
    "CREATE TABLE project (version INTEGER PRIMARY KEY, step INTEGER NOT NULL, value TEXT NOT NULL) STRICT",
    (
        "CREATE TABLE objects (object INTEGER NOT NULL, version INTEGER NOT NULL, step INTEGER NOT NULL, value TEXT, "
        "PRIMARY KEY (object, version)) STRICT, WITHOUT ROWID"
    ),
    (
        "CREATE TABLE masks (object INTEGER NOT NULL, t INTEGER NOT NULL, z INTEGER NOT NULL, "
        "version INTEGER NOT NULL, step INTEGER NOT NULL, origin INTEGER, score REAL, object_score REAL, runs BLOB, "
        "PRIMARY KEY (object, t, z, version)) STRICT, WITHOUT ROWID"
    ),
    "CREATE INDEX masks_by_frame ON masks (t, z, object)",
    (
        "CREATE TABLE prompts (object INTEGER NOT NULL, t INTEGER NOT NULL, z INTEGER NOT NULL, "
        "version INTEGER NOT NULL, step INTEGER NOT NULL, value TEXT, mask BLOB, "
        "PRIMARY KEY (object, t, z, version)) STRICT, WITHOUT ROWID"
    ),
    (
        "CREATE TABLE locks (object INTEGER NOT NULL, z INTEGER NOT NULL, version INTEGER NOT NULL, "
        "step INTEGER NOT NULL, spans TEXT NOT NULL, PRIMARY KEY (object, z, version)) STRICT, WITHOUT ROWID"
    ),
    (
        "CREATE TABLE edges (parent INTEGER NOT NULL, child INTEGER NOT NULL, version INTEGER NOT NULL, "
        "step INTEGER NOT NULL, t INTEGER, PRIMARY KEY (parent, child, version)) STRICT, WITHOUT ROWID"
    ),
    (
        "CREATE TABLE events (number INTEGER PRIMARY KEY, time REAL NOT NULL, worked REAL NOT NULL, "
        "kind TEXT NOT NULL, object INTEGER, t INTEGER, z INTEGER, detail TEXT NOT NULL) STRICT"
    ),
)
"""Every table and index, in the order in which they are made. A document has these and nothing else."""

CELLS: Final = ("project", "objects", "masks", "prompts", "locks", "edges")
"""The tables whose rows belong to steps."""

OLDEST_SQLITE: Final = (3, 38, 0)
"""Tables with strict types came with 3.37, functions for JSON with 3.38."""

_PAGES_OF_LOG: Final = 1000
_MAGIC: Final = b"SQLite format 3\x00"
_HEADER: Final = struct.Struct(">60xI4xI28x")
"""Of a database file, 100 bytes: the user version and the application id."""


def create(path: Path, *, durable: bool = True) -> sqlite3.Connection:
    """Make an empty document's database, which must not be there yet, and open it for writing.

    Parameters
    ----------
    path
        The database file, in a folder that exists.
    durable
        Whether it must outlast a killed process, as for :func:`connect`.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    connection = connect(path, durable=durable)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    with connection:
        connection.execute("BEGIN")
        for statement in SCHEMA:
            connection.execute(statement)
        connection.execute("INSERT INTO facts VALUES ('program', ?)", (f"sam2v {__version__}",))
    return connection


def connect(path: Path, *, write: bool = True, durable: bool = True) -> sqlite3.Connection:
    """Open a working copy, which was checked or made by this process.

    What is committed is in the write-ahead log at once, so that a killed process loses nothing; it is brought to the
    disk itself by :func:`checkpoint` only, so that no edit waits for the disk.

    Parameters
    ----------
    path
        The database file, in a folder that exists.
    write
        Whether it may be written to.
    durable
        Whether somebody calls :func:`checkpoint`. Else SQLite moves the log into the file by itself when it has grown,
        and nothing waits for the disk: for a file that goes with its process.

    Raises
    ------
    AnnotationFileError
        If this Python's SQLite is too old.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise AnnotationFileError(
            f"documents need SQLite {'.'.join(map(str, OLDEST_SQLITE))} or later, and this Python has "
            f"{sqlite3.sqlite_version}: use a Python from python.org or conda-forge, which bring their own"
        )
    mode = "rw" if write else "ro"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False, timeout=30.0
    )
    # Text that is none is found out where it is read, as other damage is.
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        if write:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {'NORMAL' if durable else 'OFF'}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {0 if durable else _PAGES_OF_LOG}")
    except UnicodeDecodeError as error:  # SQLite's message names a table whose name is no text
        connection.close()
        raise sqlite3.DatabaseError("the names of its tables are damaged") from error
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def check_header(path: Path) -> None:
    """Tell what a file is from its first bytes, before SQLite reads any of it.

    Raises
    ------
    AnnotationFileError
        If it is not there, no document, too large, or of another version.
    """
    name = path.name
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_HEADER.size)
    except FileNotFoundError:
        raise AnnotationFileError(f"there is no annotation file '{path}'") from None
    except OSError as error:
        raise AnnotationFileError(f"the annotation '{path}' cannot be read: {error}") from error
    if len(head) < _HEADER.size or not head.startswith(_MAGIC):
        raise AnnotationFileError(f"'{name}' is no annotation of sam2v, or damaged: it does not start as a database")
    version, application = _HEADER.unpack(head)
    if application != APPLICATION_ID:
        raise AnnotationFileError(f"'{name}' is a database of another program; expected an annotation of sam2v")
    if version != VERSION:
        newer = "newer " if version > VERSION else "other "
        raise AnnotationFileError(
            f"'{name}' was made by a {newer}version of sam2v, format {version}; this is sam2v {__version__} and reads "
            f"{VERSION}. Update with: pip install --upgrade napari-sam2v"
        )
    if size > MAX_FILE_BYTES:
        raise AnnotationFileError(f"'{name}' has {size} bytes; annotations have {MAX_FILE_BYTES} at most")


def check_tables(connection: sqlite3.Connection, name: str, *, pages: bool = True) -> None:
    """Compare what a database holds with what a document holds, before anything is read from it.

    Parameters
    ----------
    connection, name
        The database, and what to call it in errors.
    pages
        Look through its pages too, which takes a second for a file of 300 MB.

    Raises
    ------
    AnnotationFileError
        If a table, index, view or trigger is missing, foreign or different, or the pages are damaged.
    """
    try:
        found = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid").fetchall()
        if tuple(sql for (sql,) in found) != SCHEMA:
            raise AnnotationFileError(f"'{name}' is damaged, or no annotation of sam2v: its tables are others")
        faults = connection.execute("PRAGMA quick_check(1)").fetchone() if pages else ("ok",)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise damaged(name, error) from error
    if faults != ("ok",):
        raise AnnotationFileError(f"'{name}' is damaged: {faults[0]!s:.200}")


def checkpoint(connection: sqlite3.Connection) -> None:
    """Bring what is in the write-ahead log into the database file; it waits for the disk."""
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


def damaged(name: str, error: Exception) -> AnnotationFileError:
    """Return the error of a database that SQLite, or what is read from it, finds fault with."""
    return AnnotationFileError(f"'{name}' is damaged: {error}")
