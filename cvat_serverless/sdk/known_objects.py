"""What is annotated in a task already, as objects of a document that keep their pixels while others are looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cvat_serverless.sdk.objects import objects_in
from cvat_serverless.sdk.sources import upright_box
from cvat_serverless.shapes import make_shape
from src_model.document import AnnotatedFrame, AnnotatedObject, ApplyPatch, Origin, Prompt
from src_model.document.patch import PatchBuilder
from src_model.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cvat_serverless.sdk.objects import CvatObject
    from cvat_serverless.sdk.schemas import Annotations, ShapeData
    from cvat_serverless.sdk.task import TaskOrJob
    from src_model.document import Annotation
    from src_model.masks import Rle

_CORNERS = 32
"""Of the polygon that stands for an ellipse."""


def add_known_objects(
    document: Annotation, task: TaskOrJob, annotations: Annotations, frames: Sequence[int]
) -> tuple[int, int]:
    """Add all that is annotated on some frames to an empty document, locked.

    Parameters
    ----------
    document
        The document; its frame 0 is the first of ``frames``.
    task, annotations
        The task or job, and all its shapes and tracks.
    frames
        Numbers of the frames that are tracked, as CVAT counts.

    Returns
    -------
    tuple of int
        How many objects there are on these frames, and how many shapes and tracks enclose nothing.
    """
    found, left_out = objects_in(annotations, task.span.stop - 1)
    patch = PatchBuilder()
    number = 0
    for item in found:
        masks = _known_masks(item, frames, document.movie.frame_shape)
        if not masks:
            continue
        number += 1
        patch.objects[number] = AnnotatedObject(number, class_name=task.labels[item.label_id].name, locked=True)
        patch.masks[number].update(
            {index: AnnotatedFrame(mask, 1.0, 1.0, Origin.IMPORTED) for index, mask in masks.items()}
        )
        first = min(masks)
        patch.prompts[number][first] = Prompt(mask=masks[first])  # an object without any prompt is not tracked along
    document.do(ApplyPatch("Objects of CVAT", patch.build()))
    return number, left_out


def _known_masks(item: CvatObject, frames: Sequence[int], image: tuple[int, int]) -> dict[int, Rle]:
    """Return the pixels of an object by index in ``frames``; between two different polygons those of the first."""
    indices = {frame: index for index, frame in enumerate(frames)}
    masks: dict[int, Rle] = {}
    shape, mask = None, None
    for frame in range(frames[-1] + 1):
        now = item.shapes.get(frame, shape)
        if now is not shape:
            shape, mask = now, None if now is None else _pixels(now, image)
        if mask is not None and frame in indices:
            masks[indices[frame]] = mask
    return masks


def _pixels(shape: ShapeData, image: tuple[int, int]) -> Rle | None:
    """Return what an object covers, ``(Y, X)``: of a rectangle the ellipse in it; None where it covers no pixel."""
    try:
        if shape.type != "rectangle":
            return make_shape(shape.type, shape.points, image).mask(image)
        y0, x0, y1, x1 = make_shape("rectangle", upright_box(shape), image).box
        angles = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
        x, y = (x0 + x1 + (x1 - x0) * np.cos(angles)) / 2, (y0 + y1 + (y1 - y0) * np.sin(angles)) / 2
        return make_shape("polygon", np.stack([x, y], axis=1).ravel().tolist(), image).mask(image)
    except RequestError:
        return None
