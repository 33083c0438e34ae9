"""Schemas of CVAT's REST answers, as far as they are read: checked, and open to what other versions add.

The SDK has models of its own, which refuse answers of servers that are a little older or newer than itself.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from src_model.errors import RemoteError

ItemKind = Literal["shape", "track"]
KINDS: tuple[ItemKind, ...] = ("shape", "track")

ItemKey = tuple[ItemKind, int]
"""What names a shape or track: CVAT counts the ids of the two kinds separately."""

RawItem = dict[str, Any]
"""A shape, a track or a keyframe as CVAT writes it, with fields that are not read here."""

SOURCE_AUTO, SOURCE_MANUAL = "auto", "manual"
"""What CVAT calls the source of shapes that a model or a person made; ``semi-auto``: a person changed a model's."""

_Schema = TypeVar("_Schema", bound=BaseModel)


class ApiModel(BaseModel):
    """Base of all parts of an answer."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def _zero(value: Any) -> Any:
    return 0 if value is None else value


OrZero = Annotated[int, BeforeValidator(_zero)]


class AttributeValue(ApiModel):
    """The value of an attribute of a shape or track."""

    spec_id: int
    value: str


class AttributeSpec(ApiModel):
    """An attribute that a label has; a mutable one may change from frame to frame of a track."""

    id: int
    name: str = ""
    mutable: bool = False
    input_type: str = "text"


class Label(ApiModel):
    """A label of a task; ``type`` is the only kind of shapes that it takes, or ``any``."""

    id: int
    name: str
    type: str = "any"
    attributes: tuple[AttributeSpec, ...] = ()


class TaskInfo(ApiModel):
    """A task: its name, whether it holds images (2d) or point clouds (3d), its guide and its project."""

    id: int
    name: str = ""
    dimension: str = "2d"
    guide_id: int | None = None
    project_id: int | None = None


class JobInfo(ApiModel):
    """A job: the frames ``start_frame`` to ``stop_frame`` of a task, both included."""

    id: int
    task_id: int
    start_frame: int
    stop_frame: int
    type: str = "annotation"


class FrameMeta(ApiModel):
    """Width and height of a frame, in pixels."""

    width: int
    height: int


class DataMeta(ApiModel):
    """The images of a task. One entry of ``frames`` stands for all frames of a video."""

    size: OrZero = 0
    frames: Annotated[tuple[FrameMeta, ...], BeforeValidator(lambda value: value or ())] = ()
    deleted_frames: Annotated[tuple[int, ...], BeforeValidator(lambda value: value or ())] = ()
    chunks_updated_date: str | None = None


class ShapeData(ApiModel):
    """What shapes and the keyframes of tracks have in common: where something is, and what is said about it there.

    Attributes
    ----------
    type
        ``"rectangle"``, ``"polygon"``, ``"mask"`` or another of CVAT's types.
    frame
        Frame number in the task, from 0.
    points
        As in :class:`~cvat_serverless.shapes.Shape`.
    rotation
        Rotation of a rectangle around its centre, in degrees.
    outside
        Of a keyframe: from here on the object is not in the picture.
    """

    type: str
    frame: int
    points: tuple[float, ...] = ()
    rotation: float = 0.0
    outside: bool = False
    occluded: bool = False
    z_order: int = 0
    attributes: tuple[AttributeValue, ...] = ()

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom in pixels, without regard to a rotation."""
        if self.type == "mask":
            left, top, right, bottom = self.points[-4:]
            return left, top, right + 1, bottom + 1
        x, y = self.points[::2], self.points[1::2]
        return min(x), min(y), max(x), max(y)


class LabeledShape(ShapeData):
    """A shape on one frame."""

    id: int
    label_id: int
    group: OrZero = 0
    source: str = SOURCE_MANUAL


