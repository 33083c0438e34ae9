"""The objects of a task: which shapes and tracks are one object, and where it is on each frame."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from cvat_serverless.sdk.schemas import SOURCE_AUTO, SOURCE_MANUAL, LabeledShape, LabeledTrack, ShapeData, parse
from cvat_serverless.shapes import SHAPE_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cvat_serverless.sdk.schemas import Annotations


@dataclass(slots=True)
class CvatObject:
    """An object of a task, drawn as single shapes, as a track, or as both.

    Attributes
    ----------
    label_id
        CVAT's id of its label.
    group
        Number of its group; 0 if it is in none.
    shapes
        Where it is, by frame; None if it is not there. Frames of which nothing can be said are missing: CVAT mixes the
        polygons of two keyframes in a way of its own.
    keyframes
        Frames for which CVAT holds a shape or a keyframe of it.
    manual_frames
        Those of them that a person drew.
    is_track
        Whether it is a track, so that there is something to say about the frames between.
    boxes
        By frame, rectangles that a person drew around it beside a polygon or mask, which tells more.
    """

    label_id: int
    group: int
    shapes: dict[int, ShapeData | None] = field(default_factory=dict)
    keyframes: set[int] = field(default_factory=set)
    manual_frames: set[int] = field(default_factory=set)
    is_track: bool = False
    boxes: dict[int, ShapeData] = field(default_factory=dict)


def same_shape(first: ShapeData | None, second: ShapeData | None) -> bool:
    """Tell whether two shapes are the same, to a tenth of a pixel; None stands for an object that is not there."""
    if first is None or second is None:
        return first is second
    return _rounded(first) == _rounded(second)


def shape_overlap(first: ShapeData | None, second: ShapeData | None) -> float:
    """Return 1 for shapes that are the same, else the IoU of their boxes, 0 to 1.

    It is asked for every pair of shapes of two jobs, and NumPy takes ten times as long for two boxes.
    """
    if same_shape(first, second):
        return 1.0
    if first is None or second is None or first.type != second.type or not (first.points and second.points):
        return 0.0
    (left, top, right, bottom), (left_2, top_2, right_2, bottom_2) = first.bounds, second.bounds
    width, height = min(right, right_2) - max(left, left_2), min(bottom, bottom_2) - max(top, top_2)
    if width <= 0 or height <= 0:
        return 0.0
    both = (right - left) * (bottom - top) + (right_2 - left_2) * (bottom_2 - top_2)
    return width * height / (both - width * height)


def objects_by_group(annotations: Annotations, last: int) -> dict[int, CvatObject]:
    """Return all that has a group and is of a kind that a document can hold, one object a group.

    Parameters
    ----------
    annotations
        Shapes and tracks, with or without ids.
    last
        The last frame of the task.
    """
    shapes: defaultdict[int, list[LabeledShape]] = defaultdict(list)
    for shape in _shapes(annotations):
        if shape.type in SHAPE_TYPES:
            shapes[shape.group].append(shape)
    objects = {group: _from_shapes(found, last) for group, found in shapes.items() if group}
    for track in _tracks(annotations):
        if not track.group:
            continue
        item = _from_track(track, last)
        if track.group in shapes:  # a part of it was drawn as single shapes
            _add_shapes(item, shapes[track.group])
        objects[track.group] = item
    return objects


def objects_in(annotations: Annotations, last: int) -> tuple[list[CvatObject], int]:
    """Return all objects, and how many shapes and tracks were left out because they enclose nothing.

    A track is one object; so are the shapes of a group with one label if there is at most one on each frame. Rectangles
    of the same group are part of that. Any other shape is an object of its own.
    """
    shapes, tracks = _shapes(annotations), _tracks(annotations)
    usable = [shape for shape in shapes if shape.type in SHAPE_TYPES]
    closed = [track for track in tracks if all(key.type in SHAPE_TYPES for key in track.shapes)]
    objects = _from_tracks([track for track in closed if track.shapes], last)
    clusters: defaultdict[tuple[int, int, int], list[LabeledShape]] = defaultdict(list)
    for index, shape in enumerate(usable):
        clusters[shape.group, shape.label_id, 0 if shape.group else index + 1].append(shape)
    for (group, label_id, _), found in clusters.items():
        if not is_one_object(found):
            objects += [_from_shapes([shape], last) for shape in found]
            continue
        tracks_of_it = [item for item in objects if group and (item.group, item.label_id) == (group, label_id)]
        if len(tracks_of_it) == 1:
            _add_shapes(tracks_of_it[0], found)
        else:
            objects.append(_from_shapes(found, last))
    return objects, len(shapes) - len(usable) + len(tracks) - len(closed)


def is_one_object(shapes: Iterable[ShapeData]) -> bool:
    """Whether shapes of a group can be one object: on no frame are there two, but for a rectangle around another."""
    counts = Counter((shape.frame, shape.type == "rectangle") for shape in shapes)
    return max(counts.values(), default=0) <= 1


def shapes_by_frame(track: LabeledTrack, last: int) -> dict[int, ShapeData | None]:
    """Return where a track is on each frame up to ``last``; as in :attr:`CvatObject.shapes`."""
    keys = sorted(track.shapes, key=lambda key: key.frame)
    shapes: dict[int, ShapeData | None] = dict.fromkeys(range(keys[0].frame))
    for key, following in pairwise([*keys, None]):
        if key is None:
            continue
        shapes[key.frame] = None if key.outside else key
        stop = last + 1 if following is None else following.frame
        shapes |= _between(key, following, range(key.frame + 1, stop))
    return shapes


def _between(key: ShapeData, following: ShapeData | None, frames: Iterable[int]) -> dict[int, ShapeData | None]:
    """Return where a track is between two keyframes, as CVAT's page shows it."""
    if key.outside:
        return dict.fromkeys(frames)
    if following is None or _rounded(key) == _rounded(following):
        return dict.fromkeys(frames, key)
    if key.type != "rectangle" or following.type != "rectangle":
        return {}
    shapes: dict[int, ShapeData | None] = {}
    for frame in frames:
        along = (frame - key.frame) / (following.frame - key.frame)
        points = tuple(a * (1 - along) + b * along for a, b in zip(key.points, following.points, strict=True))
        shapes[frame] = key.model_copy(update={"frame": frame, "points": points})
    return shapes


