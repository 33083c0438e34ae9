"""Where unsaved work is kept: one folder for each open document, held by a lock while its process lives.

A folder ``<id>`` holds the working copy of a document. The lock is a file ``<id>.lock`` beside the folder. It is the
system that holds it, so that a killed process lets go of it too.
"""

from __future__ import annotations

import re
import shutil
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_state_path

_NAME = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")


def default_folder() -> Path:
    """Return the folder of the user in which unsaved work is kept."""
    return user_state_path("sam2v", appauthor=False) / "recovery"


@dataclass(slots=True)
class RecoveryFolder:
    """The folder of one document.

    Attributes
    ----------
    path
        The folder, named after the time it was made, such as ``20261130-180641-0123abcd``.
    """

    path: Path
    _lock: FileLock = field(init=False)

    def __post_init__(self) -> None:
        self._lock = FileLock(self.path.with_name(f"{self.path.name}.lock"), thread_local=False)

    @classmethod
    def create(cls, parent: Path) -> RecoveryFolder:
        """Make a new folder that is ours.

        Raises
        ------
        OSError
            If it cannot be made.
        """
        parent.mkdir(parents=True, exist_ok=True)
        folder = cls(parent / f"{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:8]}")
        folder._lock.acquire(timeout=0)  # before the folder is there, so that nobody takes it for abandoned
        folder.path.mkdir()
        return folder

    @classmethod
    def all_in(cls, parent: Path) -> list[RecoveryFolder]:
        """Return the folders in ``parent``, the oldest first; whatever else lies there does not count."""
        paths = sorted(parent.iterdir()) if parent.is_dir() else []
        return [cls(path) for path in paths if _NAME.fullmatch(path.name) and path.is_dir()]

    def claim(self) -> bool:
        """Take the lock; return whether it was free, which means that the process that held it is gone."""
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            return False
        return True

    def release(self) -> None:
        """Give the lock back."""
        self._lock.release()

    def remove(self) -> None:
        """Remove the folder, which must be ours, and its lock."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.release()
        with suppress(OSError):
            Path(self._lock.lock_file).unlink(missing_ok=True)
