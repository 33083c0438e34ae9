"""``sam2v cvat track``: objects that were drawn on a frame of a task are tracked through all of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cvat_serverless.sdk.apply import apply_change
from cvat_serverless.sdk.change import TaskContents, check_label, plan_change
from cvat_serverless.sdk.output_type import Originals, OutputType
from cvat_serverless.sdk.run import (
    ProgressCallbacks,
    document_for,
    track_document,
    tracked_objects,
    unread_frames,
)
from cvat_serverless.sdk.schemas import SOURCE_AUTO
from cvat_serverless.sdk.sources import named_sources, prompts_of, sources_on
from cvat_serverless.sdk.workplace import TrackReport, work_in
from src_model.document.spans import described
from src_model.errors import FrameRangeError, RemoteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cvat_serverless.sdk.change import AnnotationChange, TrackedMasks
    from cvat_serverless.sdk.frames import TaskMovie
    from cvat_serverless.sdk.run import ResumableRun
    from cvat_serverless.sdk.schemas import AnnotationItem, Annotations
    from cvat_serverless.sdk.sources import IsFromModel, TrackingSource
    from cvat_serverless.sdk.task import TaskOrJob
    from cvat_serverless.sdk.workplace import Folders, Workplace
    from src_model.document import Annotation
    from src_model.tracking import StreamingPredictor

_NAMED_AT_MOST = 6
"""More shapes and tracks than this are counted in the report, not listed."""


@dataclass(frozen=True, slots=True)
class TrackTaskOptions:
    """What is to be tracked.

    Attributes
    ----------
    objects
        Ids of shapes and tracks; see :func:`~cvat_serverless.sdk.sources.named_sources`.
    all_on
        A frame: all that is drawn on it is tracked, instead of ``objects``.
    start, stop
        Frames as CVAT counts them, ``stop`` excluded; None: from the first, to the last of the task or job.
    output
        What the objects become in CVAT.
    originals
        What becomes of what was drawn.
    """

    objects: tuple[str, ...] = ()
    all_on: int | None = None
    start: int | None = None
    stop: int | None = None
    output: OutputType = OutputType.POLYGONS
    originals: Originals = Originals.AUTO


def track_task(
    task: TaskOrJob,
    options: TrackTaskOptions,
    load_predictor: Callable[[], StreamingPredictor],
    *,
    folders: Folders | None = None,
    callbacks: ProgressCallbacks | None = None,
) -> TrackReport:
    """Track objects and write them.

    Parameters
    ----------
    task
        The task or job to track in.
    options
        Which objects are tracked, on which frames, and what they become.
    load_predictor
        Called when all else is known to be right.
    folders
        Where work is kept; the user's own folders by default.
    callbacks
        Called with the progress, to show it.

    Raises
    ------
    RemoteError, FrameRangeError, MovieError
        If there is no such object or frame, or the server refuses or does not answer. What was tracked is kept: the
        same call goes on where it stopped.
    """
    shown = callbacks or ProgressCallbacks()
    return work_in(task, options, folders, lambda place: _track(task, options, load_predictor, place, shown))


def _track(
    task: TaskOrJob,
    options: TrackTaskOptions,
    load_predictor: Callable[[], StreamingPredictor],
    place: Workplace,
    callbacks: ProgressCallbacks,
) -> TrackReport:
    frames, written = place.frames, place.journal.written()
    annotations = task.annotations(written.is_as_written)
    sources, left_out = _sources(task, options, annotations, written.is_from_model)
    for source in sources:  # before a model is loaded
        check_label(task.labels[source.label_id], options.output)
        prompts_of(source, frames, task.frame_shape(frames))
    task.check_writable()
    annotation = _tracked(place.movie(task), sources, frames, load_predictor(), place.run, callbacks)
    change = _change(task, options, tracked_objects(annotation, sources, frames), annotations)
    unread = unread_frames(annotation, frames)
    lines = (
        *_summary(task, options, change, len(frames) - len(unread), len(sources)),
        *unread_text(unread),
        *_conflicts(annotations, sources),
    )
    apply_change(task, change, place.journal, lines[0], run=place.run.key)
    return TrackReport(lines, left_out)


def _sources(
    task: TaskOrJob, options: TrackTaskOptions, annotations: Annotations, is_from_model: IsFromModel
) -> tuple[list[TrackingSource], tuple[str, ...]]:
    if options.all_on is None:
        return named_sources(annotations, options.objects, is_from_model), ()
    if options.all_on not in task.span:
        raise FrameRangeError(
            f"--all-shapes-on {options.all_on} is not within {task.described}, which has the frames "
            f"{task.span.start} to {task.span.stop - 1}"
        )
    return sources_on(annotations, options.all_on, is_from_model)


def _tracked(
    movie: TaskMovie,
    sources: Sequence[TrackingSource],
    frames: Sequence[int],
    predictor: StreamingPredictor,
    run: ResumableRun,
    callbacks: ProgressCallbacks,
) -> Annotation:
    from src_model.workflow import DocumentTracker, TrackingJob, TrackRequest

    def begin(annotation: Annotation) -> TrackingJob:
        return TrackingJob.track(annotation, TrackRequest(only_missing=True))

    wanted = document_for(movie, sources, frames, predictor)
    annotation = run.resumed(wanted) or wanted
    track_document(annotation, DocumentTracker(movie, lambda: predictor), run, callbacks, begin)
    return annotation


def _change(
    task: TaskOrJob, options: TrackTaskOptions, objects: Sequence[TrackedMasks], annotations: Annotations
) -> AnnotationChange:
    contents = TaskContents(task.labels, annotations, task.span.stop - 1, task.spans)
    change = plan_change(objects, options.output, options.originals, contents)
    if not change.shapes and not change.tracks:
        raise RemoteError("none of the objects was found on any frame, so nothing was written; draw them again, larger")
    return change


def _summary(
    task: TaskOrJob, options: TrackTaskOptions, change: AnnotationChange, frames: int, objects: int
) -> tuple[str, ...]:
    what = "object" if objects == 1 else "objects"
    lines = [
        f"{objects} {what} tracked over {frames} frames of {task.described}: {written_text(change, options.output)}."
    ]
    regrouped = {item.key for item in change.regrouped}
    if gone := [item for item in (*change.replaced, *change.removed_after) if item.key not in regrouped]:
        lines.append(f"In place of {_listed(gone)}.")
    if change.regrouped:
        lines.append(f"Left as they are, in the group of their object: {_listed(change.regrouped)}.")
    if change.kept:
        lines.append(f"Left as they are: {_listed(change.kept)}.")
    return (*lines, undo_text(task))


def written_text(change: AnnotationChange, output: OutputType) -> str:
    """Say what a change writes of tracked objects: how many tracks and keyframes, or masks."""
    if output is OutputType.MASKS:
        masks = sum(shape["type"] == "mask" for shape in change.shapes)
        return f"{masks} masks, one group an object"
    made = [track for track in change.tracks if track["source"] == SOURCE_AUTO]
    keys = sum(len(track["shapes"]) for track in made)
    return f"{len(made)} {output.shape_type} {'track' if len(made) == 1 else 'tracks'} with {keys} keyframes"


def unread_text(frames: Sequence[int]) -> tuple[str, ...]:
    """Say which frames, by CVAT's numbers, could not be read, if there are any."""
    return (f"Could not be read, and gone over: {described(frames)}.",) if frames else ()


def undo_text(task: TaskOrJob) -> str:
    """Say how a change of a task is taken back."""
    job = "" if task.job is None else f" --job {task.job.id}"
    return f"To take it back: sam2v cvat track --task {task.info.id}{job} --undo"


def _conflicts(annotations: Annotations, sources: Sequence[TrackingSource]) -> tuple[str, ...]:
    """Say where jobs hold different copies of what was tracked."""
    items = [item for source in sources for item in (*source.parts, *source.superseded)]
    found = [annotations.conflicts.get(item.key) for item in items]
    return tuple(f"{text[:1].upper()}{text[1:]}." for text in found if text)


def _listed(items: Iterable[AnnotationItem]) -> str:
    names = [item.described for item in items]
    if len(names) <= _NAMED_AT_MOST:
        return ", ".join(names)
    counts = Counter(name.partition(" ")[0] for name in names)
    return " and ".join(f"{count} {kind}s" for kind, count in counts.items())
