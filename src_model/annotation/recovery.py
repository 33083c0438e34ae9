"""Work that was not saved when its process ended: found, given back, or thrown away, as the user says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from src_model.annotation.codec import decode
from src_model.annotation.document import Annotation, SavedFile
from src_model.annotation.file_format import read_state
from src_model.annotation.journal import last_entry, read_entries
from src_model.annotation.recovery_folder import RecoveryFolder, default_folder
from src_model.errors import AnnotationFileError, Sam2vError

if TYPE_CHECKING:
    from src_model.annotation.schema import JournalEntry
    from src_model.annotation.state import State


@dataclass(frozen=True, slots=True)
class Recoverable:
    """Unsaved work of a process that is gone.

    Attributes
    ----------
    folder
        Where it lies.
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
    everything was saved or before there was anything, is removed.

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
            entry = _last_entry(claimed)
            if not claimed.bases() or (entry is not None and not entry.modified):
                claimed.remove()
            elif entry is not None:
                found.append(_described(claimed.path, entry))
        finally:
            claimed.release()
    return tuple(sorted(found, key=lambda item: -item.time))


def recover(item: Recoverable) -> Annotation:
    """Give unsaved work back as a document.

    It stays where it lies, until :func:`discard`: best when the document is saved, or kept by an autosave of its own.

    Raises
    ------
    AnnotationFileError
        If it is damaged, of a newer version, gone, or being recovered by another process.
    """
    claimed = _claimed(item)
    try:
        state, entry = _rebuilt(claimed)
    except Sam2vError as error:
        raise AnnotationFileError(f"the unsaved work in '{item.folder}' cannot be recovered: {error}") from error
    except OSError as error:
        raise AnnotationFileError(f"the unsaved work in '{item.folder}' cannot be read: {error}") from error
    finally:
        claimed.release()
    file = SavedFile(Path(entry.file), entry.file_stamp) if entry.file else None
    return Annotation.of_state(state, file=file, modified=True)


def discard(item: Recoverable) -> None:
    """Throw unsaved work away for good; AnnotationFileError if another process has it."""
    _claimed(item).remove()


def _described(folder: Path, entry: JournalEntry) -> Recoverable:
    file = Path(entry.file) if entry.file else None
    return Recoverable(folder, entry.movie, file, entry.time, entry.objects, entry.masks)


def _claimed(item: Recoverable) -> RecoveryFolder:
    folder = RecoveryFolder(item.folder)
    if not item.folder.is_dir():
        raise AnnotationFileError(f"there is no unsaved work in '{item.folder}' any more")
    if not folder.claim():
        raise AnnotationFileError(f"the unsaved work in '{item.folder}' is in use by another process")
    return folder


def _last_entry(folder: RecoveryFolder) -> JournalEntry | None:
    """Return the head of the last change that is kept; None where there is none, or none that can be read."""
    for generation in reversed(folder.journals()):
        try:
            entry = last_entry(folder.journal(generation))
        except (OSError, Sam2vError):
            return None
        if entry is not None:
            return entry
    return None


def _rebuilt(folder: RecoveryFolder) -> tuple[State, JournalEntry]:
    """Apply to the latest complete base what was journalled since."""
    bases = folder.bases()
    if not bases:
        raise AnnotationFileError("its beginning is missing")
    state = read_state(folder.base(bases[-1]))
    latest: JournalEntry | None = None
    for generation in folder.journals():
        if generation < bases[-1]:
            continue
        for entry, arrays in read_entries(folder.journal(generation)):
            state.apply(decode(entry.content, arrays, state.project))
            latest = entry
    if latest is None:
        raise AnnotationFileError("its journal is missing")
    state.check_divisions()
    return state, latest
