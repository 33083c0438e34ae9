"""Label images: one number a pixel, so one object a pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from src_model.errors import MaskError
from src_model.masks.rle import Mask, Rle, as_rle, check_shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import DTypeLike, NDArray

    from src_model.masks.masklet import Masklet

Overlap: TypeAlias = Literal["first", "last", "score"]
"""Who gets a pixel that several masks claim: the mask given first, the one given last, or the best scored one."""


def labels_from_masks(
    masks: Mapping[int, Mask],
    shape: Sequence[int],
    dtype: DTypeLike = np.uint16,
    *,
    overlap: Overlap = "last",
    scores: Mapping[int, float] | None = None,
) -> NDArray[np.integer]:
    """Paint masks into one label image.

    Parameters
    ----------
    masks
        Mask by object id; ids are 1 or more.
    shape
        ``(Y, X)`` of every mask and of the result.
    dtype
        Integer type of the result.
    overlap
        Who gets a pixel that several masks claim: ``"first"`` or ``"last"`` in the order of ``masks``, or
        ``"score"``, the mask of the highest score (of equal ones the first).
    scores
        Score by object id; needed for ``"score"`` alone.

    Returns
    -------
    numpy.ndarray
        ``(Y, X)`` of ``dtype``, 0 where no mask is.

    Raises
    ------
    MaskError
        If a mask has another shape, an id does not fit ``dtype``, the policy is unknown, or a score is missing.
    """
    labels = _blank(shape, dtype, masks)
    for object_id in _by_priority(masks, overlap, scores):
        _paint(labels, as_rle(masks[object_id]), object_id)
    return labels


def labels_at(
    masklets: Iterable[Masklet],
    frame: int,
    shape: Sequence[int],
    dtype: DTypeLike = np.uint16,
    *,
    overlap: Overlap = "last",
) -> NDArray[np.integer]:
    """Paint what masklets hold on one frame into a label image.

    Parameters
    ----------
    masklets
        The objects; one that does not hold the frame is left out.
    frame
        Frame number, from 0.
    shape, dtype, overlap
        As in :func:`labels_from_masks`; ``"score"`` compares the masklets' scores on the frame.

    Returns
    -------
    numpy.ndarray
        ``(Y, X)`` of ``dtype``, 0 where no object is.

    Raises
    ------
    MaskError
        If a mask has another shape, an id does not fit ``dtype``, or the policy is unknown.
    """
    entries = {masklet.object_id: entry for masklet in masklets if (entry := masklet.get(frame)) is not None}
    masks = {object_id: entry.mask for object_id, entry in entries.items()}
    scores = {object_id: entry.score for object_id, entry in entries.items()}
    return labels_from_masks(masks, shape, dtype, overlap=overlap, scores=scores)


def masks_from_labels(labels: NDArray[np.integer]) -> dict[int, Rle]:
    """Take a label image apart.

    Parameters
    ----------
    labels
        ``(Y, X)`` integers, 0 is background.

    Returns
    -------
    dict
        The mask ``(Y, X)`` of each label but 0, by ascending label.

    Raises
    ------
    MaskError
        If the array is not 2-D, not of integers, empty, or holds a negative label.
    """
    if not isinstance(labels, np.ndarray) or labels.ndim != 2 or labels.dtype.kind not in "iu":
        found = f"{labels.dtype} {labels.shape}" if isinstance(labels, np.ndarray) else type(labels).__name__
        raise MaskError(f"a label image must be a (Y, X) integer array, got {found}")
    check_shape(labels.shape)
    flat = labels.ravel()
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    starts = np.concatenate(([0], changes))
    stops = np.concatenate((changes, [flat.size]))
    # A stable sort brings the runs of each label together and leaves them in image order.
    order = np.argsort(flat[starts], kind="stable")
    ids, first = np.unique(flat[starts][order], return_index=True)
    if ids[0] < 0:
        raise MaskError(f"a label image holds {ids[0]}; labels must be 0 (background) or more")
    groups = np.split(order, first[1:])
    found_masks = zip(ids.tolist(), groups, strict=True)
    return {label: Rle.from_runs(labels.shape, starts[runs], stops[runs]) for label, runs in found_masks if label}


def _blank(shape: Sequence[int], dtype: DTypeLike, ids: Iterable[int]) -> NDArray[np.integer]:
    """Return an empty label image that can hold ``ids``."""
    chosen = np.dtype(dtype)
    if chosen.kind not in "iu":
        raise MaskError(f"a label image needs an integer dtype, got {chosen}")
    largest = np.iinfo(chosen).max
    for object_id in ids:
        if not 1 <= object_id <= largest:
            raise MaskError(
                f"object id {object_id} does not fit a {chosen} label image; "
                f"expected 1 to {largest}, or choose a larger dtype"
            )
    return np.zeros(check_shape(shape), chosen)


def _by_priority(masks: Mapping[int, Mask], overlap: str, scores: Mapping[int, float] | None) -> list[int]:
    """Return the ids so that the first to paint a pixel keeps it."""
    if overlap == "first":
        return list(masks)
    if overlap == "last":
        return list(masks)[::-1]
    if overlap != "score":
        raise MaskError(f"overlap policy {overlap!r} is unknown; expected 'first', 'last' or 'score'")
    known = scores or {}
    missing = [object_id for object_id in masks if object_id not in known]
    if missing:
        raise MaskError(f"overlap policy 'score' needs a score for every object; missing for {missing}")
    return sorted(masks, key=lambda object_id: -known[object_id])


def _paint(labels: NDArray[np.integer], mask: Rle, object_id: int) -> None:
    if mask.shape != labels.shape:
        raise MaskError(f"the mask of object {object_id} has shape {mask.shape}, expected {labels.shape}")
    box = mask.box
    if box is None:
        return
    region = labels[box[0] : box[2], box[1] : box[3]]
    region[mask.crop(box) & (region == 0)] = object_id
