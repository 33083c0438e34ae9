"""``sam2v cvat pull``: the shapes of a task become an annotation document."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cvat_serverless.sdk.appearance import by_group, looks_same, things_of
from cvat_serverless.sdk.guide import sent_document
from cvat_serverless.sdk.marks import place_mark
from cvat_serverless.sdk.push import change_for, check_fits
from cvat_serverless.sdk.receipts import Receipts
from cvat_serverless.sdk.records import Annotations, Label
from cvat_serverless.sdk.sources import turned_box
from cvat_serverless.shapes import make_shape
from src_model.document import (
    MAX_OBJECT_ID,
    SUFFIX,
    AnnotatedFrame,
    AnnotatedObject,
    Annotation,
    ApplyPatch,
    MovieIdentity,
    Origin,
    Patch,
    Prompt,
    save,
)
from src_model.document.patch import PatchBuilder
from src_model.errors import AnnotationFileError, RequestError
from src_model.formats.target import check_target, files_of_movie
from src_model.masks import Rle

if TYPE_CHECKING:
    from pathlib import Path

    from cvat_serverless.sdk.appearance import Thing
    from cvat_serverless.sdk.change import Change
    from cvat_serverless.sdk.guide import Sent
    from cvat_serverless.sdk.records import Drawn
    from cvat_serverless.sdk.task import TaskOrJob


def check_out(out: Path, movie: Path | None = None, *, force: bool = False) -> None:
    """Find out before a server is asked whether a document may be written; as in :func:`pull_document`.

    Raises
    ------
    AnnotationFileError, FormatError
        If not.
    """
    if out.suffix.lower() != SUFFIX:
        raise AnnotationFileError(f"an annotation is saved as a {SUFFIX} file, not as '{out.name}'")
    if out.is_file() and not force:  # even one of ours, which may have been worked on since
        raise AnnotationFileError(f"'{out}' is there already; choose another name, or replace it with force=True")
    check_target(out, lambda _: force, sources=() if movie is None else files_of_movie(movie))


def pull_document(place: TaskOrJob, out: Path, movie: Path | None = None, *, force: bool = False) -> tuple[str, ...]:
    """Fetch a task's annotation as a document.

    An object that was sent from a document is as it was there, with its prompts and scores, on all frames that nobody
    changed in CVAT.

    Parameters
    ----------
    place
        The task.
    out
        The ``.sam2v`` file to write.
    movie
        The movie, for documents that are new; it tells what the napari plugin recognises it by.
    force
        Replace a file that is there.

    Returns
    -------
    tuple of str
        What was done, in words.

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
    sent = sent_document(place)
    if sent is None:
        now = place.annotations(Receipts(place.slug).written().is_as_written)
        news = _News(Annotation(_identity(place, movie)), 0, now)
    else:
        check_fits(sent.annotation.movie, place)
        news = _brought_up_to_date(place, sent)
    added, left_out = _add_objects(news.document, place, news.others)
    save(news.document, out)
    lines = [f"{len(news.document.objects)} objects of {place.described} fetched to '{out}'."]
    if sent is not None:
        lines.append(f"{news.changed} masks were changed in CVAT since they were sent, and {added} objects are new.")
    lines += [f"{text[:1].upper()}{text[1:]}." for text in news.doubts]
    if left_out:
        lines.append(f"{left_out} shapes enclose nothing or are of a kind that a document cannot hold: left out.")
    return tuple(lines)


def _identity(place: TaskOrJob, movie: Path | None) -> MovieIdentity:
    if movie is None:
        frames = range(place.data.size)
        return MovieIdentity(place.task.name, (len(frames), *place.frame_shape(tuple(frames)), 3), "uint8")
    from src_model.frames import open_movie

    identity = MovieIdentity.of(open_movie(movie), path=str(movie))
    check_fits(identity, place)
    return identity


# Documents that were sent ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _News:
    """What happened in CVAT to a document that was sent.

    Attributes
    ----------
    document
        The document as it is now.
    changed
        How many masks were changed.
    others
        What is not part of it.
    doubts
        Where jobs hold different copies of a thing, in words.
    """

    document: Annotation
    changed: int
    others: Annotations
    doubts: tuple[str, ...] = ()


def _brought_up_to_date(place: TaskOrJob, sent: Sent) -> _News:
    document = sent.annotation
    last = place.data.size - 1
    labels = dict.fromkeys(sent.annotation.objects, Label(id=0, name=""))
    expected = change_for(sent.annotation, sent.form, labels, sent.groups, place.data.deleted_frames)
    before = by_group(Annotations(shapes=tuple(expected.shapes), tracks=tuple(expected.tracks)), last)
    now = _shown(place, expected)
    after = by_group(now, last)
    changed = 0
    for number, group in sent.groups.items():
        if number not in document.objects:
            continue
        if group in before and group not in after:
            _remove(document, number)
            continue
        patch = PatchBuilder()
        if group in after:
            name = place.labels[after[group].label_id].name
            if name != sent.labels.get(number, document.object(number).class_name):
                patch.objects[number] = replace(document.object(number), class_name=name)
            differing = _differing(before.get(group), after[group])
            changed += len(differing)
            for frame in differing:
                _take(patch, number, frame, after[group].frames.get(frame), document.movie.frame_shape)
        document.do(ApplyPatch(f"Changed in CVAT: {document.object(number).title}", patch.build()))
    groups = set(sent.groups.values())
    others = Annotations(
        shapes=tuple(raw for raw in now.shapes if (raw.get("group") or 0) not in groups),
        tracks=tuple(raw for raw in now.tracks if (raw.get("group") or 0) not in groups),
    )
    return _News(document, changed, others, tuple(now.disputed.values()))


