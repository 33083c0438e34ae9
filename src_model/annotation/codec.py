"""Patches as a record and flat arrays, and back: the one encoding of files and journals."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import numpy as np

from src_model.annotation.lineage import Division
from src_model.annotation.movie import MovieIdentity
from src_model.annotation.objects import AnnotatedObject
from src_model.annotation.patch import Patch
from src_model.annotation.project import ModelIdentity, Project, Settings
from src_model.annotation.prompts import Prompt
from src_model.annotation.provenance import ORIGINS, AnnotatedFrame
from src_model.annotation.schema import (
    DivisionRecord,
    LockRecord,
    ModelRecord,
    MovieRecord,
    NormalizationRecord,
    ObjectRecord,
    PatchRecord,
    ProjectRecord,
    PromptRecord,
)
from src_model.annotation.spans import spans_of
from src_model.errors import AnnotationFileError
from src_model.frames import Normalization
from src_model.masks.packing import PackedMasks, join_packed, pack_masks, unpack_masks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from src_model.masks import Rle

Arrays = dict[str, "NDArray[np.generic]"]

ARRAY_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "objects": ("<u4",),
    "frames": ("<u4",),
    "origins": ("|u1",),
    "scores": ("<f8",),
    "object_scores": ("<f8",),
    "runs": ("<u4",),
    "first": ("<u4",),
    "middle": ("<u2", "<u4"),
    "prompt_runs": ("<u4",),
    "prompt_first": ("<u4",),
    "prompt_middle": ("<u2", "<u4"),
}
"""Types the arrays of a patch may have. ``objects``, ``frames`` and ``origins`` have a row for each mask; ``scores``,
``object_scores``, ``runs`` and ``first`` one for each that is not removed."""

MAX_MASKS: Final = 2**23
"""As many masks in one patch at most: each takes far more memory than its bytes."""

_REMOVED: Final = 255
"""Origin of a mask that is removed."""

_MASKS_AT_ONCE: Final = 2048
"""Masks packed in one go: packing holds up other threads while it runs."""


def encode(patch: Patch) -> tuple[PatchRecord, Arrays]:
    """Turn a patch into what files hold."""
    prompts = [(number, frame, item) for number, row in patch.prompts.items() for frame, item in row.items()]
    record = PatchRecord(
        objects=tuple(ObjectRecord(**asdict(info)) for info in patch.objects.values() if info is not None),
        removed_objects=tuple(number for number, info in patch.objects.items() if info is None),
        prompts=tuple(_prompt_record(number, frame, item) for number, frame, item in prompts if item is not None),
        removed_prompts=tuple((number, frame) for number, frame, item in prompts if item is None),
        locks=tuple(_lock_records(patch.locks)),
        divisions=tuple(
            DivisionRecord(
                parent=parent,
                frame=0 if division is None else division.frame,
                daughters=() if division is None else division.daughters,
            )
            for parent, division in patch.divisions.items()
        ),
        project=None if patch.project is None else _project_record(patch.project),
        masks=sum(map(len, patch.masks.values())),
    )
    prompt_masks = pack_masks([item.mask for *_, item in prompts if item is not None and item.mask is not None])
    arrays = _mask_arrays(patch)
    arrays |= {
        "prompt_runs": prompt_masks.runs,
        "prompt_first": prompt_masks.first,
        "prompt_middle": prompt_masks.middle,
    }
    return record, {name: array for name, array in arrays.items() if array.size}


def decode(record: PatchRecord, arrays: Mapping[str, NDArray[np.generic]], project: Project | None = None) -> Patch:
    """Turn what a file holds into a patch, for the document with ``project`` unless the record has one of its own.

    Raises
    ------
    AnnotationFileError
        If the arrays do not belong together, or the project is missing.
    Sam2vError
        If a value is none that a document can have.
    """
    described = project if record.project is None else _project(record.project)
    if described is None:
        raise AnnotationFileError("the annotation is damaged: nothing says which movie it belongs to")
    shape = described.movie.frame_shape
    objects: dict[int, AnnotatedObject | None] = dict.fromkeys(record.removed_objects)
    objects |= {item.object_id: AnnotatedObject(**item.model_dump()) for item in record.objects}
    locks: defaultdict[int, dict[int, bool]] = defaultdict(dict)
    for lock in record.locks:
        for start, stop in lock.spans:
            if stop > described.movie.length:
                raise AnnotationFileError(f"the annotation is damaged: frames {start} to {stop} leave the movie")
            locks[lock.object_id].update(dict.fromkeys(range(start, stop), lock.locked))
    return Patch(
        objects=objects,
        masks=_masks(record.masks, arrays, shape),
        prompts=_prompts(record, arrays, shape),
        locks=dict(locks),
        divisions={
            item.parent: Division(item.parent, item.frame, item.daughters) if item.daughters else None
            for item in record.divisions
        },
        project=None if record.project is None else described,
    )


def _mask_arrays(patch: Patch) -> Arrays:
    rows = sum(map(len, patch.masks.values()))
    objects, frames, origins = np.empty(rows, "<u4"), np.empty(rows, "<u4"), np.empty(rows, "|u1")
    kept: list[AnnotatedFrame] = []
    row = 0
    for object_id, masks in patch.masks.items():
        span = slice(row, row + len(masks))
        objects[span] = object_id
        frames[span] = list(masks)
        origins[span] = [_REMOVED if entry is None else _CODES[entry.origin] for entry in masks.values()]
        kept.extend(entry for entry in masks.values() if entry is not None)
        row = span.stop
    packed = join_packed(
        [
            pack_masks([entry.mask for entry in kept[first : first + _MASKS_AT_ONCE]])
            for first in range(0, len(kept), _MASKS_AT_ONCE)
        ]
    )
    return {
        "objects": objects,
        "frames": frames,
        "origins": origins,
        "scores": np.fromiter((entry.score for entry in kept), "<f8", len(kept)),
        "object_scores": np.fromiter((entry.object_score for entry in kept), "<f8", len(kept)),
        "runs": packed.runs,
        "first": packed.first,
        "middle": packed.middle,
    }


def _masks(
    count: int, arrays: Mapping[str, NDArray[np.generic]], shape: tuple[int, int]
) -> dict[int, dict[int, AnnotatedFrame | None]]:
    names = ("objects", "frames", "origins", "scores", "object_scores")
    objects, frames, origins, scores, object_scores = (_array(arrays, name) for name in names)
    packed = _packed(arrays, "")
    removed = int(np.count_nonzero(origins == _REMOVED))
    sizes = {count, objects.size, frames.size, origins.size}
    kept_sizes = {scores.size, object_scores.size, packed.runs.size, origins.size - removed}
    known = np.isin(origins, [*range(len(ORIGINS)), _REMOVED]).all()
    if len(sizes) > 1 or len(kept_sizes) > 1 or objects.size > MAX_MASKS or not known:
        raise AnnotationFileError(f"the annotation is damaged: its mask table has columns of {sizes} and {kept_sizes}")
    if not (np.isfinite(scores).all() and np.isfinite(object_scores).all()):
        raise AnnotationFileError("the annotation is damaged: a score is no number")
    entries = iter(zip(unpack_masks(packed, shape), scores.tolist(), object_scores.tolist(), strict=True))
    table: defaultdict[int, dict[int, AnnotatedFrame | None]] = defaultdict(dict)
    for object_id, frame, code in zip(objects.tolist(), frames.tolist(), origins.tolist(), strict=True):
        table[object_id][frame] = None if code == _REMOVED else AnnotatedFrame(*next(entries), ORIGINS[code])
    if sum(map(len, table.values())) != objects.size:
        raise AnnotationFileError("the annotation is damaged: it holds a mask twice")
    return dict(table)


def _prompts(
    record: PatchRecord, arrays: Mapping[str, NDArray[np.generic]], shape: tuple[int, int]
) -> dict[int, dict[int, Prompt | None]]:
    masks: Sequence[Rle] = unpack_masks(_packed(arrays, "prompt_"), shape)
    if len(masks) != sum(item.mask for item in record.prompts):
        raise AnnotationFileError(f"the annotation is damaged: {len(masks)} prompt masks belong to other prompts")
    following = iter(masks)
    table: defaultdict[int, dict[int, Prompt | None]] = defaultdict(dict)
    for object_id, frame in record.removed_prompts:
        table[object_id][frame] = None
    for item in record.prompts:
        prompt = Prompt(item.points, item.labels, item.box, next(following) if item.mask else None)
        if prompt.is_empty or table[item.object_id].get(item.frame) is not None:
            raise AnnotationFileError(
                f"the annotation is damaged: object {item.object_id} has an empty prompt, or two, on frame {item.frame}"
            )
        table[item.object_id][item.frame] = prompt
    return dict(table)


def _array(arrays: Mapping[str, NDArray[np.generic]], name: str) -> NDArray[np.generic]:
    return arrays[name] if name in arrays else np.empty(0, ARRAY_TYPES[name][0])


def _packed(arrays: Mapping[str, NDArray[np.generic]], prefix: str) -> PackedMasks:
    runs, first, middle = (_array(arrays, prefix + name) for name in ("runs", "first", "middle"))
    return PackedMasks(runs, first, middle)  # type: ignore[arg-type]  # types were checked where they were read


def _prompt_record(object_id: int, frame: int, prompt: Prompt) -> PromptRecord:
    return PromptRecord(
        object_id=object_id,
        frame=frame,
        points=prompt.points,
        labels=prompt.labels,
        box=prompt.box,
        mask=prompt.mask is not None,
    )


def _lock_records(locks: Mapping[int, Mapping[int, bool]]) -> list[LockRecord]:
    records = []
    for object_id, frames in locks.items():
        for locked in (False, True):
            spans = spans_of(frame for frame, value in frames.items() if value is locked)
            if spans:
                records.append(LockRecord(object_id=object_id, locked=locked, spans=spans))
    return records


def _project_record(project: Project) -> ProjectRecord:
    model, normalization = project.model, project.normalization
    return ProjectRecord(
        movie=MovieRecord(**asdict(project.movie)),
        model=None if model is None else ModelRecord(**asdict(model)),
        normalization=None if normalization is None else NormalizationRecord(**asdict(normalization)),
        settings=dict(project.settings),
        overlap=project.overlap,
    )


def _project(record: ProjectRecord) -> Project:
    normalization = record.normalization
    return Project(
        movie=MovieIdentity(**record.movie.model_dump()),
        model=None if record.model is None else ModelIdentity(**record.model.model_dump()),
        normalization=None if normalization is None else Normalization.from_dict(normalization.model_dump()),
        settings=Settings(record.settings),
        overlap=record.overlap,
    )


_CODES = {origin: code for code, origin in enumerate(ORIGINS)}
