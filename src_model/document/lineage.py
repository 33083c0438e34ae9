"""Lineage: which objects an object became, by division or by fusion."""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from src_model.document.objects import checked_object_id
from src_model.errors import AnnotationError, FrameRangeError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Division:
    """An object divides.

    Attributes
    ----------
    parent
        The object that divides; an object divides once.
    frame
        First frame on which the daughters are there.
    daughters
        The objects it became, at least one, by ascending id. One that several objects name is what they fused to.

    Raises
    ------
    AnnotationError, FrameRangeError
        If an object is named twice, no daughter is named, or the frame is negative.
    """

    parent: int
    frame: int
    daughters: tuple[int, ...]

    def __post_init__(self) -> None:
        named = [checked_object_id(number) for number in (self.parent, *self.daughters)]
        if len(named) < 2 or len(set(named)) != len(named):
            raise AnnotationError(
                f"object {self.parent} cannot divide into {self.daughters}: name daughters other than itself, each once"
            )
        object.__setattr__(self, "daughters", tuple(sorted(self.daughters)))
        if self.frame < 0:
            raise FrameRangeError(f"a division on frame {self.frame} cannot be; frames count from 0")

    def without(self, object_id: int) -> Division | None:
        """Return the division after an object is gone; None if no daughter or no parent is left."""
        left = tuple(number for number in self.daughters if number != object_id)
        return Division(self.parent, self.frame, left) if left and object_id != self.parent else None


def life_of(object_id: int, divisions: Mapping[int, Division], length: int) -> range:
    """Return the frames of a movie of some length from the division that an object comes of to that of its own."""
    born = (each.frame for each in divisions.values() if object_id in each.daughters)
    own = divisions.get(object_id)
    return range(next(born, 0), length if own is None else own.frame)


def check_lineage(divisions: Mapping[int, Division]) -> None:
    """Raise AnnotationError if an object begins on two frames, or descends from itself.

    An object may have several parents, which became it together on one frame: a fusion.
    """
    begun: dict[int, Division] = {}
    parents: dict[int, set[int]] = {}
    for division in divisions.values():
        for daughter in division.daughters:
            first = begun.setdefault(daughter, division)
            if first.frame != division.frame:
                raise AnnotationError(
                    f"object {daughter} cannot come of object {division.parent} on frame {division.frame}: it comes of "
                    f"object {first.parent} on frame {first.frame}; remove that division, or mark a fusion on one frame"
                )
            parents.setdefault(daughter, set()).add(division.parent)
    try:
        TopologicalSorter(parents).prepare()
    except CycleError as error:
        cycle = ", ".join(map(str, sorted(set(error.args[1]))[:10]))
        raise AnnotationError(
            f"objects {cycle} would descend from themselves; check which object is the daughter"
        ) from error
