"""The file of a document, as it was last read or written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SavedFile:
    """The file of a document as it was last read or written.

    Attributes
    ----------
    path
        Where it lies.
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
