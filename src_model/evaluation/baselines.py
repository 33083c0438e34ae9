"""What a tracker has to beat: the image model without memory, and no model at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_model.evaluation.boxes import tight_box
from src_model.frames import decide_normalization
from src_model.masks import MaskletFrame, Rle
from src_model.tracking import ImagePredictor, Prompt
from src_model.tracking.preprocessing import mask_logits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from src_model.frames import FrameSource
    from src_model.tracking import StreamingPredictor


class CopyFirstMask:
    """Leaves the last prompted mask where it is; prompts themselves are answered by the image model.

    Also what the other baselines have in common.

    Parameters
    ----------
    predictor
        The image model.
    movie
        The movie.
    """

    def __init__(self, predictor: StreamingPredictor, movie: FrameSource) -> None:
        self._images = ImagePredictor(predictor)
        self._steps = predictor.steps
        self._movie = movie
        self._normalization = decide_normalization(movie)
        self._encoded: int | None = None
        self._prompts: dict[int, dict[int, Prompt]] = {}
        self._entries: dict[int, dict[int, MaskletFrame]] = {}

    def prompt(self, frame: int, object_id: int, prompt: Prompt) -> MaskletFrame:
        """Answer a prompt (see `Tracker`); a frame that has a mask is corrected."""
        prompts = self._prompts.setdefault(object_id, {})
        entries = self._entries.setdefault(object_id, {})
        prompts[frame] = prompts[frame].extended(prompt) if frame in prompts else prompt
        entries[frame] = self._answer(frame, prompts[frame], shown=entries.get(frame))
        return entries[frame]

    def propagate(self, frames: range, objects: Sequence[int]) -> Iterator[tuple[int, Mapping[int, MaskletFrame]]]:
        """Go from frame to frame (see `Tracker`)."""
        last: dict[int, Rle] = {}
        for frame in frames:
            for object_id in objects:
                entries = self._entries.get(object_id, {})
                if frame not in self._prompts.get(object_id, {}) and object_id in last:
                    entries[frame] = self._follow(frame, object_id, last[object_id])
            yield frame, {i: entry for i in objects if (entry := self._entries.get(i, {}).get(frame))}
            # Only now, because prompts may have been given in the meantime.
            for object_id in objects:
                entry = self._entries.get(object_id, {}).get(frame)
                if entry is not None and (object_id not in last or not entry.mask.is_empty):
                    last[object_id] = entry.mask

    def _follow(self, frame: int, object_id: int, last: Rle) -> MaskletFrame:
        """Find an object by its last mask that was not empty."""
        return MaskletFrame(last, 1.0, 1.0)

    def _answer(self, frame: int, prompt: Prompt, *, shown: MaskletFrame | None = None) -> MaskletFrame:
        if prompt.mask is not None:
            return MaskletFrame(prompt.mask, 1.0, 1.0)
        if self._encoded != frame:
            self._images.set_image(self._movie.read(frame), self._normalization)
            self._encoded = frame
        earlier = None if shown is None else mask_logits(shown.mask, self._steps.image_size, self._steps.device)[0]
        ambiguous = len(prompt.points) == 1 and prompt.box is None and shown is None
        found = self._images.predict(
            points=prompt.points or None,
            labels=prompt.labels or None,
            box=prompt.box,
            mask_logits=earlier,
            multimask=ambiguous,
        )
        return MaskletFrame(found.rles[found.best], found.scores[found.best], found.object_score)


class PreviousBox(CopyFirstMask):
    """Prompts every frame with the box of the mask before."""

    def _follow(self, frame: int, object_id: int, last: Rle) -> MaskletFrame:
        return self._answer(frame, Prompt(box=tight_box(last)))


class PreviousMask(CopyFirstMask):
    """Prompts every frame with the box of the mask before and that mask itself."""

    def _follow(self, frame: int, object_id: int, last: Rle) -> MaskletFrame:
        return self._answer(frame, Prompt(box=tight_box(last)), shown=MaskletFrame(last, 1.0, 1.0))
