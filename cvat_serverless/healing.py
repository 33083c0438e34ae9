"""Going on with an object whose memory is gone, from what its state tells of its last mask.

The frame of that mask is not at hand, so there are two ways. Prompted by the last box, with the last mask as a first
guess, the network finds an object anew: right where things move, but it may take in a part that was never the object's.
Tracked from the last mask as if that had been drawn on this very frame, it keeps to the object: right where things
hardly move. How steady the mask had been tells which of them is believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cvat_serverless.silhouette import likeness
from cvat_serverless.tracks import new_bank
from src_model.masks import Masklet
from src_model.tracking.prompts import Prompt
from src_model.tracking.tracked_object import TrackedObject

if TYPE_CHECKING:
    from cvat_serverless.state import TrackState
    from cvat_serverless.views import ImageTracking
    from src_model.masks import Rle
    from src_model.tracking.settings import TrackingSettings

_UNSTEADY = 0.06
"""By so much (IoU) a mask may change more than it did before until it is not believed."""


@dataclass(frozen=True, slots=True)
class Healing:
    """Finds lost objects again in one image.

    Attributes
    ----------
    tracking
        Prompts and tracks in the image.
    settings
        Of the memory bank.
    frame
        The number under which tracking knows the image; at least 1.
    """

    tracking: ImageTracking
    settings: TrackingSettings
    frame: int

    def healed(self, number: int, state: TrackState) -> TrackedObject:
        """Make an object that has its answer on the frame already, as if it had been drawn there."""
        last = state.mask
        prompted = self._prompted(number, state, last)
        if last is None or state.silhouette is None or state.silhouette.steadiness is None:
            return prompted
        like = self._likeness(prompted, last)
        if like >= state.silhouette.steadiness - _UNSTEADY:
            return prompted
        kept = self._kept(number, last)
        return kept if self._likeness(kept, last) > like else prompted

    def _prompted(self, number: int, state: TrackState, last: Rle | None) -> TrackedObject:
        item = self._new(number)
        if last is not None:
            item.masklet.set(self.frame, last)
        answer = self.tracking.prompting.answer(item, self.frame, Prompt(box=state.outline.box), replace=last is None)
        if not answer.rle.is_empty:
            # As a drawn mask it holds on better than as the answer to a box.
            self.tracking.prompting.answer(item, self.frame, Prompt(mask=answer.rle), replace=True)
        return item

    def _kept(self, number: int, last: Rle) -> TrackedObject:
        drawn = self._new(number)
        self.tracking.prompting.answer(drawn, self.frame, Prompt(mask=last), replace=True)
        self.tracking.propagation.step(self.frame, [drawn], reverse=False)
        before = self._new(number)
        before.bank.conditioning[self.frame - 1] = drawn.bank.conditioning[self.frame]
        before.masklet.set(self.frame - 1, last)
        before.directions[self.frame - 1] = False
        result = self.tracking.propagation.step(self.frame, [before], reverse=False)
        item = self._new(number)
        item.bank.conditioning[self.frame] = before.bank.recent[self.frame]
        item.masklet.set(
            self.frame,
            result.rles[number],
            score=result.scores[number],
            object_score=result.object_scores[number],
        )
        return item

    def _likeness(self, item: TrackedObject, last: Rle) -> float:
        mask = item.masklet.mask_at(self.frame)
        return 0.0 if mask is None else likeness(mask, last)

    def _new(self, number: int) -> TrackedObject:
        return TrackedObject(number, new_bank(self.settings), Masklet(number, self.tracking.shape))
