"""Small documents to export, and what to compare them by."""

from __future__ import annotations

import numpy as np

from src_model.document import AnnotatedObject, Annotation, Division, ImportMasklets, MovieIdentity
from src_model.masks import Masklet, Rle

SHAPE = (6, 24, 32)
SCALE, UNITS = (30.0, 0.65, 0.65), ("second", "micrometer", "micrometer")
MOVIE = MovieIdentity("cells.tif", SHAPE, "uint16", scale=SCALE, units=UNITS)


def square(y, x, side=4, shape=SHAPE[1:]):
    mask = np.zeros(shape, bool)
    mask[y : y + side, x : x + side] = True
    return mask


def masklet(object_id, masks, scores=None):
    """Masks by frame; a missing score is 1."""
    made = Masklet(object_id, SHAPE[1:])
    for frame, mask in masks.items():
        made.set(frame, mask, score=(scores or {}).get(frame, 1.0))
    return made


def document(masklets, objects=(), divisions=(), movie=MOVIE):
    made = Annotation(movie)
    made.do(ImportMasklets(tuple(masklets), tuple(objects), tuple(divisions)))
    return made


def plain():
    """Two objects that never touch; the second is there from frame 1 on."""
    return document(
        [
            masklet(1, {frame: square(2, 2 + frame) for frame in range(6)}),
            masklet(2, {frame: square(12, 20 - frame, 6) for frame in range(1, 6)}),
        ]
    )


def family():
    """Object 3 divides into 5 and 8 on frame 3; object 2 is away on frame 2."""
    return document(
        [
            masklet(2, {frame: square(2, 2 + frame) for frame in (0, 1, 3, 4, 5)}),
            masklet(3, {frame: square(10, 10, 8) for frame in range(3)}),
            masklet(5, {frame: square(10, 8 - frame) for frame in range(3, 6)}),
            masklet(8, {frame: square(10, 20 + frame) for frame in range(3, 6)}),
        ],
        divisions=[Division(3, 3, (5, 8))],
    )


def dynasty():
    """1 divides into 2 and 3, 2 into 4 and 5; 3 is away on frame 3 and fuses with 5 to 6 on frame 5."""
    places = {1: (9, 2), 2: (2, 2), 3: (16, 2), 4: (2, 12), 5: (9, 12), 6: (12, 22)}
    frames = {1: (0, 1), 2: (2,), 3: (2, 4), 4: (3, 4, 5), 5: (3, 4), 6: (5,)}
    return document(
        [masklet(number, {f: square(*places[number]) for f in found}) for number, found in frames.items()],
        [AnnotatedObject(number, name="fused" if number == 6 else "") for number in frames],
        [Division(1, 2, (2, 3)), Division(2, 3, (4, 5)), Division(3, 5, (6,)), Division(5, 5, (6,))],
    )


def crowded():
    """Objects 1 and 2 overlap on frames 0 and 1, where 2 is better scored; on frame 2 nothing of 1 is free."""
    return document(
        [
            masklet(1, {0: square(4, 4), 1: square(4, 4), 2: square(6, 6)}, dict.fromkeys(range(3), 0.5)),
            masklet(2, {0: square(6, 6), 1: square(6, 6), 2: square(5, 5, 8)}, dict.fromkeys(range(3), 0.9)),
        ]
    )


def described():
    """One object with everything that is known of an object."""
    info = AnnotatedObject(4, name="Zelle Ä", color="#102030", class_name="neuron", note="see, lab book")
    return document([masklet(4, {0: square(3, 3), 1: np.zeros(SHAPE[1:], bool), 2: square(3, 5)}, {0: 0.5})], [info])


def masks_of(annotation):
    """All masks that are not empty, by object and frame."""
    found: dict[tuple[int, int], Rle] = {}
    for object_id in annotation.objects:
        for frame, entry in annotation.masklet(object_id).entries().items():
            if not entry.mask.is_empty:
                found[object_id, frame] = entry.mask
    return found


def links_of(annotation):
    """Parent by daughter."""
    return {daughter: item.parent for item in annotation.divisions.values() for daughter in item.daughters}


def losses_of(report):
    return {loss.what: loss for loss in report.losses}
