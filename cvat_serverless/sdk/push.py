"""``sam2v cvat push``: an annotation document becomes shapes or tracks of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cvat_serverless.sdk.apply import apply_change, finish_interrupted
from cvat_serverless.sdk.change import TaskContents, TrackedMasks, plan_change
from cvat_serverless.sdk.guide import GuideDocument, guide_block, read_document, write_document
from cvat_serverless.sdk.journal import Journal
from cvat_serverless.sdk.output_type import Originals, OutputType
from cvat_serverless.sdk.schemas import Annotations, ShapeData
from cvat_serverless.sdk.sources import TrackingSource
from src_model.document import Origin, load
from src_model.errors import AnnotationError, RemoteError
from src_model.masks import Rle

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from cvat_serverless.sdk.change import AnnotationChange
    from cvat_serverless.sdk.journal import JournalEntry
    from cvat_serverless.sdk.schemas import Label
    from cvat_serverless.sdk.task import TaskOrJob
    from src_model.document import AnnotatedObject, Annotation, MovieIdentity

_NOT_DRAWN = ShapeData(type="none", frame=0)
"""Stands for the drawing that objects of a document have not, and gives them no attributes."""


def push_document(
    task: TaskOrJob, path: Path, output: OutputType, label: str | None = None, *, folder: Path | None = None
) -> tuple[str, ...]:
    """Send a document to a task.

    Parameters
    ----------
    task
        The task that gets the annotation.
    path
        The document, a ``.sam2v`` file.
    output
        What its objects become in CVAT.
    label
        Name of the label for objects without a class.
    folder
        Where the journal is kept; the user's own folder by default.

    Returns
    -------
    tuple of str
        What was done, in sentences.

    Raises
    ------
    AnnotationFileError
        If the file cannot be read.
    AnnotationError
        If the task has other frames than the document.
    RemoteError
        If a label is missing, the task holds a document already, or the server refuses or does not answer.
    """
    annotation = load(path)
    check_fits(annotation.movie, task)
    journal = Journal(task.slug, folder)
    finish_interrupted(task, journal)
    before = task.annotations()
    _check_first(task, before)
    labels = {number: _label(task, info, label) for number, info in annotation.objects.items()}
    names = {number: each.name for number, each in labels.items()}
    document = GuideDocument(annotation, output, _free_groups(annotation, before), names)
    change = document_change(document, labels, task.data.deleted_frames)
    task.check_writable()
    if not change.shapes and not change.tracks:
        raise RemoteError(f"'{path.name}' holds no mask, so there is nothing to send; track its objects first")
    count = len(document.groups)
    summary = f"{count} object{'' if count == 1 else 's'} of '{path.name}' sent to {task.described} as {output.value}."
    block = guide_block(document, task.info.id)
    entry = apply_change(task, change, journal, summary, guide=True)
    lines = [summary, *_write_guide(task, block, entry, journal)]
    return (*lines, f"To take it back: sam2v cvat push --task {task.info.id} --undo")


def check_fits(movie: MovieIdentity, task: TaskOrJob) -> None:
    """Raise AnnotationError unless a task has the frames of a movie."""
    height, width = task.frame_shape(tuple(range(task.data.size)) or (0,))
    if (movie.length, *movie.frame_shape) != (task.data.size, height, width):
        raise AnnotationError(
            f"the annotation is of {movie.length} frames of {movie.frame_shape[1]} x {movie.frame_shape[0]} pixels, "
            f"but {task.described} has {task.data.size} frames of {width} x {height}: take the task that was made "
            "from the same movie, without a frame step, at its full size"
        )


def document_change(document: GuideDocument, labels: Mapping[int, Label], deleted: Collection[int]) -> AnnotationChange:
    """Return what a document becomes in CVAT.

    Parameters
    ----------
    document
        The document, with the output type and the groups of its objects.
    labels
        CVAT's labels by object id.
    deleted
        Frames on which nothing is written.
    """
    annotation = document.annotation
    nothing = Rle.empty(annotation.movie.frame_shape)
    frames = [frame for frame in range(annotation.movie.length) if frame not in deleted]
    objects = []
    for number in annotation.objects:
        source = TrackingSource(labels[number].id, document.groups[number], (), (), {0: _NOT_DRAWN})
        states = annotation.frame_states(number)
        manual = frozenset(state.frame for state in states if state.origin in (Origin.PROMPTED, Origin.EDITED))
        masklet = annotation.masklet(number)
        if len(masklet):
            masks = {frame: masklet.mask_at(frame) or nothing for frame in frames}
            objects.append(TrackedMasks(source, masks, manual))
    last = annotation.movie.length - 1
    contents = TaskContents({label.id: label for label in labels.values()}, Annotations(), last, (range(last + 1),))
    return plan_change(objects, document.output, Originals.KEEP, contents)


def _free_groups(annotation: Annotation, before: Annotations) -> dict[int, int]:
    """Return a group for each object: its own number if it is free."""
    taken = set(before.groups)
    groups = {}
    for number in annotation.objects:
        group = number if number not in taken else max((*taken, *annotation.objects)) + 1
        taken.add(group)
        groups[number] = group
    return groups


def _check_first(task: TaskOrJob, before: Annotations) -> None:
    sent = read_document(task)
    if sent is not None and set(sent.groups.values()) & before.groups.keys():
        raise RemoteError(
            f"{task.described} holds {len(sent.groups)} objects that were sent before: fetch them with 'sam2v cvat "
            f"pull', or take them back first with 'sam2v cvat push --task {task.info.id} --undo'"
        )


def _label(task: TaskOrJob, info: AnnotatedObject, otherwise: str | None) -> Label:
    known = {label.name for label in task.labels.values()}
    if info.class_name and (info.class_name in known or otherwise is None):
        return task.label_named(info.class_name, "give the label of such objects with --label")
    return task.label_or_only(otherwise, f"{info.title} has no class")


def _write_guide(task: TaskOrJob, block: str | None, entry: JournalEntry, journal: Journal) -> list[str]:
    """Put all that is not in the shapes into the guide; without it the shapes are still right."""
    reason = "they are too many for a guide"
    try:
        if block is not None:
            write_document(task, block)
            return ["Names, prompts, scores and locks are in the task's annotation guide."]
    except RemoteError as error:
        reason = str(error)
    entry.guide = False
    journal.save(entry)
    return [f"Names, prompts, scores and locks were not sent, keep the document for them: {reason}"]
