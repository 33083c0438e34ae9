"""Whose daughter is a new object? Every track nearby is asked, with what it goes on with or what began beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.workflow.brightness import brightness_likeness
from src_model.workflow.division_cues import best_cues, diameter_of, distance_between

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from src_model.workflow.followed_track import FollowedTrack

NEAR = 2.2
"""Diameters of the mother within which daughters are looked for."""

EARLIER = 6
"""Frames before a daughter is seen with which she is compared: the mother condenses, and may lose her area, before."""


@dataclass(frozen=True, slots=True, order=True)
class PossibleMother:
    """A mother, the other daughter, which is the mother herself where she goes on as one, and how likely it is."""

    score: float
    mother: int
    sibling: int


def find_mother(
    number: int,
    tracks: Mapping[int, FollowedTrack],
    born: Collection[int],
    met: int | None,
    image: NDArray[np.generic],
) -> PossibleMother | None:
    """Find the object that most likely divided into a new one and another.

    Parameters
    ----------
    number
        The new object, whose track holds masks.
    tracks
        All tracks by number.
    born
        Objects that began together with it, of which none is a mother and each may be the other daughter.
    met
        The object that it ran into when it was followed back; None: none.
    image
        ``(Y, X)`` or ``(Y, X, 3)``, the frame on which it joins.
    """
    frame, new = tracks[number].joins, tracks[number].first_mask
    assert new is not None, "it began with a mask"
    best: PossibleMother | None = None
    for mother, track in tracks.items():
        earlier = track.earlier(frame, EARLIER)
        if mother == number or mother in born or not earlier or track.has_divided or track.is_daughter_on(frame):
            continue
        if distance_between(earlier[0], new) > NEAR * diameter_of(earlier[0].area):
            continue
        meets = None if met is None else met == mother
        for sibling in [mother] if not track.mask(frame).is_empty else [each for each in born if each != number]:
            kept = tracks[sibling].mask(frame)
            cues = best_cues(earlier, kept, new, meets=meets)
            if cues is not None:
                cues = cues.with_brightness(brightness_likeness(image, kept, new))
                possible = PossibleMother(cues.score, mother, sibling)
                best = max(best or possible, possible)
    return best
