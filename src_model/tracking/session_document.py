"""The document of a session: it is saved as one, goes on from one, and a live stream hands its old masks to one.

A document holds what a person can see: objects, prompts, masks, locks. Memories are not in it; they are made again from
the masks when they are first needed, so that going on takes no longer than reading the file.
"""

from __future__ import annotations

import weakref
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter, ValidationError

from src_model.document import (
    AnnotatedFrame,
    AnnotatedObject,
    Annotation,
    ApplyPatch,
    Autosave,
    DeleteObject,
    Group,
    LockFrames,
    LockObject,
    ModelIdentity,
    MovieIdentity,
    Origin,
    Project,
    Settings,
    load,
)
from src_model.document.patch import PatchBuilder
from src_model.document.snapshot import snapshots_of
from src_model.errors import AnnotationFileError
from src_model.frames import open_movie
from src_model.tracking.object_state import state_of
from src_model.tracking.passes import tracked_passes
from src_model.tracking.session import Session
from src_model.tracking.settings import TrackingSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from os import PathLike

    from src_model.document import Patch
    from src_model.frames import FrameSource, MovieLike, Normalization
    from src_model.masks import Rle
    from src_model.prompts import Prompt
    from src_model.tracking.frame_features import FeatureOptions
    from src_model.tracking.network_steps import NetworkSteps
    from src_model.tracking.predictor import StreamingPredictor
    from src_model.tracking.tracked_object import TrackedObject

_IMAGE_SIZE: Final = "image_size"
_SETTINGS: Final = TypeAdapter(TrackingSettings)
_NAMES: Final = tuple(field.name for field in fields(TrackingSettings))


def update_document(session: Session, document: Annotation | None, label: str = "Session") -> Annotation:
    """Take what a session holds into a document, as one step of its history.

    Parameters
    ----------
    session
        With at least one frame.
    document
        That of the session; None: a new one. Masks from before the session's ``masks_from`` stay there as they are.
    label
        What the step is called.

    Returns
    -------
    Annotation
        The document that was given, or the new one.

    Raises
    ------
    MovieError
        If a live stream has no frame yet, or the movie cannot be read any more.
    """
    if document is None:
        return Annotation(_project(session, None), _differences(session, None))
    for object_id in document.objects.keys() - session.objects.keys():
        unlock = (LockObject(object_id, locked=False), LockFrames(object_id, document.locked_frames(object_id), False))
        document.do(Group(f"Delete object {object_id}", (*unlock, DeleteObject(object_id))))
    document.do(ApplyPatch(label, _differences(session, document)))
    return document


def hand_over(session: Session, first: int) -> None:
    """Take the masks of a live stream into its document before those of frames before ``first`` are let go of.

    The document lies in a recovery folder, so that they outlive a process that is killed before it saves.
    """
    is_new = session.document is None
    session.document = document = update_document(
        session, session.document, f"Frames {session.masks_from} to {first - 1}"
    )
    if is_new:
        autosave = Autosave(document)
        weakref.finalize(session, lambda: autosave.close(keep=document.is_modified))


def resume_session(
    predictor: StreamingPredictor,
    path: str | PathLike[str],
    movie: MovieLike,
    *,
    allow_other_model: bool = False,
    options: FeatureOptions | None = None,
) -> Session:
    """Go on with a document: objects, prompts, masks, locks and settings are as they were saved.

    Parameters
    ----------
    predictor
        With the model the document was made with. Preset and image size are those of the document, where it tells.
    path
        The ``.sam2v`` file of the document.
    movie
        The movie, as in :meth:`StreamingPredictor.start`; it may have become longer.
    allow_other_model
        Go on with another model.
    options
        How image features are kept, and whether frames are read ahead.

    Raises
    ------
    AnnotationFileError
        If the file is damaged, foreign or of another version, or belongs to another movie or model.
    MovieError
        If the movie cannot be opened.
    """
    document = load(path)
    session = _begin(document.project, predictor, movie, allow_other_model, options)
    session.document = document
    for known in snapshots_of(document):
        session.restore(state_of(known))
    return session


