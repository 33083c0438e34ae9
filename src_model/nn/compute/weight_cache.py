"""Values that follow from parameters alone and are kept until those change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from torch import Tensor

T = TypeVar("T")


class WeightCache(Generic[T]):
    """One value derived from tensors, computed again when they or the key are others than last time.

    It belongs to no state: copies and pickles of a module that has one start without a value.
    """

    def __init__(self) -> None:
        self._held: tuple[Hashable, T] | None = None

    def get(self, sources: tuple[Tensor, ...], key: Hashable, compute: Callable[[], T]) -> T:
        """Return the value for ``sources`` as they are now, and for ``key``."""
        signature = (key, *((x.data_ptr(), _version(x), x.device) for x in sources))
        held = self._held
        if held is None or held[0] != signature:
            # A copy of the value, not of a graph: it outlives the step that computed it.
            with torch.no_grad():
                held = self._held = (signature, compute())
        return held[1]

    def clear(self) -> None:
        """Forget the value."""
        self._held = None

    def __deepcopy__(self, memo: object) -> WeightCache[T]:
        """Start anew."""
        return WeightCache()

    def __reduce__(self) -> tuple[type[WeightCache[T]], tuple[()]]:
        """Leave the value out of pickles."""
        return WeightCache, ()


def _version(x: Tensor) -> int:
    """Return how often a tensor was written to; those made in inference mode do not count."""
    return 0 if x.is_inference() else x._version