def _from_shapes(shapes: Sequence[LabeledShape], last: int) -> CvatObject:
    item = CvatObject(shapes[0].label_id, shapes[0].group, dict.fromkeys(range(last + 1)))
    _add_shapes(item, shapes)
    return item


def _add_shapes(item: CvatObject, shapes: Iterable[LabeledShape]) -> None:
    """Add single shapes; a polygon or mask tells more than a rectangle around it."""
    for shape in sorted(shapes, key=lambda shape: shape.type == "rectangle"):
        known = item.shapes.get(shape.frame)
        if shape.type == "rectangle" and known is not None and known.type != "rectangle":
            item.boxes[shape.frame] = shape
            continue
        if known is not None and known.type == "rectangle" and shape.type != "rectangle":
            item.boxes[shape.frame] = known
        item.shapes[shape.frame] = shape
        item.keyframes.add(shape.frame)
        if shape.source != SOURCE_AUTO:
            item.manual_frames.add(shape.frame)
        else:
            item.manual_frames.discard(shape.frame)


def _from_track(track: LabeledTrack, last: int) -> CvatObject:
    item = CvatObject(track.label_id, track.group, shapes_by_frame(track, last), is_track=True)
    item.keyframes = {key.frame for key in track.shapes}
    if track.source == SOURCE_MANUAL:
        item.manual_frames = {key.frame for key in track.shapes if not key.outside}
    return item


def _from_tracks(tracks: Iterable[LabeledTrack], last: int) -> list[CvatObject]:
    """Return an object for each track; a rectangle track beside another of its group tells where to look for it."""
    clusters: defaultdict[tuple[int, int, int], list[LabeledTrack]] = defaultdict(list)
    for index, track in enumerate(tracks):
        clusters[track.group, track.label_id, 0 if track.group else index + 1].append(track)
    objects = []
    for found in clusters.values():
        boxes = [track for track in found if track.is_rectangle]
        outlines = [track for track in found if not track.is_rectangle]
        if len(boxes) == len(outlines) == 1:
            item = _from_track(outlines[0], last)
            item.boxes = {key.frame: key for key in boxes[0].shapes if not key.outside}
            objects.append(item)
        else:
            objects += [_from_track(track, last) for track in found]
    return objects


def _shapes(annotations: Annotations) -> list[LabeledShape]:
    return [parse(LabeledShape, {"id": 0, **raw}) for raw in annotations.shapes]


def _tracks(annotations: Annotations) -> list[LabeledTrack]:
    return [parse(LabeledTrack, {"id": 0, **raw}) for raw in annotations.tracks]


def _rounded(shape: ShapeData) -> tuple[str, float, tuple[float, ...]]:
    return shape.type, shape.rotation, tuple(round(point, 1) for point in shape.points)
