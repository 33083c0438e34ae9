"""``sam2v cvat push``: an annotation document becomes shapes of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cvat_serverless.sdk.change import TaskContents, Tracked, change_of
from cvat_serverless.sdk.forms import Form, Originals
from cvat_serverless.sdk.guide import packed, sent_document, store_document
from cvat_serverless.sdk.receipts import Receipts
from cvat_serverless.sdk.records import Annotations, Drawn
from cvat_serverless.sdk.sources import Source
from cvat_serverless.sdk.update import carry_out, settle
from src_model.document import Origin, load
from src_model.errors import AnnotationError, RemoteError
from src_model.masks import Rle

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from cvat_serverless.sdk.change import Change
    from cvat_serverless.sdk.receipts import Receipt
    from cvat_serverless.sdk.records import Label
    from cvat_serverless.sdk.task import TaskOrJob
    from src_model.document import AnnotatedObject, Annotation, MovieIdentity

_NOT_DRAWN = "none"


def push_document(
    place: TaskOrJob, path: Path, form: Form, label: str | None = None, *, folder: Path | None = None
) -> tuple[str, ...]:
    """Send a document to a task.

    Parameters
    ----------
    place
        The task.
    path
        A ``.sam2v`` file.
    form
        What its objects become.
    label
        Name of the label for objects without a class.
    folder
        Where receipts are kept; the user's own by default.

    Returns
    -------
    tuple of str
        What was done, in words.

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
    check_fits(annotation.movie, place)
    receipts = Receipts(place.slug, folder)
    settle(place, receipts)
    before = place.annotations()
    _check_first(place, before)
    labels = {number: _label(place, info, label) for number, info in annotation.objects.items()}
    groups = free_groups(annotation, before)
    change = change_for(annotation, form, labels, groups, place.data.deleted_frames)
    place.check_writable()
    if not change.shapes and not change.tracks:
        raise RemoteError(f"'{path.name}' holds no mask, so there is nothing to send; track its objects first")
    count = len(groups)
    summary = f"{count} object{'' if count == 1 else 's'} of '{path.name}' sent to {place.described} as {form.value}."
    receipt = carry_out(place, change, receipts, summary, guide=True)
    names = {number: each.name for number, each in labels.items()}
    block = packed(annotation, form, groups, names, place.task.id)
    lines = [summary, *_store(place, block, receipt, receipts)]
    return (*lines, f"To take it back: sam2v cvat push --task {place.task.id} --undo")


def check_fits(movie: MovieIdentity, place: TaskOrJob) -> None:
    """Raise AnnotationError unless a task has the frames of a movie."""
    height, width = place.frame_shape(tuple(range(place.data.size)) or (0,))
    if (movie.length, *movie.frame_shape) != (place.data.size, height, width):
        raise AnnotationError(
            f"the annotation is of {movie.length} frames of {movie.frame_shape[1]} x {movie.frame_shape[0]} pixels, "
            f"but {place.described} has {place.data.size} frames of {width} x {height}: take the task that was made "
            "from the same movie, without a frame step, at its full size"
        )


def change_for(
    annotation: Annotation, form: Form, labels: Mapping[int, Label], groups: Mapping[int, int], deleted: Collection[int]
) -> Change:
    """Return what a document becomes in CVAT.

    Parameters
    ----------
    annotation
        The document.
    form
        What its objects become.
    labels, groups
        By object id.
    deleted
        Frames on which nothing is written.
    """
    nothing = Rle.empty(annotation.movie.frame_shape)
    frames = [frame for frame in range(annotation.movie.length) if frame not in deleted]
    objects = []
    for number in annotation.objects:
        source = Source(labels[number].id, groups[number], (), (), {0: Drawn(type=_NOT_DRAWN, frame=0)})
        states = annotation.frame_states(number)
        by_hand = frozenset(state.frame for state in states if state.origin in (Origin.PROMPTED, Origin.EDITED))
        masklet = annotation.masklet(number)
        if len(masklet):
            masks = {frame: masklet.mask_at(frame) or nothing for frame in frames}
            objects.append(Tracked(source, masks, by_hand))
    last = annotation.movie.length - 1
    scene = TaskContents({label.id: label for label in labels.values()}, Annotations(), last, (range(last + 1),))
    return change_of(objects, form, Originals.KEEP, scene)


def free_groups(annotation: Annotation, before: Annotations) -> dict[int, int]:
    """Return a group for each object: its own number if it is free."""
    taken = set(before.groups)
    groups = {}
    for number in annotation.objects:
        group = number if number not in taken else max((*taken, *annotation.objects)) + 1
        taken.add(group)
        groups[number] = group
    return groups


def _check_first(place: TaskOrJob, before: Annotations) -> None:
    sent = sent_document(place)
    if sent is not None and set(sent.groups.values()) & before.groups.keys():
        raise RemoteError(
            f"{place.described} holds {len(sent.groups)} objects that were sent before: fetch them with 'sam2v cvat "
            f"pull', or take them back first with 'sam2v cvat push --task {place.task.id} --undo'"
        )


def _label(place: TaskOrJob, info: AnnotatedObject, otherwise: str | None) -> Label:
    known = {label.name for label in place.labels.values()}
    if info.class_name and (info.class_name in known or otherwise is None):
        return place.label_named(info.class_name, "give the label of such objects with --label")
    if otherwise is not None:
        return place.label_named(otherwise, "give another --label")
    if len(place.labels) == 1:
        return next(iter(place.labels.values()))
    names = ", ".join(map(repr, sorted(known))) or "none"
    raise RemoteError(f"{info.title} has no class, and {place.described} has the labels {names}: choose with --label")


def _store(place: TaskOrJob, block: str | None, receipt: Receipt, receipts: Receipts) -> list[str]:
    """Put all that is not in the shapes into the guide; without it the shapes are still right."""
    reason = "they are too many for a guide"
    try:
        if block is not None:
            store_document(place, block)
            return ["Names, prompts, scores and locks are in the task's annotation guide."]
    except RemoteError as error:
        reason = str(error)
    receipt.guide = False
    receipts.save(receipt)
    return [f"Names, prompts, scores and locks were not sent, keep the document for them: {reason}"]
