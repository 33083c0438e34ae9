"""Which objects a caller means, and what has to be known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_model.errors import NoPromptError, UnknownObjectError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from src_model.tracking.tracked_object import TrackedObject


def held_object(held: Mapping[int, TrackedObject], object_id: int) -> TrackedObject:
    """Return an object by its id.

    Raises
    ------
    UnknownObjectError
        If there is none.
    """
    if object_id not in held:
        raise UnknownObjectError(f"there is no object {object_id}; the objects are {listed(held)}")
    return held[object_id]


def objects_to_track(held: Mapping[int, TrackedObject], wanted: Sequence[int] | None) -> list[TrackedObject]:
    """Return the objects that were asked for; None: all that hold a prompt.

    Raises
    ------
    NoPromptError, UnknownObjectError
        If there is nothing to track, or one of them cannot be.
    """
    if wanted is None:
        items = [item for item in held.values() if item.prompts]
    else:
        items = [held_object(held, object_id) for object_id in wanted]
    empty = [item.object_id for item in items if not item.prompts]
    if not items or empty:
        who = f"object {empty[0]} has no prompt" if empty else "no object has a prompt"
        raise NoPromptError(f"{who} yet; give a point, a box or a mask with session.prompt(...) first")
    return items


def check_repairable(item: TrackedObject, frame: int) -> None:
    """Check that frames can be tracked again from a corrected one.

    Raises
    ------
    NoPromptError
        If it holds no prompt, or the object is not on it.
    """
    if frame not in item.prompts:
        raise NoPromptError(
            f"object {item.object_id} has no prompt on frame {frame} to repair from; prompt that frame first "
            f"(it is prompted on {listed(item.prompted_frames)})"
        )
    mask = item.masklet.mask_at(frame)
    if mask is not None and mask.is_empty:
        raise NoPromptError(
            f"object {item.object_id} is not on frame {frame}, so there is nothing to repair from, and the frames "
            "beside it stay as they are; correct a frame on which it is seen"
        )


def listed(values: Sequence[int] | Mapping[int, object]) -> str:
    """Write numbers for people."""
    return ", ".join(map(str, values)) if values else "none"
