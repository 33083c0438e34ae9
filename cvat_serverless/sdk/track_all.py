"""``sam2v cvat track --all``: every object of a task is found, tracked, and written as a track of one label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cvat_serverless.sdk.apply import apply_change
from cvat_serverless.sdk.change import TaskContents, TrackedMasks, check_label, plan_change
from cvat_serverless.sdk.known_objects import add_known_objects
from cvat_serverless.sdk.output_type import Originals, OutputType
from cvat_serverless.sdk.run import ProgressCallbacks, new_document, track_document
from cvat_serverless.sdk.schemas import AttributeValue, ShapeData
from cvat_serverless.sdk.sources import TrackingSource
from cvat_serverless.sdk.track import undo_text, unread_text, written_text
from cvat_serverless.sdk.workplace import TrackReport, work_in
from src_model.document import write
from src_model.errors import RemoteError
from src_model.masks import Rle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from cvat_serverless.sdk.change import AnnotationChange
    from cvat_serverless.sdk.schemas import Annotations, AttributeSpec, Label
    from cvat_serverless.sdk.task import TaskOrJob
    from cvat_serverless.sdk.workplace import Folders, Workplace
    from src_model.document import Annotation, Division
    from src_model.masks import Masklet
    from src_model.tracking import StreamingPredictor
    from src_model.workflow import WholeMovieJob

LINEAGE = "lineage"
"""Name of the text attribute of a label that gets the lineage of an object: 3, and 3.1 and 3.2 for its daughters."""


@dataclass(frozen=True, slots=True)
class TrackAllOptions:
    """What is looked for, and what it becomes.

    Attributes
    ----------
    label
        Name of the label of all that is found; None: the only one of the task.
    every, divisions
        As in :class:`~src_model.workflow.WholeMovieOptions`.
    start, stop, output
        As in :class:`~cvat_serverless.sdk.track.TrackTaskOptions`.
    """

    label: str | None = None
    every: int = 5
    divisions: Literal["auto", "ask", "off"] = "auto"
    start: int | None = None
    stop: int | None = None
    output: OutputType = OutputType.POLYGONS


def track_all_of_task(
    task: TaskOrJob,
    options: TrackAllOptions,
    load_predictor: Callable[[], StreamingPredictor],
    document: Path,
    *,
    folders: Folders | None = None,
    callbacks: ProgressCallbacks | None = None,
) -> TrackReport:
    """Find and track every object that is not annotated yet, and write them; what is annotated stays as it is.

    Parameters
    ----------
    task
        The task or job.
    options
        What is looked for, and what it becomes.
    load_predictor
        Called when all else is known to be right.
    document
        A ``.sam2v`` file, which keeps divisions, scores and what was annotated before; one that is there is replaced.
    folders
        Where work is kept; the user's own folders by default.
    callbacks
        Called with the progress, to show it.

    Raises
    ------
    RemoteError, FrameRangeError, MovieError
        If there is no such label or frame, nothing is found, or the server refuses or does not answer. What was tracked
        is kept: the same call goes on where it stopped.
    AnnotationFileError
        If the document cannot be written; CVAT was not changed then.
    """
    label = task.label_or_only(options.label, "all that is found gets one label")
    check_label(label, options.output)
    shown = callbacks or ProgressCallbacks()
    return work_in(
        task, options, folders, lambda place: _track_all(task, options, label, load_predictor, document, place, shown)
    )


def _track_all(
    task: TaskOrJob,
    options: TrackAllOptions,
    label: Label,
    load_predictor: Callable[[], StreamingPredictor],
    document: Path,
    place: Workplace,
    callbacks: ProgressCallbacks,
) -> TrackReport:
    from src_model.workflow import DocumentTracker, WholeMovieJob, WholeMovieOptions

    def begin(annotation: Annotation) -> WholeMovieJob:
        return WholeMovieJob.begin(annotation, WholeMovieOptions(every=options.every, divisions=options.divisions))

    annotations = task.annotations(place.journal.written().is_as_written)
    movie = place.movie(task)
    task.check_writable()
    predictor = load_predictor()
    wanted = new_document(movie, predictor)
    known, left_out = add_known_objects(wanted, task, annotations, place.frames)
    annotation = place.run.resumed(wanted, lambda info: info.locked) or wanted
    job = track_document(annotation, DocumentTracker(movie, lambda: predictor), place.run, callbacks, begin)
    found = {number: annotation.masklet(number) for number, info in annotation.objects.items() if not info.locked}
    change = _change(task, options.output, label, found, annotation.divisions, annotations, place.frames)
    if not change.shapes and not change.tracks:
        raise RemoteError(_nothing_found(task, known))
    write(annotation, document)  # before the server is asked: what CVAT has no place for is safe then
    unread = job.damaged.union(*map(_gaps, found.values()))
    tracked = (
        f"{len(found)} objects found and tracked over {len(place.frames) - len(unread)} frames of {task.described}"
    )
    beside = f"{known} objects that were annotated stay as they are, and were not looked for."
    lines = (
        f"{tracked}: {written_text(change, options.output)}.",
        job.summary,
        *_lineage_text(annotation, label),
        *((beside,) if known else ()),
        *unread_text([place.frames[index] for index in sorted(unread)]),
        f"All of it, with divisions and scores: {document}",
        undo_text(task),
    )
    apply_change(task, change, place.journal, lines[0], run=place.run.key)
    return TrackReport(
        lines, (f"{left_out} shapes that enclose nothing, so what is there may be found once more.",) * bool(left_out)
    )


def _nothing_found(task: TaskOrJob, known: int) -> str:
    beside = f" beside the {known} objects that are annotated" if known else ""
    return (
        f"nothing was found in {task.described}{beside}, so nothing was written: draw what you mean on one frame and "
        "track it with --all-shapes-on"
    )


# What is written ------------------------------------------------------------------------------------------------------


def _change(
    task: TaskOrJob,
    output: OutputType,
    label: Label,
    found: Mapping[int, Masklet],
    divisions: Mapping[int, Division],
    annotations: Annotations,
    frames: Sequence[int],
) -> AnnotationChange:
    spec = lineage_attribute(label)
    names = lineage_names(found, divisions)
    objects = []
    for number, masklet in found.items():
        values = () if spec is None else (AttributeValue(spec_id=spec.id, value=names[number]),)
        # Stands for the drawing that these objects have not; a mutable attribute is one of the first keyframe.
        drawn = ShapeData(type="none", frame=frames[0], attributes=values)
        source = TrackingSource(label.id, 0, values, (), {frames[0]: drawn})
        objects.append(TrackedMasks(source, _masks_of(masklet, frames)))
    contents = TaskContents(task.labels, annotations, task.span.stop - 1, task.spans)
    return plan_change([each for each in objects if each.masks], output, Originals.AUTO, contents)


def _masks_of(masklet: Masklet, frames: Sequence[int]) -> dict[int, Rle]:
    """Return masks by CVAT's frame numbers, empty ones before and after an object; none where a frame was not read."""
    gaps, nothing = set(_gaps(masklet)), Rle.empty(masklet.shape)
    return {frame: masklet.mask_at(index) or nothing for index, frame in enumerate(frames) if index not in gaps}


