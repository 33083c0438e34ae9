"""Autosave: a document lies where it is found again when its process is killed.

Every change is in the write-ahead log of the working copy when the call that made it returns, which no killed process
loses. A thread brings the log to the disk itself, so that little is lost when the power fails, and drops history that
takes too much room; the thread that edits never waits for the disk.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Final

from src_model.document.database import checkpoint, connect
from src_model.document.recovery_folder import RecoveryFolder, default_folder
from src_model.document.working_copy import WorkingCopy
from src_model.errors import AnnotationFileError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from src_model.document.annotation import Annotation

DELAY: Final = 0.5
"""Seconds for which changes are collected before they are brought to the disk."""


class Autosave:
    """Keeps what is not saved of one document recoverable, from now until it is closed.

    As a context it closes itself; if an error ends the block, the work stays recoverable.

    Parameters
    ----------
    annotation
        The document. If it does not lie in a recovery folder yet, it moves into one.
    folder
        Where to keep it; left out, a folder of the user, where :func:`~src_model.document.recovery.find_recoverable`
        looks.
    delay
        Seconds for which changes are collected before they are brought to the disk.

    Raises
    ------
    AnnotationFileError
        If the folder cannot be made.
    """

    def __init__(self, annotation: Annotation, folder: Path | None = None, *, delay: float = DELAY) -> None:
        self._annotation = annotation
        self._delay = delay
        self._folder = annotation.copy.recovery or _moved(annotation, folder or default_folder())
        self._wake = threading.Condition()
        self._changes, self._kept = 1, 0
        self._closing = False
        self._error: Exception | None = None
        annotation.events.saved.connect(self._note_change)
        annotation.events.frames.connect(self._note_change)
        self._thread = threading.Thread(target=self._run, name="sam2v autosave", daemon=True)
        self._thread.start()

    @property
    def folder(self) -> Path:
        """Where the unsaved work of this document lies."""
        return self._folder.path

    @property
    def error(self) -> Exception | None:
        """Why the last attempt to reach the disk failed, for the user to hear of; None if it did not."""
        return self._error

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until all changes so far are on disk; return whether they are, after ``timeout`` seconds at most."""
        with self._wake:
            wanted = self._changes
            return self._wake.wait_for(lambda: self._kept >= wanted, timeout)

    def close(self, *, keep: bool = False) -> None:
        """Stop; with ``keep`` the work stays recoverable, else it goes: it is saved, or given up.

        The document moves to a folder that goes with the process.
        """
        self._annotation.events.saved.disconnect(self._note_change, missing_ok=True)
        self._annotation.events.frames.disconnect(self._note_change, missing_ok=True)
        with self._wake:
            if self._closing:
                return
            self._closing = True
            self._wake.notify_all()
        self._thread.join()
        self._annotation.work_in(WorkingCopy())
        if keep:
            self._folder.release()
        else:
            self._folder.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close(keep=kind is not None)

    def _note_change(self, _: object) -> None:
        with self._wake:
            self._changes += 1
            self._wake.notify_all()

    def _run(self) -> None:
        with closing(connect(self._annotation.copy.path)) as connection:
            while self._wait_for_changes():
                with self._wake:
                    changes = self._changes
                try:
                    checkpoint(connection)
                    self._error = None
                except sqlite3.Error as error:
                    self._error = error
                with self._wake:
                    self._kept = changes
                    self._wake.notify_all()

    def _wait_for_changes(self) -> bool:
        """Return when there is something to be brought to the disk, a moment after it came; False at the end."""
        with self._wake:
            self._wake.wait_for(lambda: self._closing or self._changes != self._kept)
            if not self._closing:
                self._wake.wait_for(lambda: self._closing, self._delay)
            return self._changes != self._kept


def _moved(annotation: Annotation, parent: Path) -> RecoveryFolder:
    try:
        folder = RecoveryFolder.create(parent)
        annotation.work_in(WorkingCopy(folder))
    except (OSError, sqlite3.Error) as error:
        raise AnnotationFileError(f"unsaved work cannot be kept in '{parent}': {error}") from error
    return folder
