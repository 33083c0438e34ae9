"""What the memory attention is given: spatial memories and object pointers with their ages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class MemoryTokens:
    """The memory of a batch of objects, one row an object; all rows share the same ages.

    Attributes
    ----------
    memories
        ``(B, K, 64, h, w)`` spatial memories.
    ages
        K integers: 0 is a conditioning frame, n is the frame n before the current one in tracking direction.
    pointers
        ``(B, P, 256)`` object pointers.
    pointer_offsets
        P distances in frames, positive towards the past in tracking direction.
    pointer_horizon
        Number of frames that pointers may span; offsets are divided by it less one.
    """

    memories: Tensor
    ages: tuple[int, ...]
    pointers: Tensor
    pointer_offsets: tuple[int, ...]
    pointer_horizon: int
