"""What a session answers: one frame's masks, or the answer to a prompt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

    from src_model.masks import Box, Rle


class DecodedMasks(Mapping[int, NDArray[np.bool_]]):
    """Masks by object id, decoded when looked at: hundreds of cells in a large field stay small until then."""

    def __init__(self, encoded: Mapping[int, Rle]) -> None:
        self._encoded = encoded

    def __getitem__(self, object_id: int) -> NDArray[np.bool_]:
        """Decode one object's mask, ``(Y, X)`` bool."""
        return self._encoded[object_id].decode()

    def __iter__(self) -> Iterator[int]:
        """Iterate over object ids."""
        return iter(self._encoded)

    def __len__(self) -> int:
        """Return the number of objects."""
        return len(self._encoded)


def shown_score(predicted_iou: float) -> float:
    """Bring a predicted IoU to 0..1: the head of SAM's decoder, unlike SAM 2's, may step a little outside."""
    return min(max(predicted_iou, 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class FrameResult:
    """One frame's answer.

    Attributes
    ----------
    frame
        Frame number, from 0.
    rles
        Masks by object id, run-length encoded.
    scores
        Predicted IoU by object id; that of tracked masks is lower where they do not look like the object.
    object_scores
        Probability that the object is in the frame, by object id.
    logits
        Low-resolution mask logits ``(h, w)`` of the objects computed on this frame; prompted, locked and skipped ones
        may be missing. Where an object has a window, they cover the window.
    windows
        ``(y0, x0, y1, x1)`` of the part of the frame in which an object was seen, by object id; those seen on the whole
        frame are missing.
    damaged
        Why the frame could not be read; None where it could. Of a damaged frame only masks are given that were known
        before: prompted and locked ones. The others stay unknown, which is not the same as empty.
    """

    frame: int
    rles: dict[int, Rle]
    scores: dict[int, float]
    object_scores: dict[int, float]
    logits: dict[int, Tensor] = field(default_factory=dict, repr=False)
    windows: dict[int, Box] = field(default_factory=dict)
    damaged: str | None = None

    @property
    def masks(self) -> DecodedMasks:
        """Masks by object id, each ``(Y, X)`` bool, decoded when looked at."""
        return DecodedMasks(self.rles)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of the masks that a prompt may mean.

    Attributes
    ----------
    rle
        The mask, ``(Y, X)``, run-length encoded.
    score
        Predicted IoU, 0 to 1.
    """

    rle: Rle
    score: float

    @property
    def mask(self) -> NDArray[np.bool_]:
        """The mask, ``(Y, X)`` bool."""
        return self.rle.decode()


@dataclass(frozen=True, slots=True)
class PromptAnswer:
    """The answer to a prompt.

    Attributes
    ----------
    frame, object_id
        The frame, from 0, and the id of the object that were prompted.
    rle
        The chosen mask, ``(Y, X)``, run-length encoded.
    score
        Predicted IoU of the chosen mask, 0 to 1.
    object_score
        Probability that the object is in the frame.
    candidates
        All candidates in the decoder's order: three for a single click, one otherwise.
    chosen
        Which candidate ``rle`` is.
    logits
        ``(h, w)`` low-resolution logits of the chosen mask; they cover the window if there is one.
    window
        ``(y0, x0, y1, x1)`` of the part of the frame in which the prompt was answered; None: the whole frame.
    """

    frame: int
    object_id: int
    rle: Rle
    score: float
    object_score: float
    candidates: tuple[Candidate, ...]
    chosen: int
    logits: Tensor = field(repr=False)
    window: Box | None = None

    @property
    def mask(self) -> NDArray[np.bool_]:
        """The chosen mask, ``(Y, X)`` bool."""
        return self.rle.decode()
