"""Everything a session holds of one object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from src_model.errors import FrameRangeError, PromptError

if TYPE_CHECKING:
    from src_model.masks import Box, Masklet
    from src_model.masks.window import Window
    from src_model.memory.bank import MemoryBank
    from src_model.memory.entry import MemoryEntry
    from src_model.nn import MaskPrediction
    from src_model.prompts import Prompt

_SEARCHED_FRAMES = 16
"""So many frames back an object is looked for before its nearest prompt is taken for the place where it was seen."""


@dataclass(frozen=True, slots=True)
class PendingAnswer:
    """The answer to a prompt that has not entered the memory bank yet.

    Attributes
    ----------
    entry
        The memory that will enter, with the mask it was made of.
    is_conditioning
        Whether it enters as a conditioning frame or as a recent one.
    """

    entry: MemoryEntry
    is_conditioning: bool


@dataclass(frozen=True, slots=True)
class LastAnswer:
    """What the network answered to the last prompt, kept so that another candidate can be chosen.

    Attributes
    ----------
    frame
        Number of the prompted frame, from 0.
    prediction
        All candidates: ``(1, M, h, w)`` logits with their predicted IoU.
    window
        In which the prompt was answered; None: the whole frame.
    """

    frame: int
    prediction: MaskPrediction
    window: Window | None = None


@dataclass(slots=True)
class TrackedObject:
    """One object of a session.

    Attributes
    ----------
    object_id
        Number of the object, from 1.
    bank
        What the network remembers of it.
    masklet
        Its masks so far.
    prompts
        What was prompted, by frame.
    locked
        Frames that tracking never changes.
    directions
        Every tracked frame, with whether it was tracked in reverse.
    pending
        Answers to prompts since the last propagation.
    last_answer
        Candidates of the last prompt.
    """

    object_id: int
    bank: MemoryBank
    masklet: Masklet
    prompts: dict[int, Prompt] = field(default_factory=dict)
    locked: set[int] = field(default_factory=set)
    directions: dict[int, bool] = field(default_factory=dict)
    pending: dict[int, PendingAnswer] = field(default_factory=dict)
    last_answer: LastAnswer | None = None

    @property
    def prompted_frames(self) -> tuple[int, ...]:
        """Frames that hold a prompt, in order."""
        return tuple(sorted(self.prompts))

    @property
    def conditioning_frames(self) -> tuple[int, ...]:
        """Prompted frames that tracking starts from, in the order in which they enter the memory bank."""
        waiting = [frame for frame, answer in self.pending.items() if answer.is_conditioning]
        return (*(frame for frame in self.bank.conditioning if frame not in waiting), *waiting)

    def forget_memories(self) -> None:
        """Keep only what a document holds: memories are made again from the masks when they are needed."""
        self.bank.conditioning = dict.fromkeys(self.conditioning_frames)
        self.bank.recent.clear()
        self.pending.clear()
        self.last_answer = None

    def clear_prompt(self, frame: int) -> None:
        """Remove all prompts of a frame, and the mask they gave; PromptError if there is none."""
        if frame not in self.prompts:
            raise PromptError(
                f"object {self.object_id} has no prompt on frame {frame}; "
                f"it is prompted on {', '.join(map(str, self.prompted_frames)) or 'none'}"
            )
        del self.prompts[frame]
        self.pending.pop(frame, None)
        self.bank.forget(frame)
        self.directions.pop(frame, None)
        self.masklet.delete(frame)
        self.locked.discard(frame)
        self.last_answer = None

    def lock(self, frame: int, *, locked: bool) -> None:
        """Let tracking take a frame as it is, or no more; FrameRangeError if it has no mask."""
        if frame not in self.masklet:
            raise FrameRangeError(
                f"object {self.object_id} has no mask on frame {frame} that could be locked; track it first"
            )
        (self.locked.add if locked else self.locked.discard)(frame)

    def drop_masks_before(self, first: int) -> None:
        """Drop masks of frames before ``first``, but for those that a person prompted or locked."""
        for frame in [frame for frame in self.masklet.frames if frame < first]:
            if frame not in self.prompts and frame not in self.locked:
                self.masklet.delete(frame)
                self.directions.pop(frame, None)

    def last_seen(self, frame: int, step: int) -> tuple[int, Box] | None:
        """Return where it was seen last before a frame, or on its nearest prompt.

        Parameters
        ----------
        frame
            Number of the frame that is not looked at.
        step
            To the frame before: -1, or 1 where tracking goes in reverse.

        Returns
        -------
        tuple or None
            The frame, and the box ``(y0, x0, y1, x1)`` of the mask there; None if it is seen on none of them.
        """
        near = range(frame + step, frame + step * (_SEARCHED_FRAMES + 1), step)
        prompted = sorted(self.prompts, key=lambda number: abs(number - frame))
        for number in (*near, *(number for number in prompted if number != frame)):
            mask = self.masklet.mask_at(number)
            box = None if mask is None else mask.box
            if box is not None:
                return number, box
        return None

    def is_fixed(self, frame: int) -> bool:
        """Whether tracking takes this frame as it is: a conditioning frame or a locked one."""
        return frame in self.bank.conditioning or (frame in self.locked and frame in self.masklet)
