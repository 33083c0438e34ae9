"""All cells of the document at one time, and the one way to change them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar, cast

from src_model.annotation.lineage import Division, check_lineage
from src_model.annotation.patch import ByFrame, Patch, PatchBuilder
from src_model.annotation.spans import spans_of
from src_model.errors import AnnotationError, FrameRangeError, MaskError, UnknownObjectError
from src_model.masks import Masklet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from src_model.annotation.objects import AnnotatedObject
    from src_model.annotation.project import Project
    from src_model.annotation.prompts import Prompt
    from src_model.annotation.provenance import AnnotatedFrame

_Value = TypeVar("_Value")


@dataclass(slots=True)
class Track:
    """One object with everything that belongs to it.

    Attributes
    ----------
    info
        What a person says about it.
    masklet
        Its masks; every entry is an :class:`~src_model.annotation.provenance.AnnotatedFrame`.
    prompts
        By frame.
    locked
        Locked frames.
    """

    info: AnnotatedObject
    masklet: Masklet
    prompts: dict[int, Prompt] = field(default_factory=dict)
    locked: set[int] = field(default_factory=set)

    def frame(self, number: int) -> AnnotatedFrame | None:
        """Return what is known of the object on a frame, or None."""
        return cast("AnnotatedFrame | None", self.masklet.get(number))

    def frames(self, start: int = 0, stop: int | None = None) -> dict[int, AnnotatedFrame]:
        """Return what is known of the object from ``start`` up to ``stop`` (excluded), ascending."""
        return cast("dict[int, AnnotatedFrame]", self.masklet.entries(start, stop))

    def copy(self) -> Track:
        """Return an equal track that changes on its own; values are shared."""
        return Track(self.info, self.masklet.copy(), dict(self.prompts), set(self.locked))


@dataclass(frozen=True, slots=True)
class Applied:
    """What a patch did.

    Attributes
    ----------
    forward
        The part of the patch that changed something.
    inverse
        The patch that takes it back.
    """

    forward: Patch
    inverse: Patch


class State:
    """The cells of the document.

    Parameters
    ----------
    project
        What holds for the whole annotation.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.tracks: dict[int, Track] = {}  # by ascending id
        self.divisions: dict[int, Division] = {}  # by ascending parent

    def track(self, object_id: int) -> Track:
        """Return an object, or raise UnknownObjectError."""
        try:
            return self.tracks[object_id]
        except KeyError:
            known = ", ".join(map(str, list(self.tracks)[:20])) or "none"
            raise UnknownObjectError(f"there is no object {object_id}; the annotation holds {known}") from None

    def apply(self, patch: Patch) -> Applied:
        """Change cells; either all of the patch takes effect or none.

        Raises
        ------
        UnknownObjectError, FrameRangeError, MaskError, PromptError, AnnotationError
            If the patch does not fit the document.
        """
        self._check(patch)
        forward, inverse = PatchBuilder(), PatchBuilder()
        if patch.project is not None and patch.project != self.project:
            forward.project, inverse.project = patch.project, self.project
            self.project = patch.project
        self._apply_objects(patch, forward, inverse)
        for object_id, masks in self._known(patch.masks):
            track = self.tracks[object_id]
            forward.masks[object_id], inverse.masks[object_id] = _changed(
                masks, {frame: track.frame(frame) for frame in masks}
            )
            _store_masks(track.masklet, forward.masks[object_id])
        for object_id, prompts in self._known(patch.prompts):
            table = self.tracks[object_id].prompts
            forward.prompts[object_id], inverse.prompts[object_id] = _changed(prompts, _looked_up(prompts, table))
            _store(table, forward.prompts[object_id])
        for object_id, locks in self._known(patch.locks):
            locked = self.tracks[object_id].locked
            before = {frame: frame in locked for frame in locks}
            forward.locks[object_id], inverse.locks[object_id] = _changed(locks, before)
            locked.symmetric_difference_update(
                forward.locks[object_id]
            )  # those that differ are the other way round now
        forward.divisions, inverse.divisions = _changed(patch.divisions, _looked_up(patch.divisions, self.divisions))
        _store(self.divisions, forward.divisions)
        for object_id, info in forward.objects.items():
            if info is None:
                del self.tracks[object_id]
        return Applied(forward.build(), inverse.build())

    def copy(self) -> State:
        """Return an equal state that changes on its own; values are shared, so that this is quick."""
        other = State(self.project)
        other.tracks = {object_id: track.copy() for object_id, track in self.tracks.items()}
        other.divisions = dict(self.divisions)
        return other

    def as_patch(self) -> Patch:
        """Return the patch that leads from an empty document to this one."""
        return Patch(
            objects={object_id: track.info for object_id, track in self.tracks.items()},
            masks={object_id: track.frames() for object_id, track in self.tracks.items() if len(track.masklet)},
            prompts={object_id: dict(track.prompts) for object_id, track in self.tracks.items() if track.prompts},
            locks={
                object_id: dict.fromkeys(sorted(track.locked), True)
                for object_id, track in self.tracks.items()
                if track.locked
            },
            divisions=dict(self.divisions),
            project=self.project,
        )

    def check_divisions(self) -> None:
        """Raise AnnotationError if divisions name objects that are not there, or contradict one another."""
        check_lineage(self.divisions)
        for division in self.divisions.values():
            for object_id in (division.parent, *division.daughters):
                if object_id not in self.tracks:
                    raise AnnotationError(f"the division of object {division.parent} names {object_id}, which is gone")

    def __eq__(self, other: object) -> bool:
        """Whether both hold the same cells."""
        if not isinstance(other, State):
            return NotImplemented
        return (self.project, self.tracks, self.divisions) == (other.project, other.tracks, other.divisions)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def _known(self, table: ByFrame[_Value]) -> Iterator[tuple[int, Mapping[int, _Value]]]:
        return ((object_id, values) for object_id, values in table.items() if object_id in self.tracks)

    def _apply_objects(self, patch: Patch, forward: PatchBuilder, inverse: PatchBuilder) -> None:
        """Add and change objects, and note which are to be removed once their cells are empty."""
        known = {object_id: track.info for object_id, track in self.tracks.items()}
        forward.objects, inverse.objects = _changed(patch.objects, _looked_up(patch.objects, known))
        for object_id, info in forward.objects.items():
            if info is not None and object_id in self.tracks:
                self.tracks[object_id].info = info
            elif info is not None:
                self.tracks[object_id] = Track(info, Masklet(object_id, self.project.movie.frame_shape))
        if forward.objects:
            self.tracks = dict(sorted(self.tracks.items()))

    def _check(self, patch: Patch) -> None:
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


