"""Which movies are for training and which for evaluation only: decided by name, so that it is the same everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

STILLS_HELD_OUT = 60
"""How many of the labelled stills the recipe never trains on: the last ones by name."""


def split_by_name(names: Iterable[str], *, held_out: bool, last: int | None = None) -> list[str]:
    """Divide movies into those to train on and those held out for evaluation.

    Parameters
    ----------
    names
        Names of all movies; their order does not matter.
    held_out
        Whether to return the held-out ones.
    last
        How many are held out, the last by name; left out, every second one by name is, beginning with the second.

    Returns
    -------
    list of str
        The chosen names, sorted.

    Raises
    ------
    ValueError
        If ``last`` is negative.
    """
    ordered = sorted(names)
    if last is None:
        return ordered[1::2] if held_out else ordered[::2]
    if last < 0:
        raise ValueError(f"last={last} cannot be held out: expected 0 or more")
    border = max(0, len(ordered) - last)
    return ordered[border:] if held_out else ordered[:border]
