"""Autosave: every change is on disk within a second, written by a thread of its own.

The thread that edits hands over patches, which are immutable, and never waits. Autosave's own thread collects them for
a moment and appends them to a journal as one entry. When the journal has become large, a new one begins with a snapshot
of the document; see :mod:`src_model.annotation.recovery_folder`.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from src_model.annotation.journal_writer import JournalWriter, Status
from src_model.annotation.patch import Patch, in_order
from src_model.annotation.recovery_folder import RecoveryFolder, default_folder
from src_model.errors import AnnotationFileError, Sam2vError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from src_model.annotation.document import Annotation, Snapshot

DELAY: Final = 0.25
"""Seconds for which changes are collected before they are written."""

COMPACT_AFTER: Final = 2**25
"""Bytes of a journal after which a new one begins, unless the document itself is larger."""

_RETRY_AFTER: Final = 1.0


class Autosave:
    """Keeps what is not saved of one document recoverable, from now until it is closed.

    As a context it closes itself; if an error ends the block, the work stays recoverable.

    Parameters
    ----------
    annotation
        The document.
    folder
        Where to keep it; left out, a folder of the user, where :func:`~src_model.annotation.recovery.find_recoverable`
        looks.
    delay
        Seconds for which changes are collected.
    compact_after
        Bytes of a journal after which a new one begins, unless the document itself is larger.

    Raises
    ------
    AnnotationFileError
        If the folder cannot be made.
    """

    def __init__(
        self,
        annotation: Annotation,
        *,
        folder: Path | None = None,
        delay: float = DELAY,
        compact_after: int = COMPACT_AFTER,
    ) -> None:
        self._annotation = annotation
        self._delay = delay
        self._compact_after = compact_after
        parent = folder or default_folder()
        try:
            self._folder = RecoveryFolder.create(parent)
        except OSError as error:
            raise AnnotationFileError(f"unsaved work cannot be kept in '{parent}': {error}") from error
        self._writer = JournalWriter(self._folder)
        self._wake = threading.Condition()
        # What the editing thread hands over:
        self._snapshot: Snapshot | None = annotation.snapshot()
        self._patches: list[Patch] = []
        self._status = Status.of(annotation)
        # What was made of it:
        self._written_status: Status | None = None
        self._wants_snapshot = False
        self._closing = False
        self._error: Exception | None = None
        annotation.events.patched.connect(self._take_patch)
        annotation.events.saved.connect(self._take_status)
        self._thread = threading.Thread(target=self._run, name="sam2v autosave", daemon=True)
        self._thread.start()

    @property
    def folder(self) -> Path:
        """Where the unsaved work of this document lies."""
        return self._folder.path

    @property
    def error(self) -> Exception | None:
        """Why the last attempt to write failed, for the user to hear of; None if it did not. It is tried again."""
        return self._error or self._writer.base_error

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until all changes so far are on disk; return whether they are, after ``timeout`` seconds at most."""
        with self._wake:
            return self._wake.wait_for(self._is_settled, timeout)

    def close(self, *, keep: bool = False) -> None:
        """Stop, and remove what was kept: the work is saved, or given up. With ``keep`` it stays recoverable."""
        self._annotation.events.patched.disconnect(self._take_patch, missing_ok=True)
        self._annotation.events.saved.disconnect(self._take_status, missing_ok=True)
        with self._wake:
            if self._closing:
                return
            self._closing = True
            self._wake.notify_all()
        self._thread.join()
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

    # On the thread that edits ----------------------------------------------------------------------------------------

    def _take_patch(self, patch: Patch) -> None:
        with self._wake:
            if self._wants_snapshot:
                self._wants_snapshot = False
                self._snapshot = self._annotation.snapshot()
            # What a snapshot holds already may be in the journal that follows it: it gives cells the values they have.
            self._patches.append(patch)
            self._status = Status.of(self._annotation)
            self._wake.notify_all()

    def _take_status(self, _: object) -> None:
        with self._wake:
            self._status = Status.of(self._annotation)
            self._wake.notify_all()

    # On the thread that writes ---------------------------------------------------------------------------------------

    def _is_settled(self) -> bool:
        return not self._patches and self._snapshot is None and self._status == self._written_status

    def _run(self) -> None:
        while self._wait_for_changes():
            try:
                self._write()
                self._error = None
            except (OSError, Sam2vError) as error:
                self._error = error
                if self._closing:
                    break
                time.sleep(_RETRY_AFTER)
        self._writer.close()

    def _wait_for_changes(self) -> bool:
        """Return when there is something to write, a moment after it came; False if there will be nothing more."""
        with self._wake:
            self._wake.wait_for(lambda: self._closing or not self._is_settled())
            if not self._closing:
                self._wake.wait_for(lambda: self._closing, self._delay)
            return not self._is_settled()

    def _write(self) -> None:
        with self._wake:
            snapshot = self._snapshot
            count = len(self._patches)
            patches, status = self._patches[:count], self._status
        if snapshot is not None:
            self._writer.begin(snapshot)
            with self._wake:
                self._snapshot = None if self._snapshot is snapshot else self._snapshot
        self._writer.append(in_order(patches) if patches else Patch(), status)
        with self._wake:
            # Only now, so that what cannot be written is tried again.
            del self._patches[:count]
            self._written_status = status
            self._wants_snapshot = self._snapshot is None and self._writer.is_larger_than(self._compact_after)
            self._wake.notify_all()
