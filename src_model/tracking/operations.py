"""What was done to a session, in order: enough to do it again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from src_model.tracking.prompts import Prompt


@dataclass(frozen=True, slots=True)
class Prompted:
    """A prompt was given; ``replaced`` tells whether earlier prompts of that frame were dropped first."""

    object_id: int
    frame: int
    prompt: Prompt
    replaced: bool = False


@dataclass(frozen=True, slots=True)
class Chosen:
    """Another reading of the last prompt was chosen."""

    object_id: int
    frame: int
    candidate: int


@dataclass(frozen=True, slots=True)
class Cleared:
    """The prompts of a frame were removed."""

    object_id: int
    frame: int


@dataclass(frozen=True, slots=True)
class Removed:
    """An object was removed."""

    object_id: int


@dataclass(frozen=True, slots=True)
class Locked:
    """A frame was locked, or unlocked."""

    object_id: int
    frame: int
    locked: bool


@dataclass(frozen=True, slots=True)
class Propagated:
    """Objects were tracked from frame ``first`` to frame ``last``, both included."""

    object_ids: tuple[int, ...]
    first: int
    last: int
    reverse: bool
    kind: Literal["propagate", "repair", "push"] = "propagate"


@dataclass(frozen=True, slots=True)
class Resumed:
    """The session was loaded from a file, which holds masks but no memories."""


Operation = Prompted | Chosen | Cleared | Removed | Locked | Propagated | Resumed


class OperationLog:
    """The operations of a session; a propagation grows frame by frame, so that one cut short is still true."""

    def __init__(self, operations: Iterable[Operation] = ()) -> None:
        self.operations: list[Operation] = list(operations)

    def add(self, operation: Operation) -> None:
        """Append an operation."""
        self.operations.append(operation)

    def open_propagation(self, operation: Propagated) -> Callable[[int, tuple[int, ...]], None]:
        """Return what to call with every frame done, and with the objects still tracked.

        The first call appends the propagation. When something else was done meanwhile, the next call appends another
        one, so that the order stays true.
        """
        growing: Propagated | None = None

        def done(frame: int, object_ids: tuple[int, ...]) -> None:
            nonlocal growing
            if growing is not None and self.operations[-1] is growing:
                growing = replace(growing, last=frame)
                self.operations[-1] = growing
            else:
                growing = replace(operation, object_ids=object_ids, first=frame, last=frame)
                self.operations.append(growing)

        return done

    def add_pushed(self, object_ids: tuple[int, ...], frame: int) -> None:
        """Append a live frame, merged with the live frames before it."""
        last = self.operations[-1] if self.operations else None
        match last:
            case Propagated(kind="push", object_ids=same, last=previous) if (
                same == object_ids and previous == frame - 1
            ):
                self.operations[-1] = replace(last, last=frame)
            case _:
                self.add(Propagated(object_ids, frame, frame, reverse=False, kind="push"))
