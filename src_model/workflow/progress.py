"""How far something long is: plain values, for any host to show."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far something long is.

    Attributes
    ----------
    done, total
        Frames, or whatever is counted; ``total`` is 0 where the end is unknown.
    frame
        Frame number of the latest one, from 0; -1 where it has none.
    seconds_left
        A guess; None where it is too early for one.
    text
        What is done, in words.
    """

    done: int
    total: int
    frame: int = -1
    seconds_left: float | None = None
    text: str = ""
