"""CVAT's interactor: points on and beside an object, or a box around it, become its mask."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from cvat_serverless.image_tracking import ImageTracking
from cvat_serverless.requests import InteractorPrompts, InteractorRequest, parse
from cvat_serverless.shapes import make_shape, shape_of
from src_model.errors import RequestError
from src_model.masks import Masklet
from src_model.prompts import make_prompt
from src_model.tracking.tracked_object import TrackedObject

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cvat_serverless.shared_model import RequestImage, SharedModel
    from src_model.masks import Rle
    from src_model.prompts import Prompt, PromptBox

_log = logging.getLogger(__name__)

_CONFIDENCE = 0
"""The ``spec_id`` that CVAT's slider goes by."""
_LEAST_CONFIDENCE = 0.5
"""CVAT opens with its slider here and hides what lies below, so that a click would seem to do nothing."""
_SLACK = 1.0
"""Pixels by which the browser may put a point beside the image."""


class InteractorFunction:
    """Answers the requests of CVAT's interactors.

    Parameters
    ----------
    model
        The model, shared with other functions.
    """

    def __init__(self, model: SharedModel) -> None:
        self._model = model

    def __call__(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a request.

        Raises
        ------
        RequestError
            If its image or prompts cannot be used.
        BusyError
            If the model is busy for too long.
        """
        request = parse(InteractorRequest, body)
        image = self._model.receive(request.image)
        with self._model.turn():
            return {"shapes": self._answer(request, self._model.open(image))}

    def answer(self, prompts: InteractorPrompts, image: RequestImage) -> list[dict[str, Any]]:
        """Answer points and box on an image: one mask as CVAT writes it, or nothing where there is nothing to segment.

        Raises
        ------
        RequestError
            If the box has not two corners.
        BusyError
            If the model is busy for too long.
        """
        with self._model.turn():
            return self._answer(prompts, image)

    def _answer(self, prompts: InteractorPrompts, image: RequestImage) -> list[dict[str, Any]]:
        prompt = _prompt(prompts, image.shape)
        if prompt is None:
            _log.info("nothing to segment: neither a point nor a box with an area lies on the image")
            return []
        mask, score = self._segment(prompt, image)
        shape = shape_of(mask, "mask")
        if shape is None:
            _log.info("nothing to segment: the mask is empty")
            return []
        confidence = {"spec_id": _CONFIDENCE, "value": f"{max(score, _LEAST_CONFIDENCE):.2f}"}
        return [{"type": "mask", "points": list(shape.points), "attributes": [confidence]}]

    def _segment(self, prompt: Prompt, image: RequestImage) -> tuple[Rle, float]:
        item = TrackedObject(1, self._model.steps.settings.new_memory_bank(), Masklet(1, image.shape))
        answer = ImageTracking.of(self._model, image).prompting.answer(item, 0, prompt, replace=True)
        return answer.rle, answer.score


def _prompt(prompts: InteractorPrompts, image: tuple[int, int]) -> Prompt | None:
    """Take what lies on the image; None if that tells of no object.

    A click beside the object before one on it, a box that was never drawn open, and points outside of the region that
    CVAT cut out are what people do, so the answer to them is nothing. An error would be shown without its reason.
    """
    box = _box(prompts.obj_bbox, image)
    positive = [_placed(point, image) for point in prompts.pos_points if _is_on(point, image)]
    negative = [_placed(point, image) for point in prompts.neg_points if _is_on(point, image)]
    if box is None and not positive:
        return None
    labels = [1] * len(positive) + [0] * len(negative)
    return make_prompt(image, points=[*positive, *negative] or None, labels=labels or None, box=box)


def _box(corners: Sequence[Sequence[float]] | None, image: tuple[int, int]) -> PromptBox | None:
    if not corners:
        return None
    if len(corners) != 2:
        raise RequestError(f"a box has two corners [[x1, y1], [x2, y2]], not {len(corners)}")
    (x0, x1), (y0, y1) = (sorted(side) for side in zip(*corners, strict=True))
    height, width = image
    if x0 == x1 or y0 == y1 or x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
        return None
    return make_shape("rectangle", [x0, y0, x1, y1], image).box


def _is_on(point: Sequence[float], image: tuple[int, int]) -> bool:
    x, y = point
    height, width = image
    return -_SLACK <= x <= width + _SLACK and -_SLACK <= y <= height + _SLACK


def _placed(point: Sequence[float], image: tuple[int, int]) -> tuple[float, float]:
    """Turn CVAT's x, y, where a pixel's centre is half a pixel from its corner, into (y, x) of pixel centres."""
    x, y = point
    height, width = image
    return min(max(y, 0.0), height) - 0.5, min(max(x, 0.0), width) - 0.5
