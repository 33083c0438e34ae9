"""The document as label images, for the layer that shows results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_sam2v.layers.label_stack import label_type
from src_model.document import Annotation, label_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from src_model.masks import Rle


class DocumentLabels:
    """A document as :class:`~napari_sam2v.layers.FrameLabels`; hidden objects are left out."""

    def __init__(self, annotation: Annotation) -> None:
        self._annotation = annotation

    @property
    def dtype(self) -> np.dtype[Any]:
        """Integer type that holds all ids."""
        return label_type(self._annotation.next_id())

    def labels(self, frame: int) -> NDArray[np.integer[Any]]:
        """Return the ``(Y, X)`` label image of a frame."""
        return label_image(self._annotation, frame, dtype=self.dtype, visible_only=True)

    def mask(self, object_id: int, frame: int) -> Rle | None:
        """Return the whole mask of an object on a frame; None if there is none."""
        return self._annotation.mask_at(object_id, frame) if object_id in self._annotation.objects else None

    def refusal(self, object_id: int, frame: int) -> str | None:
        """Say why an object must not be painted on a frame."""
        document = self._annotation
        if object_id not in document.objects or not document.is_locked(object_id, frame):
            return None
        info = document.object(object_id)
        what = f"{info.title} is locked" if info.locked else f"Frame {frame} of {info.title} is locked"
        return f"{what}: unlock it to paint there."
