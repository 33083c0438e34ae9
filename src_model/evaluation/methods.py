"""What is compared: the tracker itself and the baselines, each with the protocols it is evaluated with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.errors import EvaluationError
from src_model.evaluation.baselines import CopyFirstMask, PreviousBox, PreviousMask
from src_model.evaluation.protocols import EveryFrame
from src_model.evaluation.tracker import SessionTracker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from src_model.evaluation.protocols import EvaluationProtocol
    from src_model.evaluation.tracker import Tracker
    from src_model.frames import FrameSource
    from src_model.tracking import StreamingPredictor

TRACKING = "tracking"
BASELINE_NAMES = ("alone", "previous-box", "previous-mask", "copy")


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
    start: Callable[[FrameSource], Tracker]


def tracking_method(predictor: StreamingPredictor, protocols: Sequence[EvaluationProtocol]) -> Method:
    """Make the streaming predictor a method."""
    return Method(TRACKING, tuple(protocols), lambda movie: SessionTracker(predictor.start(movie)))


def check_baselines(names: Sequence[str]) -> None:
    """Raise EvaluationError if there is no baseline of one of the names."""
    unknown = [name for name in names if name not in BASELINE_NAMES]
    if unknown:
        raise EvaluationError(f"there is no baseline {unknown[0]!r}; choose from {', '.join(BASELINE_NAMES)}")


def baseline_method(name: str, predictor: StreamingPredictor, protocols: Sequence[EvaluationProtocol]) -> Method:
    """Make a baseline.

    Parameters
    ----------
    name
        "alone": the true box on every frame, whatever the protocols; "previous-box" and "previous-mask": every frame
        prompted by the mask before; "copy": the first mask stays where it is.
    predictor
        The image model.
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
