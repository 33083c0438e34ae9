"""Annotations on disk: ``.sam2v`` files. What they hold is described in docs/annotation.md."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from src_model import __version__
from src_model.annotation.atomic import replacing
from src_model.annotation.codec import decode, encode
from src_model.annotation.container import MAX_FILE_BYTES, read_container, write_container
from src_model.annotation.document import Annotation, SavedFile, Snapshot
from src_model.annotation.schema import Manifest
from src_model.annotation.state import State
from src_model.errors import AnnotationFileError, Sam2vError

if TYPE_CHECKING:
    from os import PathLike

SUFFIX: Final = ".sam2v"


def save(annotation: Annotation, path: str | PathLike[str] | None = None, *, force: bool = False) -> Path:
    """Save an annotation; the file appears under its name only when it is complete.

    To save on another thread, give :func:`write` a snapshot there, and what it returns to ``annotation.mark_saved``.

    Parameters
    ----------
    annotation
        What to save.
    path
        With the suffix ``.sam2v``; left out, the file it was loaded from or saved to last. An existing one is replaced.
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
    snapshot = annotation.snapshot()
    annotation.mark_saved(snapshot, write(snapshot, target, known=None if force else annotation.file))
    return target


def write(snapshot: Snapshot, path: str | PathLike[str], *, known: SavedFile | None = None) -> SavedFile:
    """Write a snapshot to a file, on any thread.

    Parameters
    ----------
    snapshot
        What to write.
    path
        With the suffix ``.sam2v``; an existing file is replaced.
    known
        The document's own file, which is not replaced if another program changed it since.

    Raises
    ------
    AnnotationFileError
        If the suffix is not ``.sam2v``, the file cannot be written, it was changed by another program, or it would be
        too large to be read again.
    """
    target = Path(path)
    _check_unchanged(target, known)
    if target.suffix.lower() != SUFFIX:
        raise AnnotationFileError(f"an annotation is saved as a {SUFFIX} file, not as '{target.name}'")
    record, arrays = encode(snapshot.state.as_patch())
    manifest = Manifest(program=__version__, saved_at=time.time(), content=record)
    try:
        with replacing(target) as file:
            write_container(file, manifest.model_dump_json(), arrays)
            _check_size(file.tell(), target)
        stamp = _stamp(target)
    except OSError as error:
        raise AnnotationFileError(f"the annotation cannot be saved as '{target}': {error}") from error
    return SavedFile(target.absolute(), stamp or (0, 0))


def load(path: str | PathLike[str]) -> Annotation:
    """Load an annotation.

    Raises
    ------
    AnnotationFileError
        If there is no such file, or it is too large, damaged, foreign, or made by a newer version.
    """
    source = Path(path)
    stamp = _stamp(source)
    return Annotation.of_state(read_state(source), file=SavedFile(source.absolute(), stamp or (0, 0)))


def read_state(path: Path) -> State:
    """Read the cells of a file; errors as :func:`load`."""
    try:
        if not path.is_file():
            raise AnnotationFileError(f"there is no annotation file '{path}'")
        _check_size(path.stat().st_size, path)
        with path.open("rb") as file:
            head, arrays = read_container(file, path.name)
    except OSError as error:
        raise AnnotationFileError(f"the annotation '{path}' cannot be read: {error}") from error
    try:
        manifest = Manifest.model_validate(head)
        patch = decode(manifest.content, arrays)
        assert patch.project is not None, "decoding without a project needs one in the record"
        state = State(patch.project)
        state.apply(patch)
        state.check_divisions()
    except ValidationError as error:
        raise AnnotationFileError(described_fault(error, path.name)) from error
    except AnnotationFileError as error:
        raise AnnotationFileError(f"'{path.name}': {error}") from error
    except Sam2vError as error:
        raise AnnotationFileError(f"'{path.name}' is damaged: {error}") from error
    return state


def described_fault(error: ValidationError, name: str) -> str:
    """Say what the first fault found by the schema is."""
    first = error.errors(include_url=False, include_input=False)[0]
    return f"'{name}' is damaged at {'.'.join(map(str, first['loc']))}: {first['msg']}"


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


def _check_size(size: int, path: Path) -> None:
    if size > MAX_FILE_BYTES:
        raise AnnotationFileError(f"'{path}' has {size} bytes; annotations have {MAX_FILE_BYTES} at most")
