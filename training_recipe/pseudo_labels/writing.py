"""Writing tracklets as DAVIS folders in which every object is labelled in every frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from training_recipe.clips.clip import ByteArray
    from training_recipe.pseudo_labels.tracklets import FollowedObject

_SHARED = 0.02
"""Share of the smaller of two objects that may be hidden by the other in one label image."""


def object_sets(tracklets: Sequence[FollowedObject]) -> Iterator[tuple[int, list[FollowedObject]]]:
    """Group tracklets that do not overlap and can be cut to one length: (frames, tracklets).

    An object that is not labelled would count as absent, though it is merely lost: so the objects of a set are all
    there to its end. Nested objects, such as a part of another, come into different sets.
    """
    left = sorted(tracklets, key=lambda one: -len(one.masks))
    while left:
        length = len(left[0].masks)
        chosen: list[FollowedObject] = []
        for tracklet in left:
            if 4 * len(tracklet.masks) >= 3 * length and all(_apart(tracklet, other) for other in chosen):
                chosen.append(tracklet)
        yield min(len(one.masks) for one in chosen), chosen
        taken = {id(one) for one in chosen}
        left = [one for one in left if id(one) not in taken]


def _apart(first: FollowedObject, second: FollowedObject) -> bool:
    length = min(len(first.masks), len(second.masks))
    one, other = first.masks[:length], second.masks[:length]
    shared = (one & other).sum(axis=(1, 2))
    smaller = np.minimum(one.sum(axis=(1, 2)), other.sum(axis=(1, 2)))
    return bool((shared <= _SHARED * smaller).all())


def write_scene(
    out: Path, name: str, images: Sequence[ByteArray], tracklets: Sequence[FollowedObject]
) -> dict[str, int]:
    """Write one folder a set of objects.

    Returns
    -------
    dict
        Names of the folders under JPEGImages/ and Annotations/, with their number of objects.
    """
    written: dict[str, int] = {}
    for number, (length, chosen) in enumerate(object_sets(tracklets)):
        folder = f"{name}-{chr(ord('a') + number)}"
        labels = np.zeros((length, *images[0].shape[:2]), np.uint8)
        for identity, tracklet in enumerate(chosen, start=1):
            labels[tracklet.masks[:length]] = identity
        for frame in range(length):
            _write_frame(out, folder, frame, images[frame], labels[frame])
        written[folder] = len(chosen)
    return written


def _write_frame(out: Path, folder: str, frame: int, image: ByteArray, labels: NDArray[np.uint8]) -> None:
    picture = out / "JPEGImages" / folder / f"{frame:05d}.jpg"
    truth = out / "Annotations" / folder / f"{frame:05d}.png"
    for path in (picture, truth):
        path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(picture, quality=90)
    indexed = Image.fromarray(labels).convert("P")
    indexed.putpalette(_palette())
    indexed.putdata(labels.ravel().tolist())
    indexed.save(truth)


def _palette() -> list[int]:
    """Colours in which neighbouring numbers differ; 0 is black."""
    numbers = np.arange(256)
    colours = np.stack([(numbers * step) % 256 for step in (67, 131, 197)], axis=1)
    return [int(value) for value in colours.ravel()]
