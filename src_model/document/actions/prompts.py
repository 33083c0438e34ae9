"""Actions on prompts. Each changes the prompt of one object on one frame.

A mask that answered a prompt goes with it: where the last prompt of a frame is taken away, a mask that came from a
prompt on that frame goes too. Tracked, painted and imported masks stay.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from src_model.document.actions.base import ActionPlan, check_unlocked, frame_number
from src_model.document.patch import Patch
from src_model.document.provenance import Origin
from src_model.errors import PromptError
from src_model.prompts import Point, Prompt, PromptBox

if TYPE_CHECKING:
    from src_model.document.event_log import EventKind
    from src_model.document.state import State
    from src_model.masks import Rle


@dataclass(frozen=True, slots=True)
class _PromptAction:
    """Changes the prompt of one object on one frame."""

    object_id: int
    frame: int

    event: ClassVar[EventKind] = "prompt"

    @property
    def _verb(self) -> str:
        raise NotImplementedError

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"{self._verb}, object {self.object_id}, frame {self.frame}"

    def _prompt(self, state: State) -> Prompt:
        """Return what is said so far."""
        return state.track(self.object_id).prompts.get(self.frame, Prompt())

    def _prompted(self, state: State, prompt: Prompt) -> ActionPlan:
        """Plan a new prompt; an empty one takes the mask that answered its predecessor away."""
        track, frame = state.track(self.object_id), frame_number(self.frame, state)
        check_unlocked(track, [frame])
        entry = track.masks.get(frame)
        if not prompt.is_empty:
            prompt.check_fits(state.project.movie.frame_shape)
            corrects = entry is not None and entry.origin.is_tracked
            patch = Patch(prompts={self.object_id: {frame: prompt}})
            return ActionPlan(patch, event="correction" if corrects else None)
        answered = entry is not None and entry.origin is Origin.PROMPTED
        masks = {self.object_id: {frame: None}} if answered else {}
        return ActionPlan(Patch(prompts={self.object_id: {frame: None}}, masks=masks))


@dataclass(frozen=True, slots=True)
class AddPoints(_PromptAction):
    """Click: add points ``(y, x)`` with labels, 1 inside the object and 0 outside."""

    points: tuple[Point, ...]
    labels: tuple[int, ...]

    _verb: ClassVar[str] = "Click"

    def plan(self, state: State) -> ActionPlan:
        """Add them; PromptError if they lie outside the movie or do not match the labels."""
        before = self._prompt(state)
        return self._prompted(state, before.with_points(self.points, self.labels))


@dataclass(frozen=True, slots=True)
class MovePoint(_PromptAction):
    """Move click number ``index``, from 0, to ``point`` ``(y, x)``."""

    index: int
    point: Point

    _verb: ClassVar[str] = "Move point"

    def plan(self, state: State) -> ActionPlan:
        """Move it; PromptError if there is no such point or it would lie outside the movie."""
        before = self._prompt(state)
        return self._prompted(state, before.with_point_at(self.index, self.point))


@dataclass(frozen=True, slots=True)
class RemovePoint(_PromptAction):
    """Take click number ``index``, from 0, away."""

    index: int

    _verb: ClassVar[str] = "Remove point"

    def plan(self, state: State) -> ActionPlan:
        """Remove it; PromptError if there is no such point."""
        before = self._prompt(state)
        return self._prompted(state, before.without_point(self.index))


@dataclass(frozen=True, slots=True)
class SetBox(_PromptAction):
    """Draw a box ``(y0, x0, y1, x1)`` in place of the one before, or remove it (None)."""

    box: PromptBox | None

    @property
    def _verb(self) -> str:
        return "Remove box" if self.box is None else "Box"

    def plan(self, state: State) -> ActionPlan:
        """Set it; PromptError if it has no area or lies outside the movie."""
        before = self._prompt(state)
        return self._prompted(state, replace(before, box=self.box))


@dataclass(frozen=True, slots=True)
class SetMaskPrompt(_PromptAction):
    """Show the object itself, in place of all earlier prompts of the frame; None removes the mask alone."""

    mask: Rle | None

    @property
    def _verb(self) -> str:
        return "Remove mask prompt" if self.mask is None else "Mask prompt"

    def plan(self, state: State) -> ActionPlan:
        """Set it; PromptError if it has another shape than the movie."""
        before = self._prompt(state)
        after = replace(before, mask=None) if self.mask is None else Prompt(mask=self.mask)
        return self._prompted(state, after)


@dataclass(frozen=True, slots=True)
class SetPrompt(_PromptAction):
    """Replace all that is said about an object on a frame; an empty prompt removes it."""

    prompt: Prompt

    @property
    def _verb(self) -> str:
        return "Clear prompts" if self.prompt.is_empty else "Prompt"

    def plan(self, state: State) -> ActionPlan:
        """Set it; PromptError if it does not fit the movie."""
        return self._prompted(state, self.prompt)


@dataclass(frozen=True, slots=True)
class ClearPrompts(_PromptAction):
    """Remove all prompts of an object on a frame."""

    _verb: ClassVar[str] = "Clear prompts"

    def plan(self, state: State) -> ActionPlan:
        """Remove them; PromptError if there are none."""
        if self._prompt(state).is_empty:
            raise PromptError(f"object {self.object_id} has no prompt on frame {self.frame}")
        return self._prompted(state, Prompt())
