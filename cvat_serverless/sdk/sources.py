"""What an annotator drew of the objects that are to be tracked: on which frames, as what, and as part of what."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cvat_serverless.sdk.appearance import is_one_object
from cvat_serverless.sdk.records import MODEL, Drawn, Kind, ShapeInfo, TrackInfo, read
from cvat_serverless.shapes import SHAPE_TYPES, make_shape
from src_model.document.prompts import Prompt
from src_model.errors import FrameRangeError, RemoteError, RequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cvat_serverless.sdk.records import Annotations, AttributeValue

Judge = Callable[[dict[str, Any]], bool | None]
"""Tells of a shape or keyframe whether a model made it just so; None if that is not known."""

_INSTEAD = {
    "points": "points enclose nothing: draw a rectangle around the object, or click it with the AI tools' interactor",
    "polyline": "a line encloses nothing: draw a rectangle, a polygon or a mask around the object",
    "ellipse": "draw the object as a polygon, a rectangle or a mask instead",
    "skeleton": "a skeleton's points enclose nothing: draw a rectangle around the object",
    "cuboid": "draw a rectangle, a polygon or a mask around the object",
}


@dataclass(frozen=True, slots=True)
class ShapeRef:
    """A shape or a track as CVAT holds it.

    Attributes
    ----------
    kind
        Which of the two.
    raw
        As CVAT writes it.
    copies
        What jobs hold of it: one each.
    """

    kind: Kind
    raw: dict[str, Any] = field(repr=False)
    copies: tuple[dict[str, Any], ...] = field(repr=False)

    @property
    def id(self) -> int:
        """CVAT's number."""
        return int(self.raw["id"])

    @property
    def described(self) -> str:
        """What messages call it."""
        return f"{self.kind} {self.id}"


@dataclass(frozen=True)
class Source:
    """An object that is to be tracked.

    Attributes
    ----------
    label_id, group
        CVAT's.
    attributes
        Of the object, from the first part.
    parts
        What it was drawn as; the first one is what was asked for.
    drawn
        What a person drew of it, by frame.
    absent
        Frames from which on a person said that it is not there, up to the next drawn one.
    superseded
        Earlier results of a model for the same object, which new ones take the place of.
    members
        Numbers of all that was in its group.
    """

    label_id: int
    group: int
    attributes: tuple[AttributeValue, ...]
    parts: tuple[ShapeRef, ...]
    drawn: dict[int, Drawn]
    absent: frozenset[int] = frozenset()
    superseded: tuple[ShapeRef, ...] = ()
    members: frozenset[tuple[Kind, int]] = frozenset()

    def drawn_before(self, frame: int) -> Drawn:
        """Return what a person drew last up to a frame, or first after it."""
        return self.drawn[self._frames[max(0, bisect_right(self._frames, frame) - 1)]]

    @cached_property
    def _frames(self) -> list[int]:
        return sorted(self.drawn)

    def absent_frames(self, frames: Sequence[int]) -> tuple[int, ...]:
        """Return those of ``frames`` on which a person said that the object is not there."""
        found, gone = [], False
        marks = sorted(self.absent | self.drawn.keys())
        position = 0
        for frame in frames:
            while position < len(marks) and marks[position] <= frame:
                gone = marks[position] in self.absent
                position += 1
            if gone:
                found.append(frame)
        return tuple(found)


def named_sources(annotations: Annotations, names: Sequence[str], is_models: Judge) -> list[Source]:
    """Find objects by ids.

    Parameters
    ----------
    annotations
        Of the task.
    names
        ``"12"``, ``"track:12"`` or ``"shape:12"``; ``"12,40"`` is one object drawn as two.
    is_models
        Tells what a model made: that is no correction.

    Raises
    ------
    RemoteError
        If there is no such shape, or it cannot be tracked.
    """
    sources: list[Source] = []
    seen: set[tuple[Kind, int]] = set()
    for name in names:
        parts = [_part(annotations, word.strip()) for word in name.split(",")]
        if all((part.kind, part.id) in seen for part in parts):
            continue
        source = _source(annotations, parts, is_models)
        seen |= {(part.kind, part.id) for part in source.parts}
        sources.append(source)
    return sources


