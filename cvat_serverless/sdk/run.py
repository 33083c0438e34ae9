"""Tracking the objects of a task: a document that is filled frame by frame, and kept on disk until CVAT has it."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from filelock import FileLock, Timeout

from cvat_serverless.sdk.change import TrackedMasks
from cvat_serverless.sdk.fingerprints import text_hash
from cvat_serverless.sdk.sources import prompts_of
from src_model.document import (
    AddObject,
    AnnotatedObject,
    Annotation,
    Group,
    ModelIdentity,
    MovieIdentity,
    Origin,
    Project,
    SetMask,
    SetPrompt,
    load,
    write,
)
from src_model.errors import AnnotationFileError, DamagedFrameError, RemoteError
from src_model.masks import Rle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from cvat_serverless.sdk.frames import TaskMovie
    from cvat_serverless.sdk.sources import TrackingSource
    from src_model.document import Action
    from src_model.tracking import StreamingPredictor
    from src_model.workflow import DocumentTracker, TrackingJob

    AnyJob = TypeVar("AnyJob", bound=TrackingJob)

_DRAWN = (Origin.EDITED, Origin.IMPORTED)


@dataclass(frozen=True, slots=True)
class ProgressCallbacks:
    """What is called while a task is tracked, to show how far it is.

    Attributes
    ----------
    started
        Called with the number of frames to be tracked in both directions, and how many were tracked before.
    after_frame
        Called after each frame.
    not_kept
        Called with the reason, once, if what was tracked cannot be kept on this computer.
    """

    started: Callable[[int, int], None] = lambda total, done: None
    after_frame: Callable[[], None] = lambda: None
    not_kept: Callable[[str], None] = lambda reason: None


def new_document(movie: TaskMovie, predictor: StreamingPredictor) -> Annotation:
    """Make an empty document of a task's frames that are tracked with a model."""
    identity = MovieIdentity(movie.name, movie.shape, str(movie.dtype))
    return Annotation(Project(identity, model=ModelIdentity(predictor.name, predictor.sha256)))


def document_for(
    movie: TaskMovie, sources: Sequence[TrackingSource], frames: Sequence[int], predictor: StreamingPredictor
) -> Annotation:
    """Make a document with an object for each source, numbered from 1, and prompts where it was drawn.

    Parameters
    ----------
    movie
        The frames that are tracked.
    sources
        The objects that are tracked.
    frames
        Numbers of the frames, as CVAT counts.
    predictor
        The model, which the document names.

    Raises
    ------
    RemoteError, FrameRangeError
        If what was drawn cannot be a prompt.
    """
    annotation = new_document(movie, predictor)
    image = annotation.movie.frame_shape
    nothing = Rle.empty(image)
    indices = {frame: index for index, frame in enumerate(frames)}
    for number, source in enumerate(sources, 1):
        actions: list[Action] = [AddObject(AnnotatedObject(number, name=source.parts[0].described))]
        for index, prompt in prompts_of(source, frames, image).items():
            actions.append(SetPrompt(number, index, prompt))
        for frame in source.absent_frames(frames):
            actions.append(SetMask(number, indices[frame], nothing))
        annotation.do(Group("Objects of CVAT", tuple(actions)))
    return annotation


