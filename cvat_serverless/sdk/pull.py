"""``sam2v cvat pull``: the shapes of a task become an annotation document."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cvat_serverless.sdk.fingerprints import geometry_key_of
from cvat_serverless.sdk.guide import read_document
from cvat_serverless.sdk.journal import Journal
from cvat_serverless.sdk.objects import objects_by_group, objects_in, same_shape
from cvat_serverless.sdk.push import check_fits, document_change
from cvat_serverless.sdk.schemas import Annotations, Label
from cvat_serverless.sdk.sources import upright_box
from cvat_serverless.shapes import SHAPE_TYPES, make_shape
from src_model.document import (
    MAX_OBJECT_ID,
    SUFFIX,
    AnnotatedFrame,
    AnnotatedObject,
    Annotation,
    ApplyPatch,
    DeleteObject,
    Group,
    LockFrames,
    LockObject,
    MovieIdentity,
    Origin,
    Prompt,
    save,
)
from src_model.document.patch import PatchBuilder
from src_model.errors import AnnotationFileError, RequestError
from src_model.formats.target import check_target, files_of_movie
from src_model.masks import Rle

if TYPE_CHECKING:
    from pathlib import Path

    from cvat_serverless.sdk.change import AnnotationChange
    from cvat_serverless.sdk.guide import GuideDocument
    from cvat_serverless.sdk.objects import CvatObject
    from cvat_serverless.sdk.schemas import RawItem, ShapeData
    from cvat_serverless.sdk.task import TaskOrJob


def check_out(out: Path, movie: Path | None = None, *, force: bool = False) -> None:
    """Find out before a server is asked whether a document may be written; as in :func:`pull_document`.

    Raises
    ------
    AnnotationFileError, FormatError
        If it may not be written there.
    """
    if out.suffix.lower() != SUFFIX:
        raise AnnotationFileError(f"an annotation is saved as a {SUFFIX} file, not as '{out.name}'")
    if out.is_file() and not force:  # even one of ours, which may have been worked on since
        raise AnnotationFileError(f"'{out}' is there already; choose another name, or replace it with force=True")
    check_target(out, lambda _: force, sources=() if movie is None else files_of_movie(movie))


def pull_document(task: TaskOrJob, out: Path, movie: Path | None = None, *, force: bool = False) -> tuple[str, ...]:
    """Fetch a task's annotation as a document.

    An object that was sent from a document is as it was there, with its prompts and scores, on all frames that nobody
    changed in CVAT.

    Parameters
    ----------
    task
        The task whose annotation is fetched.
    out
        The ``.sam2v`` file to write.
    movie
        The movie, for documents that are new; it tells what the napari plugin recognises it by.
    force
        Whether a file that is there is replaced.

    Returns
    -------
    tuple of str
        What was done, in sentences.

    Raises
    ------
    AnnotationFileError
        If the file is there already or cannot be written.
    FormatError
        If it would lie on or in the movie, or a folder is in the way.
    AnnotationError
        If the movie does not fit the task.
    RemoteError
        If the server refuses or does not answer.
    """
    check_out(out, movie, force=force)
    sent = read_document(task)
    if sent is None:
        now = task.annotations(Journal(task.slug).written().is_as_written)
        update = _Update(Annotation(_identity(task, movie)), 0, now)
    else:
        check_fits(sent.annotation.movie, task)
        update = _updated(task, sent)
    added, left_out = _add_objects(update.document, task, update.others)
    save(update.document, out)
    lines = [f"{len(update.document.objects)} objects of {task.described} fetched to '{out}'."]
    if sent is not None:
        lines.append(f"{update.changed} masks were changed in CVAT since they were sent, and {added} objects are new.")
    lines += [f"{text[:1].upper()}{text[1:]}." for text in update.conflicts]
    if left_out := left_out + update.left_out:
        lines.append(f"{left_out} shapes enclose nothing or are of a kind that a document cannot hold: left out.")
    return tuple(lines)


def _identity(task: TaskOrJob, movie: Path | None) -> MovieIdentity:
    if movie is None:
        frames = range(task.data.size)
        return MovieIdentity(task.info.name, (len(frames), *task.frame_shape(tuple(frames)), 3), "uint8")
    from src_model.frames import open_movie

    identity = MovieIdentity.of(open_movie(movie), path=str(movie))
    check_fits(identity, task)
    return identity


# Documents that were sent ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Update:
    """What happened in CVAT to a document that was sent.

    Attributes
    ----------
    document
        The document as it is now.
    changed
        How many masks were changed.
    others
        Shapes and tracks that are not part of it.
    conflicts
        Where jobs hold different copies of an item, in words.
    left_out
        On how many frames the shape of an object encloses nothing; these stay as they were.
    """

    document: Annotation
    changed: int
    others: Annotations
    conflicts: tuple[str, ...] = ()
    left_out: int = 0


def _updated(task: TaskOrJob, sent: GuideDocument) -> _Update:
    """Bring a document up to date with what is in CVAT now."""
    document = sent.annotation
    last = task.data.size - 1
    expected = document_change(sent, dict.fromkeys(document.objects, Label(id=0, name="")), task.data.deleted_frames)
    before = objects_by_group(Annotations(shapes=tuple(expected.shapes), tracks=tuple(expected.tracks)), last)
    now = _current_annotations(task, expected)
    after = objects_by_group(now, last)
    changed = left_out = 0
    for number, group in sent.groups.items():
        if number not in document.objects:
            continue
        if group in before and group not in after:
            _remove_object(document, number)
        elif group in after:
            name = task.labels[after[group].label_id].name
            class_name = name if name != sent.labels.get(number, document.object(number).class_name) else None
            taken, left = _update_object(document, number, before.get(group), after[group], class_name)
            changed += taken
            left_out += left
    groups = set(sent.groups.values())
    others = Annotations(
        # A kind that no document can hold is counted there as left out.
        shapes=tuple(
            raw for raw in now.shapes if (raw.get("group") or 0) not in groups or raw["type"] not in SHAPE_TYPES
        ),
        tracks=tuple(raw for raw in now.tracks if (raw.get("group") or 0) not in groups),
    )
    return _Update(document, changed, others, tuple(now.conflicts.values()), left_out)


def _current_annotations(task: TaskOrJob, expected: AnnotationChange) -> Annotations:
    """Read what CVAT holds; where jobs hold different copies, one that is not as it was sent counts.

    What was sent lies in each job that has its frame, so what one of them lacks was removed there.
    """
    sent_items = (*expected.shapes, *expected.tracks)
    sent = {geometry_key_of(shape) for raw in sent_items for shape in raw.get("shapes", [raw])}
    now = task.annotations(lambda raw: geometry_key_of(raw) in sent)
    groups = {raw["group"] for raw in expected.shapes}

    def is_removed(raw: RawItem) -> bool:
        jobs = sum(raw["frame"] in span for span in task.spans)
        was_sent = raw.get("group") in groups and geometry_key_of(raw) in sent
        return was_sent and len(now.items["shape", int(raw["id"])].held) < jobs

    return now.model_copy(update={"shapes": tuple(raw for raw in now.shapes if not is_removed(raw))})


def _update_object(
    document: Annotation, number: int, before: CvatObject | None, after: CvatObject, class_name: str | None
) -> tuple[int, int]:
    """Take over what CVAT shows other than it was sent; return on how many frames it does, and on how many not."""
    patch = PatchBuilder()
    if class_name is not None:
        patch.objects[number] = replace(document.object(number), class_name=class_name)
    sent = {} if before is None else before.shapes
    changed = [frame for frame, shape in sorted(after.shapes.items()) if not same_shape(sent.get(frame), shape)]
    left_out = 0
    for frame in changed:
        try:
            _update_frame(patch, number, frame, after.shapes.get(frame), document.movie.frame_shape)
        except RequestError:  # it lies outside of the image, or covers no pixel
            left_out += 1
    document.do(ApplyPatch(f"Changed in CVAT: {document.object(number).title}", patch.build()))
    return len(changed) - left_out, left_out


def _update_frame(
    patch: PatchBuilder, number: int, frame: int, shape: ShapeData | None, image: tuple[int, int]
) -> None:
    """Let what a person drew take the place of what the document says."""
    if shape is not None and shape.type == "rectangle":  # says where it is, not which pixels it has
        patch.prompts[number][frame] = _box_prompt(shape, image)
        patch.masks[number][frame] = None
    else:
        mask = Rle.empty(image) if shape is None else make_shape(shape.type, shape.points, image).mask(image)
        patch.masks[number][frame] = AnnotatedFrame(mask, 1.0, 1.0, Origin.EDITED)
    patch.locks[number][frame] = False


def _box_prompt(shape: ShapeData, image: tuple[int, int]) -> Prompt:
    return Prompt(box=make_shape("rectangle", upright_box(shape), image).box)


def _remove_object(document: Annotation, number: int) -> None:
    """Remove an object, locked or not: who removes it in CVAT means it."""
    track = document.track(number)
    actions = (LockObject(number, False), LockFrames(number, tuple(track.locked), False), DeleteObject(number))
    document.do(Group(f"Removed in CVAT: {track.info.title}", actions))


# Objects that a document does not have yet ----------------------------------------------------------------------------


def _add_objects(document: Annotation, task: TaskOrJob, annotations: Annotations) -> tuple[int, int]:
    """Return how many objects were added, and how many shapes could not be."""
    objects, left_out = objects_in(annotations, task.data.size - 1)
    added = 0
    image = document.movie.frame_shape
    for item in objects:
        is_taken = item.group in document.objects or not 0 < item.group <= MAX_OBJECT_ID
        number = document.next_id() if is_taken else item.group
        patch = PatchBuilder()
        patch.objects[number] = AnnotatedObject(number, class_name=task.labels[item.label_id].name)
        for frame, shape in item.shapes.items():
            try:
                _add_frame(patch, number, frame, shape, item, image)
            except RequestError:  # it lies outside of the image, or covers no pixel
                left_out += 1
        if patch.masks[number] or patch.prompts[number]:
            document.do(ApplyPatch(f"Drawn in CVAT: object {number}", patch.build()))
            added += 1
    return added, left_out


def _add_frame(
    patch: PatchBuilder, number: int, frame: int, shape: ShapeData | None, item: CvatObject, image: tuple[int, int]
) -> None:
    if shape is None:
        if item.is_track and frame > min(item.keyframes):
            patch.masks[number][frame] = AnnotatedFrame(Rle.empty(image), 1.0, 1.0, Origin.EDITED)
        return
    if shape.type == "rectangle":
        if frame in item.keyframes:
            patch.prompts[number][frame] = _box_prompt(shape, image)
        return
    mask = make_shape(shape.type, shape.points, image).mask(image)
    prompt = None
    if frame in item.manual_frames:
        prompt = Prompt(mask=mask)
    elif frame in item.boxes:
        prompt = _box_prompt(item.boxes[frame], image)
    if prompt is not None:
        patch.prompts[number][frame] = prompt
    origin = Origin.IMPORTED if prompt is None else Origin.PROMPTED
    patch.masks[number][frame] = AnnotatedFrame(mask, 1.0, 1.0, origin)