def sources_on(annotations: Annotations, frame: int, is_models: Judge) -> tuple[list[Source], tuple[str, ...]]:
    """Find all objects that are drawn on a frame.

    Returns
    -------
    tuple
        The objects, and what was left out because it cannot be tracked.

    Raises
    ------
    RemoteError
        If there is none.
    """
    sources: list[Source] = []
    left_out: list[str] = []
    seen: set[tuple[Kind, int]] = set()
    for part in _drawn_on(annotations, frame):
        if (part.kind, part.id) in seen:
            continue
        try:
            source = _source(annotations, [part], is_models)
        except RemoteError as error:
            left_out.append(str(error))
            continue
        seen |= {(each.kind, each.id) for each in (*source.parts, *source.superseded)}
        sources.append(source)
    if not sources:
        reason = left_out[0] if left_out else "draw the objects first, and save"
        raise RemoteError(f"there is nothing on frame {frame} that can be tracked: {reason}")
    return sources, tuple(left_out)


def prompts_of(source: Source, frames: Sequence[int], shape: tuple[int, int]) -> dict[int, Prompt]:
    """Turn what was drawn into prompts, by place in ``frames``; a rectangle is a box, all else a mask.

    Parameters
    ----------
    source
        The object.
    frames
        CVAT's numbers of the frames that are tracked.
    shape
        ``(Y, X)`` of the images.

    Raises
    ------
    FrameRangeError
        If nothing was drawn on these frames, or the shape that was asked for lies elsewhere.
    RemoteError
        If a shape cannot be meant.
    """
    places = {frame: place for place, frame in enumerate(frames)}
    inside = {frame: drawn for frame, drawn in source.drawn.items() if frame in places}
    if not inside:
        where = ", ".join(map(str, sorted(source.drawn)[:5]))
        raise FrameRangeError(
            f"{source.parts[0].described} is drawn on frame {where}, which is not among the frames to be tracked, "
            f"{frames[0]} to {frames[-1]} without deleted ones; choose others with --frames"
        )
    return {places[frame]: _prompt(source, drawn, shape) for frame, drawn in sorted(inside.items())}


def _prompt(source: Source, drawn: Drawn, image: tuple[int, int]) -> Prompt:
    try:
        if drawn.type == "rectangle":
            return Prompt(box=make_shape("rectangle", turned_box(drawn), image).box)
        return Prompt(mask=make_shape(drawn.type, drawn.points, image).mask(image))
    except RequestError as error:
        raise RemoteError(f"{source.parts[0].described} on frame {drawn.frame}: {error}") from error


def turned_box(drawn: Drawn) -> tuple[float, ...]:
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


def _part(annotations: Annotations, word: str) -> ShapeRef:
    kind, _, number = word.rpartition(":")
    if not number.isdecimal() or kind not in ("", "shape", "track"):
        raise RemoteError(
            f"--object {word!r} is no id: expected a number as CVAT shows it, track:NUMBER or shape:NUMBER"
        )
    kinds: tuple[Kind, ...] = ("shape", "track")
    parts = [
        ShapeRef(each, raw, annotations.copies_of(each, raw))
        for each in kinds
        if kind in ("", each)
        for raw in annotations.of(each)
    ]
    found = [part for part in parts if any(copy["id"] == int(number) for copy in part.copies)]
    if not found:
        known = ", ".join(str(raw["id"]) for raw in (*annotations.shapes, *annotations.tracks)[:12]) or "none at all"
        raise RemoteError(f"there is no {kind or 'shape or track'} {number}; there are {known}. Was it saved in CVAT?")
    if len(found) > 1:
        raise RemoteError(f"both a shape and a track have the number {number}; write shape:{number} or track:{number}")
    return found[0]


