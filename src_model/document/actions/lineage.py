"""Actions on divisions, and what other actions do to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.document.actions.base import ActionPlan, frame_number
from src_model.document.lineage import Division, check_lineage
from src_model.document.patch import Patch
from src_model.errors import AnnotationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from src_model.document.state import State


@dataclass(frozen=True, slots=True)
class MarkDivision:
    """Say that an object divides; a division of it that was marked before is replaced. No mask changes."""

    division: Division

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"Division of object {self.division.parent}, frame {self.division.frame}"

    def plan(self, state: State) -> ActionPlan:
        """Mark it.

        Raises
        ------
        UnknownObjectError, FrameRangeError
            If an object or the frame is not there.
        AnnotationError
            If a daughter comes of another object on another frame, or an object would descend from itself.
        """
        division = self.division
        frame_number(division.frame, state)
        for object_id in (division.parent, *division.daughters):
            state.track(object_id)
        check_lineage({**state.divisions, division.parent: division})
        return ActionPlan(Patch(divisions={division.parent: division}))


@dataclass(frozen=True, slots=True)
class RemoveDivision:
    """Say that an object does not divide after all; no mask changes."""

    parent: int

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"Remove division of object {self.parent}"

    def plan(self, state: State) -> ActionPlan:
        """Remove it; AnnotationError if there is none."""
        if self.parent not in state.divisions:
            raise AnnotationError(f"{state.track(self.parent).info.title} is not marked as dividing")
        return ActionPlan(Patch(divisions={self.parent: None}))


@dataclass(frozen=True, slots=True)
class RemoveDaughter:
    """Say that an object does not come of a parent; the division goes with its last daughter. No mask changes."""

    parent: int
    daughter: int

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"Cut object {self.daughter} off object {self.parent}"

    def plan(self, state: State) -> ActionPlan:
        """Remove it; AnnotationError if it is no daughter of that parent."""
        division = state.divisions.get(self.parent)
        if division is None or self.daughter not in division.daughters:
            daughter, parent = (state.track(number).info.title for number in (self.daughter, self.parent))
            raise AnnotationError(f"{daughter} is no daughter of {parent}; choose two objects that an edge joins")
        return ActionPlan(Patch(divisions={self.parent: division.without(self.daughter)}))


def renamed_divisions(
    state: State, parent_name: Callable[[Division, int], int], daughter_name: Callable[[Division, int], int]
) -> dict[int, Division | None]:
    """Return how divisions change when their objects get other ids.

    A division keeps the daughters that are still others than its parent; it goes when none is left.

    Raises
    ------
    AnnotationError
        If the divisions would contradict one another.
    """
    renamed = []
    for division in state.divisions.values():
        parent = parent_name(division, division.parent)
        daughters = dict.fromkeys(daughter_name(division, number) for number in division.daughters)
        daughters.pop(parent, None)
        if daughters:
            renamed.append(Division(parent, division.frame, tuple(daughters)))
    return divisions_patch(state, renamed)


def divisions_patch(state: State, divisions: Iterable[Division]) -> dict[int, Division | None]:
    """Return the patch that leaves exactly ``divisions``, or raise AnnotationError if they contradict one another."""
    after: dict[int, Division] = {}
    for division in divisions:
        if division.parent in after:
            frames = sorted((after[division.parent].frame, division.frame))
            raise AnnotationError(
                f"object {division.parent} would divide twice, on frames {frames[0]} and {frames[1]}; "
                "remove one of the divisions first"
            )
        after[division.parent] = division
    check_lineage(after)
    return {**dict.fromkeys(state.divisions), **after}
