"""Bringing an object of a session to what is known of it elsewhere, for instance in a document that was edited."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from src_model.masks import MaskletFrame
    from src_model.tracking.prompts import Prompt
    from src_model.tracking.tracked_object import TrackedObject


@dataclass(frozen=True, slots=True)
class KnownObject:
    """All that is known of an object, whoever found it out.

    Attributes
    ----------
    object_id
        Its number.
    masks
        By frame.
    prompts
        By frame. Those without a mask on their frame were never answered and are left out of account.
    locked
        Frames whose masks tracking takes as they are.
    directions
        Tracked frames, with whether they were tracked in reverse.
    """

    object_id: int
    masks: Mapping[int, MaskletFrame]
    prompts: Mapping[int, Prompt] = field(default_factory=dict)
    locked: frozenset[int] = frozenset()
    directions: Mapping[int, bool] = field(default_factory=dict)


def adopt(item: TrackedObject, known: KnownObject) -> None:
    """Make ``item`` hold what is known, and forget the memories of the frames that changed.

    Frames that are as they were keep what the network remembers of them, so that nothing is computed twice.
    """
    for frame in _changed_frames(item, known):
        _replace_mask(item, frame, known)
    answered = {frame: prompt for frame, prompt in known.prompts.items() if frame in known.masks}
    for frame in item.prompts.keys() - answered.keys():
        item.pending.pop(frame, None)
        item.bank.forget(frame)
    item.prompts = answered
    for frame in sorted(answered):
        waiting = item.pending.get(frame)
        if frame not in item.bank.conditioning and waiting is None:
            item.bank.expect(frame)
    item.locked = set(known.locked & known.masks.keys())


def _changed_frames(item: TrackedObject, known: KnownObject) -> list[int]:
    held = item.masklet.entries()
    gone = [frame for frame in held if frame not in known.masks]
    changed = [
        frame
        for frame, entry in known.masks.items()
        if (before := held.get(frame)) is None or (before.mask is not entry.mask and before.mask != entry.mask)
    ]
    return gone + changed


def _replace_mask(item: TrackedObject, frame: int, known: KnownObject) -> None:
    item.pending.pop(frame, None)
    item.bank.forget(frame)
    if item.readings is not None and item.readings.frame == frame:
        item.readings = None
    entry = known.masks.get(frame)
    if entry is None:
        item.masklet.delete(frame)
        item.directions.pop(frame, None)
        return
    item.masklet.restore(frame, entry)
    if frame in known.directions:
        item.directions[frame] = known.directions[frame]
