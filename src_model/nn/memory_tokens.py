"""What the memory attention is given: spatial memories and object pointers with their ages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


@dataclass(frozen=True, slots=True)
class MemoryTokens:
    """The memory of a batch of objects, one row an object.

    Objects may have memories of different ages, and of different number: a row shorter than others ends in padding, to
    which nothing attends.

    Attributes
    ----------
    memories
        ``(B, K, 64, h, w)`` spatial memories.
    ages
        Up to K integers for each object, or once for all of them: 0 is a conditioning frame, n is the frame n before
        the current one in tracking direction.
    pointers
        ``(B, P, 256)`` object pointers.
    pointer_offsets
        Up to P distances in frames for each object, or once for all of them, positive towards the past in tracking
        direction.
    pointer_horizon
        Number of frames that pointers may span; offsets are divided by it less one.
    """

    memories: Tensor
    ages: tuple[tuple[int, ...], ...]
    pointers: Tensor
    pointer_offsets: tuple[tuple[int, ...], ...]
    pointer_horizon: int

    @property
    def is_padded(self) -> bool:
        """Whether some objects have fewer memories or pointers than others."""
        widths = self.memories.shape[1], self.pointers.shape[1]
        rows = zip((self.ages, self.pointer_offsets), widths, strict=True)
        return any(len(row) < width for table, width in rows for row in table)

    def padded_ages(self) -> Tensor:
        """Return the ages as ``(B or 1, K)`` whole numbers on the CPU; padding has any."""
        return _padded(self.ages, self.memories.shape[1])

    def padded_offsets(self) -> Tensor:
        """Return the offsets of the pointers as ``(B or 1, P)`` float32 on the CPU; padding has any."""
        return _padded(self.pointer_offsets, self.pointers.shape[1]).float()

    def padding(self) -> tuple[Tensor, Tensor]:
        """Tell which memories and which pointers are padding: ``(B, K)`` and ``(B, P)`` bool on the CPU."""
        batch, length = self.memories.shape[:2]
        return _beyond(self.ages, batch, length), _beyond(self.pointer_offsets, batch, self.pointers.shape[1])


def _padded(rows: Sequence[tuple[int, ...]], length: int) -> Tensor:
    return torch.tensor([(*row, *[1] * (length - len(row))) for row in rows], dtype=torch.int64)


def _beyond(rows: Sequence[tuple[int, ...]], batch: int, length: int) -> Tensor:
    lengths = torch.tensor([len(row) for row in rows]).expand(batch)
    return torch.arange(length) >= lengths[:, None]
