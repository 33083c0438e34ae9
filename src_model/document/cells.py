"""What the cells of a document look like in its database, and back.

Bytes from outside are hostile: values are checked by schema, with nothing unknown and no infinities, and the first
fault ends the reading.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Final, Literal, TypeVar

import numpy as np
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    TypeAdapter,
    ValidationError,
)

from src_model.document.movie import MovieIdentity
from src_model.document.objects import MAX_OBJECT_ID, MAX_TEXT, AnnotatedObject
from src_model.document.project import MAX_SETTINGS, ModelIdentity, Project, Settings
from src_model.document.spans import SpanSet
from src_model.errors import AnnotationFileError
from src_model.frames import Normalization
from src_model.masks import Rle
from src_model.prompts import Prompt

_Item = TypeVar("_Item")
Rows = Annotated[tuple[_Item, ...], FailFast()]
Frame = Annotated[int, Field(strict=True, ge=0, lt=2**31)]
ObjectId = Annotated[int, Field(strict=True, ge=1, le=MAX_OBJECT_ID)]
SpanRecord = tuple[Frame, Frame]
"""``(start, stop)``, stop excluded."""
Text = Annotated[str, Field(strict=True, max_length=MAX_TEXT)]


class Record(BaseModel):
    """A value that the database holds as JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)


class ObjectRecord(Record):
    """Of :class:`~src_model.document.objects.AnnotatedObject`."""

    object_id: ObjectId
    name: Text
    # Documents of before wrote the other spelling.
    color: Annotated[Text, Field(validation_alias=AliasChoices("color", "colour"))]
    class_name: Text
    note: Text
    locked: StrictBool
    visible: StrictBool


class PromptRecord(Record):
    """Of :class:`~src_model.prompts.Prompt`, but for its mask."""

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


_Record = TypeVar("_Record", bound=Record)
_SPANS: Final = TypeAdapter(Rows[SpanRecord])
EMPTY_MASK_BYTES: Final = 1
"""Length of what :func:`packed_mask` makes of an empty mask."""


def packed_mask(mask: Rle) -> bytes:
    """Pack the run lengths, in a quarter of their room where each run lies about below the one before, as in a cell.

    A byte says how. 0: an empty mask, and nothing follows. 1: where the first run of the object starts and how long it
    is, as uint32; then for each later run by how much it starts and how much it is long otherwise than one row below
    the one before, as int8. 2 or 4: all run lengths but the last, which is what is left of the image, in so many bytes.
    """
    counts = mask.counts[:-1].astype(np.int64)
    if not counts.size:
        return b"\x00"
    lengths = mask.counts[1::2].astype(np.int64)
    starts = np.cumsum(mask.counts, dtype=np.int64)[0::2][: lengths.size]
    steps = np.column_stack((np.diff(starts) - mask.shape[1], np.diff(lengths))).ravel()
    if not steps.size or (steps.min() >= -128 and steps.max() <= 127):
        return b"\x01" + np.array([starts[0], lengths[0]], "<u4").tobytes() + steps.astype("|i1").tobytes()
    kind = "<u2" if int(counts.max()) < 2**16 else "<u4"
    return bytes([np.dtype(kind).itemsize]) + counts.astype(kind).tobytes()


def unpacked_mask(packed: bytes, shape: tuple[int, int]) -> Rle:
    """Return the mask of ``shape`` ``(Y, X)``.

    Raises
    ------
    AnnotationFileError, MaskError
        If the bytes are none of such a mask.
    """
    kind = packed[0] if packed else -1
    if kind == 0 and len(packed) == 1:
        return Rle.empty(shape)
    if kind == 1 and len(packed) >= 9 and len(packed) % 2:
        start, length = np.frombuffer(packed, "<u4", 2, 1).astype(np.int64)
        steps = np.frombuffer(packed, "|i1", offset=9).astype(np.int64).reshape(-1, 2)
        starts = start + np.concatenate(([0], np.cumsum(steps[:, 0] + shape[1])))
        return Rle.from_runs(shape, starts, starts + length + np.concatenate(([0], np.cumsum(steps[:, 1]))))
    if kind in (2, 4) and (len(packed) - 1) % kind == 0:
        counts = np.frombuffer(packed, f"<u{kind}", offset=1).astype(np.int64)
        return Rle(shape, np.append(counts, shape[0] * shape[1] - counts.sum()))
    raise AnnotationFileError(f"a mask of {len(packed)} bytes is damaged")


def packed_object(info: AnnotatedObject) -> str:
    """Return an object as JSON."""
    return ObjectRecord(**asdict(info)).model_dump_json()


def unpacked_object(text: str) -> AnnotatedObject:
    """Return an object from JSON, or raise AnnotationFileError."""
    return AnnotatedObject(**_validated(ObjectRecord, text).model_dump())


def packed_prompt(prompt: Prompt) -> tuple[str, bytes | None]:
    """Return a prompt as JSON, and its mask."""
    record = PromptRecord(points=prompt.points, labels=prompt.labels, box=prompt.box)
    return record.model_dump_json(), None if prompt.mask is None else packed_mask(prompt.mask)


def unpacked_prompt(text: str, mask: bytes | None, shape: tuple[int, int]) -> Prompt:
    """Return a prompt on frames of ``shape`` ``(Y, X)``, or raise AnnotationFileError, PromptError or MaskError."""
    said = _validated(PromptRecord, text)
    prompt = Prompt(said.points, said.labels, said.box, None if mask is None else unpacked_mask(mask, shape))
    if prompt.is_empty:
        raise AnnotationFileError("a prompt says nothing")
    prompt.check_fits(shape)
    return prompt


def packed_spans(frames: SpanSet) -> str:
    """Return frames as JSON."""
    return json.dumps(frames.spans, separators=(",", ":"))


def unpacked_spans(text: str, length: int) -> SpanSet:
    """Return frames of a movie with ``length`` of them, or raise AnnotationFileError."""
    try:
        spans = _SPANS.validate_json(text)
    except ValidationError as error:
        raise AnnotationFileError(described_fault(error)) from error
    bounds = [bound for span in spans for bound in span]
    if sorted(set(bounds)) != bounds or (bounds and bounds[-1] > length):
        raise AnnotationFileError(f"locked frames {spans!r:.100} are none of {length} frames")
    return SpanSet(spans)


def packed_project(project: Project) -> str:
    """Return what holds for the whole document as JSON."""
    model, normalization = project.model, project.normalization
    return ProjectRecord(
        movie=MovieRecord(**asdict(project.movie)),
        model=None if model is None else ModelRecord(**asdict(model)),
        normalization=None if normalization is None else NormalizationRecord(**asdict(normalization)),
        settings=dict(project.settings),
        overlap=project.overlap,
    ).model_dump_json()


def unpacked_project(text: str) -> Project:
    """Return what holds for the whole document, or raise AnnotationFileError or AnnotationError."""
    record = _validated(ProjectRecord, text)
    normalization = record.normalization
    return Project(
        movie=MovieIdentity(**record.movie.model_dump()),
        model=None if record.model is None else ModelIdentity(**record.model.model_dump()),
        normalization=None if normalization is None else Normalization.from_dict(normalization.model_dump()),
        settings=Settings(record.settings),
        overlap=record.overlap,
    )


def described_fault(error: ValidationError) -> str:
    """Say what the first fault found by a schema is."""
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'a value'}: {first['msg']}"


def _validated(record: type[_Record], text: str) -> _Record:
    try:
        return record.model_validate_json(text)
    except ValidationError as error:
        raise AnnotationFileError(described_fault(error)) from error
