"""The two files of a document: the database on the local disk that it works on, and the file that it is saved to."""

from __future__ import annotations

import json
import shutil
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from src_model.document.database import connect, create

if TYPE_CHECKING:
    import sqlite3

    from src_model.document.recovery_folder import RecoveryFolder

_NAME: Final = "document.sam2v"


class WorkingCopy:
    """Where a document's database lies while it is open; whoever reads it holds on to this.

    Parameters
    ----------
    recovery
        A folder in which it outlives a process that is killed; in one that goes with the process if left out.
    """

    def __init__(self, recovery: RecoveryFolder | None = None) -> None:
        self.recovery = recovery
        self.folder = recovery.path if recovery is not None else Path(tempfile.mkdtemp(prefix="sam2v-"))
        if recovery is None:
            weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    @property
    def path(self) -> Path:
        """The database file."""
        return self.folder / _NAME

    def create(self) -> sqlite3.Connection:
        """Make an empty database and open it for writing."""
        return create(self.path, durable=self.recovery is not None)

    def writer(self) -> sqlite3.Connection:
        """Open it for the thread that edits."""
        return connect(self.path, durable=self.recovery is not None)

    def reader(self) -> sqlite3.Connection:
        """Open it for a thread that only reads."""
        return connect(self.path, write=False)


@dataclass(frozen=True, slots=True)
class SavedFile:
    """The file of a document as it was last read or written.

    Attributes
    ----------
    path
        Path of the ``.sam2v`` file.
    stamp
        Time of its last change in nanoseconds, and its size: they tell whether another program changed it since.
    revision
        Of the document that it holds.
    """

    path: Path
    stamp: tuple[int, int]
    revision: int = 0

    def to_json(self) -> str:
        """Return it as JSON."""
        return json.dumps([str(self.path), *self.stamp, self.revision])

    @classmethod
    def from_json(cls, text: str) -> SavedFile:
        """Return it from JSON of a working copy of our own."""
        path, changed, size, revision = json.loads(text)
        return cls(Path(path), (int(changed), int(size)), int(revision))
