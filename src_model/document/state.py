"""All cells of the document at one moment, and the one way to change them."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from src_model.document.lineage import Division, check_lineage
from src_model.document.spans import SpanSet, spans_of
from src_model.document.store import Moment, mask_bytes
from src_model.document.touched import Touched
from src_model.errors import AnnotationError, FrameRangeError, MaskError, UnknownObjectError
from src_model.masks import Masklet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from src_model.document.objects import AnnotatedObject
    from src_model.document.patch import Patch
    from src_model.document.project import Project
    from src_model.document.provenance import AnnotatedFrame
    from src_model.document.store import CellStore, MaskFacts
    from src_model.prompts import Prompt

_Value = TypeVar("_Value")
_MANY_OBJECTS = 4
_TRIAL = 2**62
"""Number of a step that never is."""


@dataclass(frozen=True, slots=True)
class ObjectMasks:
    """The masks of one object, read when they are asked for.

    Attributes
    ----------
    store
        Store from which they are read.
    object_id
        Id of the object.
    shape
        ``(Y, X)`` of each.
    """

    store: CellStore
    object_id: int
    shape: tuple[int, int]

    def get(self, frame: int) -> AnnotatedFrame | None:
        """Return what is known of the object on a frame, or None."""
        return self.store.mask(self.object_id, frame, self.shape)

    def entries(self, start: int = 0, stop: int | None = None) -> dict[int, AnnotatedFrame]:
        """Return what is known of the object from ``start`` up to ``stop`` (excluded), ascending."""
        return self.store.masks(self.object_id, self.shape, start, stop)

    def facts(self, start: int = 0, stop: int | None = None) -> Iterator[MaskFacts]:
        """Tell what is known of the masks without reading them."""
        return self.store.mask_facts(self.object_id, start, stop)

    def frames(self, start: int = 0, stop: int | None = None) -> tuple[int, ...]:
        """Return the frames with a mask, ascending."""
        return tuple(fact.frame for fact in self.facts(start, stop))

    def masklet(self) -> Masklet:
        """Return all masks."""
        masklet = Masklet(self.object_id, self.shape)
        for frame, entry in self.entries().items():
            masklet.restore(frame, entry)
        return masklet


@dataclass(slots=True)
class Track:
    """One object with everything that belongs to it.

    Attributes
    ----------
    info
        What a person says about it.
    masks
        Its masks, scores and origins by frame, read when they are asked for.
    prompts
        By ascending frame; replaced by another mapping when they change.
    locked
        Frames, from 0, that are locked one by one.
    """

    info: AnnotatedObject
    masks: ObjectMasks
    prompts: Mapping[int, Prompt] = field(default_factory=dict)
    locked: SpanSet = field(default_factory=SpanSet)


@dataclass(frozen=True, slots=True)
class Applied:
    """What a patch did.

    Attributes
    ----------
    touched
        What has another value now.
    written
        How many bytes were added.
    replaced
        How many bytes hold values that no longer count, but after undo.
    """

    touched: Touched
    written: int
    replaced: int


class State:
    """The cells of the document.

    Objects, prompts, locks and divisions are few and held in memory; masks are read when they are asked for.

    Parameters
    ----------
    store
        Where the cells lie.
    """

    def __init__(self, store: CellStore) -> None:
        self.store = store
        self.project: Project
        self.tracks: dict[int, Track] = {}  # by ascending id
        self.divisions: dict[int, Division] = {}  # by ascending parent
        self.reload()

    def reload(self) -> None:
        """Read all that is held in memory again; AnnotationFileError if it contradicts itself."""
        self.project = self.store.project()
        movie = self.project.movie
        prompts, locks = self.store.prompts(movie.frame_shape), self.store.locks(movie.length)
        self.tracks = {
            number: Track(info, self._masks_of(number), prompts.get(number, {}), locks.get(number, SpanSet()))
            for number, info in self.store.objects().items()
        }
        self.divisions = self.store.divisions()

    def track(self, object_id: int) -> Track:
        """Return an object, or raise UnknownObjectError."""
        try:
            return self.tracks[object_id]
        except KeyError:
            known = ", ".join(map(str, list(self.tracks)[:20])) or "none"
            raise UnknownObjectError(f"there is no object {object_id}; the annotation holds {known}") from None

    def snapshot(self, store: CellStore) -> State:
        """Return the same cells, read through another store; it stays as it is when this one changes."""
        other = State.__new__(State)
        other.store, other.project = store, self.project
        other.tracks = {
            number: replace(track, masks=replace(track.masks, store=store)) for number, track in self.tracks.items()
        }
        other.divisions = dict(self.divisions)
        return other

    def check(self, patch: Patch) -> None:
        """Find out whether a patch fits the document.

        Raises
        ------
        UnknownObjectError, FrameRangeError, MaskError, PromptError, AnnotationError
            If it does not.
        """
        movie = (patch.project or self.project).movie
        shape = movie.frame_shape
        if shape != self.project.movie.frame_shape and self.tracks:
            raise AnnotationError(
                f"the movie's frames have shape {shape}, and those of the annotation {self.project.movie.frame_shape}"
            )
        for table in (patch.masks, patch.prompts, patch.locks):
            for object_id, values in table.items():
                _check_frames(values, movie.length, object_id)
                # Cells of an object that came and went within one patch are emptied, and are not there.
                if patch.objects.get(object_id) is None and any(values.values()):
                    self.track(object_id)
        for object_id, masks in patch.masks.items():
            for frame, entry in masks.items():
                if entry is not None and entry.mask.shape != shape:
                    where = f"object {object_id} on frame {frame}"
                    raise MaskError(f"the mask of {where} has shape {entry.mask.shape}, expected {shape}")
        for prompts in patch.prompts.values():
            for prompt in prompts.values():
                if prompt is not None:
                    prompt.check_fits(shape)

    def check_divisions(self) -> None:
        """Raise AnnotationError if divisions name objects that are not there, or contradict one another."""
        check_lineage(self.divisions)
        for division in self.divisions.values():
            for object_id in (division.parent, *division.daughters):
                if object_id not in self.tracks:
                    raise AnnotationError(f"the division of object {division.parent} names {object_id}, which is gone")

    def apply(self, patch: Patch, step: int) -> Applied:
        """Change cells as part of a step, within a transaction of the caller's; the patch was checked."""
        size = 0
        project = patch.project if patch.project not in (None, self.project) else None
        if project is not None:
            self.project = project
            size += self.store.put_project(step, project)
        objects = _changed(patch.objects, {number: track.info for number, track in self.tracks.items()})
        size += self._apply_objects(objects, step)
        self.read_together(patch.masks)
        prompts, locks = {}, {}
        found = {object_id: self._changed_masks(object_id, entries) for object_id, entries in patch.masks.items()}
        masks = {object_id: changed for object_id, (changed, _) in found.items()}
        replaced = sum(lost for _, lost in found.values())
        size += self.store.put_masks(step, masks)
        for object_id, said in patch.prompts.items():
            prompts[object_id], written = self._apply_prompts(object_id, said, step)
            size += written
        for object_id, frames in patch.locks.items():
            locks[object_id], written = self._apply_locks(object_id, frames, step)
            size += written
        divisions = _changed(patch.divisions, self.divisions)
        size += self._apply_divisions(divisions, step)
        for object_id, info in objects.items():
            if info is None:
                del self.tracks[object_id]
        touched = Touched(
            project is not None, frozenset(objects), _filled(masks), _filled(prompts), _filled(locks),
            frozenset(divisions),
        )  # fmt: skip
        return Applied(touched, size, replaced)

    def read_together(self, masks: Mapping[int, Mapping[int, object]]) -> None:
        """Read a frame of all objects at once where many masks of it will be asked for, as while tracking."""
        frames = {frame for entries in masks.values() for frame in entries} if len(masks) >= _MANY_OBJECTS else ()
        if len(frames) == 1:
            self.store.masks_on(next(iter(frames)), self.project.movie.frame_shape)

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Let patches be tried within the block, and take all of them back at its end."""
        store = self.store
        kept = self.project, {number: replace(track) for number, track in self.tracks.items()}, self.divisions
        moment = store.moment
        with store.lock:
            store.connection.execute("SAVEPOINT trial")
            try:
                yield
            finally:
                store.connection.execute("ROLLBACK TO trial")
                store.connection.execute("RELEASE trial")
                store.rolled_back(moment)
                self.project, self.tracks, self.divisions = kept

    def try_patch(self, patch: Patch) -> None:
        """Change cells within a :meth:`trial`; errors as :meth:`check`."""
        self.check(patch)
        moment = self.store.moment
        self.store.moment = Moment(moment.steps.with_number(_TRIAL), moment.version + 1)
        self.apply(patch, _TRIAL)

    def _masks_of(self, object_id: int) -> ObjectMasks:
        return ObjectMasks(self.store, object_id, self.project.movie.frame_shape)

    def _apply_objects(self, objects: Mapping[int, AnnotatedObject | None], step: int) -> int:
        """Add and change objects; those to be removed keep their place until their cells are empty."""
        for object_id, info in objects.items():
            if info is not None and object_id in self.tracks:
                self.tracks[object_id].info = info
            elif info is not None:
                self.tracks[object_id] = Track(info, self._masks_of(object_id))
        if objects:
            self.tracks = dict(sorted(self.tracks.items()))
        return self.store.put_objects(step, objects)

    def _changed_masks(
        self, object_id: int, entries: Mapping[int, AnnotatedFrame | None]
    ) -> tuple[dict[int, AnnotatedFrame | None], int]:
        """Return the masks that are others than now, and how many bytes hold those that they replace."""
        if object_id not in self.tracks or not entries:
            return {}, 0
        masks = self.tracks[object_id].masks
        before = masks.entries(min(entries), max(entries) + 1) if len(entries) > 1 else _one(masks, next(iter(entries)))
        changed = _changed(entries, before)
        return changed, sum(mask_bytes(before[frame].mask) for frame in changed if frame in before)

    def _apply_prompts(self, object_id: int, said: Mapping[int, Prompt | None], step: int) -> tuple[list[int], int]:
        if object_id not in self.tracks:
            return [], 0
        track = self.tracks[object_id]
        changed = _changed(said, track.prompts)
        track.prompts = _with_values(track.prompts, changed)
        return list(changed), self.store.put_prompts(step, object_id, changed)

    def _apply_locks(self, object_id: int, frames: Mapping[int, bool], step: int) -> tuple[list[int], int]:
        if object_id not in self.tracks:
            return [], 0
        track = self.tracks[object_id]
        changed = [frame for frame, locked in frames.items() if locked != (frame in track.locked)]
        if not changed:
            return [], 0
        track.locked = SpanSet(spans_of(set(track.locked).symmetric_difference(changed)))
        return changed, self.store.put_locks(step, object_id, track.locked)

    def _apply_divisions(self, divisions: Mapping[int, Division | None], step: int) -> int:
        size = 0
        for parent, division in divisions.items():
            before, after = (
                {} if item is None else dict.fromkeys(item.daughters, item.frame)
                for item in (self.divisions.get(parent), division)
            )
            gone: dict[int, int | None] = dict.fromkeys(before.keys() - after.keys())
            size += self.store.put_edges(step, parent, {**gone, **after})
        self.divisions = dict(_with_values(self.divisions, divisions))
        return size


def _one(masks: ObjectMasks, frame: int) -> dict[int, AnnotatedFrame]:
    entry = masks.get(frame)
    return {} if entry is None else {frame: entry}


def _changed(after: Mapping[int, _Value | None], before: Mapping[int, _Value]) -> dict[int, _Value | None]:
    """Return the new values that differ from the old ones."""
    return {key: value for key, value in after.items() if value != before.get(key)}


def _with_values(table: Mapping[int, _Value], values: Mapping[int, _Value | None]) -> dict[int, _Value]:
    """Return a table, keys ascending, in which values were set or, where None, removed."""
    merged: dict[int, _Value | None] = {**table, **values}
    return {key: value for key, value in sorted(merged.items()) if value is not None}


def _filled(frames: Mapping[int, Iterable[int]]) -> dict[int, tuple[tuple[int, int], ...]]:
    return {object_id: spans_of(numbers) for object_id, numbers in sorted(frames.items()) if numbers}


def _check_frames(frames: Iterable[int], length: int, object_id: int) -> None:
    for frame in frames:
        if not 0 <= frame < length:
            raise FrameRangeError(
                f"frame {frame} of object {object_id} is outside the movie: frames are 0 to {length - 1}"
            )
