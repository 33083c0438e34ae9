"""What CVAT asks, read from JSON that anybody may have written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from src_model.errors import RequestError

MAX_OBJECTS = 200
"""Objects of one request."""

_MAX_NUMBERS = 1_000_000
_MAX_POINTS = 1_000

_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Point = Annotated[list[_Finite], Field(min_length=2, max_length=2)]
_Points = Annotated[list[_Point], Field(max_length=_MAX_POINTS)]
_Bare = Annotated[list[_Finite], Field(min_length=4, max_length=4)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    image: Annotated[str, Field(min_length=1)]
    threshold: float | None = None  # CVAT's own, for detectors; some versions send it to all functions


class GivenShape(BaseModel):
    """A shape as CVAT sends it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: str
    points: Annotated[list[_Finite], Field(max_length=_MAX_NUMBERS)]


class TrackerRequest(_Asked):
    """Shapes to start from, states to go on from, by place: a null shape means its state."""

    shapes: Annotated[list[GivenShape | _Bare | None], Field(max_length=MAX_OBJECTS)] = []
    states: Annotated[list[Any], Field(max_length=MAX_OBJECTS)] = []


class InteractorRequest(_Asked):
    """Points on and beside an object, and a box around it: all ``x, y``."""

    pos_points: _Points = []
    neg_points: _Points = []
    obj_bbox: _Points | None = None


@dataclass(frozen=True, slots=True)
class Prompts:
    """Points on and beside an object, and two corners of a box around it: all ``x, y``, checked by somebody else."""

    pos_points: Sequence[Sequence[float]] = ()
    neg_points: Sequence[Sequence[float]] = ()
    obj_bbox: Sequence[Sequence[float]] | None = None


_Request = TypeVar("_Request", bound=BaseModel)


def read_body(body: object, content_type: str | None) -> Mapping[str, Any]:
    """Turn the body of a request into a JSON object; Nuclio gives what it could parse as such already.

    Raises
    ------
    RequestError
        If it is none.
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


def parse(model: type[_Request], body: Mapping[str, Any]) -> _Request:
    """Check a request against its schema.

    Raises
    ------
    RequestError
        Naming the first thing that is wrong.
    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part)[:30] for part in first["loc"] if not str(part).startswith(("list[", "GivenShape")))
        raise RequestError(f"the request's field {where!r} cannot be used: {first['msg'].lower()}") from error


def _parsed(body: str | bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"the request is no valid JSON ({str(error)[:80]}); was it cut off on its way?") from error
