"""Actions on single frames and spans of them: painting, answers to prompts, clearing, locking."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from src_model.document.actions.base import ActionPlan, check_object_unlocked, check_unlocked, frame_number, frame_span
from src_model.document.patch import Patch
from src_model.document.provenance import AnnotatedFrame, Origin
from src_model.document.spans import described
from src_model.errors import MaskError, NoPromptError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from src_model.document.event_log import EventKind
    from src_model.document.state import State
    from src_model.masks import Rle


@dataclass(frozen=True, slots=True)
class SetMask:
    """Set an object's mask on a frame, as painted by hand; an empty one says that the object is not there."""

    object_id: int
    frame: int
    mask: Rle
    score: float = 1.0
    object_score: float = 1.0
    origin: Origin = Origin.EDITED

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"Paint object {self.object_id}, frame {self.frame}"

    def plan(self, state: State) -> ActionPlan:
        """Set it; LockedError if it is locked, MaskError if it has another shape than the movie or scores are NaN."""
        track, frame = state.track(self.object_id), frame_number(self.frame, state)
        check_unlocked(track, [frame])
        entry = AnnotatedFrame(self.mask, float(self.score), float(self.object_score), Origin(self.origin))
        check_entry(entry, self.object_id, frame, state)
        return ActionPlan(Patch(masks={self.object_id: {frame: entry}}))


@dataclass(frozen=True, slots=True)
class AnswerPrompt:
    """Set the model's answer to the prompt of a frame.

    Do it with ``join`` set to the step of the click it answers, so that both are undone together.

    Attributes
    ----------
    object_id, frame
        The object and the frame (from 0) that were prompted.
    mask
        ``(Y, X)`` of the movie's frames.
    score, object_score
        Predicted IoU of the mask, and the probability that the object is in the frame, 0 to 1.
    by_hand
        Whether a person took this one of several candidates, in place of the model's choice.
    """

    object_id: int
    frame: int
    mask: Rle
    score: float
    object_score: float
    by_hand: bool = False

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"Mask of object {self.object_id}, frame {self.frame}"

    def plan(self, state: State) -> ActionPlan:
        """Set it; NoPromptError if the prompt is gone, as after an undo while the model was busy."""
        if self.frame not in state.track(self.object_id).prompts:
            raise NoPromptError(f"object {self.object_id} has no prompt on frame {self.frame} to be answered")
        answer = SetMask(self.object_id, self.frame, self.mask, self.score, self.object_score, Origin.PROMPTED)
        return replace(answer.plan(state), event="candidate" if self.by_hand else "answer")


@dataclass(frozen=True, slots=True)
class ClearFrames:
    """Remove an object's masks and prompts from ``start`` up to ``stop`` (excluded; None: the end of the movie)."""

    object_id: int
    start: int
    stop: int | None = None

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"Clear object {self.object_id} from frame {self.start}"

    def plan(self, state: State) -> ActionPlan:
        """Remove them; LockedError if any of these frames is locked."""
        track, span = state.track(self.object_id), frame_span(self.start, self.stop, state)
        check_unlocked(track, span)
        masks = dict.fromkeys(track.masks.frames(span.start, span.stop))
        prompts = dict.fromkeys(frame for frame in track.prompts if frame in span)
        return ActionPlan(
            Patch(
                masks={self.object_id: masks} if masks else {},
                prompts={self.object_id: prompts} if prompts else {},
            )
        )


@dataclass(frozen=True, slots=True)
class LockFrames:
    """Lock frames of an object, or unlock them; one without a mask may be locked, and stays without."""

    object_id: int
    frames: tuple[int, ...]
    locked: bool = True

    event: ClassVar[EventKind] = "lock"

    @classmethod
    def span(cls, object_id: int, frames: Iterable[int], *, locked: bool = True) -> LockFrames:
        """Lock any frames, as a range or a set of them."""
        return cls(object_id, tuple(frames), locked)

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"{'Lock' if self.locked else 'Unlock'} object {self.object_id}, {described(self.frames)}"

    def plan(self, state: State) -> ActionPlan:
        """Change the locks; LockedError if the whole object is locked."""
        track = state.track(self.object_id)
        check_object_unlocked(track)
        frames = {frame_number(frame, state): bool(self.locked) for frame in self.frames}
        return ActionPlan(Patch(locks={self.object_id: frames} if frames else {}))


def check_entry(entry: AnnotatedFrame, object_id: int, frame: int, state: State) -> None:
    """Raise MaskError unless a mask has the shape of the movie and scores that are numbers."""
    shape = state.project.movie.frame_shape
    if entry.mask.shape != shape:
        raise MaskError(
            f"the mask of object {object_id} on frame {frame} has shape {entry.mask.shape}, expected {shape}"
        )
    # NaN is the only number that differs from itself.
    if entry.score != entry.score or entry.object_score != entry.object_score:
        raise MaskError(f"the scores of object {object_id} on frame {frame} must be numbers, got NaN")
