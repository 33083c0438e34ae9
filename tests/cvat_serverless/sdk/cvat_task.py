"""A task of the fake server, with CVAT's own rules for annotations."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

Raw = dict[str, Any]


@dataclass
class FakeTask:
    """A task with its frames, and all that was annotated in it, with the job that holds it.

    ``update`` deletes by id within a job and creates anew under the ids that were sent, so that they stay; another id
    only grows. An id that another job holds is refused. A request is done as a whole or not at all. Of a task with
    several jobs each gets its own frames, and tracks are cut where it begins and ends. The task's own answer merges
    equal rectangles, polygons and tracks of frames that two jobs share, names masks once a job, and ends tracks that do
    not go on in the next job.
    """

    frames: np.ndarray
    id: int = 5
    name: str = "a video"
    labels: list[Raw] = field(default_factory=list)
    jobs: list[tuple[int, int, int]] = field(default_factory=list)  # id, first and last frame
    overlap: int = 0
    deleted: list[int] = field(default_factory=list)
    sizes: list[tuple[int, int]] | None = None
    dimension: str = "2d"
    project: int | None = None
    shapes: list[Raw] = field(default_factory=list)
    tracks: list[Raw] = field(default_factory=list)
    guide: Raw | None = None
    last_id: int = 100

    def __post_init__(self) -> None:
        self.jobs = self.jobs or [(self.id * 10, 0, len(self.frames) - 1)]

    def new_id(self) -> int:
        self.last_id += 1
        return self.last_id

    # What a person does in the web page ----------------------------------------------------------------------------

    def draw(self, kind: str, points: list[float], frame: int = 0, **more: Any) -> int:
        """Draw a shape; gives its number."""
        shape = {**_shape(kind, points, frame), "id": self.new_id(), "label_id": 1, "group": 0, "source": "manual"}
        self.shapes.append({**shape, "job": self._job(frame), "elements": [], **more})
        return int(shape["id"])

    def draw_track(self, *keys: Raw, **more: Any) -> int:
        """Draw a track with keyframes; gives its number."""
        track = {
            "id": self.new_id(), "label_id": 1, "group": 0, "source": "manual", "frame": keys[0]["frame"],
            "attributes": [], "elements": [], "job": self._job(keys[0]["frame"]),
        }  # fmt: skip
        track["shapes"] = [{**key, "id": self.new_id()} for key in keys]
        self.tracks.append({**track, **more})
        return int(track["id"])

    def shape(self, number: int) -> Raw:
        return next(raw for raw in self.shapes if raw["id"] == number)

    def track(self, number: int) -> Raw:
        return next(raw for raw in self.tracks if raw["id"] == number)

    def edit(self, number: int, **changes: Any) -> None:
        """Change a shape or track; its number stays. Where it is and how it looks is what makes it semi-automatic."""
        raw = next(raw for raw in (*self.shapes, *self.tracks) if raw["id"] == number)
        raw.update(copy.deepcopy(changes))
        if changes.keys() & {"points", "occluded", "z_order", "rotation", "shapes"} and raw["source"] == "auto":
            raw["source"] = "semi-auto"

    def edit_key(self, number: int, frame: int, **changes: Any) -> None:
        """Change a keyframe of a track."""
        keys = [{**key, **changes} if key["frame"] == frame else key for key in self.track(number)["shapes"]]
        self.edit(number, shapes=keys)

    # What the server does ------------------------------------------------------------------------------------------

    def _job(self, frame: int) -> int:
        return next(number for number, first, last in self.jobs if first <= frame <= last)

    def annotations(self, job: int | None = None) -> Raw:
        held: Raw = {"version": 0, "tags": [], "shapes": [], "tracks": []}
        for number, first, _ in self.jobs:
            if job in (None, number):
                shapes, tracks = (self._told(items, number) for items in (self.shapes, self.tracks))
                self._merge(held, shapes, tracks, first)
        return held

    def _told(self, items: list[Raw], job: int) -> list[Raw]:
        """What a job holds, with the values of attributes that were never given."""
        specs = {label["id"]: label["attributes"] for label in self.labels}
        told = []
        for raw in copy.deepcopy([raw for raw in items if raw["job"] == job]):
            raw.pop("job")
            known = specs[raw["label_id"]]
            if "shapes" not in raw:
                _extend(raw, {spec["id"]: spec["default_value"] for spec in known})
            else:
                _extend(raw, {spec["id"]: spec["default_value"] for spec in known if not spec["mutable"]})
                values = {spec["id"]: spec["default_value"] for spec in known if spec["mutable"]}
                for key in raw["shapes"]:
                    values = _extend(key, values)
            told.append(raw)
        return told

    def patch(self, action: str, body: Raw, job: int | None = None) -> Raw:
        """Do what CVAT does; nothing of it if a part is wrong."""
        known = {label["id"] for label in self.labels}
        for raw in (*body["shapes"], *body["tracks"]):
            if raw["label_id"] not in known:
                raise ValueError(f"label_id `{raw['label_id']}` is invalid")
        for track in body["tracks"]:
            if any(key["type"] == "mask" for key in track["shapes"]):
                raise AssertionError("a mask track: the web page could not open this job")
        before = copy.deepcopy((self.shapes, self.tracks))
        written: Raw = {"version": 0, "tags": [], "shapes": [], "tracks": []}
        try:
            for number, first, last in self.jobs:
                if job in (None, number):
                    part = copy.deepcopy(body) if job is not None else _slice(body, range(first, last + 1))
                    self._merge(written, *self._patch_job(action, part, number), first)
        except ValueError:
            self.shapes[:], self.tracks[:] = before
            raise
        return written

    def _patch_job(self, action: str, part: Raw, job: int) -> list[list[Raw]]:
        made = []
        for kind in ("shapes", "tracks"):
            items: list[Raw] = getattr(self, kind)
            if action in ("update", "delete"):
                gone = {raw.get("id") for raw in part[kind]}
                items[:] = [raw for raw in items if raw["id"] not in gone or raw["job"] != job]
            new = (
                [] if action == "delete" else [self._created(raw, {each["id"] for each in items}) for raw in part[kind]]
            )
            items.extend({**copy.deepcopy(raw), "job": job} for raw in new)
            made.append(new)
        return made

    def _created(self, raw: Raw, taken: set[int]) -> Raw:
        number = raw.get("id")
        if number in taken:
            raise ValueError(f"duplicate key value violates unique constraint: Key (id)=({number}) already exists.")
        made = {**raw, "id": number or self.new_id()}
        if "shapes" in raw:
            made["shapes"] = [{**key, "id": key.get("id") or self.new_id()} for key in raw["shapes"]]
        return made

    def _merge(self, known: Raw, shapes: list[Raw], tracks: list[Raw], start: int) -> None:
        """Add what one more job holds to what is known of a task."""
        shared = range(start, start + self.overlap)
        old = [raw for raw in known["shapes"] if raw["frame"] in shared and raw["type"] in ("rectangle", "polygon")]
        for raw in shapes:
            if not any(_same(raw, each) and _iou(raw, each) >= 0.75 for each in old):
                known["shapes"].append(raw)
        old = [
            each
            for each in known["tracks"]
            if each["shapes"][-1]["frame"] >= start or not each["shapes"][-1]["outside"]
        ]
        for raw in tracks:
            match = next((each for each in old if raw["frame"] in shared and _alike(each, raw, shared)), None)
            if match is None:
                known["tracks"].append(raw)
                continue
            old = [each for each in old if each is not match]
            keys = {key["frame"]: key for key in (*match["shapes"], *raw["shapes"])}
            match["shapes"] = [keys[frame] for frame in sorted(keys)]
        for each in old:
            if not each["shapes"][-1]["outside"]:
                each["shapes"].append({**each["shapes"][-1], "frame": start + self.overlap, "outside": True})


def _extend(raw: Raw, values: dict[int, str]) -> dict[int, str]:
    told = values | {value["spec_id"]: value["value"] for value in raw["attributes"]}
    raw["attributes"] = [{"spec_id": spec, "value": value} for spec, value in told.items()]
    return told


def _same(first: Raw, second: Raw) -> bool:
    return (first["frame"], first["type"], first["label_id"]) == (second["frame"], second["type"], second["label_id"])


def _iou(first: Raw, second: Raw) -> float:
    boxes = [(min(p[::2]), min(p[1::2]), max(p[::2]), max(p[1::2])) for p in (first["points"], second["points"])]
    (left, top, right, bottom), (left_2, top_2, right_2, bottom_2) = boxes
    width, height = min(right, right_2) - max(left, left_2), min(bottom, bottom_2) - max(top, top_2)
    both = (right - left) * (bottom - top) + (right_2 - left_2) * (bottom_2 - top_2)
    return max(width, 0) * max(height, 0) / (both - max(width, 0) * max(height, 0))


def _alike(first: Raw, second: Raw, shared: range) -> bool:
    if first["label_id"] != second["label_id"]:
        return False
    looks, looks_2 = _looks(first, shared.stop), _looks(second, shared.stop)
    scores = [
        float(frame in looks and frame in looks_2 and looks[frame]["outside"] == looks_2[frame]["outside"])
        and _iou(looks[frame], looks_2[frame])
        for frame in shared
        if frame in looks or frame in looks_2
    ]
    return bool(scores) and sum(scores) / len(scores) >= 0.5


def _looks(track: Raw, stop: int) -> dict[int, Raw]:
    """How a track looks on each frame; between two polygons as the first, where CVAT has its own mixture."""
    keys = sorted(track["shapes"], key=lambda key: key["frame"])
    found = {}
    for key, following in zip(keys, [*keys[1:], None], strict=True):
        for frame in range(key["frame"], stop if following is None else following["frame"]):
            points = key["points"]
            if following is not None and key["type"] == "rectangle" and not key["outside"]:
                along = (frame - key["frame"]) / (following["frame"] - key["frame"])
                points = [a * (1 - along) + b * along for a, b in zip(points, following["points"], strict=True)]
            found[frame] = {**key, "frame": frame, "points": points}
    return found


def _slice(body: Raw, span: range) -> Raw:
    tracks = [_cut(track, span) for track in body["tracks"]]
    return copy.deepcopy(
        {
            "shapes": [raw for raw in body["shapes"] if raw["frame"] in span],
            "tracks": [track for track in tracks if track["shapes"]],
        }
    )


def _cut(track: Raw, span: range) -> Raw:
    """Give a job its part of a track, with keyframes where the job begins and ends."""
    keys = {key["frame"]: key for key in track["shapes"]}
    looks = _looks(track, span.stop + 1)
    seen = next((frame for frame in span if frame in looks and not looks[frame]["outside"]), None)
    if seen is None:
        return {**track, "shapes": []}
    part = [keys[frame] for frame in sorted(keys) if seen <= frame < span.stop]
    if len(part) < len(keys):
        if seen not in keys:
            part.insert(0, looks[seen])
        end = span.stop - 1
        if max(keys) >= end and looks[end]["points"] != part[-1]["points"]:
            part.append(looks[end])
        elif looks[span.stop]["outside"] and not part[-1]["outside"]:
            part.append(looks[span.stop])
    part = [key if key["frame"] in keys else {name: key[name] for name in key if name != "id"} for key in part]
    return {**track, "shapes": part, "frame": part[0]["frame"]}


def _shape(kind: str, points: list[float], frame: int) -> Raw:
    return {
        "type": kind, "frame": frame, "points": list(points), "occluded": False, "outside": False, "z_order": 0,
        "rotation": 0.0, "attributes": [],
    }  # fmt: skip


def key(kind: str, points: list[float], frame: int, **more: Any) -> Raw:
    """A keyframe."""
    return {**_shape(kind, points, frame), **more}
