"""How things look on each frame by what CVAT holds of them, and which shapes are one thing."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from cvat_serverless.sdk.records import Drawn, ShapeInfo, TrackInfo, read
from cvat_serverless.sdk.sources import MANUAL, MODEL
from cvat_serverless.shapes import SHAPE_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cvat_serverless.sdk.records import Annotations


@dataclass(slots=True)
class Thing:
    """What CVAT holds of one thing.

    Attributes
    ----------
    label_id, group
        CVAT's.
    frames
        How it looks; None where it is not there. Where nothing can be said, a frame is missing: CVAT mixes polygons of
        keyframes in a way of its own.
    keys
        Frames for which CVAT holds a shape or keyframe of it.
    by_hand
        Those that a person drew.
    is_track
        Whether it is a track, so that there is something to say about the frames between.
    """

    label_id: int
    group: int
    frames: dict[int, Drawn | None] = field(default_factory=dict)
    keys: set[int] = field(default_factory=set)
    by_hand: set[int] = field(default_factory=set)
    is_track: bool = False


def looks_same(first: Drawn | None, second: Drawn | None) -> bool:
    """Tell whether two looks are the same, to a tenth of a pixel."""
    if first is None or second is None:
        return first is second
    return _rounded(first) == _rounded(second)


def by_group(annotations: Annotations, last: int) -> dict[int, Thing]:
    """Return all that has a group, by group.

    Parameters
    ----------
    annotations
        Ids do not matter.
    last
        The last frame of the task.
    """
    shapes: defaultdict[int, list[ShapeInfo]] = defaultdict(list)
    for shape in _shapes(annotations):
        shapes[shape.group].append(shape)
    things = {group: _of_shapes(found, last) for group, found in shapes.items() if group}
    for track in _tracks(annotations):
        if not track.group:
            continue
        thing = _of_track(track, last)
        if track.group in things:  # a part of it was drawn as single shapes
            drawn = {frame: look for frame, look in things[track.group].frames.items() if look is not None}
            thing.frames |= drawn
        things[track.group] = thing
    return things


def things_of(annotations: Annotations, last: int) -> tuple[list[Thing], int]:
    """Return everything, and how many shapes and tracks were left out because they enclose nothing.

    A track is one thing; so are the shapes of a group with one label if there is at most one on each frame. Any other
    shape is a thing of its own.
    """
    shapes, tracks = _shapes(annotations), _tracks(annotations)
    usable = [shape for shape in shapes if shape.type in SHAPE_TYPES]
    closed = [track for track in tracks if all(look.type in SHAPE_TYPES for look in track.shapes)]
    things = [_of_track(track, last) for track in closed if track.shapes]
    clusters: defaultdict[tuple[int, int, int], list[ShapeInfo]] = defaultdict(list)
    for place, shape in enumerate(usable):
        clusters[shape.group, shape.label_id, 0 if shape.group else place + 1].append(shape)
    for found in clusters.values():
        together = max(Counter(shape.frame for shape in found).values()) == 1
        things += [_of_shapes(part, last) for part in ([found] if together else [[shape] for shape in found])]
    return things, len(shapes) - len(usable) + len(tracks) - len(closed)


def _of_shapes(shapes: Sequence[ShapeInfo], last: int) -> Thing:
    thing = Thing(shapes[0].label_id, shapes[0].group, dict.fromkeys(range(last + 1)))
    thing.keys = {shape.frame for shape in shapes}
    for shape in shapes:
        thing.frames[shape.frame] = shape
        if shape.source != MODEL:
            thing.by_hand.add(shape.frame)
    return thing


def _of_track(track: TrackInfo, last: int) -> Thing:
    looks = sorted(track.shapes, key=lambda look: look.frame)
    thing = Thing(track.label_id, track.group, dict.fromkeys(range(looks[0].frame)), is_track=True)
    thing.keys = {look.frame for look in looks}
    for look, following in pairwise([*looks, None]):
        if look is None:
            continue
        thing.frames[look.frame] = None if look.outside else look
        stop = last + 1 if following is None else following.frame
        thing.frames |= _between(look, following, range(look.frame + 1, stop))
    if track.source == MANUAL:
        thing.by_hand = {look.frame for look in looks if not look.outside}
    return thing


def _between(look: Drawn, following: Drawn | None, frames: Iterable[int]) -> dict[int, Drawn | None]:
    if look.outside:
        return dict.fromkeys(frames)
    if following is None or _rounded(look) == _rounded(following):
        return dict.fromkeys(frames, look)
    if look.type != "rectangle" or following.type != "rectangle":
        return {}
    found: dict[int, Drawn | None] = {}
    for frame in frames:
        along = (frame - look.frame) / (following.frame - look.frame)
        points = tuple(a * (1 - along) + b * along for a, b in zip(look.points, following.points, strict=True))
        found[frame] = look.model_copy(update={"frame": frame, "points": points})
    return found


def _shapes(annotations: Annotations) -> list[ShapeInfo]:
    return [read(ShapeInfo, {"id": 0, **raw}) for raw in annotations.shapes]


def _tracks(annotations: Annotations) -> list[TrackInfo]:
    return [read(TrackInfo, {"id": 0, **raw}) for raw in annotations.tracks]


def _rounded(look: Drawn) -> tuple[str, float, tuple[float, ...]]:
    return look.type, look.rotation, tuple(round(point, 1) for point in look.points)
