"""What is compared: the tracker itself, and what it has to beat, the image model without memory and no model at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from src_model.errors import EvaluationError
from src_model.evaluation.annotator import tight_box
from src_model.evaluation.protocols import EveryFrame
from src_model.frames import decide_normalization
from src_model.masks import MaskletFrame, Rle
from src_model.prompts import Prompt
from src_model.tracking import ImagePredictor
from src_model.tracking.preprocessing import mask_logits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from src_model.evaluation.protocols import EvaluationProtocol
    from src_model.frames import FrameSource
    from src_model.tracking import Session, StreamingPredictor

TRACKING = "tracking"
BASELINE_NAMES = ("alone", "previous-box", "previous-mask", "copy")


class PromptableTracker(Protocol):
    """Follows objects through one movie; made anew for every movie and protocol."""

    def prompt(self, frame: int, object_id: int, prompt: Prompt) -> MaskletFrame:
        """Answer a prompt; prompts on one frame add up, and may be given while `propagate` is suspended."""

    def propagate(self, frames: range, objects: Sequence[int]) -> Iterator[tuple[int, Mapping[int, MaskletFrame]]]:
        """Follow objects forwards, each from its first prompted frame on; prompted frames are given as they are."""


class SessionTracker:
    """The streaming predictor as a tracker.

    Parameters
    ----------
    session
        Just started on the movie.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def prompt(self, frame: int, object_id: int, prompt: Prompt) -> MaskletFrame:
        """Answer a prompt (see `PromptableTracker`)."""
        answer = self._session.prompt(
            frame,
            object_id,
            points=prompt.points or None,
            labels=prompt.labels or None,
            box=prompt.box,
            mask=None if prompt.mask is None else prompt.mask.decode(),
        )
        return MaskletFrame(answer.rle, answer.score, answer.object_score)

    def propagate(self, frames: range, objects: Sequence[int]) -> Iterator[tuple[int, Mapping[int, MaskletFrame]]]:
        """Follow objects (see `PromptableTracker`)."""
        for result in self._session.propagate(frames.start, frames.stop, objects=objects):
            entries = {
                object_id: MaskletFrame(rle, result.scores[object_id], result.object_scores[object_id])
                for object_id, rle in result.rles.items()
            }
            yield result.frame, entries


class CopyFirstMask:
    """Leaves the last prompted mask where it is; prompts themselves are answered by the image model.

    Also what the other baselines have in common.

    Parameters
    ----------
    predictor
        The image model: a network that is used without its memory.
    movie
        What its frames are read from; its contrast is decided here, once.
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
        """Answer a prompt (see `PromptableTracker`); a frame that has a mask is corrected."""
        prompts = self._prompts.setdefault(object_id, {})
        entries = self._entries.setdefault(object_id, {})
        prompts[frame] = prompts[frame].extended(prompt) if frame in prompts else prompt
        entries[frame] = self._answer(frame, prompts[frame], shown=entries.get(frame))
        return entries[frame]

    def propagate(self, frames: range, objects: Sequence[int]) -> Iterator[tuple[int, Mapping[int, MaskletFrame]]]:
        """Go from frame to frame (see `PromptableTracker`)."""
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


@dataclass(frozen=True, slots=True)
class Method:
    """A tracker under its name in the report.

    Attributes
    ----------
    name
        "tracking", or a baseline.
    protocols
        What it is evaluated with.
    start
        Makes a tracker on a movie.
    """

    name: str
    protocols: tuple[EvaluationProtocol, ...]
    start: Callable[[FrameSource], PromptableTracker]


def tracking_method(predictor: StreamingPredictor, protocols: Sequence[EvaluationProtocol]) -> Method:
    """Make the streaming predictor a method."""
    return Method(TRACKING, tuple(protocols), lambda movie: SessionTracker(predictor.start(movie)))


def check_baselines(names: Sequence[str]) -> None:
    """Raise EvaluationError if there is no baseline of one of the names."""
    unknown = [name for name in names if name not in BASELINE_NAMES]
    if unknown:
        raise EvaluationError(f"there is no baseline {unknown[0]!r}; choose from {', '.join(BASELINE_NAMES)}")


def baseline_method(name: str, predictor: StreamingPredictor, protocols: Sequence[EvaluationProtocol]) -> Method:
    """Make a baseline by its name.

    Parameters
    ----------
    name
        "alone": the true box on every frame, whatever the protocols; "previous-box" and "previous-mask": every frame
        prompted by the mask before; "copy": the first mask stays where it is.
    predictor
        The image model: a network that is used without its memory.
    protocols
        How the first frames, and corrections, are annotated.

    Raises
    ------
    EvaluationError
        If there is no such baseline.
    """
    check_baselines([name])
    kinds = {"previous-box": PreviousBox, "previous-mask": PreviousMask}
    kind = kinds.get(name, CopyFirstMask)
    return Method(name, (EveryFrame(),) if name == "alone" else tuple(protocols), lambda movie: kind(predictor, movie))
