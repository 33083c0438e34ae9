"""What CVAT's REST answers hold, as far as it is read: checked, and open to what other versions add.

The SDK has models of its own, which refuse answers of servers that are a little older or newer than itself.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from src_model.errors import RemoteError

Kind = Literal["shape", "track"]

MODEL, MANUAL = "auto", "manual"
"""What CVAT calls the source of shapes that a model or a person made; ``semi-auto``: a person changed a model's."""

_Record = TypeVar("_Record", bound=BaseModel)


class ApiModel(BaseModel):
    """A part of an answer."""

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


class Label(ApiModel):
    """A label of a task; ``type`` is the only kind of shapes that it takes, or ``any``."""

    id: int
    name: str
    type: str = "any"
    attributes: tuple[AttributeSpec, ...] = ()


class TaskInfo(ApiModel):
    """A task."""

    id: int
    name: str = ""
    size: OrZero = 0
    dimension: str = "2d"
    overlap: OrZero = 0
    guide_id: int | None = None
    project_id: int | None = None


class JobInfo(ApiModel):
    """A job: the frames ``start_frame`` to ``stop_frame`` of a task, both included."""

    id: int
    task_id: int
    start_frame: int
    stop_frame: int
    type: str = "annotation"


class FrameSize(ApiModel):
    """Width and height of a frame in pixels."""

    width: int
    height: int


class DataInfo(ApiModel):
    """The images of a task; one size stands for all frames of a video."""

    size: OrZero = 0
    frames: Annotated[tuple[FrameSize, ...], BeforeValidator(lambda value: value or ())] = ()
    deleted_frames: Annotated[tuple[int, ...], BeforeValidator(lambda value: value or ())] = ()
    chunks_updated_date: str | None = None


class Drawn(ApiModel):
    """What tells where something is: part of a shape and of a track's keyframe.

    Attributes
    ----------
    points
        As in :class:`~cvat_serverless.shapes.Shape`.
    rotation
        Of a rectangle around its centre, in degrees.
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
        """Left, top, right and bottom, without regard to a rotation."""
        if self.type == "mask":
            left, top, right, bottom = self.points[-4:]
            return left, top, right + 1, bottom + 1
        x, y = self.points[::2], self.points[1::2]
        return min(x), min(y), max(x), max(y)


class ShapeInfo(Drawn):
    """A shape on one frame."""

    id: int
    label_id: int
    group: OrZero = 0
    source: str = "manual"


class TrackInfo(ApiModel):
    """A track with its keyframes."""

    id: int
    label_id: int
    frame: int
    group: OrZero = 0
    source: str = "manual"
    shapes: tuple[Drawn, ...] = ()
    attributes: tuple[AttributeValue, ...] = ()

    @property
    def is_rectangle(self) -> bool:
        """Whether it is one of rectangles."""
        return all(look.type == "rectangle" for look in self.shapes)


def _in_order(raw: Any) -> Any:
    """Sort attributes, which CVAT gives in any order, so that what did not change is equal."""
    if isinstance(raw, list | tuple):
        items = [_in_order(item) for item in raw]
        named = items and all(isinstance(item, dict) and "spec_id" in item for item in items)
        return sorted(items, key=lambda item: int(item["spec_id"])) if named else items
    return {name: _in_order(value) for name, value in raw.items()} if isinstance(raw, dict) else raw


Raws = Annotated[tuple[dict[str, Any], ...], BeforeValidator(_in_order)]


class Annotations(ApiModel):
    """Shapes and tracks as CVAT wrote them, so that they can be given back as they were.

    Attributes
    ----------
    shapes, tracks
        As CVAT writes them.
    copies
        What several jobs hold of one thing, by its kind and id; it is left out where only one holds it.
    disputed
        Where such copies differ and none can be said to be right, in words.
    """

    shapes: Raws = ()
    tracks: Raws = ()
    copies: dict[tuple[Kind, int], tuple[dict[str, Any], ...]] = {}
    disputed: dict[tuple[Kind, int], str] = {}

    def of(self, kind: Kind) -> tuple[dict[str, Any], ...]:
        """Return one of the two."""
        return self.shapes if kind == "shape" else self.tracks

    def copies_of(self, kind: Kind, raw: dict[str, Any]) -> tuple[dict[str, Any], ...]:
        """Return what jobs hold of a shape or track: one copy a job."""
        return self.copies.get((kind, int(raw["id"])), (raw,))

    def newest(self, kind: Kind) -> int:
        """Return the largest id; later ones are larger."""
        return max((int(item["id"]) for item in self.of(kind)), default=0)

    @cached_property
    def groups(self) -> dict[int, list[tuple[Kind, dict[str, Any]]]]:
        """Shapes and tracks by the number of their group; without what is in none."""
        groups: dict[int, list[tuple[Kind, dict[str, Any]]]] = {}
        kinds: tuple[Kind, ...] = ("shape", "track")
        for kind in kinds:
            for raw in self.of(kind):
                if number := int(raw.get("group") or 0):
                    groups.setdefault(number, []).append((kind, raw))
        return groups


class Page(ApiModel):
    """One page of a list."""

    results: tuple[dict[str, Any], ...] = Field(default=())
    next: str | None = None


class Guide(ApiModel):
    """The annotation guide of a task."""

    id: int
    markdown: str = ""


def read(model: type[_Record], answer: Any) -> _Record:
    """Read an answer.

    Raises
    ------
    RemoteError
        If it is not what CVAT answers.
    """
    try:
        return model.model_validate(answer)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the answer"
        raise RemoteError(
            f"the server's answer is not that of a CVAT this version knows ({model.__name__}, {where}: {first['msg']})"
        ) from None
