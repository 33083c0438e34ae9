"""The interactor: points on and beside an object, or a box around it, become its mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cvat_serverless.requests import InteractorRequest, Prompts, parse
from cvat_serverless.shapes import make_shape, shape_of
from cvat_serverless.views import ImageTracking
from src_model.errors import RequestError
from src_model.masks import Masklet
from src_model.tracking.memory_bank import MemoryBank
from src_model.tracking.prompts import make_prompt
from src_model.tracking.tracked_object import TrackedObject

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cvat_serverless.engine import Engine, SeenImage
    from src_model.masks import Rle
    from src_model.tracking.prompts import Prompt

_CONFIDENCE = 0
"""The ``spec_id`` that CVAT's slider goes by."""
_LEAST_CONFIDENCE = 0.5
"""CVAT opens with its slider here and hides what lies below, so that a click would seem to do nothing."""
_SLACK = 1.0
"""Pixels by which the browser may put a point beside the image."""


class Interactor:
    """Answers the requests of CVAT's interactors.

    Parameters
    ----------
    engine
        The model.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a request.

        Raises
        ------
        RequestError
            If it cannot be meant.
        BusyError
            If the model is busy for too long.
        """
        request = parse(InteractorRequest, body)
        prompts = Prompts(request.pos_points, request.neg_points, request.obj_bbox)
        return {"shapes": self.answer(prompts, self._engine.receive(request.image))}

    def answer(self, prompts: Prompts, image: SeenImage) -> list[dict[str, Any]]:
        """Answer points and box on an image: one mask as CVAT writes it, or nothing if it is empty.

        Raises
        ------
        RequestError
            If they cannot be meant.
        BusyError
            If the model is busy for too long.
        """
        prompt = _prompt(prompts, image.shape)
        with self._engine.turn():
            mask, score = self._segment(prompt, image)
        shape = shape_of(mask, "mask")
        if shape is None:
            return []
        confidence = {"spec_id": _CONFIDENCE, "value": f"{max(score, _LEAST_CONFIDENCE):.2f}"}
        return [{"type": "mask", "points": list(shape.points), "attributes": [confidence]}]

    def _segment(self, prompt: Prompt, image: SeenImage) -> tuple[Rle, float]:
        item = TrackedObject(1, MemoryBank(self._engine.steps.settings), Masklet(1, image.shape))
        answer = ImageTracking.of(self._engine, image).prompting.answer(item, 0, prompt, replace=True)
        return answer.rle, answer.score


def _prompt(request: Prompts, image: tuple[int, int]) -> Prompt:
    if not request.pos_points and not request.obj_bbox:
        raise RequestError("there is neither a point on the object nor a box around it; give one of them")
    box = None
    if request.obj_bbox:
        if len(request.obj_bbox) != 2:
            raise RequestError(f"a box has two corners [[x1, y1], [x2, y2]], not {len(request.obj_bbox)}")
        box = make_shape("rectangle", [*request.obj_bbox[0], *request.obj_bbox[1]], image).box
    points = [_placed(point, image) for point in (*request.pos_points, *request.neg_points)]
    labels = [1] * len(request.pos_points) + [0] * len(request.neg_points)
    return make_prompt(image, points=points or None, labels=labels or None, box=box)


def _placed(point: Sequence[float], image: tuple[int, int]) -> tuple[float, float]:
    """Turn CVAT's x, y, where a pixel's centre is half a pixel from its corner, into (y, x) of pixel centres."""
    x, y = point
    height, width = image
    if not (-_SLACK <= x <= width + _SLACK and -_SLACK <= y <= height + _SLACK):
        raise RequestError(f"the point x={x:g}, y={y:g} lies outside the image of {width} x {height} pixels")
    return min(max(y, 0.0), height) - 0.5, min(max(x, 0.0), width) - 0.5
