"""What annotation files and journals hold besides their arrays, version 1: JSON checked by schema.

Bytes from outside are hostile: nothing unknown, no infinities, and the first fault ends the reading.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, FailFast, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from src_model.annotation.objects import MAX_OBJECT_ID, MAX_TEXT
from src_model.annotation.project import MAX_SETTINGS

FORMAT: Final = "sam2v-annotation"
VERSION: Final = 1

_Item = TypeVar("_Item")
Rows = Annotated[tuple[_Item, ...], FailFast()]
Frame = Annotated[int, Field(strict=True, ge=0, lt=2**31)]
ObjectId = Annotated[int, Field(strict=True, ge=1, le=MAX_OBJECT_ID)]
Text = Annotated[str, Field(strict=True, max_length=MAX_TEXT)]


class Record(BaseModel):
    """A part of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ObjectRecord(Record):
    """Of :class:`~src_model.annotation.objects.AnnotatedObject`."""

    object_id: ObjectId
    name: Text
    colour: Text
    class_name: Text
    note: Text
    locked: StrictBool
    visible: StrictBool


class PromptRecord(Record):
    """Of :class:`~src_model.annotation.prompts.Prompt`; ``mask`` tells whether the next prompt mask is its own."""

    object_id: ObjectId
    frame: Frame
    points: Rows[tuple[StrictFloat, StrictFloat]] = ()
    labels: Rows[Annotated[int, Field(strict=True, ge=0, le=1)]] = ()
    box: tuple[StrictFloat, StrictFloat, StrictFloat, StrictFloat] | None = None
    mask: StrictBool = False


class LockRecord(Record):
    """Frames of one object that are locked or, in a journal, unlocked: ``(start, stop)`` pairs, stop excluded."""

    object_id: ObjectId
    locked: StrictBool
    spans: Rows[tuple[Frame, Frame]]


class DivisionRecord(Record):
    """Of :class:`~src_model.annotation.lineage.Division`; without daughters, it is removed."""

    parent: ObjectId
    frame: Frame
    daughters: Rows[ObjectId]


class MovieRecord(Record):
    """Of :class:`~src_model.annotation.movie.MovieIdentity`."""

    name: Text
    shape: Annotated[Rows[Frame], Field(min_length=3, max_length=4)]
    dtype: Text
    path: Text
    time_axis: Annotated[int, Field(strict=True, ge=-32, le=32)]
    scale: tuple[StrictFloat, StrictFloat, StrictFloat]
    units: tuple[Text, Text, Text]
    fingerprint: Text


class ModelRecord(Record):
    """Of :class:`~src_model.annotation.project.ModelIdentity`."""

    name: Text
    sha256: Text


class NormalizationRecord(Record):
    """Of :class:`~src_model.frames.Normalization`."""

    kind: Literal["percentile", "limits", "none"]
    low: Rows[StrictFloat]
    high: Rows[StrictFloat]


class ProjectRecord(Record):
    """Of :class:`~src_model.annotation.project.Project`."""

    movie: MovieRecord
    model: ModelRecord | None
    normalization: NormalizationRecord | None
    settings: Annotated[
        dict[StrictStr, StrictBool | StrictInt | StrictFloat | StrictStr | None], Field(max_length=MAX_SETTINGS)
    ]
    overlap: Literal["first", "last", "score"]


class PatchRecord(Record):
    """Of :class:`~src_model.annotation.patch.Patch`, but for its masks, which are only counted, removed ones too."""

    objects: Rows[ObjectRecord] = ()
    removed_objects: Rows[ObjectId] = ()
    prompts: Rows[PromptRecord] = ()
    removed_prompts: Rows[tuple[ObjectId, Frame]] = ()
    locks: Rows[LockRecord] = ()
    divisions: Rows[DivisionRecord] = ()
    project: ProjectRecord | None = None
    masks: Annotated[int, Field(strict=True, ge=0)] = 0


class Manifest(Record):
    """The head of an annotation file."""

    format: Literal["sam2v-annotation"] = FORMAT
    version: Literal[1] = VERSION
    program: Text
    saved_at: StrictFloat
    content: PatchRecord


class JournalEntry(Record):
    """The head of one entry of a journal.

    ``modified`` tells whether the document then differed from its file; ``objects`` and ``masks`` count what it held;
    ``file`` is empty for a document that was never saved, ``file_stamp`` tells whether that file was changed since.
    """

    format: Literal["sam2v-annotation"] = FORMAT
    version: Literal[1] = VERSION
    program: Text
    time: StrictFloat
    modified: StrictBool
    objects: Annotated[int, Field(strict=True, ge=0)]
    masks: Annotated[int, Field(strict=True, ge=0)]
    movie: Text
    file: Text
    file_stamp: tuple[StrictInt, StrictInt]
    content: PatchRecord
