"""Values of a document that its database holds as JSON, checked by schema.

Bytes from outside are hostile: nothing unknown, no infinities, and the first fault ends the reading.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, FailFast, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from src_model.document.objects import MAX_OBJECT_ID, MAX_TEXT
from src_model.document.project import MAX_SETTINGS

_Item = TypeVar("_Item")
Rows = Annotated[tuple[_Item, ...], FailFast()]
Frame = Annotated[int, Field(strict=True, ge=0, lt=2**31)]
ObjectId = Annotated[int, Field(strict=True, ge=1, le=MAX_OBJECT_ID)]
SpanRecord = tuple[Frame, Frame]
"""``(start, stop)``, stop excluded."""
Text = Annotated[str, Field(strict=True, max_length=MAX_TEXT)]


class Record(BaseModel):
    """A part of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ObjectRecord(Record):
    """Of :class:`~src_model.document.objects.AnnotatedObject`."""

    object_id: ObjectId
    name: Text
    colour: Text
    class_name: Text
    note: Text
    locked: StrictBool
    visible: StrictBool


class PromptRecord(Record):
    """Of :class:`~src_model.document.prompts.Prompt`, but for its mask."""

    points: Rows[tuple[StrictFloat, StrictFloat]] = ()
    labels: Rows[Annotated[int, Field(strict=True, ge=0, le=1)]] = ()
    box: tuple[StrictFloat, StrictFloat, StrictFloat, StrictFloat] | None = None


class MovieRecord(Record):
    """Of :class:`~src_model.document.movie.MovieIdentity`."""

    name: Text
    shape: Annotated[Rows[Frame], Field(min_length=3, max_length=4)]
    dtype: Text
    path: Text
    time_axis: Annotated[int, Field(strict=True, ge=-32, le=32)]
    scale: tuple[StrictFloat, StrictFloat, StrictFloat]
    units: tuple[Text, Text, Text]
    fingerprint: Text


class ModelRecord(Record):
    """Of :class:`~src_model.document.project.ModelIdentity`."""

    name: Text
    sha256: Text


class NormalizationRecord(Record):
    """Of :class:`~src_model.frames.Normalization`."""

    kind: Literal["percentile", "limits", "none"]
    low: Rows[StrictFloat]
    high: Rows[StrictFloat]


class ProjectRecord(Record):
    """Of :class:`~src_model.document.project.Project`."""

    movie: MovieRecord
    model: ModelRecord | None
    normalization: NormalizationRecord | None
    settings: Annotated[
        dict[StrictStr, StrictBool | StrictInt | StrictFloat | StrictStr | None], Field(max_length=MAX_SETTINGS)
    ]
    overlap: Literal["first", "last", "score"]
