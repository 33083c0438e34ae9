"""Which cells a change touched: what views are told, and what a step of the history remembers of itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from pydantic import BaseModel, ConfigDict, ValidationError

from src_model.document.cells import Frame, ObjectId, Rows, SpanRecord
from src_model.document.spans import Span, joined_spans
from src_model.errors import AnnotationFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

SpansById: TypeAlias = "Mapping[int, tuple[Span, ...]]"


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    project: bool = False
    objects: Rows[ObjectId] = ()
    masks: dict[ObjectId, Rows[SpanRecord]] = {}
    prompts: dict[ObjectId, Rows[SpanRecord]] = {}
    locks: dict[ObjectId, Rows[SpanRecord]] = {}
    parents: Rows[Frame] = ()


@dataclass(frozen=True, slots=True)
class Touched:
    """Cells that have another value now.

    Attributes
    ----------
    project
        Whether movie, model, normalisation, settings or overlap policy changed.
    objects
        Ids of objects that came, went, or are described otherwise.
    masks, prompts, locks
        Frames as ``(start, stop)`` pairs, stop excluded, by object id.
    parents
        Objects whose division changed.
    """

    project: bool = False
    objects: frozenset[int] = frozenset()
    masks: SpansById = field(default_factory=dict)
    prompts: SpansById = field(default_factory=dict)
    locks: SpansById = field(default_factory=dict)
    parents: frozenset[int] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return not (self.project or self.objects or self.masks or self.prompts or self.locks or self.parents)

    @property
    def only_masks(self) -> bool:
        """Whether nothing but masks changed."""
        return not (self.project or self.objects or self.prompts or self.locks or self.parents)

    def concerned(self) -> tuple[int | None, int | None]:
        """Name the object and the frame that a change is about; None each where it is about several."""
        tables = (self.masks, self.prompts, self.locks)
        objects = {*self.objects, *(number for table in tables for number in table)}
        spans = {span for table in tables for spans in table.values() for span in spans}
        frames = [start for start, stop in spans if stop == start + 1]
        object_id = next(iter(objects)) if len(objects) == 1 else None
        return object_id, frames[0] if len(frames) == len(spans) == 1 else None

    def joined(self, other: Touched) -> Touched:
        """Return what either touched."""
        return Touched(
            self.project or other.project,
            self.objects | other.objects,
            _joined(self.masks, other.masks),
            _joined(self.prompts, other.prompts),
            _joined(self.locks, other.locks),
            self.parents | other.parents,
        )

    def to_json(self) -> str:
        """Return it as JSON."""
        return _Record(
            project=self.project,
            objects=tuple(sorted(self.objects)),
            masks=dict(self.masks),
            prompts=dict(self.prompts),
            locks=dict(self.locks),
            parents=tuple(sorted(self.parents)),
        ).model_dump_json(exclude_defaults=True)

    @classmethod
    def from_json(cls, text: str) -> Touched:
        """Return it from JSON, or raise AnnotationFileError."""
        try:
            record = _Record.model_validate_json(text)
        except ValidationError as error:
            raise AnnotationFileError("a step of the history is damaged") from error
        return cls(
            record.project,
            frozenset(record.objects),
            record.masks,
            record.prompts,
            record.locks,
            frozenset(record.parents),
        )


def _joined(first: SpansById, second: SpansById) -> SpansById:
    return {number: joined_spans(first.get(number, ()), second.get(number, ())) for number in sorted({*first, *second})}
