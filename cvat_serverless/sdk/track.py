"""``sam2v cvat track``: objects that were drawn on a frame of a task are tracked through all of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cvat_serverless.sdk.change import TaskContents, change_of, check_label
from cvat_serverless.sdk.forms import Form, Originals
from cvat_serverless.sdk.frames import FrameFiles, TaskMovie
from cvat_serverless.sdk.receipts import Receipts, cache_folder, state_folder
from cvat_serverless.sdk.records import MODEL
from cvat_serverless.sdk.run import Run, Watch, document_for, follow, tracked_objects, unread_frames
from cvat_serverless.sdk.sources import named_sources, prompts_of, sources_on
from cvat_serverless.sdk.update import carry_out, settle
from src_model.document.spans import described
from src_model.errors import FrameRangeError, RemoteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from cvat_serverless.sdk.change import Change, Tracked
    from cvat_serverless.sdk.records import Annotations
    from cvat_serverless.sdk.sources import Judge, ShapeRef, Source
    from cvat_serverless.sdk.task import TaskOrJob
    from src_model.document import Annotation
    from src_model.tracking import StreamingPredictor

_NAMED_AT_MOST = 6


@dataclass(frozen=True, slots=True)
class TrackOptions:
    """What is to be tracked.

    Attributes
    ----------
    objects
        Ids; see :func:`~cvat_serverless.sdk.sources.named_sources`.
    all_on
        All that is drawn on this frame, instead of ``objects``.
    start, stop
        Frames as CVAT counts them, ``stop`` excluded; None: all of the task or job.
    form
        What the objects become.
    originals
        What becomes of what was drawn.
    """

    objects: tuple[str, ...] = ()
    all_on: int | None = None
    start: int | None = None
    stop: int | None = None
    form: Form = Form.POLYGONS
    originals: Originals = Originals.AUTO


@dataclass(frozen=True, slots=True)
class TrackReport:
    """What was done.

    Attributes
    ----------
    lines
        In words.
    fetched
        Numbers of the frames that were fetched from the server.
    left_out
        What could not be tracked.
    """

    lines: tuple[str, ...]
    fetched: tuple[int, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Folders:
    """Where work is kept that is not finished, and what was fetched."""

    state: Path = field(default_factory=state_folder)
    cache: Path = field(default_factory=cache_folder)


def track_task(
    place: TaskOrJob,
    wish: TrackOptions,
    load_predictor: Callable[[], StreamingPredictor],
    *,
    folders: Folders | None = None,
    watch: Watch | None = None,
) -> TrackReport:
    """Track objects and write them.

    Parameters
    ----------
    place
        The task or job.
    wish
        What is wanted.
    load_predictor
        Called when all else is known to be right.
    folders
        The user's own by default.
    watch
        Told how far it is.

    Raises
    ------
    RemoteError, FrameRangeError, MovieError
        If there is no such object or frame, or the server refuses or does not answer. What was tracked is kept: the
        same call goes on where it stopped.
    """
    where = folders or Folders()
    receipts = Receipts(place.slug, where.state)
    frames = place.kept_frames(wish.start, wish.stop)
    run = Run(where.state, f"{place.slug} {wish} {frames}")
    with run.alone():
        if any(receipt.run == run.key for receipt in settle(place, receipts)):
            run.forget()
            return TrackReport(("This was tracked and written before the connection broke; nothing was left to do.",))
        annotations = place.annotations(receipts.written().is_as_written)
        sources, left_out = _sources(place, wish, annotations, receipts.written().is_models)
        for source in sources:  # before a model is loaded
            check_label(place.labels[source.label_id], wish.form)
            prompts_of(source, frames, place.frame_shape(frames))
        place.check_writable()
        files = FrameFiles(where.cache / place.images_slug)
        with TaskMovie(place, frames, files) as movie:
            annotation = _tracked(movie, sources, frames, load_predictor(), run, watch or Watch())
        change = _change(place, wish, tracked_objects(annotation, sources, frames), annotations)
        unread = unread_frames(annotation, frames)
        lines = (
            *_lines(place, wish, change, len(frames) - len(unread), len(sources)),
            *((f"Could not be read, and gone over: {described(unread)}.",) if unread else ()),
            *_doubts(annotations, sources),
        )
        carry_out(place, change, receipts, lines[0], run=run.key)
        run.forget()
        files.clear()
    return TrackReport(lines, tuple(movie.fetched), left_out)


def _sources(
    place: TaskOrJob, wish: TrackOptions, annotations: Annotations, is_models: Judge
) -> tuple[list[Source], tuple[str, ...]]:
    if wish.all_on is None:
        return named_sources(annotations, wish.objects, is_models), ()
    if wish.all_on not in place.span:
        raise FrameRangeError(
            f"--all-shapes-on {wish.all_on} is not within {place.described}, which has the frames "
            f"{place.span.start} to {place.span.stop - 1}"
        )
    return sources_on(annotations, wish.all_on, is_models)


def _tracked(
    movie: TaskMovie,
    sources: Sequence[Source],
    frames: Sequence[int],
    predictor: StreamingPredictor,
    run: Run,
    watch: Watch,
) -> Annotation:
    from src_model.workflow import DocumentTracker

    wanted = document_for(movie, sources, frames, predictor)
    annotation = run.resumed(wanted) or wanted
    follow(annotation, DocumentTracker(movie, lambda: predictor), run, watch)
    return annotation


def _change(place: TaskOrJob, wish: TrackOptions, objects: Sequence[Tracked], annotations: Annotations) -> Change:
    scene = TaskContents(place.labels, annotations, place.span.stop - 1, place.spans)
    change = change_of(objects, wish.form, wish.originals, scene)
    if not change.shapes and not change.tracks:
        raise RemoteError("none of the objects was found on any frame, so nothing was written; draw them again, larger")
    return change


def _lines(place: TaskOrJob, wish: TrackOptions, change: Change, frames: int, objects: int) -> tuple[str, ...]:
    what = "object" if objects == 1 else "objects"
    if wish.form is Form.MASKS:
        masks = sum(shape["type"] == "mask" for shape in change.shapes)
        written = f"{masks} masks, one group an object"
    else:
        made = [track for track in change.tracks if track["source"] == MODEL]
        keys = sum(len(track["shapes"]) for track in made)
        tracks = "track" if len(made) == 1 else "tracks"
        written = f"{len(made)} {wish.form.type} {tracks} with {keys} keyframes"
    lines = [f"{objects} {what} tracked over {frames} frames of {place.described}: {written}."]
    if gone := [part for part in (*change.replaced, *change.later) if part not in change.joined]:
        lines.append(f"In place of {_listed(gone)}.")
    if change.joined:
        lines.append(f"Left as they are, in the group of their object: {_listed(change.joined)}.")
    if change.kept:
        lines.append(f"Left as they are: {_listed(change.kept)}.")
    job = "" if place.job is None else f" --job {place.job.id}"
    lines.append(f"To take it back: sam2v cvat track --task {place.task.id}{job} --undo")
    return tuple(lines)


def _doubts(annotations: Annotations, sources: Sequence[Source]) -> tuple[str, ...]:
    """Say where jobs hold different copies of what was tracked."""
    parts = [part for source in sources for part in (*source.parts, *source.superseded)]
    found = [annotations.disputed.get((part.kind, part.id)) for part in parts]
    return tuple(f"{text[:1].upper()}{text[1:]}." for text in found if text)


def _listed(parts: Iterable[ShapeRef]) -> str:
    names = [part.described for part in parts]
    if len(names) <= _NAMED_AT_MOST:
        return ", ".join(names)
    counts = Counter(name.partition(" ")[0] for name in names)
    return " and ".join(f"{count} {kind}s" for kind, count in counts.items())
