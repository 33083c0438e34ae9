"""What automatic masks of a checkpoint must reach to be kept: networks differ in how sure they are of right answers."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_KEY = "mask_thresholds"
_FIELDS = ("min_score", "min_stability")


@dataclass(frozen=True, slots=True)
class MaskThresholds:
    """Thresholds of automatic masks.

    Attributes
    ----------
    min_score
        Smallest predicted IoU of a mask that is kept, about 0 to 1.
    min_stability
        IoU of the mask cut higher with the mask cut lower, 0 to 1.
    """

    min_score: float
    min_stability: float

    def notes(self) -> dict[str, str]:
        """Return them as notes for the header of a checkpoint file."""
        return {_KEY: json.dumps({name: getattr(self, name) for name in _FIELDS})}


SAM_THRESHOLDS = MaskThresholds(0.88, 0.95)
"""Those of SAM, for networks that nobody has calibrated."""


def noted_thresholds(notes: Mapping[str, str], path: Path) -> MaskThresholds | None:
    """Read thresholds from the header of a checkpoint file; None if it says nothing of them.

    Raises
    ------
    CheckpointError
        If what it says are no thresholds.
    """
    text = notes.get(_KEY)
    if text is None:
        return None
    try:
        content = json.loads(text)
        score, stability = (float(content[name]) for name in _FIELDS)
    except (ValueError, TypeError, KeyError, RecursionError):
        score = stability = math.nan
    if not (math.isfinite(score) and 0 <= stability <= 1):
        raise CheckpointError(
            f"{path} cannot be used: the note {_KEY!r} in its header is {text[:100]!r} instead of JSON such as "
            f"{SAM_THRESHOLDS.notes()[_KEY]}, with a stability in 0..1."
        )
    return MaskThresholds(score, stability)