def _source(annotations: Annotations, parts: list[ShapeRef], is_models: Judge) -> Source:
    first = parts[0]
    head: ShapeInfo | TrackInfo = read(ShapeInfo, first.raw) if first.kind == "shape" else read(TrackInfo, first.raw)
    superseded: list[ShapeRef] = []
    members = annotations.groups.get(head.group, [])
    if len(parts) == 1 and head.group:
        more, superseded = _same_object(annotations, first, head.group, head.label_id, is_models)
        parts = [*parts, *more]
    drawn: dict[int, Drawn] = {}
    absent: set[int] = set()
    for part in parts:
        for look in _looks(part, is_models):
            _check_type(look, part)
            if look.outside:
                absent.add(look.frame)
            elif look.type != "rectangle" or look.frame not in drawn:  # a rectangle around a mask says less than it
                drawn[look.frame] = look
    if not drawn:
        raise RemoteError(f"{first.described} is outside of the picture on all frames; draw it where it can be seen")
    held = frozenset((kind, int(copy["id"])) for kind, raw in members for copy in annotations.copies_of(kind, raw))
    absent -= drawn.keys()
    return Source(
        head.label_id, head.group, head.attributes, tuple(parts), drawn, frozenset(absent), tuple(superseded), held
    )


def _same_object(
    annotations: Annotations, first: ShapeRef, group: int, label_id: int, is_models: Judge
) -> tuple[list[ShapeRef], list[ShapeRef]]:
    """Find the rest of a group that is one object: what a person drew or changed, and what a model made just so."""
    members = [
        ShapeRef(kind, raw, annotations.copies_of(kind, raw))
        for kind, raw in annotations.groups[group]
        if raw["label_id"] == label_id
    ]
    shapes = [part for part in members if part.kind == "shape"]
    tracks = [part for part in members if part.kind == "track"]
    kinds = [read(TrackInfo, part.raw).is_rectangle for part in tracks]
    if len(kinds) > len(set(kinds)) or not is_one_object(read(ShapeInfo, part.raw) for part in shapes):
        return [], []  # several things: the group is about something else
    others = [part for part in members if (part.kind, part.id) != (first.kind, first.id)]
    made = [part for part in others if _is_made(part, is_models)]
    drawn = [part for part in others if part not in made and _is_closed(part)]
    return drawn, made


def _is_made(part: ShapeRef, is_models: Judge) -> bool:
    """Whether a model made it and nobody changed it; what this computer did not write is judged by its source."""
    if part.kind == "shape":
        told = is_models(part.raw)
        return part.raw.get("source") == MODEL if told is None else told
    return part.raw.get("source") == MODEL and all(is_models(key) for key in part.raw["shapes"])


def _is_closed(part: ShapeRef) -> bool:
    looks = [part.raw] if part.kind == "shape" else part.raw["shapes"]
    return all(look["type"] in SHAPE_TYPES for look in looks)


def _looks(part: ShapeRef, is_models: Judge) -> list[Drawn]:
    if part.kind == "shape":
        return [read(ShapeInfo, part.raw)]
    keys = sorted(part.raw["shapes"], key=lambda key: int(key["frame"]))
    theirs = [key for key in keys if not is_models(key)]
    told = theirs if any(not key.get("outside") for key in theirs) else keys
    return [read(Drawn, key) for key in told]


def _check_type(look: Drawn, part: ShapeRef) -> None:
    if look.type not in SHAPE_TYPES:
        instead = _INSTEAD.get(look.type, "draw the object as a rectangle, a polygon or a mask")
        raise RemoteError(f"{part.described} is of the type {look.type}, which cannot be tracked: {instead}")


def _drawn_on(annotations: Annotations, frame: int) -> list[ShapeRef]:
    shapes = [
        ShapeRef("shape", raw, annotations.copies_of("shape", raw))
        for raw in annotations.shapes
        if raw["frame"] == frame
    ]
    tracks = [
        ShapeRef("track", raw, annotations.copies_of("track", raw))
        for raw in annotations.tracks
        if any(look.get("frame") == frame and not look.get("outside") for look in raw.get("shapes", ()))
    ]
    return shapes + tracks
