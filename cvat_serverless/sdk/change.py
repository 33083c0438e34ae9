"""What is written to CVAT for tracked objects, and what that takes the place of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cvat_serverless.sdk.fingerprints import content_of, geometry_key, without_ids
from cvat_serverless.sdk.keyframes import FrameShape, Keyframe, choose_keyframes
from cvat_serverless.sdk.output_type import Originals, OutputType
from cvat_serverless.sdk.schemas import SOURCE_AUTO, SOURCE_MANUAL
from cvat_serverless.shapes import shape_of
from src_model.errors import RemoteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cvat_serverless.sdk.schemas import AnnotationItem, Annotations, ItemKey, Label, RawItem, ShapeData
    from cvat_serverless.sdk.sources import TrackingSource
    from src_model.masks import Rle


@dataclass(slots=True)
class AnnotationChange:
    """A change of the annotations of a task.

    Attributes
    ----------
    shapes, tracks
        What is written; one with an ``id`` takes the place of the item that has this id.
    replaced
        Items that are gone when ``shapes`` and ``tracks`` are written.
    removed_after
        Items that are removed after that: CVAT cannot put a track in the place of a shape in one request.
    kept
        Originals that stay as they are.
    regrouped
        Originals, among ``replaced`` and ``removed_after``, that stay but for the number of their group.
    groups
        By number, what was in the groups of the objects when they were read.
    model_geometry
        :func:`~cvat_serverless.sdk.fingerprints.geometry_key` of what the model made, not a person.
    """

    shapes: list[RawItem] = field(default_factory=list)
    tracks: list[RawItem] = field(default_factory=list)
    replaced: list[AnnotationItem] = field(default_factory=list)
    removed_after: list[AnnotationItem] = field(default_factory=list)
    kept: list[AnnotationItem] = field(default_factory=list)
    regrouped: list[AnnotationItem] = field(default_factory=list)
    groups: dict[int, frozenset[ItemKey]] = field(default_factory=dict)
    model_geometry: list[str] = field(default_factory=list)

    @property
    def action(self) -> str:
        """What CVAT calls such a request."""
        return "update" if any("id" in item for item in (*self.shapes, *self.tracks)) else "create"


@dataclass(frozen=True, slots=True)
class TrackedMasks:
    """A tracked object.

    Attributes
    ----------
    source
        What it was tracked from.
    masks
        Its masks by frame, as CVAT counts; an empty one where it is not there.
    manual_frames
        Frames whose masks are a person's work, besides those that ``source`` tells.
    """

    source: TrackingSource
    masks: Mapping[int, Rle]
    manual_frames: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class TaskContents:
    """What a change is made of.

    Attributes
    ----------
    labels
        Labels of the task by id.
    annotations
        Its annotations as they are.
    last
        The last frame of the task or job.
    spans
        The frames of each job.
    """

    labels: Mapping[int, Label]
    annotations: Annotations
    last: int
    spans: Sequence[range]

    def keeps_id(self, item: AnnotationItem) -> bool:
        """Whether what takes the place of an item can have its id, which belongs to one job alone."""
        if len(self.spans) == 1:
            return True
        return item.kind == "shape" and sum(item.raw["frame"] in span for span in self.spans) == 1


def check_label(label: Label, output: OutputType) -> None:
    """Raise RemoteError if a label takes no shapes of a type."""
    if label.type not in ("any", output.shape_type):
        raise RemoteError(
            f"the label {label.name!r} takes shapes of the type {label.type} only, not {output.value}: choose another "
            "--as, or change the label in CVAT"
        )


def plan_change(
    objects: Iterable[TrackedMasks], output: OutputType, originals: Originals, contents: TaskContents
) -> AnnotationChange:
    """Decide what is written for tracked objects.

    Parameters
    ----------
    objects
        The tracked objects with their masks.
    output
        What the objects become in CVAT.
    originals
        What becomes of the shapes and tracks they were tracked from.
    contents
        Labels, jobs and annotations of the task.

    Raises
    ------
    RemoteError
        If a label does not take such shapes.
    """
    planner = _Planner(output, originals, contents)
    for item in objects:
        planner.add(item)
    return planner.change


class _Planner:
    """Adds one object after the other to a change; parameters as in :func:`plan_change`."""

    def __init__(self, output: OutputType, originals: Originals, contents: TaskContents) -> None:
        self.change = AnnotationChange()
        self._output = output
        self._type = output.shape_type
        self._originals = originals
        self._contents = contents
        self._groups = set(contents.annotations.groups)

    def add(self, item: TrackedMasks) -> None:
        """Decide what is written for an object."""
        source = item.source
        label = self._contents.labels[source.label_id]
        check_label(label, self._output)
        if source.group:
            self.change.groups[source.group] = source.members
        group = self._group(item)
        if self._output is OutputType.MASKS:
            self._add_masks(item, label, group)
        else:
            self._add_track(item, label, group)
        self._groups.add(group)

    def _group(self, item: TrackedMasks) -> int:
        """Return the group by which all of an object is known as one; 0 for a track alone, which needs none."""
        source = item.source
        free = max(self._groups, default=0) + 1
        if self._output is OutputType.MASKS:
            # Its own, if that is about nothing else.
            own = {each.key for each in (*source.parts, *source.superseded)}
            members = {each.key for each in self._contents.annotations.groups.get(source.group, ())}
            return source.group if source.group and members <= own else free
        stays = self._originals is Originals.AUTO and any(not self._becomes(each, item) for each in source.parts)
        return source.group or (free if stays or len(self._contents.spans) > 1 else 0)

    def _leave(self, original: AnnotationItem, group: int) -> None:
        """Let an original stay; in no group yet, it joins that of its object, so that both are known as one.

        Where a person corrected the copy of one job, the other job gets the correction too.
        """
        differs = original.kind == "shape" and len({content_of(copy) for copy in original.held}) > 1
        is_settled = not differs or original.key in self._contents.annotations.conflicts
        if (original.raw.get("group") and is_settled) or self._originals is Originals.KEEP:
            self.change.kept.append(original)
            return
        written = self.change.shapes if original.kind == "shape" else self.change.tracks
        regrouped = {**original.raw, "group": original.raw.get("group") or group}
        self.change.regrouped.append(original)
        if self._contents.keeps_id(original):
            written.append(regrouped)
            self.change.replaced.append(original)
        else:
            written.append(without_ids(regrouped))
            self.change.removed_after.append(original)

    # Masks -----------------------------------------------------------------------------------------------------------

    def _add_masks(self, item: TrackedMasks, label: Label, group: int) -> None:
        source, change = item.source, self.change
        drawn = {
            each.raw["frame"]: each for each in source.parts if each.kind == "shape" and each.raw["type"] == "mask"
        }
        for original in source.parts:
            frame = original.raw["frame"]
            is_mask = drawn.get(frame) is original and frame in item.masks
            if self._originals is Originals.REMOVE and not is_mask:
                change.removed_after.append(original)
            else:
                self._leave(original, group)
        outdated = {each.raw["frame"]: each for each in source.superseded if each.kind == "shape"}
        outdated = {frame: each for frame, each in outdated.items() if frame in item.masks}
        for frame, mask in item.masks.items():
            shape = None if frame in drawn else shape_of(mask, "mask")
            if shape is None:
                continue
            made = _mask_shape(source, label, frame, shape.points, group)
            made["source"] = SOURCE_MANUAL if frame in item.manual_frames else SOURCE_AUTO
            if frame in outdated and self._contents.keeps_id(outdated[frame]):
                before = outdated.pop(frame)
                made["id"] = before.id
                change.replaced.append(before)
            change.shapes.append(made)
            if frame not in item.manual_frames:
                change.model_geometry.append(geometry_key(frame, "mask", shape.points, outside=False))
        change.removed_after.extend(outdated.values())

    # Tracks ----------------------------------------------------------------------------------------------------------

    def _add_track(self, item: TrackedMasks, label: Label, group: int) -> None:
        source, frames = item.source, list(item.masks)
        shapes = [self._frame_shape(item, frame) for frame in frames]
        outer = self._outer_keyframes(item)
        goes_on = any(raw["frame"] > frames[-1] for raw in outer)
        end = None if goes_on or frames[-1] >= self._contents.last else frames[-1] + 1
        keys = choose_keyframes(shapes, self._type, end=end)
        if not keys and not outer:
            self.change.kept.extend(source.parts)
            return
        raw_keys = [*outer, *_raw_keyframes(source, label, keys, self._type)]
        track = _raw_track(source, label, sorted(raw_keys, key=lambda raw: int(raw["frame"])), group)
        manual = {shape.frame for shape in shapes if shape.drawn} | item.manual_frames
        self.change.tracks.append(track)
        self.change.model_geometry += [
            geometry_key(key.frame, self._type, key.points, outside=key.outside)
            for key in keys
            if key.frame not in manual
        ]
        self._replace(track, item)

    def _frame_shape(self, item: TrackedMasks, frame: int) -> FrameShape:
        drawn = item.source.drawn.get(frame)
        if drawn is not None and self._is_verbatim(drawn):
            return FrameShape(frame, drawn.points, drawn=True)
        shape = shape_of(item.masks[frame], self._type)
        return FrameShape(frame, None if shape is None else tuple(round(point, 2) for point in shape.points))

    def _is_verbatim(self, drawn: ShapeData) -> bool:
        """Whether what a person drew can be a keyframe just as it is."""
        return drawn.type == self._type and drawn.rotation == 0

    def _outer_keyframes(self, item: TrackedMasks) -> list[RawItem]:
        """Return the keyframes of the tracks that are replaced, from before and after the frames that were tracked."""
        frames = list(item.masks)
        if self._originals is Originals.KEEP:
            return []
        outer: dict[int, RawItem] = {}
        for each in (*item.source.parts, *item.source.superseded):
            if each.kind == "track" and self._has_our_type(each):
                for raw in each.raw["shapes"]:
                    if not frames[0] <= raw["frame"] <= frames[-1]:
                        outer.setdefault(raw["frame"], without_ids(raw))
        return list(outer.values())

    def _has_our_type(self, track: AnnotationItem) -> bool:
        return all(raw["type"] == self._type and not raw.get("rotation") for raw in track.raw["shapes"])

    def _becomes(self, original: AnnotationItem, item: TrackedMasks) -> bool:
        """Whether a track holds all that a person drew as a part of its object, point for point."""
        if original.kind == "track":
            return self._has_our_type(original)
        drawn = item.source.drawn.get(original.raw["frame"])
        if drawn is None or drawn.frame not in item.masks or not self._is_verbatim(drawn):
            return False
        return drawn.type == original.raw["type"] and drawn.points == tuple(original.raw["points"])

    def _replace(self, track: RawItem, item: TrackedMasks) -> None:
        """Decide what the new track takes the place of."""
        made = [each for each in item.source.superseded if each.kind == "track" and self._has_our_type(each)]
        for original in (*item.source.parts, *made):
            is_replaced = self._becomes(original, item) or self._originals is Originals.REMOVE
            if self._originals is Originals.KEEP or not is_replaced:
                self._leave(original, track["group"])
            elif original.kind == "track" and "id" not in track and self._contents.keeps_id(original):
                track["id"] = original.id
                self.change.replaced.append(original)
            else:
                self.change.removed_after.append(original)


# Items as CVAT takes them ---------------------------------------------------------------------------------------------


def _mask_shape(source: TrackingSource, label: Label, frame: int, points: tuple[float, ...], group: int) -> RawItem:
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
        "attributes": _raw_attributes(values),
        "elements": [],
    }


def _raw_keyframes(source: TrackingSource, label: Label, keys: Iterable[Keyframe], shape_type: str) -> list[RawItem]:
    mutable = {spec.id for spec in label.attributes if spec.mutable}
    shapes: list[RawItem] = []
    for index, key in enumerate(keys):
        exact = source.drawn.get(key.frame)
        drawn = source.drawn_before(key.frame)
        # Keyframes without attributes keep those of the keyframe before.
        attributes = drawn.attributes if exact is not None or not index else ()
        shapes.append(
            {
                "type": shape_type,
                "frame": key.frame,
                "outside": key.outside,
                "occluded": exact.occluded if exact is not None and not key.outside else False,
                "z_order": drawn.z_order,
                "rotation": 0.0,
                "points": list(key.points),
                "attributes": _raw_attributes(
                    {value.spec_id: value.value for value in attributes if value.spec_id in mutable}
                ),
            }
        )
    return shapes


def _raw_track(source: TrackingSource, label: Label, shapes: list[RawItem], group: int) -> RawItem:
    mutable = {spec.id for spec in label.attributes if spec.mutable}
    return {
        "label_id": source.label_id,
        "frame": shapes[0]["frame"],
        "group": group,
        "source": SOURCE_AUTO,
        "attributes": _raw_attributes(
            {value.spec_id: value.value for value in source.attributes if value.spec_id not in mutable}
        ),
        "shapes": shapes,
        "elements": [],
    }


def _raw_attributes(values: Mapping[int, str]) -> list[dict[str, Any]]:
    return [{"spec_id": spec, "value": value} for spec, value in sorted(values.items())]