def _shown(place: TaskOrJob, expected: Change) -> Annotations:
    """Read what CVAT holds; where jobs hold different copies, one that is not as it was sent counts.

    What was sent lies in each job that has its frame, so what one of them lacks was removed there.
    """
    marks = {place_mark(look) for raw in (*expected.shapes, *expected.tracks) for look in raw.get("shapes", [raw])}
    now = place.annotations(lambda raw: place_mark(raw) in marks)
    groups = {raw["group"] for raw in expected.shapes}

    def is_removed(raw: dict[str, Any]) -> bool:
        jobs = sum(raw["frame"] in span for span in place.spans)
        was_sent = raw.get("group") in groups and place_mark(raw) in marks
        return was_sent and len(now.copies_of("shape", raw)) < jobs

    return now.model_copy(update={"shapes": tuple(raw for raw in now.shapes if not is_removed(raw))})


def _differing(before: Thing | None, after: Thing) -> list[int]:
    """Return the frames on which CVAT shows something else than was sent."""
    shown = {} if before is None else before.frames
    return [frame for frame, look in sorted(after.frames.items()) if not looks_same(shown.get(frame), look)]


def _take(patch: PatchBuilder, number: int, frame: int, look: Drawn | None, image: tuple[int, int]) -> None:
    """Put what a person drew in the place of what the document says."""
    patch.locks[number][frame] = False
    if look is not None and look.type == "rectangle":  # says where it is, not which pixels it has
        patch.masks[number][frame] = None
        patch.prompts[number][frame] = _box_prompt(look, image)
    else:
        mask = Rle.empty(image) if look is None else make_shape(look.type, look.points, image).mask(image)
        patch.masks[number][frame] = AnnotatedFrame(mask, 1.0, 1.0, Origin.EDITED)


def _box_prompt(look: Drawn, image: tuple[int, int]) -> Prompt:
    return Prompt(box=make_shape("rectangle", turned_box(look), image).box)


def _remove(document: Annotation, number: int) -> None:
    track = document.track(number)
    divisions = {p: None for p, item in document.divisions.items() if number in (p, *item.daughters)}
    patch = Patch(
        objects={number: None},
        masks={number: dict.fromkeys(track.masks.frames())},
        prompts={number: dict.fromkeys(track.prompts)},
        locks={number: dict.fromkeys(track.locked, False)},
        divisions=divisions,
    )
    document.do(ApplyPatch(f"Removed in CVAT: {track.info.title}", patch))


# Objects that a document does not have yet ----------------------------------------------------------------------------


def _add_objects(document: Annotation, place: TaskOrJob, annotations: Annotations) -> tuple[int, int]:
    """Return how many objects were added, and how many shapes could not be."""
    things, left_out = things_of(annotations, place.data.size - 1)
    added = 0
    image = document.movie.frame_shape
    for thing in things:
        taken = thing.group in document.objects or not 0 < thing.group <= MAX_OBJECT_ID
        number = document.next_id() if taken else thing.group
        patch = PatchBuilder()
        patch.objects[number] = AnnotatedObject(number, class_name=place.labels[thing.label_id].name)
        for frame, look in thing.frames.items():
            try:
                _add(patch, number, frame, look, thing, image)
            except RequestError:  # it lies outside of the image, or covers no pixel
                left_out += 1
        if patch.masks[number] or patch.prompts[number]:
            document.do(ApplyPatch(f"Drawn in CVAT: object {number}", patch.build()))
            added += 1
    return added, left_out


def _add(
    patch: PatchBuilder, number: int, frame: int, look: Drawn | None, thing: Thing, image: tuple[int, int]
) -> None:
    if look is None:
        if thing.is_track and frame > min(thing.keys):
            patch.masks[number][frame] = AnnotatedFrame(Rle.empty(image), 1.0, 1.0, Origin.EDITED)
        return
    if look.type == "rectangle":
        if frame in thing.keys:
            patch.prompts[number][frame] = _box_prompt(look, image)
        return
    mask = make_shape(look.type, look.points, image).mask(image)
    prompt = None
    if frame in thing.by_hand:
        prompt = Prompt(mask=mask)
    elif frame in thing.boxes:
        prompt = _box_prompt(thing.boxes[frame], image)
    if prompt is not None:
        patch.prompts[number][frame] = prompt
    origin = Origin.IMPORTED if prompt is None else Origin.PROMPTED
    patch.masks[number][frame] = AnnotatedFrame(mask, 1.0, 1.0, origin)
