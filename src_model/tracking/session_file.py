"""Sessions on disk: saved as JSON, loaded to go on, or done again from the first click."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError
from pydantic_core import from_json

from src_model import __version__
from src_model.errors import MovieError, PromptError, Sam2vError, SessionFileError
from src_model.frames import Normalization, open_movie
from src_model.masks import Masklet, MaskletFrame
from src_model.tracking.operations import (
    Chosen,
    Cleared,
    Locked,
    Operation,
    Prompted,
    Propagated,
    Removed,
    Resumed,
)
from src_model.tracking.session import Session
from src_model.tracking.session_schema import (
    FORMAT,
    VERSION,
    CheckpointRecord,
    FrameRecord,
    MovieRecord,
    NormalizationRecord,
    ObjectRecord,
    PromptedFrameRecord,
    SessionDocument,
    mask_text,
    operation_record,
    prompt_record,
    read_mask,
    read_operation,
    read_prompt,
)
from src_model.tracking.tracked_object import TrackedObject

if TYPE_CHECKING:
    from src_model.frames import FrameSource, MovieLike
    from src_model.tracking.feature_options import FeatureOptions
    from src_model.tracking.predictor import StreamingPredictor
    from src_model.tracking.settings import TrackingSettings

MAX_FILE_BYTES = 2**28
"""Larger files are neither written nor read: a million masks of cells take about as much."""

MAX_VALUES = 2**24
"""As many numbers, texts and lists at most: each takes far more memory than its text."""


def save_session(session: Session, path: str | Path) -> Path:
    """Write a session to a file, which appears under its name only when it is complete.

    Parameters
    ----------
    session
        With at least one frame.
    path
        With the suffix ``.json``; an existing file is replaced.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    SessionFileError
        If the suffix is another, the folder does not exist or cannot be written to, the file would be too large, or a
        live session has no frame yet.
    """
    path = Path(path)
    if path.suffix != ".json":
        raise SessionFileError(f"a session is saved as a .json file, not as '{path.name}'")
    if not len(session.movie):
        raise SessionFileError("the live stream has no frame yet, so there is no session to save; push an image first")
    content = as_document(session).model_dump_json().encode()
    _check_size(len(content), _values_in(content), path)
    _write_whole(path, content)
    return path


def load_session(
    path: str | Path,
    predictor: StreamingPredictor,
    movie: MovieLike,
    *,
    allow_other_model: bool = False,
    options: FeatureOptions | None = None,
) -> Session:
    """Load a session to go on with it.

    Objects, prompts, masks, locks and settings are as they were saved. Memories are made again from the masks when they
    are first needed, so that loading takes no more time than reading the file.

    Parameters
    ----------
    path
        A file of :func:`save_session`.
    predictor
        With the checkpoint the session was made with. Preset and image size are those of the file.
    movie
        The movie, as in :meth:`StreamingPredictor.start`; it may have become longer.
    allow_other_model
        Go on with another checkpoint.
    options
        How image features are kept, and whether frames are read ahead.

    Raises
    ------
    SessionFileError
        If the file is damaged, foreign or of a newer version, or belongs to another movie or model.
    MovieError
        If the movie cannot be opened.
    """
    document = read_document(Path(path))
    source, steps_of = _matched(document, predictor, movie, allow_other_model)
    shape = (source.shape[1], source.shape[2])
    try:
        objects = [_read_object(record, document.settings, shape, len(source)) for record in document.objects]
        operations = [read_operation(record, shape) for record in document.operations]
    except Sam2vError as error:
        raise SessionFileError(f"'{path}' is damaged: {error}") from error
    if len({item.object_id for item in objects}) != len(objects):
        raise SessionFileError(f"'{path}' is damaged: it holds an object twice")
    normalization = _normalization(document, source)
    return Session(steps_of.steps, source, normalization, options, objects=objects, operations=[*operations, Resumed()])


def replay_session(
    path: str | Path,
    predictor: StreamingPredictor,
    movie: MovieLike,
    *,
    allow_other_model: bool = False,
    options: FeatureOptions | None = None,
) -> Session:
    """Do everything again that was done in a saved session, in order; on the same machine the masks are the same.

    Parameters and errors are those of :func:`load_session`. What was pushed live is taken from the movie.
    """
    document = read_document(Path(path))
    source, steps_of = _matched(document, predictor, movie, allow_other_model)
    shape = (source.shape[1], source.shape[2])
    session = Session(steps_of.steps, source, _normalization(document, source), options)
    operations: list[Operation] = []
    for number, record in enumerate(document.operations):
        try:
            operations.append(read_operation(record, shape))
            redo(session, operations[-1])
        except MovieError:
            raise
        except Sam2vError as error:
            raise SessionFileError(f"operation {number} of '{path}' cannot be done again: {error}") from error
    session.log.operations = operations
    return session


def redo(session: Session, operation: Operation) -> None:
    """Do one operation again.

    Raises
    ------
    Sam2vError
        What the session's own methods raise.
    """
    match operation:
        case Prompted(object_id, frame, prompt, replaced):
            session.prompt(
                frame,
                object_id,
                points=prompt.points or None,
                labels=prompt.labels or None,
                box=prompt.box,
                mask=None if prompt.mask is None else prompt.mask.decode(),
                replace=replaced,
            )
        case Chosen(object_id, frame, candidate):
            session.choose(frame, object_id, candidate)
        case Cleared(object_id, frame):
            session.clear_prompt(frame, object_id)
        case Removed(object_id):
            session.remove_object(object_id)
        case Locked(object_id, frame, locked):
            session.lock(frame, object_id, locked=locked)
        case Propagated():
            _propagate_again(session, operation)
        case Resumed():
            for item in session.objects.values():
                item.forget_memories()
            session.feature_cache.clear()


def _propagate_again(session: Session, operation: Propagated) -> None:
    # Objects whose last prompt was cleared while they were tracked are named without having been tracked.
    tracked = [number for number in operation.object_ids if number in session.objects]
    tracked = [number for number in tracked if session.objects[number].prompts]
    if not tracked:
        return
    stop = operation.last - 1 if operation.reverse else operation.last + 1
    for _ in session.propagate(operation.first, None if stop < 0 else stop, reverse=operation.reverse, objects=tracked):
        pass


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file that is there under its name only when it is complete."""
    # In the same folder, so that the last step is a rename within one file system.
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        raise SessionFileError(f"the session cannot be saved as '{path}': {error}") from error
    finally:
        part.unlink(missing_ok=True)


