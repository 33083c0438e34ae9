"""What a detector proposes: lies beside masks, so that documents and formats can take it without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.errors import MaskError

if TYPE_CHECKING:
    from src_model.masks.rle import Rle


@dataclass(frozen=True, slots=True)
class Detection:
    """Something found in a frame, before it is an object of a document.

    Attributes
    ----------
    box
        ``(y0, x0, y1, x1)`` in pixels of the frame, ``y1`` and ``x1`` excluded; need not be whole numbers.
    score
        How sure the detector is of it, 0 to 1.
    mask
        ``(Y, X)`` of the whole frame; None where the detector draws boxes only.
    label
        What kind of object it is, in words; empty where nobody said.

    Raises
    ------
    MaskError
        If the score is outside 0 to 1, the box has no area, or the mask is empty.
    """

    box: tuple[float, float, float, float]
    score: float
    mask: Rle | None = None
    label: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.score <= 1:
            raise MaskError(f"the score of a detection is {self.score}; expected 0 to 1")
        y0, x0, y1, x1 = self.box
        if not (y0 < y1 and x0 < x1):
            raise MaskError(f"the box (y0, x0, y1, x1) = {self.box} of a detection has no area")
        if self.mask is not None and self.mask.is_empty:
            raise MaskError("the mask of a detection is empty; expected at least one pixel")

    @classmethod
    def of_mask(cls, mask: Rle, score: float, label: str = "") -> Detection:
        """Make a detection of a mask; MaskError if it is empty or the score is outside 0 to 1."""
        return cls(mask.box or (0, 0, 1, 1), score, mask, label)
