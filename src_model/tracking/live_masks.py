"""How many masks of a live stream are held: it may run for days."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from src_model.tracking.session import Session

LIVE_MASKS = 512
"""Latest frames whose masks are held, and up to as many before them: far more than memory reads."""


def bound_masks(session: Session, frame: int) -> None:
    """Let go of masks that are older than that, once they are in the session's document where it has one.

    A block of frames at a time: each becomes one step of the document's history. Those that a person prompted or locked
    stay.

    Parameters
    ----------
    session
        Of a live stream.
    frame
        Number of the latest frame, from 0.
    """
    if frame - session.masks_from < 2 * LIVE_MASKS:
        return
    first = frame - LIVE_MASKS
    if session.target is not None:
        # Here, because most streams are short: what documents are made of is imported in long ones alone.
        from src_model.tracking.session_document import hand_over

        hand_over(session, first)
    for item in session.objects.values():
        item.drop_masks_before(first)
    session.masks_from = first
