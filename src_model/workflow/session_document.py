"""Sessions, and the files that ``sam2v track --session`` leaves of them, as documents."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from src_model.document import (
    AnnotatedFrame,
    AnnotatedObject,
    Annotation,
    ModelIdentity,
    MovieIdentity,
    Origin,
    Project,
    Prompt,
)
from src_model.document.patch import Patch
from src_model.errors import Sam2vError, SessionFileError
from src_model.frames import Normalization
from src_model.tracking.session_file import as_document, read_document
from src_model.tracking.session_schema import read_mask, read_prompt

if TYPE_CHECKING:
    from os import PathLike

    from src_model.tracking import Session
    from src_model.tracking.session_schema import FrameRecord, ObjectRecord, SessionDocument

_ORIGINS = {"forward": Origin.TRACKED, "reverse": Origin.TRACKED_BACK}


def document_of_session(path: str | PathLike[str]) -> Annotation:
    """Make a new document of a session file: objects, prompts, masks with scores, locks, model and normalisation.

    Parameters
    ----------
    path
        A ``.session.json`` file.

    Raises
    ------
    SessionFileError
        If it is not there, damaged, or no session of sam2v.
    """
    source = Path(path)
    session = read_document(source)
    try:
        return _document(session, MovieIdentity(session.movie.name, session.movie.shape, session.movie.dtype))
    except SessionFileError:
        raise
    except Sam2vError as error:
        raise SessionFileError(f"'{source.name}' is damaged: {error}") from error


def document_of(session: Session, path: str = "") -> Annotation:
    """Make a new document of what a session holds, to go on with.

    Parameters
    ----------
    session
        With its movie, three frames of which are read to know it again.
    path
        Where the movie was read from; empty if unknown.

    Raises
    ------
    MovieError
        If the movie cannot be read any more.
    """
    return _document(as_document(session), MovieIdentity.of(session.movie, path=path))


def _document(session: SessionDocument, movie: MovieIdentity) -> Annotation:
    return Annotation(_project(session, movie), _patch(session, movie.frame_shape))


def _project(session: SessionDocument, movie: MovieIdentity) -> Project:
    return Project(
        movie=movie,
        model=ModelIdentity(session.checkpoint.name, session.checkpoint.sha256),
        normalization=Normalization.from_dict(session.normalization.model_dump()),
        overlap="score",  # as sam2v track writes labels
    )


def _patch(session: SessionDocument, shape: tuple[int, int]) -> Patch:
    return Patch(
        objects={item.object_id: AnnotatedObject(item.object_id) for item in session.objects},
        masks={item.object_id: _masks(item, shape) for item in session.objects},
        prompts={item.object_id: _prompts(item, shape) for item in session.objects},
        locks={item.object_id: {row.frame: True for row in item.masklet if row.locked} for item in session.objects},
    )


def _masks(item: ObjectRecord, shape: tuple[int, int]) -> dict[int, AnnotatedFrame | None]:
    prompted = {row.frame for row in item.prompts}
    return {
        row.frame: AnnotatedFrame(read_mask(row.mask, shape), row.score, row.object_score, _origin(row, prompted))
        for row in item.masklet
    }


def _origin(row: FrameRecord, prompted: set[int]) -> Origin:
    # Passes go through prompted frames too, and leave the answer to the prompt as it is.
    return Origin.PROMPTED if row.tracked is None or row.frame in prompted else _ORIGINS[row.tracked]


def _prompts(item: ObjectRecord, shape: tuple[int, int]) -> dict[int, Prompt | None]:
    prompts: dict[int, Prompt | None] = {}
    for row in item.prompts:
        said = read_prompt(row.prompt, shape)
        prompts[row.frame] = Prompt(said.points, said.labels, said.box, said.mask)
    return prompts
