"""Whether new layers begin with random weights, which takes longer than reading those of a checkpoint."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_INITIALIZES: ContextVar[bool] = ContextVar("initializes", default=True)


def initializes() -> bool:
    """Tell whether a layer that is made now begins with random weights."""
    return _INITIALIZES.get()


@contextmanager
def without_initialization() -> Iterator[None]:
    """Leave the weights of layers made in the block as memory holds them; a checkpoint is copied into all of them.

    Only linear layers and convolutions are concerned, which have nearly all weights. It holds for the calling thread
    alone, so that a network made meanwhile by another thread begins with random weights as always.
    """
    token = _INITIALIZES.set(False)
    try:
        yield
    finally:
        _INITIALIZES.reset(token)
