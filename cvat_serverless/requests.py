"""What CVAT asks, read from JSON that anybody may have written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from src_model.errors import RequestError

MAX_OBJECTS = 200
"""Objects of one request: more than a person can draw on a frame, and few enough for the memory of a GPU."""

_MAX_NUMBERS = 1_000_000
"""Numbers of a shape: the run lengths of a mask of one megapixel in its worst case."""
_MAX_POINTS = 1_000
"""Points of an interactor request: far more than anybody clicks."""

_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Point = Annotated[list[_Finite], Field(min_length=2, max_length=2)]
_Points = Annotated[list[_Point], Field(max_length=_MAX_POINTS)]
_Bare = Annotated[list[_Finite], Field(min_length=4, max_length=4)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Request(_Strict):
    image: Annotated[str, Field(min_length=1)]
    threshold: float | None = None  # CVAT's own, for detectors; some versions send it to all functions


class GivenShape(_Strict):
    """A shape as CVAT sends it: a type, and ``points`` as in :class:`~cvat_serverless.shapes.Shape`."""

    type: str
    points: Annotated[list[_Finite], Field(max_length=_MAX_NUMBERS)]


class TrackerRequest(_Request):
    """Shapes to start from and states to go on from, one of each per object: a null shape means its state."""

    shapes: Annotated[list[GivenShape | _Bare | None], Field(max_length=MAX_OBJECTS)] = []
    states: Annotated[list[Any], Field(max_length=MAX_OBJECTS)] = []


class InteractorPrompts(_Strict):
    """Points on and beside an object, and two corners of a box around it: all ``x, y`` in pixels."""

    pos_points: _Points = []
    neg_points: _Points = []
    obj_bbox: _Points | None = None


class InteractorRequest(_Request, InteractorPrompts):
    """An image and prompts on it."""


_Schema = TypeVar("_Schema", bound=BaseModel)


def read_body(body: object, content_type: str | None) -> Mapping[str, Any]:
    """Turn the body of a request into a JSON object; Nuclio gives what it could parse as such already.

    Raises
    ------
    RequestError
        If it is empty, of another content type, or no JSON object.
    """
    kind = (content_type or "").partition(";")[0].strip().lower()
    if isinstance(body, Mapping):
        return body
    if not body:
        raise RequestError("the request is empty; expected a JSON object as CVAT sends it")
    if kind != "application/json":
        raise RequestError(f"the content type is {kind[:60] or 'missing'!r}; expected application/json", 415)
    parsed = _parsed(body) if isinstance(body, str | bytes) else body
    if not isinstance(parsed, dict):
        raise RequestError(f"the request is a JSON {type(parsed).__name__}; expected an object as CVAT sends it")
    return parsed


def parse(schema: type[_Schema], body: Mapping[str, Any]) -> _Schema:
    """Check a request against its schema.

    Raises
    ------
    RequestError
        Naming the first thing that is wrong.
    """
    try:
        return schema.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part)[:30] for part in first["loc"] if not str(part).startswith(("list[", "GivenShape")))
        raise RequestError(f"the request's field {where!r} cannot be used: {first['msg'].lower()}") from error


def _parsed(body: str | bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"the request is no valid JSON ({str(error)[:80]}); was it cut off on its way?") from error
