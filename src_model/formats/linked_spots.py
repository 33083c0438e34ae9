"""Spots that are linked from frame to frame, as tracking tools exchange them, made into objects with divisions.

A spot with one successor, whose only predecessor it is, is the same object as that. Where a spot has several successors
an object divides, and where it has several predecessors objects fuse.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from src_model.document import MAX_OBJECT_ID, AnnotatedObject
from src_model.document.lineage import divisions_of
from src_model.document.objects import MAX_TEXT
from src_model.errors import FormatError, MaskError
from src_model.formats.importing import Imported
from src_model.formats.report import counted
from src_model.masks import MAX_PIXELS, Masklet, Polygon, Rle, polygons_to_mask

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

MAX_SPOTS: Final = 2**22
"""Spots of a file; one with more is refused before it fills the memory."""
MAX_FRAMES: Final = 2**20
"""Frames of a movie; a damaged number of frames would make viewers list them all."""


@dataclass(frozen=True, slots=True)
class Spot:
    """An object on a frame.

    Attributes
    ----------
    frame
        Frame number, from 0.
    y, x
        Its middle, in pixels: the centre of pixel (3, 4) is there.
    outline
        ``(N, 2)`` vertices ``(y, x)`` at the corners of pixels, as of :class:`~src_model.masks.Polygon`; None: a disc.
    radii
        Of the disc along y and x, in pixels.
    object_id
        Id of the object that it was written of; 0 if unknown.
    name
        Of the object; empty if it has none.
    score, object_score
        As in :class:`~src_model.masks.MaskletFrame`.
    """

    frame: int
    y: float
    x: float
    outline: NDArray[np.float64] | None = None
    radii: tuple[float, float] = (0.0, 0.0)
    object_id: int = 0
    name: str = ""
    score: float = 1.0
    object_score: float = 1.0


def imported_spots(
    name: str,
    spots: Mapping[int, Spot],
    edges: Iterable[tuple[int, int]],
    shape: Sequence[int],
    notes: Sequence[str] = (),
) -> Imported:
    """Make objects of spots.

    Parameters
    ----------
    name
        What the file is called.
    spots
        By number in the file.
    edges
        Numbers of two linked spots each, in either order.
    shape
        ``(T, Y, X)`` of the movie; of what lies outside of its images nothing is left.
    notes
        What did not fit together before.

    Raises
    ------
    FormatError
        If there is no spot, edges contradict one another, or a spot is on a frame that the movie does not have.
    """
    if not spots:
        raise FormatError(f"'{name}' holds no spots: there is nothing to import")
    late = [number for number, spot in spots.items() if not 0 <= spot.frame < shape[0]]
    if late:
        raise FormatError(
            f"spot {late[0]} of '{name}' is on frame {spots[late[0]].frame}: the movie has frames 0 to {shape[0] - 1}"
        )
    sources, children = _links(name, spots, edges)
    owners = _owners(spots, sources, children)
    masklets, outside = _masklets(name, spots, owners, shape)
    parents = {
        owners[number]: {owners[source] for source in found} & masklets.keys()
        for number, found in sources.items()
        if owners[number] in masklets and owners[number] not in {owners[source] for source in found}
    }
    begun = {owner: masklet.frames[0] for owner, masklet in masklets.items()}
    left_out = (f"{counted(outside, 'spots')} outside of the images left out.",) if outside else ()
    return Imported(
        name,
        (shape[0], shape[1], shape[2]),
        tuple(masklets[owner] for owner in sorted(masklets)),
        tuple(_named(spots, owners, masklets)),
        divisions_of({daughter: found for daughter, found in parents.items() if found}, begun),
        (*notes, *left_out),
    )


def _masklets(
    name: str, spots: Mapping[int, Spot], owners: Mapping[int, int], shape: Sequence[int]
) -> tuple[dict[int, Masklet], int]:
    """Return the masks of each object that has any, and how many spots lie outside of the images."""
    masklets: dict[int, Masklet] = {}
    outside = 0
    for number, owner in owners.items():
        spot = spots[number]
        mask = _mask(name, number, spot, (shape[1], shape[2]))
        outside += mask.is_empty
        if not mask.is_empty:
            masklet = masklets.setdefault(owner, Masklet(owner, shape[1:]))
            masklet.set(spot.frame, mask, score=spot.score, object_score=spot.object_score)
    return masklets, outside


def _links(
    name: str, spots: Mapping[int, Spot], edges: Iterable[tuple[int, int]]
) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """Return the predecessors and the successors of spots that have any; edges lead forward in time."""
    sources: dict[int, list[int]] = {}
    children: dict[int, list[int]] = {}
    for edge in dict.fromkeys(edges):
        unknown = [number for number in edge if number not in spots]
        if unknown:
            raise FormatError(f"'{name}' links spot {unknown[0]}, which is not in it: the file is damaged or cut")
        before, after = sorted(edge, key=lambda number: spots[number].frame)
        if spots[before].frame == spots[after].frame:
            raise FormatError(
                f"'{name}' links spots {before} and {after}, which are both on frame {spots[after].frame}: expected "
                "links from one frame to a later one"
            )
        if before not in sources.setdefault(after, []):
            sources[after].append(before)
            children.setdefault(before, []).append(after)
    return sources, children


def _owners(
    spots: Mapping[int, Spot], sources: Mapping[int, list[int]], children: Mapping[int, list[int]]
) -> dict[int, int]:
    """Return the object of each spot: its first one says its id, or else it is the next that is free."""
    first: dict[int, int] = {}
    for number in sorted(spots, key=lambda number: (spots[number].frame, number)):
        found = sources.get(number, [])
        goes_on = len(found) == 1 and len(children[found[0]]) == 1
        first[number] = first[found[0]] if goes_on else number
    ids: dict[int, int] = {}
    taken: set[int] = set()
    beginnings = dict.fromkeys(first.values())
    for number in beginnings:
        wanted = spots[number].object_id
        if 1 <= wanted <= MAX_OBJECT_ID and wanted not in taken:
            ids[number] = wanted
            taken.add(wanted)
    free = max(taken, default=0) + 1
    if free + len(beginnings) > MAX_OBJECT_ID:  # the ids of a hostile file
        return _owners({n: Spot(spot.frame, spot.y, spot.x) for n, spot in spots.items()}, sources, children)
    for number in beginnings:
        if number not in ids:
            ids[number] = free
            free += 1
    return {number: ids[beginning] for number, beginning in first.items()}


def _named(spots: Mapping[int, Spot], owners: Mapping[int, int], known: Mapping[int, Masklet]) -> list[AnnotatedObject]:
    """Return the objects whose spots all have one name."""
    names: dict[int, Counter[str]] = {}
    for number, owner in owners.items():
        names.setdefault(owner, Counter())[spots[number].name] += 1
    return [
        AnnotatedObject(owner, name=next(iter(found))[:MAX_TEXT])
        for owner, found in sorted(names.items())
        if owner in known and len(found) == 1 and next(iter(found))
    ]


def _mask(name: str, number: int, spot: Spot, shape: tuple[int, int]) -> Rle:
    """Fill the outline or the disc of a spot, in a box around it."""
    if spot.outline is None:
        low = np.floor([spot.y - spot.radii[0], spot.x - spot.radii[1]])
        high = np.ceil([spot.y + spot.radii[0], spot.x + spot.radii[1]]) + 1
    else:
        low, high = np.floor(spot.outline.min(axis=0)), np.ceil(spot.outline.max(axis=0))
    y0, x0 = (max(0, int(edge)) for edge in low)
    y1, x1 = (min(size, int(edge)) for edge, size in zip(high, shape, strict=True))
    if y0 >= y1 or x0 >= x1:
        return Rle.empty(shape)
    if spot.outline is None:
        crop = _disc(spot, (y0, x0, y1, x1))
    else:
        try:
            crop = polygons_to_mask([Polygon(spot.outline - (y0, x0))], (y1 - y0, x1 - x0))
        except MaskError as error:
            raise FormatError(f"spot {number} of '{name}' has an outline that cannot be: {error}") from error
    return Rle.from_crop(crop, (y0, x0), shape)


def _disc(spot: Spot, box: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    """Return the pixels whose centre is in the disc, at least the one in its middle."""
    y, x = np.ogrid[box[0] : box[2], box[1] : box[3]]
    height, width = (max(radius, 1e-9) for radius in spot.radii)
    crop: NDArray[np.bool_] = ((y - spot.y) / height) ** 2 + ((x - spot.x) / width) ** 2 <= 1
    row, column = int(np.floor(spot.y + 0.5)) - box[0], int(np.floor(spot.x + 0.5)) - box[1]
    if 0 <= row < crop.shape[0] and 0 <= column < crop.shape[1]:
        crop[row, column] = True
    return crop


def checked_shape(name: str, shape: Sequence[int]) -> tuple[int, int, int]:
    """Return ``(T, Y, X)`` of a movie if there can be one of that size, or raise FormatError."""
    length, height, width = shape
    if not (0 < length <= MAX_FRAMES and height > 0 and width > 0 and height * width <= MAX_PIXELS):
        raise FormatError(
            f"'{name}' speaks of {length} frames of {height} x {width} pixels: expected 1 to {MAX_FRAMES} frames "
            f"of 1 to {MAX_PIXELS} pixels"
        )
    return length, height, width


def extent_of(spots: Iterable[Spot]) -> tuple[int, int, int]:
    """Return the smallest ``(T, Y, X)`` that holds all spots, where a file does not say how large the movie is."""
    length = height = width = 1
    for spot in spots:
        far = (spot.y + spot.radii[0], spot.x + spot.radii[1]) if spot.outline is None else spot.outline.max(axis=0)
        length = max(length, spot.frame + 1)
        height, width = max(height, int(np.ceil(far[0])) + 1), max(width, int(np.ceil(far[1])) + 1)
    return length, height, width
