"""Labelled movies whose objects may overlap, so that each has a mask of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from src_model.datasets.movie import NO_PARENTS, Kind, Labels, check_labelled, check_size
from src_model.masks import Rle, labels_from_masks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from src_model.frames import FrameSource


@dataclass(frozen=True)
class OverlappingMovie(ABC):
    """A labelled movie with a mask for each object; labels show the smaller of two that overlap."""

    name: str
    kind: Kind

    @property
    @abstractmethod
    def movie(self) -> FrameSource:
        """The frames."""

    @property
    @abstractmethod
    def labelled_frames(self) -> Sequence[int]:
        """Frames that have masks."""

    @property
    def parents(self) -> Mapping[int, int]:
        """Parent by daughter."""
        return NO_PARENTS

    @abstractmethod
    def object_ids(self) -> tuple[int, ...]:
        """Ids of all objects, ascending."""

    @abstractmethod
    def _read_mask(self, object_id: int, frame: int) -> Rle | None:
        """Read a mask, None where there is none."""

    def known_frames(self, object_id: int) -> Sequence[int]:
        """Frames on which the truth of an object is known: all that are labelled."""
        return self.labelled_frames

    def mask(self, object_id: int, frame: int) -> NDArray[np.bool_]:
        """Read one object's (Y, X) mask; see `LabelledMovie`."""
        check_labelled(self, frame)
        return self._mask(object_id, frame).decode()

    def labels(self, frame: int) -> Labels:
        """Read (Y, X) int32 labels; see `LabelledMovie`."""
        check_labelled(self, frame)
        masks = {object_id: self._mask(object_id, frame) for object_id in self.object_ids()}
        smallest_first = dict(sorted(masks.items(), key=lambda item: item[1].area))
        shape = self.movie.shape[1:3]
        return labels_from_masks(smallest_first, shape, np.int32, overlap="first").astype(np.int32, copy=False)

    def _mask(self, object_id: int, frame: int) -> Rle:
        mask = self._read_mask(object_id, frame) if object_id in self.object_ids() else None
        if mask is None:
            return Rle.empty(self.movie.shape[1:3])
        check_size(self, frame, mask.shape)
        return mask
