"""What is written to CVAT for tracked objects, and what that takes the place of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cvat_serverless.sdk.forms import Form, Originals
from cvat_serverless.sdk.keyframes import FrameShape, Keyframe, keyframes
from cvat_serverless.sdk.marks import content_of, mark_of, without_ids
from cvat_serverless.sdk.records import MANUAL, MODEL
from cvat_serverless.shapes import shape_of
from src_model.errors import RemoteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cvat_serverless.sdk.records import Annotations, Drawn, Kind, Label
    from cvat_serverless.sdk.sources import ShapeRef, Source
    from cvat_serverless.shapes import ShapeType
    from src_model.masks import Rle


@dataclass(slots=True)
class Change:
    """A change of annotations.

    Attributes
    ----------
    shapes, tracks
        What is written; one with an ``id`` takes the place of what has that number.
    replaced
        What is gone when ``shapes`` and ``tracks`` are written.
    later
        What is removed after that: CVAT cannot put a track in the place of a shape in one request.
    kept
        Originals that stay as they are.
    joined
        Originals, among ``replaced`` and ``later``, that stay but for the number of a group, which is their object's.
    groups
        What was in the groups of the objects when they were read.
    marks
        Marks of what the model made, not a person.
    """

    shapes: list[dict[str, Any]] = field(default_factory=list)
    tracks: list[dict[str, Any]] = field(default_factory=list)
    replaced: list[ShapeRef] = field(default_factory=list)
    later: list[ShapeRef] = field(default_factory=list)
    kept: list[ShapeRef] = field(default_factory=list)
    joined: list[ShapeRef] = field(default_factory=list)
    groups: dict[int, frozenset[tuple[Kind, int]]] = field(default_factory=dict)
    marks: list[str] = field(default_factory=list)

    @property
    def action(self) -> str:
        """What CVAT calls such a request."""
        return "update" if any("id" in item for item in (*self.shapes, *self.tracks)) else "create"


@dataclass(frozen=True, slots=True)
class Tracked:
    """A tracked object.

    Attributes
    ----------
    source
        What it was tracked from.
    masks
        By frame, as CVAT counts; empty where the object is not there.
    by_hand
        Frames whose masks are a person's work, besides those that ``source`` tells.
    """

    source: Source
    masks: Mapping[int, Rle]
    by_hand: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class TaskContents:
    """Where a change is made.

    Attributes
    ----------
    labels
        Of the task, by id.
    annotations
        As they are.
    last
        The last frame of the task or job.
    spans
        The frames of each job.
    """

    labels: Mapping[int, Label]
    annotations: Annotations
    last: int
    spans: Sequence[range]

    def keeps_its_number(self, part: ShapeRef) -> bool:
        """Whether what takes the place of a part can have its number, which belongs to one job alone."""
        if len(self.spans) == 1:
            return True
        return part.kind == "shape" and sum(part.raw["frame"] in span for span in self.spans) == 1


def check_label(label: Label, form: Form) -> None:
    """Raise RemoteError if a label takes no shapes of a form."""
    if label.type not in ("any", form.type):
        raise RemoteError(
            f"the label {label.name!r} takes shapes of the type {label.type} only, not {form.value}: choose another "
            "--as, or change the label in CVAT"
        )


def change_of(objects: Iterable[Tracked], form: Form, originals: Originals, scene: TaskContents) -> Change:
    """Decide what is written.

    Raises
    ------
    RemoteError
        If a label does not take such shapes.
    """
    change = Change()
    groups = set(scene.annotations.groups)
    for item in objects:
        source = item.source
        check_label(scene.labels[source.label_id], form)
        if source.group:
            change.groups[source.group] = source.members
        free = max(groups, default=0) + 1
        if form is Form.MASKS:
            group = _group(source, scene.annotations) or free
            _add_masks(change, item, group, originals, scene)
        else:
            stays = originals is Originals.AUTO and any(not _becomes(part, item, form) for part in source.parts)
            group = source.group or (free if stays or len(scene.spans) > 1 else 0)
            _add_track(change, item, form, originals, scene, group)
        groups.add(group)
    return change


def _group(source: Source, annotations: Annotations) -> int:
    """Return the group of an object if it is about nothing else, else 0."""
    if not source.group:
        return 0
    own = {(part.kind, part.id) for part in (*source.parts, *source.superseded)}
    members = {(kind, int(raw["id"])) for kind, raw in annotations.groups.get(source.group, ())}
    return source.group if members <= own else 0


# Masks ----------------------------------------------------------------------------------------------------------------


def _add_masks(change: Change, item: Tracked, group: int, originals: Originals, scene: TaskContents) -> None:
    source = item.source
    label = scene.labels[source.label_id]
    own = {part.raw["frame"]: part for part in source.parts if part.kind == "shape" and part.raw["type"] == "mask"}
    for part in source.parts:
        is_mask = own.get(part.raw["frame"]) is part and part.raw["frame"] in item.masks
        if originals is Originals.REMOVE and not is_mask:
            change.later.append(part)
        else:
            _leave(change, part, group, originals, scene)
    outdated = {part.raw["frame"]: part for part in source.superseded if _is_outdated_mask(part, item)}
    for frame, mask in item.masks.items():
        shape = None if frame in own else shape_of(mask, "mask")
        if shape is None:
            continue
        made = _shape(source, label, frame, shape.points, group)
        made["source"] = MANUAL if frame in item.by_hand else MODEL
        if frame in outdated and scene.keeps_its_number(outdated[frame]):
            before = outdated.pop(frame)
            made["id"] = before.id
            change.replaced.append(before)
        change.shapes.append(made)
        if frame not in item.by_hand:
            change.marks.append(mark_of(frame, "mask", shape.points, outside=False))
    change.later.extend(outdated.values())


def _is_outdated_mask(part: ShapeRef, item: Tracked) -> bool:
    return part.kind == "shape" and part.raw["frame"] in item.masks


def _leave(change: Change, part: ShapeRef, group: int, originals: Originals, scene: TaskContents) -> None:
    """Let an original stay; in no group yet, it joins that of its object, so that both are known as one.

    Where a person corrected the copy of one job, the other job gets the correction too.
    """
    differs = part.kind == "shape" and len({content_of(copy) for copy in part.copies}) > 1
    is_settled = not differs or (part.kind, part.id) in scene.annotations.disputed
    if (part.raw.get("group") and is_settled) or originals is Originals.KEEP:
        change.kept.append(part)
        return
    written = change.shapes if part.kind == "shape" else change.tracks
    joined = {**part.raw, "group": part.raw.get("group") or group}
    change.joined.append(part)
    if scene.keeps_its_number(part):
        written.append(joined)
        change.replaced.append(part)
    else:
        written.append(without_ids(joined))
        change.later.append(part)


def _shape(source: Source, label: Label, frame: int, points: tuple[float, ...], group: int) -> dict[str, Any]:
    drawn = source.drawn_before(frame)
    mutable = {spec.id for spec in label.attributes if spec.mutable}
    values = {value.spec_id: value.value for value in source.attributes}
    values |= {value.spec_id: value.value for value in drawn.attributes if value.spec_id in mutable}
    return {
        "type": "mask",
        "frame": frame,
        "label_id": source.label_id,
        "group": group,
        "occluded": False,
        "outside": False,
        "z_order": drawn.z_order,
        "rotation": 0.0,
        "points": list(points),
        "attributes": _values(values),
        "elements": [],
    }


# Tracks ---------------------------------------------------------------------------------------------------------------


def _add_track(
    change: Change, item: Tracked, form: Form, originals: Originals, scene: TaskContents, group: int
) -> None:
    source, frames = item.source, list(item.masks)
    looks = [_look(item, frame, form.type) for frame in frames]
    carried = _carried(item, form, originals)
    goes_on = any(raw["frame"] > frames[-1] for raw in carried)
    end = None if goes_on or frames[-1] >= scene.last else frames[-1] + 1
    keys = keyframes(looks, form.type, end=end)
    label = scene.labels[source.label_id]
    told = {look.frame for look in looks if look.drawn} | item.by_hand
    if keys or carried:
        shapes = sorted([*carried, *_key_shapes(source, label, keys, form.type)], key=lambda raw: int(raw["frame"]))
        track = _track(source, label, shapes, group)
        change.tracks.append(track)
        change.marks += [
            mark_of(key.frame, form.type, key.points, outside=key.outside) for key in keys if key.frame not in told
        ]
        _replace(change, track, item, form, originals, scene)
    else:
        change.kept.extend(source.parts)


def _look(item: Tracked, frame: int, kind: ShapeType) -> FrameShape:
    drawn = item.source.drawn.get(frame)
    if drawn is not None and _is_verbatim(drawn, kind):
        return FrameShape(frame, drawn.points, drawn=True)
    shape = shape_of(item.masks[frame], kind)
    return FrameShape(frame, None if shape is None else tuple(round(point, 2) for point in shape.points))


def _is_verbatim(drawn: Drawn, kind: ShapeType) -> bool:
    """Whether what a person drew can be a keyframe just as it is."""
    return drawn.type == kind and drawn.rotation == 0


def _carried(item: Tracked, form: Form, originals: Originals) -> list[dict[str, Any]]:
    """Keyframes of the tracks that are replaced, from before and after the frames that were tracked."""
    frames = list(item.masks)
    if originals is Originals.KEEP:
        return []
    carried: dict[int, dict[str, Any]] = {}
    for part in (*item.source.parts, *item.source.superseded):
        if part.kind == "track" and _track_becomes(part, form):
            for raw in part.raw["shapes"]:
                if not frames[0] <= raw["frame"] <= frames[-1]:
                    carried.setdefault(raw["frame"], without_ids(raw))
    return list(carried.values())


def _track_becomes(part: ShapeRef, form: Form) -> bool:
    return all(raw["type"] == form.type and not raw.get("rotation") for raw in part.raw["shapes"])


def _key_shapes(source: Source, label: Label, keys: Iterable[Keyframe], kind: ShapeType) -> list[dict[str, Any]]:
    mutable = {spec.id for spec in label.attributes if spec.mutable}
    shapes: list[dict[str, Any]] = []
    for place, key in enumerate(keys):
        exact = source.drawn.get(key.frame)
        drawn = source.drawn_before(key.frame)
        told = drawn if exact is not None or not place else None  # later ones keep what the last one said
        values = {value.spec_id: value.value for value in told.attributes} if told is not None else {}
        shapes.append(
            {
                "type": kind,
                "frame": key.frame,
                "outside": key.outside,
                "occluded": exact.occluded if exact is not None and not key.outside else False,
                "z_order": drawn.z_order,
                "rotation": 0.0,
                "points": list(key.points),
                "attributes": _values({spec: value for spec, value in values.items() if spec in mutable}),
            }
        )
    return shapes


def _track(source: Source, label: Label, shapes: list[dict[str, Any]], group: int) -> dict[str, Any]:
    mutable = {spec.id for spec in label.attributes if spec.mutable}
    return {
        "label_id": source.label_id,
        "frame": shapes[0]["frame"],
        "group": group,
        "source": MODEL,
        "attributes": _values(
            {value.spec_id: value.value for value in source.attributes if value.spec_id not in mutable}
        ),
        "shapes": shapes,
        "elements": [],
    }


def _becomes(part: ShapeRef, item: Tracked, form: Form) -> bool:
    """Whether a track holds all that a person drew as a part of its object, point for point."""
    if part.kind == "track":
        return _track_becomes(part, form)
    drawn = item.source.drawn.get(part.raw["frame"])
    if drawn is None or drawn.frame not in item.masks or not _is_verbatim(drawn, form.type):
        return False
    return drawn.type == part.raw["type"] and drawn.points == tuple(part.raw["points"])


def _replace(
    change: Change, track: dict[str, Any], item: Tracked, form: Form, originals: Originals, scene: TaskContents
) -> None:
    """Decide what the new track takes the place of."""
    made = [part for part in item.source.superseded if part.kind == "track" and _track_becomes(part, form)]
    for part in (*item.source.parts, *made):
        if originals is Originals.KEEP or not (_becomes(part, item, form) or originals is Originals.REMOVE):
            _leave(change, part, track["group"], originals, scene)
        elif part.kind == "track" and "id" not in track and scene.keeps_its_number(part):
            track["id"] = part.id
            change.replaced.append(part)
        else:
            change.later.append(part)


def _values(values: Mapping[int, str]) -> list[dict[str, Any]]:
    return [{"spec_id": spec, "value": value} for spec, value in sorted(values.items())]