def _gaps(masklet: Masklet) -> Iterator[int]:
    """Return the frames without a mask between others: those that could not be read."""
    known = set(masklet.frames)
    return (index for index in range(min(known, default=0), max(known, default=0)) if index not in known)


# Mothers and daughters ------------------------------------------------------------------------------------------------


def lineage_attribute(label: Label) -> AttributeSpec | None:
    """Return the attribute that tells the lineage of objects of a label; None where there is none."""
    return next((spec for spec in label.attributes if (spec.name, spec.input_type) == (LINEAGE, "text")), None)


def lineage_names(objects: Sequence[int] | Mapping[int, object], divisions: Mapping[int, Division]) -> dict[int, str]:
    """Name objects by descent: the number of the first mother, then 1 or 2 for each division, as ``3.1.2``."""
    mothers = {
        daughter: (each.parent, place)
        for each in divisions.values()
        for place, daughter in enumerate(each.daughters, 1)
    }
    names = {}
    for number in objects:
        path: list[str] = []
        first = number
        while first in mothers:
            first, place = mothers[first]
            path.append(str(place))
        names[number] = ".".join([str(first), *reversed(path)])
    return names


def _lineage_text(annotation: Annotation, label: Label) -> tuple[str, ...]:
    if not annotation.divisions:
        return ()
    if lineage_attribute(label) is not None:
        return (f"The attribute {LINEAGE!r} tells whose daughters they are: 3.1 and 3.2 are those of 3.",)
    missing = f"CVAT has no lineage; where the label {label.name!r} has a text attribute {LINEAGE!r}, it is told there."
    return (missing,)
