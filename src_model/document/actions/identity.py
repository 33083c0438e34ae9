"""Actions on who is who: deleting, merging, splitting, swapping.

All of them refuse locked objects, and locked frames that would lose or change their mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from src_model.document.actions.base import ActionPlan, check_object_unlocked, check_unlocked, frame_number
from src_model.document.actions.lineage import divisions_patch, renamed_divisions
from src_model.document.objects import AnnotatedObject
from src_model.document.patch import PatchBuilder
from src_model.document.provenance import AnnotatedFrame, Origin
from src_model.errors import AnnotationError
from src_model.masks import Rle

if TYPE_CHECKING:
    from src_model.document.lineage import Division
    from src_model.document.state import State, Track


MergeRule: TypeAlias = Literal["union", "keep", "replace", "score"]
"""What a merged object has where both had a mask that is not empty: both together, the mask of the object merged into,
the mask of the other one, or the better scored one (of equal ones the first). The union has the lower score of the two,
for the person who looks for the worst frame, and the origin of the two that is nearest to a person's hand: a union of
tracked masks is still to be reviewed."""

MERGE_RULES: tuple[MergeRule, ...] = ("union", "keep", "replace", "score")

_NEAREST_TO_HAND = (Origin.EDITED, Origin.PROMPTED, Origin.TRACKED, Origin.TRACKED_BACK, Origin.IMPORTED)
"""What a union of two masks counts as. Tracked comes before imported, because nobody looked at what was tracked."""


@dataclass(frozen=True, slots=True)
class DeleteObject:
    """Remove an object with its prompts and masks; divisions forget it."""

    object_id: int

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"Delete object {self.object_id}"

    def plan(self, state: State) -> ActionPlan:
        """Remove it; LockedError if it, or any frame of it, is locked."""
        track = state.track(self.object_id)
        check_unlocked(track, track.locked)
        builder = PatchBuilder()
        _remove(builder, track)
        left = [division.without(self.object_id) for division in state.divisions.values()]
        builder.divisions.update(divisions_patch(state, [division for division in left if division is not None]))
        return ActionPlan(builder.build())


@dataclass(frozen=True, slots=True)
class MergeObjects:
    """Make two objects one: ``other`` becomes part of ``into``, which keeps its id, name, color, class and note.

    Where both have a mask, ``rule`` decides. Where both are prompted on a frame, the prompt of ``into`` stays.
    Divisions of both become divisions of the one; the division between them, if there is one, goes.

    Attributes
    ----------
    into, other
        Ids of two different objects.
    rule
        What becomes of frames on which both have a mask, see :data:`MergeRule`.
    """

    into: int
    other: int
    rule: MergeRule = "union"

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"Merge object {self.other} into {self.into}"

    def plan(self, state: State) -> ActionPlan:
        """Merge them; LockedError if something locked would change, AnnotationError if the divisions contradict."""
        if self.into == self.other:
            raise AnnotationError(f"object {self.into} cannot be merged with itself; name two objects")
        into, other = state.track(self.into), state.track(self.other)
        check_unlocked(other, other.locked)
        check_unlocked(into, {*other.masks.frames(), *other.prompts})
        builder = PatchBuilder()
        builder.masks[self.into].update(_combined(into, other, self.rule))
        builder.prompts[self.into].update(
            {frame: prompt for frame, prompt in other.prompts.items() if frame not in into.prompts}
        )
        _remove(builder, other)
        names = {self.other: self.into}
        divisions = renamed_divisions(state, lambda _, parent: names.get(parent, parent), lambda _, n: names.get(n, n))
        builder.divisions.update(divisions)
        return ActionPlan(builder.build())


@dataclass(frozen=True, slots=True)
class SplitObject:
    """Give an object a new id from ``frame`` on: masks and prompts there move to the new object.

    Attributes
    ----------
    object_id, frame
        What to split, and the first frame that moves.
    new_id
        Of the new object; ``Annotation.next_id()`` gives a free one. It takes over class, note and visibility.
    """

    object_id: int
    frame: int
    new_id: int

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"Split object {self.object_id} at frame {self.frame}"

    def plan(self, state: State) -> ActionPlan:
        """Split it; AnnotationError if the id is taken or nothing would move, LockedError if something locked would."""
        track, frame = state.track(self.object_id), frame_number(self.frame, state)
        if self.new_id in state.tracks:
            raise AnnotationError(f"object id {self.new_id} is taken by {state.track(self.new_id).info.title}")
        _check_moves([track], frame)
        info = track.info
        new = AnnotatedObject(self.new_id, class_name=info.class_name, note=info.note, visible=info.visible)
        builder = PatchBuilder()
        builder.objects[self.new_id] = new
        _move(builder, track, self.new_id, frame)
        builder.divisions.update(_renamed_from(state, {self.object_id: self.new_id}, frame))
        return ActionPlan(builder.build())


@dataclass(frozen=True, slots=True)
class SwapIds:
    """Exchange the masks and prompts of two objects from ``frame`` on, where tracking mistook one for the other."""

    first: int
    second: int
    frame: int

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"Swap objects {self.first} and {self.second} from frame {self.frame}"

    def plan(self, state: State) -> ActionPlan:
        """Swap them; AnnotationError if there is nothing to swap, LockedError if something locked would move."""
        if self.first == self.second:
            raise AnnotationError(f"object {self.first} cannot be swapped with itself; name two objects")
        tracks = [state.track(self.first), state.track(self.second)]
        frame = frame_number(self.frame, state)
        _check_moves(tracks, frame)
        builder = PatchBuilder()
        # Both leave before either arrives: what arrives on a frame overrules that something left it.
        for track, target in zip(tracks, tracks[::-1], strict=True):
            _leave(builder, track, frame)
            check_object_unlocked(target)
        for track, target in zip(tracks, tracks[::-1], strict=True):
            _arrive(builder, track, target.info.object_id, frame)
        builder.divisions.update(_renamed_from(state, {self.first: self.second, self.second: self.first}, frame))
        return ActionPlan(builder.build())


def _check_moves(tracks: list[Track], frame: int) -> None:
    moving = 0
    for track in tracks:
        frames = {*track.masks.frames(frame), *(number for number in track.prompts if number >= frame)}
        frames |= {number for number in track.locked if number >= frame}
        check_unlocked(track, frames)
        moving += len(frames)
    if not moving:
        names = " and ".join(track.info.title for track in tracks)
        raise AnnotationError(f"{names} has nothing from frame {frame} on that could move; choose an earlier frame")


def _move(builder: PatchBuilder, track: Track, target: int, frame: int) -> None:
    _leave(builder, track, frame)
    _arrive(builder, track, target, frame)


def _leave(builder: PatchBuilder, track: Track, frame: int) -> None:
    object_id = track.info.object_id
    builder.masks[object_id].update(dict.fromkeys(track.masks.frames(frame)))
    builder.prompts[object_id].update(dict.fromkeys(number for number in track.prompts if number >= frame))


def _arrive(builder: PatchBuilder, track: Track, target: int, frame: int) -> None:
    builder.masks[target].update(track.masks.entries(frame))
    builder.prompts[target].update({n: prompt for n, prompt in track.prompts.items() if n >= frame})


def _remove(builder: PatchBuilder, track: Track) -> None:
    """Empty all cells of an object and remove it."""
    object_id = track.info.object_id
    builder.objects[object_id] = None
    builder.masks[object_id].update(dict.fromkeys(track.masks.frames()))
    builder.prompts[object_id].update(dict.fromkeys(track.prompts))
    builder.locks[object_id].update(dict.fromkeys(track.locked, False))


def _renamed_from(state: State, names: dict[int, int], frame: int) -> dict[int, Division | None]:
    """Rename objects in divisions where what the division speaks of lies at or after ``frame``.

    A parent is spoken of up to the frame before the division, a daughter from the division on.
    """

    def parent(division: Division, number: int) -> int:
        return names.get(number, number) if division.frame > frame else number

    def daughter(division: Division, number: int) -> int:
        return names.get(number, number) if division.frame >= frame else number

    return renamed_divisions(state, parent, daughter)


def _combined(into: Track, other: Track, rule: MergeRule) -> dict[int, AnnotatedFrame | None]:
    """Return what changes of ``into`` when ``other`` becomes part of it, by frame.

    Where only one of them has a mask, or the other's is empty, that one is taken, whatever the rule.

    Raises
    ------
    AnnotationError
        If the rule is unknown.
    """
    if rule not in MERGE_RULES:
        raise AnnotationError(f"merge rule {rule!r} is unknown; expected one of {', '.join(MERGE_RULES)}")
    mine, theirs = into.masks.entries(), other.masks.entries()
    return {frame: _chosen(mine[frame], entry, rule) if frame in mine else entry for frame, entry in theirs.items()}


def _chosen(mine: AnnotatedFrame, theirs: AnnotatedFrame, rule: MergeRule) -> AnnotatedFrame:
    if theirs.mask.is_empty:
        return mine
    if mine.mask.is_empty:
        return theirs
    if rule == "keep":
        return mine
    if rule == "replace":
        return theirs
    if rule == "score":
        return theirs if theirs.score > mine.score else mine
    return AnnotatedFrame(
        _united(mine.mask, theirs.mask),
        min(mine.score, theirs.score),
        max(mine.object_score, theirs.object_score),
        min((mine.origin, theirs.origin), key=_NEAREST_TO_HAND.index),
    )


def _united(first: Rle, second: Rle) -> Rle:
    """Return the pixels of either of two masks of one shape; only the box around both is decoded."""
    boxes = [box for box in (first.box, second.box) if box is not None]
    if len(boxes) < 2:
        return second if first.is_empty else first
    y0, x0 = np.min(boxes, axis=0)[:2].tolist()
    y1, x1 = np.max(boxes, axis=0)[2:].tolist()
    box = (y0, x0, y1, x1)
    return Rle.from_crop(first.crop(box) | second.crop(box), (y0, x0), first.shape)
