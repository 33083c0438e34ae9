"""Protocols: simulated people who annotate a movie in different ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_model.errors import EvaluationError
from src_model.evaluation.protocols.attempt import Attempt, EvaluationProtocol
from src_model.evaluation.protocols.interactive import Offline, Online
from src_model.evaluation.protocols.without_corrections import EveryFrame, FromFirstBox, FromFirstClicks, FromFirstMask

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PROTOCOL_NAMES", "Attempt", "EvaluationProtocol", "EveryFrame", "make_protocols"]

PROTOCOL_NAMES = ("mask", "box", "click", "3clicks", "5clicks", "online", "offline")


def make_protocols(names: Sequence[str], *, rounds: int = 8) -> tuple[EvaluationProtocol, ...]:
    """Make protocols by name, each once, in the order asked for.

    Parameters
    ----------
    names
        One or more of `PROTOCOL_NAMES`.
    rounds
        Frames of an object that may be annotated, at most, in the interactive ones.

    Raises
    ------
    EvaluationError
        If a name is unknown.
    """
    known: dict[str, EvaluationProtocol] = {
        "mask": FromFirstMask(),
        "box": FromFirstBox(),
        "click": FromFirstClicks("click", 1),
        "3clicks": FromFirstClicks("3clicks", 3),
        "5clicks": FromFirstClicks("5clicks", 5),
        "online": Online(_budgets(rounds)),
        "offline": Offline(rounds),
    }
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        what = f"protocol {unknown[0]!r} is unknown" if unknown else "no protocol was asked for"
        raise EvaluationError(f"{what}; choose from {', '.join(PROTOCOL_NAMES)}")
    return tuple(known[name] for name in dict.fromkeys(names))


def _budgets(rounds: int) -> tuple[int, ...]:
    """Few enough passes to be followed side by side, closest where quality rises most."""
    return (*(budget for budget in (1, 2, 3, 5) if budget < rounds), rounds)
