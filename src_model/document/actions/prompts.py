"""Actions on prompts. Each changes the prompt of one object on one frame.

A mask that answered a prompt goes with it: where the last prompt of a frame is taken away, a mask that came from a
prompt on that frame goes too. Tracked, painted and imported masks stay.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from src_model.document.actions.base import Plan, check_unlocked, frame_number
from src_model.document.patch import Patch
from src_model.document.prompts import Point, Prompt, PromptBox
from src_model.document.provenance import Origin
from src_model.errors import PromptError

if TYPE_CHECKING:
    from src_model.document.event_log import EventKind
    from src_model.document.state import State
    from src_model.masks import Rle


@dataclass(frozen=True, slots=True)
class AddPoints:
    """Click: add points ``(y, x)`` with labels, 1 inside the object and 0 outside."""

    object_id: int
    frame: int
    points: tuple[Point, ...]
    labels: tuple[int, ...]

    event: ClassVar[EventKind] = "prompt"

    @property
    def label(self) -> str:
        """What the step is called."""
        return _label("Click", self.object_id, self.frame)

    def plan(self, state: State) -> Plan:
        """Add them; PromptError if they lie outside the movie or do not match the labels."""
        before = _prompt(state, self.object_id, self.frame)
        return _prompted(state, self.object_id, self.frame, before.with_points(self.points, self.labels))


@dataclass(frozen=True, slots=True)
class MovePoint:
    """Move click number ``index``, from 0, to ``point`` ``(y, x)``."""

    object_id: int
    frame: int
    index: int
    point: Point

    event: ClassVar[EventKind] = "prompt"

    @property
    def label(self) -> str:
        """What the step is called."""
        return _label("Move point", self.object_id, self.frame)

    def plan(self, state: State) -> Plan:
        """Move it; PromptError if there is no such point or it would lie outside the movie."""
        before = _prompt(state, self.object_id, self.frame)
        return _prompted(state, self.object_id, self.frame, before.with_point_at(self.index, self.point))


@dataclass(frozen=True, slots=True)
class RemovePoint:
    """Take click number ``index``, from 0, away."""

    object_id: int
    frame: int
    index: int

    event: ClassVar[EventKind] = "prompt"

    @property
    def label(self) -> str:
        """What the step is called."""
        return _label("Remove point", self.object_id, self.frame)

    def plan(self, state: State) -> Plan:
        """Remove it; PromptError if there is no such point."""
        before = _prompt(state, self.object_id, self.frame)
        return _prompted(state, self.object_id, self.frame, before.without_point(self.index))


@dataclass(frozen=True, slots=True)
class SetBox:
    """Draw a box ``(y0, x0, y1, x1)`` in place of the one before, or remove it (None)."""

    object_id: int
    frame: int
    box: PromptBox | None

    event: ClassVar[EventKind] = "prompt"

    @property
    def label(self) -> str:
        """What the step is called."""
        return _label("Remove box" if self.box is None else "Box", self.object_id, self.frame)

    def plan(self, state: State) -> Plan:
        """Set it; PromptError if it has no area or lies outside the movie."""
        before = _prompt(state, self.object_id, self.frame)
        return _prompted(state, self.object_id, self.frame, replace(before, box=self.box))


@dataclass(frozen=True, slots=True)
class SetMaskPrompt:
    """Show the object itself, in place of all earlier prompts of the frame; None removes the mask alone."""

    object_id: int
    frame: int
    mask: Rle | None

    event: ClassVar[EventKind] = "prompt"

    @property
    def label(self) -> str:
        """What the step is called."""
        return _label("Remove mask prompt" if self.mask is None else "Mask prompt", self.object_id, self.frame)

    def plan(self, state: State) -> Plan:
        """Set it; PromptError if it has another shape than the movie."""
        before = _prompt(state, self.object_id, self.frame)
        after = replace(before, mask=None) if self.mask is None else Prompt(mask=self.mask)
        return _prompted(state, self.object_id, self.frame, after)


@dataclass(frozen=True, slots=True)
class SetPrompt:
    """Replace all that is said about an object on a frame; an empty prompt removes it."""

    object_id: int
    frame: int
    prompt: Prompt

    event: ClassVar[EventKind] = "prompt"

    @property
    def label(self) -> str:
        """What the step is called."""
        return _label("Clear prompts" if self.prompt.is_empty else "Prompt", self.object_id, self.frame)

    def plan(self, state: State) -> Plan:
        """Set it; PromptError if it does not fit the movie."""
        return _prompted(state, self.object_id, self.frame, self.prompt)


@dataclass(frozen=True, slots=True)
class ClearPrompts:
    """Remove all prompts of an object on a frame."""

    object_id: int
    frame: int

    event: ClassVar[EventKind] = "prompt"

    @property
    def label(self) -> str:
        """What the step is called."""
        return _label("Clear prompts", self.object_id, self.frame)

    def plan(self, state: State) -> Plan:
        """Remove them; PromptError if there are none."""
        if _prompt(state, self.object_id, self.frame).is_empty:
            raise PromptError(f"object {self.object_id} has no prompt on frame {self.frame}")
        return _prompted(state, self.object_id, self.frame, Prompt())


def _label(what: str, object_id: int, frame: int) -> str:
    return f"{what}, object {object_id}, frame {frame}"


def _prompt(state: State, object_id: int, frame: int) -> Prompt:
    return state.track(object_id).prompts.get(frame, Prompt())


def _prompted(state: State, object_id: int, frame: int, prompt: Prompt) -> Plan:
    """Plan a new prompt; an empty one takes the mask that answered its predecessor away."""
    track, number = state.track(object_id), frame_number(frame, state)
    check_unlocked(track, [number])
    if not prompt.is_empty:
        prompt.check_fits(state.project.movie.frame_shape)
        return Plan(Patch(prompts={object_id: {number: prompt}}))
    entry = track.masks.get(number)
    answered = entry is not None and entry.origin is Origin.PROMPTED
    return Plan(
        Patch(prompts={object_id: {number: None}}, masks={object_id: {number: None}} if answered else {}),
    )
