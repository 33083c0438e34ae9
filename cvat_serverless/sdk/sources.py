"""What an annotator drew of the objects that are to be tracked: on which frames, and as which shapes and tracks."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from cvat_serverless.sdk.objects import is_one_object
from cvat_serverless.sdk.schemas import SOURCE_AUTO, LabeledShape, LabeledTrack, RawItem, ShapeData, parse
from cvat_serverless.shapes import SHAPE_TYPES, make_shape
from src_model.errors import FrameRangeError, RemoteError, RequestError
from src_model.prompts import Prompt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cvat_serverless.sdk.schemas import AnnotationItem, Annotations, AttributeValue, ItemKey

IsFromModel = Callable[[RawItem], bool | None]
"""Tells of a shape or keyframe whether a model made it just so; None if that is not known."""

_INSTEAD = {
    "points": "points enclose nothing: draw a rectangle around the object, or click it with the AI tools' interactor",
    "polyline": "a line encloses nothing: draw a rectangle, a polygon or a mask around the object",
    "ellipse": "draw the object as a polygon, a rectangle or a mask instead",
    "skeleton": "a skeleton's points enclose nothing: draw a rectangle around the object",
    "cuboid": "draw a rectangle, a polygon or a mask around the object",
}


@dataclass(frozen=True)
class TrackingSource:
    """An object that is to be tracked.

    Attributes
    ----------
    label_id
        CVAT's id of its label.
    group
        Number of its group; 0 if it is in none.
    attributes
        Attributes of the object, from the first part.
    parts
        Shapes and tracks that it was drawn as; the first one is what was asked for.
    drawn
        Where a person drew it, by frame.
    absent
        Frames from which on a person said that it is not there, up to the next drawn one.
    superseded
        Earlier results of a model for the same object, which new ones take the place of.
    members
        Keys of all that was in its group.
    """

    label_id: int
    group: int
    attributes: tuple[AttributeValue, ...]
    parts: tuple[AnnotationItem, ...]
    drawn: dict[int, ShapeData]
    absent: frozenset[int] = frozenset()
    superseded: tuple[AnnotationItem, ...] = ()
    members: frozenset[ItemKey] = frozenset()

    def drawn_before(self, frame: int) -> ShapeData:
        """Return what a person drew last up to a frame, or first after it."""
        return self.drawn[self._frames[max(0, bisect_right(self._frames, frame) - 1)]]

    @cached_property
    def _frames(self) -> list[int]:
        return sorted(self.drawn)

    def absent_frames(self, frames: Sequence[int]) -> tuple[int, ...]:
        """Return those of ``frames`` on which a person said that the object is not there."""
        found, gone = [], False
        changes = sorted(self.absent | self.drawn.keys())
        position = 0
        for frame in frames:
            while position < len(changes) and changes[position] <= frame:
                gone = changes[position] in self.absent
                position += 1
            if gone:
                found.append(frame)
        return tuple(found)


def named_sources(annotations: Annotations, names: Sequence[str], is_from_model: IsFromModel) -> list[TrackingSource]:
    """Find objects by ids.

    Parameters
    ----------
    annotations
        All shapes and tracks of the task.
    names
        ``"12"``, ``"track:12"`` or ``"shape:12"``; ``"12,40"`` is one object that was drawn as two.
    is_from_model
        Tells what a model made: that is no correction.

    Raises
    ------
    RemoteError
        If there is no such shape, or it cannot be tracked.
    """
    sources: list[TrackingSource] = []
    seen: set[ItemKey] = set()
    for name in names:
        parts = [_item_named(annotations, word.strip()) for word in name.split(",")]
        if all(part.key in seen for part in parts):
            continue
        source = _source(annotations, parts, is_from_model)
        seen |= {part.key for part in source.parts}
        sources.append(source)
    return sources


def sources_on(
    annotations: Annotations, frame: int, is_from_model: IsFromModel
) -> tuple[list[TrackingSource], tuple[str, ...]]:
    """Find all objects that are drawn on a frame.

    Returns
    -------
    tuple
        The objects, and what was left out because it cannot be tracked, in words.

    Raises
    ------
    RemoteError
        If nothing on the frame can be tracked.
    """
    sources: list[TrackingSource] = []
    left_out: list[str] = []
    seen: set[ItemKey] = set()
    for item in annotations.items.values():
        if item.key in seen or not _is_drawn_on(item, frame):
            continue
        try:
            source = _source(annotations, [item], is_from_model)
        except RemoteError as error:
            left_out.append(str(error))
            continue
        seen |= {each.key for each in (*source.parts, *source.superseded)}
        sources.append(source)
    if not sources:
        reason = left_out[0] if left_out else "draw the objects first, and save"
        raise RemoteError(f"there is nothing on frame {frame} that can be tracked: {reason}")
    return sources, tuple(left_out)


def prompts_of(source: TrackingSource, frames: Sequence[int], shape: tuple[int, int]) -> dict[int, Prompt]:
    """Turn what was drawn into prompts, by index in ``frames``; a rectangle is a box, all else a mask.

    Parameters
    ----------
    source
        The object that is to be tracked.
    frames
        Numbers of the frames that are tracked, as CVAT counts.
    shape
        ``(Y, X)`` of the images, in pixels.

    Raises
    ------
    FrameRangeError
        If nothing was drawn on these frames, or the shape that was asked for lies elsewhere.
    RemoteError
        If a shape lies outside of the image.
    """
    indices = {frame: index for index, frame in enumerate(frames)}
    inside = {frame: drawn for frame, drawn in source.drawn.items() if frame in indices}
    if not inside:
        where = ", ".join(map(str, sorted(source.drawn)[:5]))
        raise FrameRangeError(
            f"{source.parts[0].described} is drawn on frame {where}, which is not among the frames to be tracked, "
            f"{frames[0]} to {frames[-1]} without deleted ones; choose others with --frames"
        )
    return {indices[frame]: _prompt(source, drawn, shape) for frame, drawn in sorted(inside.items())}


def _prompt(source: TrackingSource, drawn: ShapeData, image: tuple[int, int]) -> Prompt:
    try:
        if drawn.type == "rectangle":
            return Prompt(box=make_shape("rectangle", upright_box(drawn), image).box)
        return Prompt(mask=make_shape(drawn.type, drawn.points, image).mask(image))
    except RequestError as error:
        raise RemoteError(f"{source.parts[0].described} on frame {drawn.frame}: {error}") from error


def upright_box(drawn: ShapeData) -> tuple[float, ...]:
    """Return the upright rectangle around one that may be rotated."""
    if drawn.rotation % 180 == 0 or len(drawn.points) != 4:
        return drawn.points
    left, top, right, bottom = drawn.points
    angle = math.radians(drawn.rotation)
    cosine, sine = abs(math.cos(angle)), abs(math.sin(angle))
    half_x = ((right - left) * cosine + (bottom - top) * sine) / 2
    half_y = ((right - left) * sine + (bottom - top) * cosine) / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    return x - half_x, y - half_y, x + half_x, y + half_y


def _item_named(annotations: Annotations, word: str) -> AnnotationItem:
    kind, _, number = word.rpartition(":")
    if not number.isdecimal() or kind not in ("", "shape", "track"):
        raise RemoteError(
            f"--object {word!r} is no id: expected a number as CVAT shows it, track:NUMBER or shape:NUMBER"
        )
    found = [
        item
        for item in annotations.items.values()
        if kind in ("", item.kind) and any(copy["id"] == int(number) for copy in item.held)
    ]
    if not found:
        known = ", ".join(str(item.id) for item in list(annotations.items.values())[:12]) or "none at all"
        raise RemoteError(f"there is no {kind or 'shape or track'} {number}; there are {known}. Was it saved in CVAT?")
    if len(found) > 1:
        raise RemoteError(f"both a shape and a track have the number {number}; write shape:{number} or track:{number}")
    return found[0]


def _is_drawn_on(item: AnnotationItem, frame: int) -> bool:
    if item.kind == "shape":
        return bool(item.raw["frame"] == frame)
    return any(key.get("frame") == frame and not key.get("outside") for key in item.raw.get("shapes", ()))


def _source(annotations: Annotations, parts: list[AnnotationItem], is_from_model: IsFromModel) -> TrackingSource:
    first = parts[0]
    head: LabeledShape | LabeledTrack
    head = parse(LabeledShape, first.raw) if first.kind == "shape" else parse(LabeledTrack, first.raw)
    superseded: list[AnnotationItem] = []
    if len(parts) == 1 and head.group:
        more, superseded = _same_object(annotations, first, head.group, head.label_id, is_from_model)
        parts = [*parts, *more]
    drawn: dict[int, ShapeData] = {}
    absent: set[int] = set()
    for part in parts:
        for shape in _drawn_shapes(part, is_from_model):
            _check_type(shape, part)
            if shape.outside:
                absent.add(shape.frame)
            elif shape.type != "rectangle" or shape.frame not in drawn:  # a rectangle around a mask says less than it
                drawn[shape.frame] = shape
    if not drawn:
        raise RemoteError(f"{first.described} is outside of the picture on all frames; draw it where it can be seen")
    members = annotations.groups.get(head.group, ())
    return TrackingSource(
        head.label_id,
        head.group,
        head.attributes,
        tuple(parts),
        drawn,
        frozenset(absent - drawn.keys()),
        tuple(superseded),
        frozenset((item.kind, int(copy["id"])) for item in members for copy in item.held),
    )


def _same_object(
    annotations: Annotations, first: AnnotationItem, group: int, label_id: int, is_from_model: IsFromModel
) -> tuple[list[AnnotationItem], list[AnnotationItem]]:
    """Find the rest of a group that is one object: what a person drew or changed, and what a model made just so."""
    members = [item for item in annotations.groups[group] if item.raw["label_id"] == label_id]
    shapes = [parse(LabeledShape, item.raw) for item in members if item.kind == "shape"]
    tracks = [parse(LabeledTrack, item.raw).is_rectangle for item in members if item.kind == "track"]
    if len(tracks) > len(set(tracks)) or not is_one_object(shapes):
        return [], []  # several objects: the group is about something else
    others = [item for item in members if item.key != first.key]
    made = [item for item in others if _is_made_by_model(item, is_from_model)]
    return [item for item in others if item not in made and _is_closed(item)], made


def _is_made_by_model(item: AnnotationItem, is_from_model: IsFromModel) -> bool:
    """Whether a model made it and nobody changed it; what this computer did not write is told by its source."""
    is_auto = bool(item.raw.get("source") == SOURCE_AUTO)
    if item.kind == "shape":
        known = is_from_model(item.raw)
        return is_auto if known is None else known
    return is_auto and all(is_from_model(key) for key in item.raw["shapes"])


def _is_closed(item: AnnotationItem) -> bool:
    return all(shape["type"] in SHAPE_TYPES for shape in item.raw.get("shapes", [item.raw]))


def _drawn_shapes(item: AnnotationItem, is_from_model: IsFromModel) -> list[ShapeData]:
    """Return a shape, or of a track the keyframes that a person drew; all of them if a person drew none."""
    if item.kind == "shape":
        return [parse(LabeledShape, item.raw)]
    keys = sorted(item.raw["shapes"], key=lambda key: int(key["frame"]))
    manual = [key for key in keys if not is_from_model(key)]
    is_seen = any(not key.get("outside") for key in manual)
    return [parse(ShapeData, key) for key in (manual if is_seen else keys)]


def _check_type(shape: ShapeData, item: AnnotationItem) -> None:
    if shape.type not in SHAPE_TYPES:
        instead = _INSTEAD.get(shape.type, "draw the object as a rectangle, a polygon or a mask")
        raise RemoteError(f"{item.described} is of the type {shape.type}, which cannot be tracked: {instead}")
