"""What is known of an object elsewhere, for instance in a document that was edited, and how a session takes it over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from src_model.document.provenance import Origin
from src_model.masks import MaskletFrame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from src_model.document import AnnotatedFrame
    from src_model.document.snapshot import ObjectSnapshot
    from src_model.prompts import Prompt
    from src_model.tracking.tracked_object import TrackedObject


@dataclass(frozen=True, slots=True)
class ObjectState:
    """All that is known of an object, whoever found it out.

    Attributes
    ----------
    object_id
        Its number, from 1.
    masks
        By frame number, from 0.
    prompts
        By frame number. Those without a mask on their frame were never answered and are left out of account.
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


def state_of(
    known: ObjectSnapshot,
    masks: Mapping[int, AnnotatedFrame] | None = None,
    prompts: Mapping[int, Prompt] | None = None,
) -> ObjectState:
    """Describe an object of a document as a session takes it over.

    Parameters
    ----------
    known
        The object, as it is in the document at one moment.
    masks, prompts
        By frame number, in place of those of the document.
    """
    entries = known.masks() if masks is None else masks
    return ObjectState(
        known.object_id,
        entries,
        known.prompts if prompts is None else prompts,
        known.fixed,
        # A painted or imported mask stands where tracking goes through, so that correcting it reads the memory too.
        {f: entry.origin is Origin.TRACKED_BACK for f, entry in entries.items() if entry.origin is not Origin.PROMPTED},
    )


def restore(item: TrackedObject, state: ObjectState) -> None:
    """Make ``item`` hold what is known, and forget the memories of the frames that changed.

    Frames that are as they were keep what the network remembers of them, so that nothing is computed twice.
    """
    for frame in _changed_frames(item, state):
        _replace_mask(item, frame, state)
    answered = {frame: prompt for frame, prompt in state.prompts.items() if frame in state.masks}
    for frame in item.prompts.keys() - answered.keys():
        item.pending.pop(frame, None)
        item.bank.forget(frame)
    item.prompts = answered
    for frame in sorted(answered):
        if frame not in item.bank.conditioning and frame not in item.pending:
            item.bank.expect(frame)
    item.locked = set(state.locked & state.masks.keys())


def _changed_frames(item: TrackedObject, state: ObjectState) -> list[int]:
    held = item.masklet.entries()
    gone = [frame for frame in held if frame not in state.masks]
    changed = [
        frame
        for frame, entry in state.masks.items()
        if (before := held.get(frame)) is None or (before.mask is not entry.mask and before.mask != entry.mask)
    ]
    return gone + changed


def _replace_mask(item: TrackedObject, frame: int, state: ObjectState) -> None:
    item.pending.pop(frame, None)
    item.bank.forget(frame)
    if item.last_answer is not None and item.last_answer.frame == frame:
        item.last_answer = None
    entry = state.masks.get(frame)
    if entry is None:
        item.masklet.delete(frame)
        item.directions.pop(frame, None)
        return
    item.masklet.restore(frame, MaskletFrame(entry.mask, entry.score, entry.object_score))
    if frame in state.directions:
        item.directions[frame] = state.directions[frame]
