"""Image features as bytes, and back: one record a frame, of a size that is known beforehand."""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from src_model.nn import ImageFeatures

if TYPE_CHECKING:
    from torch import Tensor

    from src_model.tracking.network_steps import NetworkSteps

_HEADER = struct.Struct("<8s16sII32x")
"""64 bytes, so that the maps lie in memory as those of torch do: how sums are rounded depends on that."""
_MAGIC = b"sam2vft1"
_STORED, _RESTORED = (0, 2, 3, 1), (0, 3, 1, 2)
"""Channels lie together, as the network leaves them; how sums are rounded depends on that too."""


@dataclass(frozen=True, slots=True)
class FeatureLayout:
    """Shapes of the maps of one frame, and the type of their values.

    Attributes
    ----------
    shapes
        Of the embedding, and of the maps of stride 4 and 8; batch axis included.
    dtype
        Type of the values.
    """

    shapes: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
    dtype: torch.dtype

    @classmethod
    def of(cls, steps: NetworkSteps) -> FeatureLayout:
        """Tell the layout of the features of whole frames."""
        width, side = steps.network.config.width, steps.image_size // steps.network.config.stride
        shapes = tuple((1, width // part, side * scale, side * scale) for part, scale in ((1, 1), (8, 4), (4, 2)))
        return cls((shapes[0], shapes[1], shapes[2]), steps.feature_dtype)

    @property
    def feature_bytes(self) -> int:
        """Bytes of the features of one frame."""
        return sum(math.prod(shape) for shape in self.shapes) * self.dtype.itemsize

    @property
    def stored_shapes(self) -> list[list[int]]:
        """Shapes of the maps as they are written: batch, rows, columns, channels."""
        return [[shape[axis] for axis in _STORED] for shape in self.shapes]

    @property
    def record_bytes(self) -> int:
        """Bytes of a record."""
        return _HEADER.size + self.feature_bytes

    def pack(self, features: ImageFeatures, identity: str, checksum: int) -> list[bytes | memoryview] | None:
        """Write a record in parts.

        Parameters
        ----------
        features
            Features of one frame, on any device.
        identity
            What the features depend on, as 32 hexadecimal digits.
        checksum
            Of the frame itself.

        Returns
        -------
        list or None
            None if the features have another layout.
        """
        maps = (features.embedding, *features.high_res)
        if tuple(tuple(x.shape) for x in maps) != self.shapes or any(x.dtype != self.dtype for x in maps):
            return None
        parts = [x.detach().cpu().permute(_STORED).reshape(-1).view(torch.uint8).numpy().data for x in maps]
        content = 0
        for part in parts:
            content = zlib.crc32(part, content)
        return [_HEADER.pack(_MAGIC, bytes.fromhex(identity), checksum, content), *parts]

    def unpack(self, record: Tensor, identity: str, checksum: int) -> ImageFeatures | None:
        """Read a record ``(record_bytes,)`` uint8; None if it is damaged, foreign, or of a frame that has changed.

        The maps share the memory of the record.
        """
        values = record.numpy()
        content = zlib.crc32(values[_HEADER.size :].data)
        if values[: _HEADER.size].tobytes() != _HEADER.pack(_MAGIC, bytes.fromhex(identity), checksum, content):
            return None
        numbers = record[_HEADER.size :].view(self.dtype)
        sizes = [math.prod(shape) for shape in self.shapes]
        parts = zip(torch.split(numbers, sizes), self.stored_shapes, strict=True)
        maps = [part.view(shape).permute(_RESTORED) for part, shape in parts]
        return ImageFeatures(maps[0], (maps[1], maps[2]))