def replay_session(
    predictor: StreamingPredictor,
    path: str | PathLike[str],
    movie: MovieLike,
    *,
    allow_other_model: bool = False,
    options: FeatureOptions | None = None,
) -> Session:
    """Track again what a document holds, from its prompts alone; what was painted, imported or locked stays as it is.

    All prompts are answered first, then the frames are tracked that were tracked before, forwards and in reverse. On
    the same machine the masks are the same, unless prompts came or went after tracking: then each frame was tracked
    with what was known at that moment, and is tracked with all of it here. Objects are begun in the order of their
    numbers, which first clicks may depend on.

    Parameters and errors are those of :func:`resume_session`.
    """
    document = load(path)
    session = _begin(document.project, predictor, movie, allow_other_model, options)
    directions = {}
    for known in snapshots_of(document):
        number, masks = known.object_id, known.masks()
        given = {frame: entry for frame, entry in masks.items() if frame in known.fixed or not _is_models(entry)}
        session.restore(state_of(known, given))
        for frame in sorted(known.prompts.keys() & masks.keys() - given.keys()):
            _answer_again(session, number, frame, known.prompts[frame], masks[frame].mask)
        if session.objects[number].prompts:
            tracked = {frame: entry for frame, entry in masks.items() if entry.origin.is_tracked}
            directions[number] = {frame: entry.origin is Origin.TRACKED_BACK for frame, entry in tracked.items()}
    prompted = {number: session.objects[number].prompted_frames for number in directions}
    for planned in tracked_passes(directions, prompted):
        for _ in session.propagate(
            planned.frames.start, planned.stop, reverse=planned.reverse, objects=planned.objects
        ):
            pass
    return session


def _answer_again(session: Session, object_id: int, frame: int, prompt: Prompt, before: Rle) -> None:
    """Answer a prompt, and take the candidate that was taken before."""
    candidates = session.answer(frame, object_id, prompt).candidates
    chosen = next((index for index, candidate in enumerate(candidates) if candidate.rle == before), None)
    if chosen is not None and len(candidates) > 1:
        session.choose(frame, object_id, chosen)


def _is_models(entry: AnnotatedFrame) -> bool:
    return entry.origin.is_tracked or entry.origin is Origin.PROMPTED


# Going on ------------------------------------------------------------------------------------------------------------


def _begin(
    project: Project,
    predictor: StreamingPredictor,
    movie: MovieLike,
    allow_other_model: bool,
    options: FeatureOptions | None,
) -> Session:
    """Start an empty session with movie, model and settings of a document."""
    source = open_movie(movie)
    fitting = fitting_predictor(predictor, project, source, allow_other_model=allow_other_model)
    return Session(fitting.steps, source, project.normalization, options)


def fitting_predictor(
    predictor: StreamingPredictor, project: Project, movie: FrameSource, *, allow_other_model: bool = False
) -> StreamingPredictor:
    """Return the predictor with the settings of a document, where it tells them.

    Parameters
    ----------
    predictor
        With a loaded model.
    project
        That of the document.
    movie
        The movie that is to be tracked.
    allow_other_model
        Take another model than that of the document.

    Raises
    ------
    AnnotationFileError
        If the document belongs to another movie or model, or has settings that cannot be used.
    """
    if not allow_other_model:
        _check_model(project.model, predictor)
    if wrong := project.movie.differences(movie):
        raise AnnotationFileError(
            f"the document belongs to the movie '{project.movie.name}', and '{movie.name}' is another: "
            f"{', '.join(wrong)}; pass the movie that was tracked"
        )
    normalization = project.normalization
    if normalization is not None and len(normalization.low) == 3 and len(movie.shape) == 3:
        raise AnnotationFileError("the document has a range for each of three channels, and the movie is gray")
    return _with_settings(predictor, project.settings)


def _check_model(model: ModelIdentity | None, predictor: StreamingPredictor) -> None:
    if model is None:
        return
    same = model.sha256 == predictor.sha256 and (model.sha256 != "" or model.name == predictor.name)
    if not same:
        raise AnnotationFileError(
            f"the document was made with the model {_described(model.name, model.sha256)}, and this is "
            f"{_described(predictor.name, predictor.sha256)}; load that one, or pass allow_other_model=True"
        )


def _described(name: str, sha256: str) -> str:
    return f"'{name}' ({f'sha256 {sha256[:16]}' if sha256 else 'from no file'})"


def _with_settings(predictor: StreamingPredictor, settings: Settings) -> StreamingPredictor:
    """Set a predictor as a document says; as it is, where the document says nothing."""
    given: dict[str, Any] = {name: settings[name] for name in _NAMES if name in settings}
    if not given:
        return predictor
    try:
        if "window_sizes" in given:
            given["window_sizes"] = tuple(int(size) for size in str(given["window_sizes"]).split())
        size = settings.get(_IMAGE_SIZE)
        chosen = _SETTINGS.validate_python(given)
        return predictor.with_settings(chosen, size if isinstance(size, int) else None)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise AnnotationFileError(f"the document's setting {where} cannot be used: {first['msg']}") from error
    except ValueError as error:  # PromptError is one
        raise AnnotationFileError(f"the document's settings cannot be used with this model: {error}") from error


