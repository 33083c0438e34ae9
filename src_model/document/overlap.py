"""Objects flattened to one label image, and what that hides; the document itself loses nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from src_model.masks import intersection_area, labels_from_masks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import DTypeLike, NDArray

    from src_model.document.annotation import Annotation
    from src_model.document.provenance import AnnotatedFrame
    from src_model.masks import Box, Overlap


@dataclass(frozen=True, slots=True)
class OverlapPair:
    """Two objects that claim the same pixels.

    Attributes
    ----------
    first, second
        Object ids, the smaller first.
    pixels
        How many pixels both claim.
    """

    first: int
    second: int
    pixels: int


@dataclass(frozen=True, slots=True)
class OverlapReport:
    """Where objects overlap on one frame, and what flattening them hides.

    Attributes
    ----------
    frame
        Frame number, from 0.
    policy
        Who gets a pixel that several objects claim.
    pairs
        All pairs of objects that overlap.
    hidden
        Pixels that an object loses to others in the label image, by object id; objects that lose none are left out.
    """

    frame: int
    policy: Overlap
    pairs: tuple[OverlapPair, ...]
    hidden: Mapping[int, int]


def label_image(
    annotation: Annotation,
    frame: int,
    *,
    policy: Overlap | None = None,
    dtype: DTypeLike = np.int32,
    objects: Iterable[int] | None = None,
    visible_only: bool = False,
) -> NDArray[np.integer]:
    """Flatten one frame to a label image.

    Parameters
    ----------
    annotation, frame
        The document, which is only read, and the number of the frame.
    policy
        Who gets a pixel that several objects claim, see :class:`~src_model.document.project.Project`; of equally
        scored ones the smallest id. Left out, the document's own policy.
    dtype
        Integer type of the result.
    objects, visible_only
        Ids of the objects to paint, all if left out; and whether to leave hidden ones out.

    Returns
    -------
    numpy.ndarray
        ``(Y, X)`` of ``dtype``, 0 where no object is.

    Raises
    ------
    MaskError
        If an id does not fit ``dtype`` or the policy is unknown.
    """
    entries = _entries(annotation, frame, objects, visible_only)
    return labels_from_masks(
        {object_id: entry.mask for object_id, entry in entries.items()},
        annotation.movie.frame_shape,
        dtype,
        overlap=policy or annotation.project.overlap,
        scores={object_id: entry.score for object_id, entry in entries.items()},
    )


def overlap_report(
    annotation: Annotation,
    frame: int,
    *,
    policy: Overlap | None = None,
    objects: Iterable[int] | None = None,
    visible_only: bool = False,
) -> OverlapReport:
    """Say where objects overlap on a frame and what :func:`label_image` hides of them; parameters are the same."""
    chosen: Overlap = policy or annotation.project.overlap
    wanted = None if objects is None else list(objects)
    entries = _entries(annotation, frame, wanted, visible_only)
    labels = label_image(annotation, frame, policy=chosen, objects=wanted, visible_only=visible_only)
    shown = dict(zip(*(values.tolist() for values in np.unique(labels, return_counts=True)), strict=True))
    lost = {object_id: entry.mask.area - shown.get(object_id, 0) for object_id, entry in entries.items()}
    hidden = {object_id: pixels for object_id, pixels in lost.items() if pixels}
    return OverlapReport(frame, chosen, tuple(_pairs(entries)), hidden)


def _entries(
    annotation: Annotation, frame: int, objects: Iterable[int] | None, visible_only: bool
) -> dict[int, AnnotatedFrame]:
    entries = annotation.masks_at(frame, visible_only=visible_only)
    if objects is None:
        return entries
    wanted = set(objects)
    return {object_id: entry for object_id, entry in entries.items() if object_id in wanted}


def _pairs(entries: Mapping[int, AnnotatedFrame]) -> list[OverlapPair]:
    boxes = {object_id: entry.mask.box for object_id, entry in entries.items()}
    present = [(object_id, box) for object_id, box in boxes.items() if box is not None]
    pairs = []
    for index, (first, box) in enumerate(present):
        for second, other in present[index + 1 :]:
            if _touch(box, other) and (pixels := intersection_area(entries[first].mask, entries[second].mask)):
                pairs.append(OverlapPair(first, second, pixels))
    return pairs


def _touch(first: Box, second: Box) -> bool:
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]