class ResumableRun:
    """The tracking of some objects of a task, kept as a document on disk, so that it can be interrupted and resumed.

    Parameters
    ----------
    folder
        The folder of all runs.
    key
        Text that says what is tracked: another text is another run.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self.key = text_hash(key)
        self._folder = folder / "runs"
        self._path = self._folder / f"{self.key}.sam2v"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from tracking the same, for a block.

        Raises
        ------
        RemoteError
            If another process tracks it, or this computer cannot keep it.
        """
        lock = FileLock(self._path.with_suffix(".lock"))
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout:
            raise RemoteError("another sam2v is tracking just this; wait for it, or stop it") from None
        except OSError as error:
            raise RemoteError(
                f"nothing can be kept in '{self._folder}' ({error.strerror or error}), neither what is tracked nor the "
                "note by which it is taken back: make room there, or let it be written to"
            ) from error
        try:
            yield
        finally:
            lock.release()

    def resumed(
        self, wanted: Annotation, is_given: Callable[[AnnotatedObject], bool] = lambda info: True
    ) -> Annotation | None:
        """Return what was tracked before of the same.

        Parameters
        ----------
        wanted
            The document as it is begun.
        is_given
            Which objects of the earlier document it was begun with; the others were found by tracking.

        Returns
        -------
        Annotation or None
            None if there is nothing, or the objects that are given, their prompts or masks are others now.
        """
        if not self._path.is_file():
            return None
        try:
            found = load(self._path)
        except AnnotationFileError:
            return None
        given = {number: info for number, info in found.objects.items() if is_given(info)}
        same = found.project.movie == wanted.project.movie and found.project.model == wanted.project.model
        same = same and given == dict(wanted.objects)
        same = same and all(dict(found.prompts(number)) == dict(wanted.prompts(number)) for number in given)
        same = same and all(_drawn_masks(found, number) == _drawn_masks(wanted, number) for number in given)
        return found if same else None

    def save(self, annotation: Annotation) -> None:
        """Write what was tracked so far; AnnotationFileError if that is not possible."""
        write(annotation, self._path)

    def delete(self) -> None:
        """Remove the file; one that cannot be removed is not resumed, because the annotations are others by then."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def track_document(
    annotation: Annotation,
    tracker: DocumentTracker,
    run: ResumableRun,
    callbacks: ProgressCallbacks,
    begin: Callable[[Annotation], AnyJob],
) -> AnyJob:
    """Track the objects of a document, and save what is done whatever ends it; return the job that did it.

    Parameters
    ----------
    annotation
        A document with prompts, and with what was tracked before.
    tracker
        Tracks in the movie of the document.
    run
        Where the document is saved.
    callbacks
        Called with the progress.
    begin
        Makes the job of the document, once its prompts are answered.

    Raises
    ------
    DamagedFrameError
        If the frame of a drawn object cannot be read.
    """
    from src_model.workflow import PeriodicSave, answer_prompts, run_job

    saving = PeriodicSave(lambda: run.save(annotation), callbacks.not_kept)
    try:
        answer_prompts(annotation, tracker)
        job = begin(annotation)
        callbacks.started(job.tracked_before + job.progress.total, job.tracked_before)
        for _ in run_job(job, tracker):
            callbacks.after_frame()
            saving.after_frame()
        return job
    except DamagedFrameError as error:
        # The frames that it names instead are counted from the first one tracked, not as CVAT does.
        raise DamagedFrameError(
            f"{error.__cause__ or error}; draw the object on a frame that can be read", error.frame
        ) from error
    finally:
        saving.now()


def tracked_objects(
    annotation: Annotation, sources: Sequence[TrackingSource], frames: Sequence[int]
) -> list[TrackedMasks]:
    """Return the objects with their masks by CVAT's frame numbers; on frames that could not be read they have none."""
    found = []
    for number, source in enumerate(sources, 1):
        masklet = annotation.masklet(number)
        known = ((frame, masklet.mask_at(index)) for index, frame in enumerate(frames))
        found.append(TrackedMasks(source, {frame: mask for frame, mask in known if mask is not None}))
    return found


def unread_frames(annotation: Annotation, frames: Sequence[int]) -> list[int]:
    """Return which frames, by CVAT's numbers, could not be read: the only ones without masks once all is tracked."""
    masklets = [annotation.masklet(number) for number in annotation.objects]
    return [frame for index, frame in enumerate(frames) if any(index not in masklet for masklet in masklets)]


def _drawn_masks(annotation: Annotation, number: int) -> dict[int, Rle | None]:
    """Return the masks of an object that CVAT's annotation says, by frame."""
    frames = (state.frame for state in annotation.frame_states(number) if state.origin in _DRAWN)
    return {frame: annotation.mask_at(number, frame) for frame in frames}
