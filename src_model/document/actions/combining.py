"""The rules by which two objects become one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from src_model.document.provenance import AnnotatedFrame, Origin
from src_model.errors import AnnotationError
from src_model.masks import Rle

if TYPE_CHECKING:
    from src_model.document.state import Track

MergeRule: TypeAlias = Literal["union", "keep", "replace", "score"]
"""What a merged object has where both had a mask that is not empty: both together, the mask of the object merged into,
the mask of the other one, or the better scored one (of equal ones the first). The union has the lower score of the two,
for the person who looks for the worst frame, and the origin of the two that is nearest to a person's hand: a union of
tracked masks is still to be reviewed."""

MERGE_RULES: tuple[MergeRule, ...] = ("union", "keep", "replace", "score")

_NEAREST_TO_HAND = (Origin.EDITED, Origin.PROMPTED, Origin.TRACKED, Origin.TRACKED_BACK, Origin.IMPORTED)
"""What a union of two masks counts as. Tracked comes before imported, because nobody looked at what was tracked."""


def combined(into: Track, other: Track, rule: MergeRule) -> dict[int, AnnotatedFrame | None]:
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
        united(mine.mask, theirs.mask),
        min(mine.score, theirs.score),
        max(mine.object_score, theirs.object_score),
        min((mine.origin, theirs.origin), key=_NEAREST_TO_HAND.index),
    )


def united(first: Rle, second: Rle) -> Rle:
    """Return the pixels of either of two masks of one shape; only the box around both is decoded."""
    boxes = [box for box in (first.box, second.box) if box is not None]
    if len(boxes) < 2:
        return second if first.is_empty else first
    y0, x0 = np.min(boxes, axis=0)[:2].tolist()
    y1, x1 = np.max(boxes, axis=0)[2:].tolist()
    box = (y0, x0, y1, x1)
    return Rle.from_crop(first.crop(box) | second.crop(box), (y0, x0), first.shape)
