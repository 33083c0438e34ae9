"""Writes one document's changes to its recovery folder: journals, and the bases of new generations."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from src_model import __version__
from src_model.annotation.codec import encode
from src_model.annotation.file_format import write
from src_model.annotation.journal import packed_entry
from src_model.annotation.schema import JournalEntry
from src_model.errors import Sam2vError

if TYPE_CHECKING:
    from src_model.annotation.document import Annotation, SavedFile, Snapshot
    from src_model.annotation.patch import Patch
    from src_model.annotation.recovery_folder import RecoveryFolder


@dataclass(frozen=True, slots=True)
class Status:
    """What is noted of the document with every entry.

    Attributes
    ----------
    modified
        Whether it differs from its file.
    objects, masks
        How many it holds.
    movie
        Name of the movie.
    file
        Its file, if it has one.
    """

    modified: bool
    objects: int
    masks: int
    movie: str
    file: SavedFile | None

    @classmethod
    def of(cls, annotation: Annotation) -> Status:
        """Return the status of a document."""
        masks = annotation.mask_count
        return cls(annotation.is_modified, len(annotation.objects), masks, annotation.movie.name, annotation.file)


class JournalWriter:
    """Writes to a folder that is ours, on one thread; bases after the first on a thread of their own.

    Parameters
    ----------
    folder
        Where to write.
    """

    def __init__(self, folder: RecoveryFolder) -> None:
        self._folder = folder
        self._generation = -1
        self._journal: IO[bytes] | None = None
        self._good_length = 0
        self._base_size = 0
        self._base_writer: threading.Thread | None = None
        self._base_error: Exception | None = None

    @property
    def base_error(self) -> Exception | None:
        """Why the last base could not be written; the journals reach further back then."""
        return self._base_error

    def is_larger_than(self, size: int) -> bool:
        """Tell whether the journal has outgrown both ``size`` bytes and its base, and a new one can begin."""
        busy = self._base_writer is not None and self._base_writer.is_alive()
        return not busy and self._good_length > max(size, self._base_size)

    def begin(self, snapshot: Snapshot) -> None:
        """Begin a new generation, with the document as it is now.

        Raises
        ------
        OSError, AnnotationFileError
            If it cannot be written; the generation before goes on then.
        """
        following = self._generation + 1
        is_first = self._journal is None
        if is_first:
            self._write_base(following, snapshot)  # without it, the journal would be of no use
            if self._base_error is not None:
                raise self._base_error
        journal = self._folder.journal(following).open("wb")
        self.close()
        self._journal, self._generation, self._good_length = journal, following, 0
        if not is_first:
            self._base_writer = threading.Thread(
                target=self._write_base, args=(following, snapshot), name="sam2v autosave base", daemon=True
            )
            self._base_writer.start()

    def append(self, patch: Patch, status: Status) -> None:
        """Append one entry and bring it to disk.

        Raises
        ------
        OSError
            If it cannot be written; what was written of it is cut off by the next attempt.
        """
        assert self._journal is not None, "a generation has begun"
        content, arrays = encode(patch)
        entry = JournalEntry(
            program=__version__,
            time=time.time(),
            modified=status.modified,
            objects=status.objects,
            masks=status.masks,
            movie=status.movie,
            file="" if status.file is None else str(status.file.path),
            file_stamp=(0, 0) if status.file is None else status.file.stamp,
            content=content,
        )
        packed = packed_entry(entry, arrays)
        self._journal.seek(self._good_length)
        self._journal.truncate()
        self._journal.write(packed)
        self._journal.flush()
        os.fsync(self._journal.fileno())
        self._good_length += len(packed)

    def close(self) -> None:
        """Close the journal and wait for the base."""
        if self._base_writer is not None:
            self._base_writer.join()
            self._base_writer = None
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def _write_base(self, generation: int, snapshot: Snapshot) -> None:
        try:
            written = write(snapshot, self._folder.base(generation))
            self._folder.drop_before(generation)
        except (OSError, Sam2vError) as error:
            self._base_error = error
        else:
            self._base_error = None
            self._base_size = written.stamp[1]