class LabeledTrack(ApiModel):
    """A track with its keyframes."""

    id: int
    label_id: int
    frame: int
    group: OrZero = 0
    source: str = SOURCE_MANUAL
    shapes: tuple[ShapeData, ...] = ()
    attributes: tuple[AttributeValue, ...] = ()

    @property
    def is_rectangle(self) -> bool:
        """Whether all its keyframes are rectangles."""
        return all(shape.type == "rectangle" for shape in self.shapes)


class AnnotationItem(ApiModel):
    """A shape or a track of a task.

    Attributes
    ----------
    kind
        Whether it is a shape or a track.
    raw
        The item as CVAT writes it.
    copies
        What the jobs hold of it, one copy a job, if there are several; they differ if a person changed one of them.
    """

    kind: ItemKind
    raw: RawItem
    copies: tuple[RawItem, ...] = ()

    @property
    def held(self) -> tuple[RawItem, ...]:
        """What the jobs hold of it, one copy a job."""
        return self.copies or (self.raw,)

    @property
    def id(self) -> int:
        """CVAT's id of it."""
        return int(self.raw["id"])

    @property
    def key(self) -> ItemKey:
        """What names it."""
        return self.kind, self.id

    @property
    def described(self) -> str:
        """What messages call it, such as ``shape 12``."""
        return f"{self.kind} {self.id}"


def _in_order(raw: Any) -> Any:
    """Sort attributes, which CVAT gives in any order, so that what did not change is equal."""
    if isinstance(raw, list | tuple):
        items = [_in_order(item) for item in raw]
        named = items and all(isinstance(item, dict) and "spec_id" in item for item in items)
        return sorted(items, key=lambda item: int(item["spec_id"])) if named else items
    return {name: _in_order(value) for name, value in raw.items()} if isinstance(raw, dict) else raw


RawItems = Annotated[tuple[RawItem, ...], BeforeValidator(_in_order)]


class Annotations(ApiModel):
    """Shapes and tracks as CVAT wrote them, so that they can be given back as they were.

    Attributes
    ----------
    shapes, tracks
        The items as CVAT writes them.
    copies
        What several jobs hold of one item; items that only one job holds are left out.
    conflicts
        Where such copies differ and none can be said to be right, in words.
    """

    shapes: RawItems = ()
    tracks: RawItems = ()
    copies: dict[ItemKey, tuple[RawItem, ...]] = {}
    conflicts: dict[ItemKey, str] = {}

    def of(self, kind: ItemKind) -> tuple[RawItem, ...]:
        """Return the shapes, or the tracks."""
        return self.shapes if kind == "shape" else self.tracks

    @cached_property
    def items(self) -> dict[ItemKey, AnnotationItem]:
        """All shapes, then all tracks."""
        items = {}
        for kind in KINDS:
            for raw in self.of(kind):
                key = kind, int(raw["id"])
                items[key] = AnnotationItem(kind=kind, raw=raw, copies=self.copies.get(key, ()))
        return items

    @cached_property
    def groups(self) -> dict[int, list[AnnotationItem]]:
        """Items by the number of their group, without those that are in none."""
        groups: dict[int, list[AnnotationItem]] = {}
        for item in self.items.values():
            if number := int(item.raw.get("group") or 0):
                groups.setdefault(number, []).append(item)
        return groups

    def newest(self, kind: ItemKind) -> int:
        """Return the largest id of a kind, 0 if there is none; items that are made later have larger ones."""
        return max((int(raw["id"]) for raw in self.of(kind)), default=0)


class Page(ApiModel):
    """One page of a list."""

    results: tuple[dict[str, Any], ...] = Field(default=())
    next: str | None = None


class AnnotationGuide(ApiModel):
    """The annotation guide of a task, a text that annotators read."""

    id: int
    markdown: str = ""


def parse(schema: type[_Schema], answer: Any) -> _Schema:
    """Read an answer.

    Raises
    ------
    RemoteError
        If it is not what CVAT answers.
    """
    try:
        return schema.model_validate(answer)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the answer"
        raise RemoteError(
            f"the server's answer is not that of a CVAT this version knows ({schema.__name__}, {where}: {first['msg']})"
        ) from None
