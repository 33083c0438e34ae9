"""Tracking on when the memory of an object is gone: after a restart, in another replica, or for lack of room.

The tracker state holds about the last mask of the object, but the frame of that mask is not at hand. So there are two
ways. Prompted by the last box, with the last mask as a first guess, the network finds the object anew: right where
things move, but it may take in a part that was never the object's. Tracked from the last mask as if that had been drawn
on this very frame, it keeps to the object: right where things hardly move. How stable the mask had been decides between
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cvat_serverless.coarse_mask import aligned_iou
from src_model.masks import Masklet
from src_model.memory.bank import MemoryBank
from src_model.memory.stored import BETWEEN_REQUESTS
from src_model.prompts import Prompt
from src_model.tracking.tracked_object import TrackedObject

if TYPE_CHECKING:
    from cvat_serverless.image_tracking import ImageTracking
    from cvat_serverless.state import TrackState
    from src_model.masks import Rle
    from src_model.tracking.settings import TrackingSettings

_STABILITY_LOSS = 0.06
"""A mask is not believed if its IoU with the last one falls by more than this below what it was before. It was measured
on DAVIS and on simulated nuclei: docs/cvat.md has the numbers."""


@dataclass(frozen=True, slots=True)
class MemoryRecovery:
    """Finds objects whose memory is gone in one image.

    Attributes
    ----------
    tracking
        Prompts and tracks in the image.
    settings
        Tracking settings, with the policy of the memory bank.
    frame
        The number under which tracking knows the image; at least 1.
    """

    tracking: ImageTracking
    settings: TrackingSettings
    frame: int

    def recovered(self, object_id: int, state: TrackState) -> TrackedObject:
        """Make an object that has its mask on the frame already, as if that had been drawn there."""
        last = state.mask
        prompted = self._prompted(object_id, state, last)
        if last is None or state.coarse_mask is None or state.coarse_mask.stability is None:
            return prompted
        stability = self._stability(prompted, last)
        if stability >= state.coarse_mask.stability - _STABILITY_LOSS:
            return prompted
        tracked = self._tracked(object_id, last)
        return tracked if self._stability(tracked, last) > stability else prompted

    def new_object(self, object_id: int) -> TrackedObject:
        """Make an object of which nothing is known."""
        bank = MemoryBank(self.settings.memory_policy, BETWEEN_REQUESTS)
        return TrackedObject(object_id, bank, Masklet(object_id, self.tracking.shape))

    def _prompted(self, object_id: int, state: TrackState, last: Rle | None) -> TrackedObject:
        item = self.new_object(object_id)
        if last is not None:
            item.masklet.set(self.frame, last)
        answer = self.tracking.prompting.answer(item, self.frame, Prompt(box=state.outline.box), replace=last is None)
        if not answer.rle.is_empty:
            # As a drawn mask it holds on better than as the answer to a box.
            self.tracking.prompting.answer(item, self.frame, Prompt(mask=answer.rle), replace=True)
        return item

    def _tracked(self, object_id: int, last: Rle) -> TrackedObject:
        drawn = self.new_object(object_id)
        self.tracking.prompting.answer(drawn, self.frame, Prompt(mask=last), replace=True)
        # Only a step makes the memory of a drawn mask.
        self.tracking.propagation.step(self.frame, [drawn], reverse=False)
        before = self.new_object(object_id)
        before.bank.conditioning[self.frame - 1] = drawn.bank.conditioning[self.frame]
        before.masklet.set(self.frame - 1, last)
        before.directions[self.frame - 1] = False
        result = self.tracking.propagation.step(self.frame, [before], reverse=False)
        item = self.new_object(object_id)
        item.bank.conditioning[self.frame] = before.bank.recent[self.frame]
        score, object_score = result.scores[object_id], result.object_scores[object_id]
        item.masklet.set(self.frame, result.rles[object_id], score=score, object_score=object_score)
        return item

    def _stability(self, item: TrackedObject, last: Rle) -> float:
        mask = item.masklet.mask_at(self.frame)
        return 0.0 if mask is None else aligned_iou(mask, last)
