"""What a session file holds, version 1: JSON checked by schema, because bytes from outside are hostile.

Masks are COCO's compressed run lengths; their size is that of the movie's frames. A mask's text is bounded by its size
before it is decoded.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, FailFast, Field

from src_model.errors import SessionFileError
from src_model.masks import Rle
from src_model.tracking.operations import (
    Chosen,
    Cleared,
    Locked,
    Operation,
    Prompted,
    Propagated,
    Removed,
    Resumed,
)
from src_model.tracking.prompts import Prompt, make_prompt
from src_model.tracking.settings import TrackingSettings

FORMAT: Final = "sam2v-session"
VERSION: Final = 1

Frame = Annotated[int, Field(strict=True, ge=0, lt=2**31)]
ObjectId = Annotated[int, Field(strict=True, ge=1, lt=2**63)]
Number = Annotated[float, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
_Item = TypeVar("_Item")
# The first fault ends the reading: a list of millions of them would take far more memory than the file.
Rows = Annotated[tuple[_Item, ...], FailFast()]


class Record(BaseModel):
    """A part of the file: nothing unknown, no infinities."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PromptRecord(Record):
    """A prompt; ``mask`` is COCO text."""

    points: Rows[tuple[Number, Number]] = ()
    labels: Rows[Annotated[int, Field(strict=True, ge=0, le=1)]] = ()
    box: tuple[Number, Number, Number, Number] | None = None
    mask: str | None = None


class PromptedRecord(Record):
    """Of :class:`~src_model.tracking.operations.Prompted`."""

    kind: Literal["prompt"] = "prompt"
    object_id: ObjectId
    frame: Frame
    prompt: PromptRecord
    replaced: Flag


class ChosenRecord(Record):
    """Of :class:`~src_model.tracking.operations.Chosen`."""

    kind: Literal["choose"] = "choose"
    object_id: ObjectId
    frame: Frame
    candidate: Annotated[int, Field(strict=True, ge=0, le=2)]


class ClearedRecord(Record):
    """Of :class:`~src_model.tracking.operations.Cleared`."""

    kind: Literal["clear"] = "clear"
    object_id: ObjectId
    frame: Frame


class RemovedRecord(Record):
    """Of :class:`~src_model.tracking.operations.Removed`."""

    kind: Literal["remove"] = "remove"
    object_id: ObjectId


class LockedRecord(Record):
    """Of :class:`~src_model.tracking.operations.Locked`."""

    kind: Literal["lock"] = "lock"
    object_id: ObjectId
    frame: Frame
    locked: Flag


class PropagatedRecord(Record):
    """Of :class:`~src_model.tracking.operations.Propagated`."""

    kind: Literal["propagate", "repair", "push"]
    object_ids: Rows[ObjectId]
    first: Frame
    last: Frame
    reverse: Flag


class ResumedRecord(Record):
    """Of :class:`~src_model.tracking.operations.Resumed`."""

    kind: Literal["resume"] = "resume"


OperationRecord = Annotated[
    PromptedRecord | ChosenRecord | ClearedRecord | RemovedRecord | LockedRecord | PropagatedRecord | ResumedRecord,
    Field(discriminator="kind"),
]


class FrameRecord(Record):
    """An object on one frame; ``tracked`` is the direction if its mask came from tracking."""

    frame: Frame
    mask: str
    score: Number
    object_score: Number
    tracked: Literal["forward", "reverse"] | None = None
    locked: Flag = False


class PromptedFrameRecord(Record):
    """All prompts of an object on one frame; ``conditions`` if tracking starts from it."""

    frame: Frame
    prompt: PromptRecord
    conditions: Flag


class ObjectRecord(Record):
    """An object; prompted frames in the order in which they entered its memory."""

    object_id: ObjectId
    prompts: Rows[PromptedFrameRecord]
    masklet: Rows[FrameRecord]


class MovieRecord(Record):
    """Which movie was tracked."""

    name: str
    shape: Annotated[Rows[Frame], Field(min_length=3, max_length=4)]
    dtype: str


class NormalizationRecord(Record):
    """What the model saw of the movie's values."""

    kind: Literal["percentile", "limits", "none"]
    low: Rows[Number]
    high: Rows[Number]