def _changed(after: Mapping[int, _Value], before: Mapping[int, _Value]) -> tuple[dict[int, _Value], dict[int, _Value]]:
    """Return the new values that differ from the old ones, and those old ones."""
    differing = {key: value for key, value in after.items() if not (value is before[key] or value == before[key])}
    return differing, {key: before[key] for key in differing}


def _looked_up(keys: Iterable[int], table: Mapping[int, _Value]) -> dict[int, _Value | None]:
    return {key: table.get(key) for key in keys}


def _store(table: dict[int, _Value], values: Mapping[int, _Value | None]) -> None:
    """Set or remove values and keep the keys ascending."""
    if not values:
        return
    for key, value in values.items():
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value
    ordered = sorted(table.items())
    table.clear()
    table.update(ordered)


def _store_masks(masklet: Masklet, values: Mapping[int, AnnotatedFrame | None]) -> None:
    # Whole spans are removed at once: undoing a propagation takes away hundreds of thousands of masks.
    for start, stop in spans_of(frame for frame, entry in values.items() if entry is None):
        masklet.delete_range(start, stop)
    for frame, entry in values.items():
        if entry is not None:
            masklet.restore(frame, entry)


def _check_frames(frames: Iterable[int], length: int, object_id: int) -> None:
    for frame in frames:
        if not 0 <= frame < length:
            raise FrameRangeError(
                f"frame {frame} of object {object_id} is outside the movie: frames are 0 to {length - 1}"
            )
