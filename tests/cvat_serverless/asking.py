"""Requests as CVAT makes them, and images to make them of."""

from __future__ import annotations

import base64
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from cvat_serverless.functions import INTERACTOR, TRACKER
from tests.tracking import tiny

if TYPE_CHECKING:
    from cvat_serverless.functions import FunctionService, Reply

RECTANGLE = {"type": "rectangle", "points": [5.0, 10.0, 25.0, 30.0]}
OTHER = {"type": "rectangle", "points": [34.0, 4.0, 47.0, 17.0]}
POLYGON = {"type": "polygon", "points": [5.0, 10.0, 25.0, 10.0, 25.0, 30.0, 5.0, 30.0]}
MASK = {"type": "mask", "points": [0, *[6] * 10, 60, 10, 15, 21, 24]}
"""An L in a box of 12 x 10 pixels."""


def file_of(pixels: np.ndarray, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def base64_of(pixels: np.ndarray) -> str:
    return base64.b64encode(file_of(pixels)).decode()


def movie(length: int = 8) -> np.ndarray:
    """Frames as CVAT cuts them out of a video: ``(length, 40, 52, 3)`` uint8."""
    return np.repeat(tiny.make_movie(length)[..., None], 3, axis=3)


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


class Asking:
    """Asks a service as CVAT does, everything by way of JSON."""

    def __init__(self, service: FunctionService) -> None:
        self.service = service

    def start(self, image: np.ndarray, *shapes: Any) -> Reply:
        return self._ask(TRACKER, {"image": base64_of(image), "shapes": list(shapes), "states": []})

    def follow(self, image: np.ndarray, states: list[Any]) -> Reply:
        return self._ask(TRACKER, {"image": base64_of(image), "shapes": [None] * len(states), "states": states})

    def click(self, image: np.ndarray, *points: Any, beside: Any = (), box: Any = None) -> Reply:
        body = {"image": base64_of(image), "pos_points": list(points), "neg_points": list(beside), "obj_bbox": box}
        return self._ask(INTERACTOR, body)

    def track(self, frames: np.ndarray, *shapes: Any) -> list[Any]:
        """Draw on the first frame and follow through the others; gives the shapes of each."""
        reply = succeeded(self.start(frames[0], *shapes))
        found = [reply["shapes"]]
        for frame in frames[1:]:
            reply = succeeded(self.follow(frame, reply["states"]))
            found.append(reply["shapes"])
        return found

    def _ask(self, name: str, body: Any) -> Reply:
        reply = self.service.answer(name, json.dumps(body).encode(), "application/json")
        return type(reply)(reply.status, through_json(reply.body))


def succeeded(reply: Reply) -> Any:
    assert reply.status == 200, reply.body
    return reply.body


def refused(reply: Reply, *, status: int = 400) -> str:
    """The message of an answer that blames the request."""
    assert reply.status == status, reply.body
    return str(reply.body["message"])