class CheckpointRecord(Record):
    """Which weights tracked it."""

    name: str
    sha256: str


class SessionDocument(Record):
    """The whole file."""

    format: Literal["sam2v-session"] = FORMAT
    version: Literal[1] = VERSION
    program: str
    movie: MovieRecord
    normalization: NormalizationRecord
    checkpoint: CheckpointRecord
    settings: TrackingSettings
    image_size: Annotated[int, Field(strict=True, ge=1, le=65536)]
    objects: Rows[ObjectRecord]
    operations: Rows[OperationRecord]


def mask_text(rle: Rle) -> str:
    """Return a mask as COCO text, without its size."""
    return rle.to_coco()["counts"]


def read_mask(text: str, shape: tuple[int, int]) -> Rle:
    """Read a mask of known shape ``(Y, X)``.

    Raises
    ------
    SessionFileError
        If the text is longer than any mask of that shape can be.
    MaskError
        If it is no mask of that shape.
    """
    # A run takes one character for each factor of 32 in its length, so that runs of one pixel make the longest text.
    longest = 2 * shape[0] * shape[1] + 16
    if len(text) > longest:
        raise SessionFileError(f"a mask of {len(text)} characters cannot be of {shape[0]} x {shape[1]} pixels")
    return Rle.from_coco({"size": list(shape), "counts": text})


def prompt_record(prompt: Prompt) -> PromptRecord:
    """Turn a prompt into what the file holds."""
    mask = None if prompt.mask is None else mask_text(prompt.mask)
    return PromptRecord(points=prompt.points, labels=prompt.labels, box=prompt.box, mask=mask)


def read_prompt(record: PromptRecord, shape: tuple[int, int]) -> Prompt:
    """Turn what the file holds into a prompt, checked as if a person had given it.

    Raises
    ------
    SessionFileError, PromptError, MaskError
        If it is none for frames of ``shape`` ``(Y, X)``.
    """
    if record.mask is not None:
        if record.points or record.box is not None:
            raise SessionFileError("a prompt holds a mask besides points or a box")
        return Prompt(mask=read_mask(record.mask, shape))
    return make_prompt(shape, points=record.points or None, labels=record.labels, box=record.box)


def operation_record(operation: Operation) -> OperationRecord:
    """Turn an operation into what the file holds; numbers may be NumPy's."""
    match operation:
        case Prompted(object_id, frame, prompt, replaced):
            return PromptedRecord(
                object_id=int(object_id), frame=int(frame), prompt=prompt_record(prompt), replaced=replaced
            )
        case Chosen(object_id, frame, candidate):
            return ChosenRecord(object_id=int(object_id), frame=int(frame), candidate=int(candidate))
        case Cleared(object_id, frame):
            return ClearedRecord(object_id=int(object_id), frame=int(frame))
        case Removed(object_id):
            return RemovedRecord(object_id=int(object_id))
        case Locked(object_id, frame, locked):
            return LockedRecord(object_id=int(object_id), frame=int(frame), locked=bool(locked))
        case Propagated(object_ids, first, last, reverse, kind):
            return PropagatedRecord(
                object_ids=object_ids, first=int(first), last=int(last), reverse=bool(reverse), kind=kind
            )
        case Resumed():
            return ResumedRecord()


def read_operation(record: OperationRecord, shape: tuple[int, int]) -> Operation:
    """Turn what the file holds into an operation on frames of ``shape`` ``(Y, X)``.

    Raises
    ------
    SessionFileError, PromptError, MaskError
        If a prompt is none for such frames.
    """
    match record:
        case PromptedRecord():
            return Prompted(record.object_id, record.frame, read_prompt(record.prompt, shape), record.replaced)
        case ChosenRecord():
            return Chosen(record.object_id, record.frame, record.candidate)
        case ClearedRecord():
            return Cleared(record.object_id, record.frame)
        case RemovedRecord():
            return Removed(record.object_id)
        case LockedRecord():
            return Locked(record.object_id, record.frame, record.locked)
        case PropagatedRecord():
            return Propagated(record.object_ids, record.first, record.last, record.reverse, record.kind)
        case ResumedRecord():
            return Resumed()
