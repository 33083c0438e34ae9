"""Divisions: which objects an object became."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.annotation.objects import checked_object_id
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
        The objects it became, at least one; an object has one parent at most.

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


def check_lineage(divisions: Mapping[int, Division]) -> None:
    """Raise AnnotationError if an object has two parents or descends from itself."""
    parents: dict[int, int] = {}
    for division in divisions.values():
        for daughter in division.daughters:
            if daughter in parents:
                raise AnnotationError(
                    f"object {daughter} cannot be a daughter of object {division.parent}: "
                    f"it is one of object {parents[daughter]}; remove that division first"
                )
            parents[daughter] = division.parent
    cleared: set[int] = set()
    for start in parents:
        seen: set[int] = set()
        number: int | None = start
        while number is not None and number not in cleared:
            if number in seen:
                raise AnnotationError(f"object {number} would descend from itself; check which object is the daughter")
            seen.add(number)
            number = parents.get(number)
        cleared |= seen