def read_document(path: Path) -> SessionDocument:
    """Read a session file and check it against the schema.

    Raises
    ------
    SessionFileError
        If it is not there, too large, of a newer version, or no session file.
    """
    try:
        if not path.is_file():
            raise SessionFileError(f"there is no session file '{path}'")
        _check_size(path.stat().st_size, 0, path)
        content = path.read_bytes()
    except OSError as error:
        raise SessionFileError(f"the session '{path}' cannot be read: {error}") from error
    _check_size(len(content), _values_in(content), path)
    try:
        data = from_json(content)
    except ValueError as error:
        raise SessionFileError(f"'{path}' is no session file of sam2v: {error}") from error
    _check_header(data, path)
    try:
        return SessionDocument.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise SessionFileError(f"'{path}' is damaged at {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _values_in(content: bytes) -> int:
    """Bound the number of JSON values from above, without reading them: each takes far more memory than its text."""
    return content.count(b",") + content.count(b"[") + content.count(b"{") + 1


def _check_size(size: int, values: int, path: Path) -> None:
    if size > MAX_FILE_BYTES:
        raise SessionFileError(f"'{path}' has {size} bytes; session files have {MAX_FILE_BYTES} at most")
    if values > MAX_VALUES:
        raise SessionFileError(f"'{path}' holds up to {values} values; session files hold {MAX_VALUES} at most")


def _check_header(data: object, path: Path) -> None:
    header = data if isinstance(data, dict) else {}
    if header.get("format") != FORMAT or not isinstance(header.get("version"), int):
        raise SessionFileError(f"'{path}' is no session file of sam2v; expected JSON with format '{FORMAT}'")
    if header["version"] > VERSION:
        program = str(header.get("program"))[:40]
        raise SessionFileError(
            f"'{path}' has version {header['version']} of the session format, written by sam2v {program}; this is "
            f"sam2v {__version__}, which reads version {VERSION}: install sam2v {program} or newer"
        )


def _matched(
    document: SessionDocument, predictor: StreamingPredictor, movie: MovieLike, allow_other_model: bool
) -> tuple[FrameSource, StreamingPredictor]:
    """Open the movie, set the predictor as the file says, and check that both are those of the file."""
    saved = document.checkpoint
    same = saved.sha256 == predictor.sha256 and (saved.sha256 != "" or saved.name == predictor.name)
    if not same and not allow_other_model:
        raise SessionFileError(
            f"the session was made with the model {_described(saved.name, saved.sha256)}, and this is "
            f"{_described(predictor.name, predictor.sha256)}; load that one, or pass allow_other_model=True"
        )
    source = open_movie(movie)
    _check_movie(document.movie, source)
    try:
        steps_of = predictor.with_settings(document.settings, document.image_size)
    except PromptError as error:
        raise SessionFileError(f"the session cannot be used with this model: {error}") from error
    return source, steps_of


def _described(name: str, sha256: str) -> str:
    return f"'{name}' ({f'sha256 {sha256[:16]}' if sha256 else 'from no file'})"


def _check_movie(saved: MovieRecord, source: FrameSource) -> None:
    if source.shape[1:] != saved.shape[1:] or str(source.dtype) != saved.dtype or len(source) < saved.shape[0]:
        raise SessionFileError(
            f"the session belongs to the movie '{saved.name}' of shape {saved.shape} and type {saved.dtype}, and "
            f"'{source.name}' has shape {source.shape} and type {source.dtype}; pass the movie that was tracked"
        )


def _normalization(document: SessionDocument, source: FrameSource) -> Normalization:
    normalization = Normalization.from_dict(document.normalization.model_dump())
    if len(normalization.low) == 3 and len(source.shape) == 3:
        raise SessionFileError("saved normalization has a range for each of three channels, and the movie is gray")
    return normalization


def as_document(session: Session) -> SessionDocument:
    """Describe a session as its file does."""
    movie, steps = session.movie, session.steps
    return SessionDocument(
        program=__version__,
        movie=MovieRecord(name=movie.name, shape=movie.shape, dtype=str(movie.dtype)),
        normalization=NormalizationRecord(
            kind=session.normalization.kind, low=session.normalization.low, high=session.normalization.high
        ),
        checkpoint=CheckpointRecord(name=steps.checkpoint.name, sha256=steps.checkpoint.sha256),
        settings=steps.settings,
        image_size=steps.image_size,
        objects=tuple(_object_record(item) for item in session.objects.values()),
        operations=tuple(operation_record(operation) for operation in session.log.operations),
    )


def _object_record(item: TrackedObject) -> ObjectRecord:
    conditioning = item.conditioning_frames
    others = [frame for frame in item.prompts if frame not in conditioning]
    prompts = [
        PromptedFrameRecord(frame=frame, prompt=prompt_record(item.prompts[frame]), conditions=frame in conditioning)
        for frame in (*conditioning, *others)
    ]
    names: dict[bool | None, Literal["forward", "reverse"] | None] = {None: None, False: "forward", True: "reverse"}
    masklet = [
        FrameRecord(
            frame=frame,
            mask=mask_text(entry.mask),
            score=entry.score,
            object_score=entry.object_score,
            tracked=names[item.directions.get(frame)],
            locked=frame in item.locked,
        )
        for frame, entry in item.masklet.entries().items()
    ]
    return ObjectRecord(object_id=item.object_id, prompts=tuple(prompts), masklet=tuple(masklet))


def _read_object(
    record: ObjectRecord, settings: TrackingSettings, shape: tuple[int, int], length: int
) -> TrackedObject:
    item = TrackedObject(record.object_id, settings.new_memory_bank(), Masklet(record.object_id, shape))
    for row in record.masklet:
        if row.frame >= length or row.frame in item.masklet:
            raise SessionFileError(f"object {record.object_id} has frame {row.frame} twice, or outside of the movie")
        item.masklet.restore(row.frame, MaskletFrame(read_mask(row.mask, shape), row.score, row.object_score))
        if row.tracked is not None:
            item.directions[row.frame] = row.tracked == "reverse"
        if row.locked:
            item.locked.add(row.frame)
    for prompted in record.prompts:
        frame = prompted.frame
        if frame in item.prompts or frame not in item.masklet:
            raise SessionFileError(f"object {record.object_id} is prompted twice on frame {frame}, or without a mask")
        item.prompts[frame] = read_prompt(prompted.prompt, shape)
        if prompted.conditions:
            item.bank.expect(frame)
    return item
