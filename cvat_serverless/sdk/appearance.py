"""How things look on each frame by what CVAT holds of them, and which shapes are one thing."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from cvat_serverless.sdk.records import MANUAL, MODEL, Drawn, ShapeInfo, TrackInfo, read
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
    boxes
        Rectangles that a person drew of it beside something that tells more.
    """

    label_id: int
    group: int
    frames: dict[int, Drawn | None] = field(default_factory=dict)
    keys: set[int] = field(default_factory=set)
    by_hand: set[int] = field(default_factory=set)
    is_track: bool = False
    boxes: dict[int, Drawn] = field(default_factory=dict)


def looks_same(first: Drawn | None, second: Drawn | None) -> bool:
    """Tell whether two looks are the same, to a tenth of a pixel."""
    if first is None or second is None:
        return first is second
    return _rounded(first) == _rounded(second)


def likeness(first: Drawn | None, second: Drawn | None) -> float:
    """Tell how alike two looks are: 1 if they are the same, else the overlap (IoU) of their boxes."""
    if looks_same(first, second):
        return 1.0
    if first is None or second is None or first.type != second.type or not (first.points and second.points):
        return 0.0
    (left, top, right, bottom), (left_2, top_2, right_2, bottom_2) = first.bounds, second.bounds
    width, height = min(right, right_2) - max(left, left_2), min(bottom, bottom_2) - max(top, top_2)
    if width <= 0 or height <= 0:
        return 0.0
    both = (right - left) * (bottom - top) + (right_2 - left_2) * (bottom_2 - top_2)
    return width * height / (both - width * height)


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
        if track.group in shapes:  # a part of it was drawn as single shapes
            _add_shapes(thing, shapes[track.group])
        things[track.group] = thing
    return things


def things_of(annotations: Annotations, last: int) -> tuple[list[Thing], int]:
    """Return everything, and how many shapes and tracks were left out because they enclose nothing.

    A track is one thing; so are the shapes of a group with one label if there is at most one on each frame. Rectangles
    of the same group are part of that. Any other shape is a thing of its own.
    """
    shapes, tracks = _shapes(annotations), _tracks(annotations)
    usable = [shape for shape in shapes if shape.type in SHAPE_TYPES]
    closed = [track for track in tracks if all(look.type in SHAPE_TYPES for look in track.shapes)]
    things = _of_tracks([track for track in closed if track.shapes], last)
    clusters: defaultdict[tuple[int, int, int], list[ShapeInfo]] = defaultdict(list)
    for place, shape in enumerate(usable):
        clusters[shape.group, shape.label_id, 0 if shape.group else place + 1].append(shape)
    for (group, label_id, _), found in clusters.items():
        if not is_one_object(found):
            things += [_of_shapes([shape], last) for shape in found]
            continue
        tracks_of_it = [thing for thing in things if group and (thing.group, thing.label_id) == (group, label_id)]
        if len(tracks_of_it) == 1:
            _add_shapes(tracks_of_it[0], found)
        else:
            things.append(_of_shapes(found, last))
    return things, len(shapes) - len(usable) + len(tracks) - len(closed)


def is_one_object(shapes: Iterable[Drawn]) -> bool:
    """Whether shapes of a group can be one object: on no frame are there two, but for a rectangle around another."""
    counts = Counter((shape.frame, shape.type == "rectangle") for shape in shapes)
    return max(counts.values(), default=0) <= 1


def _of_shapes(shapes: Sequence[ShapeInfo], last: int) -> Thing:
    thing = Thing(shapes[0].label_id, shapes[0].group, dict.fromkeys(range(last + 1)))
    _add_shapes(thing, shapes)
    return thing


def _add_shapes(thing: Thing, shapes: Iterable[ShapeInfo]) -> None:
    """Add single shapes; what encloses the object itself tells more than a rectangle around it."""
    for shape in sorted(shapes, key=lambda shape: shape.type == "rectangle"):
        known = thing.frames.get(shape.frame)
        if shape.type == "rectangle" and known is not None and known.type != "rectangle":
            thing.boxes[shape.frame] = shape
            continue
        if known is not None and known.type == "rectangle" and shape.type != "rectangle":
            thing.boxes[shape.frame] = known
        thing.frames[shape.frame] = shape
        thing.keys.add(shape.frame)
        if shape.source != MODEL:
            thing.by_hand.add(shape.frame)
        else:
            thing.by_hand.discard(shape.frame)


def _of_track(track: TrackInfo, last: int) -> Thing:
    thing = Thing(track.label_id, track.group, looks_of(track, last), is_track=True)
    thing.keys = {look.frame for look in track.shapes}
    if track.source == MANUAL:
        thing.by_hand = {look.frame for look in track.shapes if not look.outside}
    return thing


def _of_tracks(tracks: Iterable[TrackInfo], last: int) -> list[Thing]:
    """Return a thing for each track; a track of rectangles beside another of its group tells where to look for it."""
    clusters: defaultdict[tuple[int, int, int], list[TrackInfo]] = defaultdict(list)
    for place, track in enumerate(tracks):
        clusters[track.group, track.label_id, 0 if track.group else place + 1].append(track)
    things = []
    for found in clusters.values():
        boxes = [track for track in found if track.is_rectangle]
        outlines = [track for track in found if not track.is_rectangle]
        if len(boxes) == len(outlines) == 1:
            thing = _of_track(outlines[0], last)
            thing.boxes = {look.frame: look for look in boxes[0].shapes if not look.outside}
            things.append(thing)
        else:
            things += [_of_track(track, last) for track in found]
    return things


def looks_of(track: TrackInfo, last: int) -> dict[int, Drawn | None]:
    """Return how a track looks on each frame up to ``last``; as in :attr:`Thing.frames`."""
    looks = sorted(track.shapes, key=lambda look: look.frame)
    frames: dict[int, Drawn | None] = dict.fromkeys(range(looks[0].frame))
    for look, following in pairwise([*looks, None]):
        if look is None:
            continue
        frames[look.frame] = None if look.outside else look
        stop = last + 1 if following is None else following.frame
        frames |= _between(look, following, range(look.frame + 1, stop))
    return frames


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
