"""What an action is, the two that hold any change, and the checks that all actions share."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from src_model.document.patch import in_order
from src_model.document.spans import described
from src_model.errors import FrameRangeError, LockedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from src_model.document.event_log import EventKind
    from src_model.document.patch import Patch
    from src_model.document.state import State, Track

SkipReason: TypeAlias = Literal[
    "object locked", "frame locked", "edited by hand", "object removed", "annotated already"
]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A frame that tracking left as it was.

    Attributes
    ----------
    object_id, frame
        The object and the frame (from 0) that were left as they are.
    reason
        Why it was left: one of :data:`SkipReason`.
    """

    object_id: int
    frame: int
    reason: SkipReason


@dataclass(frozen=True, slots=True)
class ActionPlan:
    """What an action is about to do.

    Attributes
    ----------
    patch
        New values by cell; None empties a cell.
    skipped
        Frames that the action leaves alone.
    event
        What it is in the log of events, where that depends on what it is done to; None: what the action's class says.
    """

    patch: Patch
    skipped: tuple[Skipped, ...] = ()
    event: EventKind | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What an action did.

    Attributes
    ----------
    step
        Number of the step it became or joined; None if it changed nothing.
    skipped
        Frames left as they were because they are locked or painted by hand.
    """

    step: int | None
    skipped: tuple[Skipped, ...] = ()


class Action(Protocol):
    """A change of the document, as a value: an action can be kept, compared and done again.

    A class may have an attribute ``event`` that says what it is in the log of events; it is an edit if it has none.
    """

    @property
    def label(self) -> str:
        """What the step is called in an undo menu."""

    def plan(self, state: State) -> ActionPlan:
        """Turn the action into a patch, or raise a Sam2vError before anything changes."""


@dataclass(frozen=True, slots=True)
class Group:
    """Do several actions, each on what the one before it left, as one step: all of them or none.

    Attributes
    ----------
    label
        What the step is called.
    actions
        In order; may hold groups.
    """

    label: str
    actions: tuple[Action, ...]

    def plan(self, state: State) -> ActionPlan:
        """Plan all actions; the first that cannot be done raises its error and nothing changes."""
        if len(self.actions) == 1:
            return self.actions[0].plan(state)
        plans = []
        with state.trial():
            for action in self.actions:
                plan = action.plan(state)
                state.try_patch(plan.patch)
                plans.append(plan)
        skipped = tuple(item for plan in plans for item in plan.skipped)
        return ActionPlan(in_order([plan.patch for plan in plans]), skipped)


@dataclass(frozen=True, slots=True)
class ApplyPatch:
    """Give cells the values that they have elsewhere, locked ones too.

    Attributes
    ----------
    label
        What the step is called.
    patch
        New values by cell; None empties a cell.
    """

    label: str
    patch: Patch

    def plan(self, state: State) -> ActionPlan:
        """Take them all; what does not fit the document is an error when it is done."""
        return ActionPlan(self.patch)


def frame_number(frame: object, state: State) -> int:
    """Return a frame of the movie as a plain number, or raise FrameRangeError."""
    length = state.project.movie.length
    number = operator.index(frame)  # type: ignore[arg-type]  # TypeError for anything else
    if not 0 <= number < length:
        raise FrameRangeError(f"frame {number} is outside the movie: frames are 0 to {length - 1}")
    return number


def frame_span(start: int, stop: int | None, state: State) -> range:
    """Return the frames from ``start`` up to ``stop`` (excluded; None: the movie's end), or raise FrameRangeError."""
    length = state.project.movie.length
    end = length if stop is None else operator.index(stop)
    if not 0 <= operator.index(start) <= end <= length:
        raise FrameRangeError(
            f"frames {start} to {end} are no span of the movie: expected 0 <= start <= stop <= {length}"
        )
    return range(operator.index(start), end)


def check_object_unlocked(track: Track) -> None:
    """Raise LockedError if the object is locked."""
    if track.info.locked:
        raise LockedError(f"{track.info.title} is locked; unlock it to change it")


def check_unlocked(track: Track, frames: Iterable[int]) -> None:
    """Raise LockedError if the object, or any of ``frames``, is locked."""
    check_object_unlocked(track)
    locked = {frame for frame in frames if frame in track.locked}
    if locked:
        raise LockedError(f"{track.info.title} is locked on {described(locked)}; unlock to change it there")
