"""What is written to CVAT for tracked objects, and what that takes the place of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cvat_serverless.sdk.forms import Form, Originals
from cvat_serverless.sdk.keyframes import Keyframe, Look, keyframes
from cvat_serverless.sdk.marks import mark_of
from cvat_serverless.sdk.sources import MANUAL, MODEL, Part, Source
from cvat_serverless.shapes import shape_of
from src_model.errors import RemoteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cvat_serverless.sdk.records import Annotations, Drawn, Label
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
        Originals that stay.
    marks
        Marks of what the model made, not a person.
    """

    shapes: list[dict[str, Any]] = field(default_factory=list)
    tracks: list[dict[str, Any]] = field(default_factory=list)
    replaced: list[Part] = field(default_factory=list)
    later: list[Part] = field(default_factory=list)
    kept: list[Part] = field(default_factory=list)
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
class Scene:
    """Where a change is made.

    Attributes
    ----------
    labels
        Of the task, by id.
    annotations
        As they are.
    last
        The last frame of the task or job.
    """

    labels: Mapping[int, Label]
    annotations: Annotations
    last: int


def check_label(label: Label, form: Form) -> None:
    """Raise RemoteError if a label takes no shapes of a form."""
    if label.type not in ("any", form.type):
        raise RemoteError(
            f"the label {label.name!r} takes shapes of the type {label.type} only, not {form.value}: choose another "
            "--as, or change the label in CVAT"
        )


def change_of(objects: Iterable[Tracked], form: Form, originals: Originals, scene: Scene) -> Change:
    """Decide what is written.

    Raises
    ------
    RemoteError
        If a label does not take such shapes.
    """
    change = Change()
    groups = set(scene.annotations.groups)
    for item in objects:
        check_label(scene.labels[item.source.label_id], form)
        if form is Form.MASKS:
            group = _group(item.source, scene.annotations) or max(groups, default=0) + 1
            groups.add(group)
            _add_masks(change, item, group, originals, scene)
        else:
            _add_track(change, item, form, originals, scene)
    return change


def _group(source: Source, annotations: Annotations) -> int:
    """Return the group of an object if it is about nothing else, else 0."""
    if not source.group:
        return 0
    own = {(part.kind, part.id) for part in (*source.parts, *source.superseded)}
    members = {(kind, int(raw["id"])) for kind, raw in annotations.groups.get(source.group, ())}
    return source.group if members <= own else 0


# Masks ----------------------------------------------------------------------------------------------------------------


def _add_masks(change: Change, item: Tracked, group: int, originals: Originals, scene: Scene) -> None:
    source = item.source
    label = scene.labels[source.label_id]
    own = {part.raw["frame"]: part for part in source.parts if part.kind == "shape" and part.raw["type"] == "mask"}
    for part in source.parts:
        if own.get(part.raw["frame"]) is part and part.raw["frame"] in item.masks:
            if not source.group and originals is not Originals.KEEP:
                change.shapes.append({**part.raw, "group": group})
                change.replaced.append(part)
            else:
                change.kept.append(part)
        elif originals is Originals.REMOVE:
            change.later.append(part)
        else:
            change.kept.append(part)
    outdated = {part.raw["frame"]: part for part in source.superseded if part.raw["frame"] in item.masks}
    for frame, mask in item.masks.items():
        shape = None if frame in own else shape_of(mask, "mask")
        if shape is None:
            continue
        made = _shape(source, label, frame, shape.points, group)
        made["source"] = MANUAL if frame in item.by_hand else MODEL
        if (before := outdated.pop(frame, None)) is not None:
            made["id"] = before.id
            change.replaced.append(before)
        change.shapes.append(made)
        if frame not in item.by_hand:
            change.marks.append(mark_of(frame, "mask", shape.points, outside=False))
    change.later.extend(outdated.values())


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


def _add_track(change: Change, item: Tracked, form: Form, originals: Originals, scene: Scene) -> None:
    source, frames = item.source, list(item.masks)
    looks = [_look(item, frame, form.type) for frame in frames]
    carried = _carried(source, form, originals, frames)
    goes_on = any(raw["frame"] > frames[-1] for raw in carried)
    end = None if goes_on or frames[-1] >= scene.last else frames[-1] + 1
    keys = keyframes(looks, form.type, end=end)
    label = scene.labels[source.label_id]
    by_hand = {look.frame for look in looks if look.drawn}
    told = by_hand | item.by_hand
    if keys or carried:
        shapes = sorted([*carried, *_key_shapes(source, label, keys, form.type)], key=lambda raw: int(raw["frame"]))
        track = _track(source, label, shapes)
        change.tracks.append(track)
        change.marks += [
            mark_of(key.frame, form.type, key.points, outside=key.outside) for key in keys if key.frame not in told
        ]
        _replace(change, track, source, form, originals, by_hand)
    else:
        change.kept.extend(source.parts)


def _look(item: Tracked, frame: int, kind: ShapeType) -> Look:
    drawn = item.source.drawn.get(frame)
    if drawn is not None and _is_verbatim(drawn, kind):
        return Look(frame, drawn.points, drawn=True)
    shape = shape_of(item.masks[frame], kind)
    return Look(frame, None if shape is None else tuple(round(point, 2) for point in shape.points))


def _is_verbatim(drawn: Drawn, kind: ShapeType) -> bool:
    """Whether what a person drew can be a keyframe just as it is."""
    return drawn.type == kind and drawn.rotation == 0


def _carried(source: Source, form: Form, originals: Originals, frames: Sequence[int]) -> list[dict[str, Any]]:
    """Keyframes of a track that is replaced, from before and after the frames that were tracked."""
    first = source.parts[0] if source.parts else None
    if first is None or first.kind != "track" or originals is Originals.KEEP or not _track_becomes(first, form):
        return []
    return [
        {name: value for name, value in raw.items() if name != "id"}
        for raw in first.raw["shapes"]
        if not frames[0] <= raw["frame"] <= frames[-1]
    ]


def _track_becomes(part: Part, form: Form) -> bool:
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


def _track(source: Source, label: Label, shapes: list[dict[str, Any]]) -> dict[str, Any]:
    mutable = {spec.id for spec in label.attributes if spec.mutable}
    return {
        "label_id": source.label_id,
        "frame": shapes[0]["frame"],
        "group": source.group,
        "source": MODEL,
        "attributes": _values(
            {value.spec_id: value.value for value in source.attributes if value.spec_id not in mutable}
        ),
        "shapes": shapes,
        "elements": [],
    }


def _replace(
    change: Change, track: dict[str, Any], source: Source, form: Form, originals: Originals, by_hand: set[int]
) -> None:
    """Decide what the new track takes the place of."""
    for part in source.parts:
        if part.kind == "track":
            becomes = _track_becomes(part, form)
        else:
            becomes = part.raw["type"] == form.type and part.raw["frame"] in by_hand
        if originals is Originals.KEEP or not (becomes or originals is Originals.REMOVE):
            change.kept.append(part)
        elif part.kind == "track" and "id" not in track:
            track["id"] = part.id
            change.replaced.append(part)
        else:
            change.later.append(part)


def _values(values: Mapping[int, str]) -> list[dict[str, Any]]:
    return [{"spec_id": spec, "value": value} for spec, value in sorted(values.items())]