# Saving --------------------------------------------------------------------------------------------------------------


def _project(session: Session, known: Project | None) -> Project:
    if known is None:
        return project_of(session.steps, _movie(session), session.normalization)
    steps = session.steps
    movie = known.movie if known.movie.length == len(session.movie) else _movie(session, known.movie)
    return replace(
        known,
        movie=movie,
        model=_model(steps),
        normalization=session.normalization,
        settings=Settings({**known.settings, **_settings(steps)}),
    )


def project_of(steps: NetworkSteps, movie: MovieIdentity, normalization: Normalization) -> Project:
    """Describe a movie that is tracked with a network and its settings, as a new document does."""
    # As sam2v track writes labels: where objects overlap, the better scored one is seen.
    return Project(movie, _model(steps), normalization, Settings(_settings(steps)), overlap="score")


def _model(steps: NetworkSteps) -> ModelIdentity:
    return ModelIdentity(steps.checkpoint.name, steps.checkpoint.sha256)


def _settings(steps: NetworkSteps) -> dict[str, Any]:
    sizes = " ".join(map(str, steps.settings.window_sizes))  # a setting is a plain value
    return {**asdict(steps.settings), "window_sizes": sizes, _IMAGE_SIZE: steps.image_size}


def _movie(session: Session, known: MovieIdentity | None = None) -> MovieIdentity:
    movie = session.movie
    if getattr(movie, "oldest", 0):
        # A recording of the stream is the same movie, but its first frames cannot be read here to say so.
        identity = MovieIdentity(movie.name, tuple(movie.shape), str(movie.dtype))
    else:
        identity = MovieIdentity.of(movie)
    if known is None:
        return identity
    return replace(known, shape=identity.shape, fingerprint=identity.fingerprint)


def _differences(session: Session, document: Annotation | None) -> Patch:
    """Return what a session holds as changes of its document."""
    patch = PatchBuilder()
    patch.project = _project(session, None if document is None else document.project)
    for number, item in session.objects.items():
        if document is None or number not in document.objects:
            patch.objects[number] = AnnotatedObject(number)
            known = _Known()
        else:
            known = _Known.of(document, item, session.masks_from)
        patch.masks[number].update(_changed_masks(item, known))
        patch.prompts[number].update(
            {frame: item.prompts.get(frame) for frame in _changed(known.prompts, item.prompts)}
        )
        if not known.is_locked:  # else every frame is locked with the object
            locked = item.locked - known.painted
            patch.locks[number].update({frame: frame in locked for frame in locked ^ known.locked})
    return patch.build()


@dataclass(frozen=True, slots=True)
class _Known:
    """What the document knows of an object, of frames whose masks the session still holds."""

    masks: Mapping[int, AnnotatedFrame] = field(default_factory=dict)
    prompts: Mapping[int, Prompt] = field(default_factory=dict)
    locked: frozenset[int] = frozenset()
    is_locked: bool = False

    @classmethod
    def of(cls, document: Annotation, item: TrackedObject, masks_from: int) -> _Known:
        track = document.track(item.object_id)
        masks = track.masks.entries(masks_from)
        earlier = (frame for frame in item.masklet.frames if frame < masks_from)
        masks |= {frame: entry for frame in earlier if (entry := track.masks.get(frame)) is not None}
        return cls(masks, document.prompts(item.object_id), frozenset(track.locked), track.info.locked)

    @property
    def painted(self) -> frozenset[int]:
        return frozenset(frame for frame, entry in self.masks.items() if entry.origin is Origin.EDITED)


def _changed_masks(item: TrackedObject, known: _Known) -> Iterator[tuple[int, AnnotatedFrame | None]]:
    held = item.masklet.entries()
    yield from ((frame, None) for frame in known.masks.keys() - held.keys())
    for frame, entry in held.items():
        before = known.masks.get(frame)
        if before is not None and before.entry == entry:
            continue
        yield frame, AnnotatedFrame.of(entry, _origin(item, frame))


def _origin(item: TrackedObject, frame: int) -> Origin:
    # Passes go through prompted frames too, and leave the answer to the prompt as it is.
    if frame in item.prompts:
        return Origin.PROMPTED
    if frame in item.directions:
        return Origin.TRACKED_BACK if item.directions[frame] else Origin.TRACKED
    return Origin.EDITED


def _changed(before: Mapping[int, object], after: Mapping[int, object]) -> list[int]:
    return [frame for frame in before.keys() | after.keys() if before.get(frame) != after.get(frame)]
