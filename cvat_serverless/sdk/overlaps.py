"""Annotations of a task of several jobs: the copies that the jobs hold of one shape or track become one.

Frames that two jobs share are annotated in both, and CVAT keeps a copy for each. What a person changes is changed in
the copy of one job alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

from cvat_serverless.sdk.fingerprints import content_of, shape_key_of
from cvat_serverless.sdk.objects import shape_overlap, shapes_by_frame
from cvat_serverless.sdk.schemas import SOURCE_AUTO, SOURCE_MANUAL, Annotations, LabeledTrack, ShapeData, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cvat_serverless.sdk.schemas import ItemKey, ItemKind, RawItem

_SAME_SHAPE_IOU, _SAME_TRACK_IOU = 0.75, 0.5
"""Least IoU of two copies of one shape or track, as CVAT has it for its own view of a task."""


@dataclass(frozen=True, slots=True, eq=False)  # equal copies of two jobs are two copies
class _Copy:
    """A shape or track as one job holds it, and the frames of that job."""

    raw: RawItem
    span: range

    @property
    def source(self) -> str:
        return str(self.raw.get("source"))


_Copies = list[_Copy]
"""Copies of one item, one a job."""


def merge_jobs(by_job: Sequence[tuple[range, Annotations]], is_as_written: Callable[[RawItem], bool]) -> Annotations:
    """Make one of what several jobs hold.

    Parameters
    ----------
    by_job
        Frames and annotations of each job, by ascending first frame.
    is_as_written
        Tells of a shape or keyframe whether it is as it was written; of two different copies the other one counts.
    """
    merged: dict[ItemKind, list[RawItem]] = {"shape": [], "track": []}
    copies: dict[ItemKey, tuple[RawItem, ...]] = {}
    conflicts: dict[ItemKey, str] = {}
    items: dict[ItemKind, list[_Copies]] = {"shape": _match_shapes(by_job), "track": _match_tracks(by_job)}
    for kind, matched in items.items():
        for item in matched:
            raw, frames = (_merge_shape if kind == "shape" else _merge_track)(item, is_as_written)
            key = (kind, int(raw["id"]))
            merged[kind].append(raw)
            if len(item) > 1:
                copies[key] = tuple(copy.raw for copy in item)
            if frames:
                conflicts[key] = _described(kind, raw, item, frames)
    return Annotations(shapes=tuple(merged["shape"]), tracks=tuple(merged["track"]), copies=copies, conflicts=conflicts)


def _described(kind: ItemKind, raw: RawItem, item: _Copies, frames: Sequence[int]) -> str:
    others = " and ".join(f"{kind} {copy.raw['id']}" for copy in item if copy.raw["id"] != raw["id"])
    where = ", ".join(map(str, frames))
    return (
        f"{kind} {raw['id']} and {others} are one thing in jobs that share frames, but differ on frame {where}; "
        f"{kind} {raw['id']} counted: make them equal in CVAT if that is wrong"
    )


# Shapes ---------------------------------------------------------------------------------------------------------------


def _match_shapes(by_job: Sequence[tuple[range, Annotations]]) -> list[_Copies]:
    items: list[_Copies] = []
    on_frame: defaultdict[int, list[_Copies]] = defaultdict(list)
    for span, of_job in by_job:
        by_frame: defaultdict[int, list[_Copy]] = defaultdict(list)
        for raw in of_job.shapes:
            by_frame[raw["frame"]].append(_Copy(raw, span))
        for frame, copies in by_frame.items():
            fresh = _match_on_frame(on_frame[frame], copies)
            on_frame[frame] += fresh
            items += fresh
    return items


def _match_on_frame(items: Sequence[_Copies], copies: Sequence[_Copy]) -> list[_Copies]:
    """Add the copies of one more job to the items that they are copies of; return the others, as new items."""
    left, new = list(items), list(copies)
    for pairs in (_equal_pairs, _grouped_pairs, _similar_pairs):
        for item, copy in list(pairs(left, new)) if left and new else ():
            if copy in new and any(each is item for each in left):
                left = [each for each in left if each is not item]
                new.remove(copy)
                item.append(copy)
    return [[copy] for copy in new]


def _equal_pairs(items: Sequence[_Copies], copies: Sequence[_Copy]) -> Iterator[tuple[_Copies, _Copy]]:
    by_content = defaultdict(list)
    for copy in copies:
        by_content[content_of(copy.raw)].append(copy)
    for item in items:
        if same := by_content[content_of(item[-1].raw)]:
            yield item, same.pop()


def _grouped_pairs(items: Sequence[_Copies], copies: Sequence[_Copy]) -> Iterator[tuple[_Copies, _Copy]]:
    """Find shapes of a group that has just one of their type on the frame."""

    def key(raw: RawItem) -> tuple[int, str]:
        return int(raw.get("group") or 0), raw["type"]

    counts = [Counter(key(each[-1].raw) for each in items), Counter(key(copy.raw) for copy in copies)]
    for item, copy in product(items, copies):
        one = key(copy.raw)
        if one[0] and key(item[-1].raw) == one and all(count[one] == 1 for count in counts):
            yield item, copy


def _similar_pairs(items: Sequence[_Copies], copies: Sequence[_Copy]) -> Iterator[tuple[_Copies, _Copy]]:
    scored = []
    for item, copy in product(items, copies):
        first, second = item[-1].raw, copy.raw
        if (first["type"], first["label_id"]) == (second["type"], second["label_id"]):
            scored.append((shape_overlap(parse(ShapeData, first), parse(ShapeData, second)), item, copy))
    for score, item, copy in sorted(scored, key=lambda entry: -entry[0]):
        if score >= _SAME_SHAPE_IOU:
            yield item, copy


def _merge_shape(item: _Copies, is_as_written: Callable[[RawItem], bool]) -> tuple[RawItem, list[int]]:
    raw, agreed = _choose([(copy.raw, copy.source) for copy in item], content_of, is_as_written)
    return raw, [] if agreed else [raw["frame"]]


def _choose(
    copies: Sequence[tuple[RawItem, str]], identity: Callable[[RawItem], str], is_as_written: Callable[[RawItem], bool]
) -> tuple[RawItem, bool]:
    """Return the copy that counts, and whether there is no doubt: the changed one, or the one that no model made."""
    distinct = list({identity(raw): (raw, source) for raw, source in reversed(copies)}.values())
    if len(distinct) == 1:
        return copies[0][0], True
    for is_untouched in (lambda raw, source: is_as_written(raw), lambda raw, source: source == SOURCE_AUTO):
        changed = [raw for raw, source in distinct if not is_untouched(raw, source)]
        if len(changed) == 1:
            return changed[0], True
    return copies[0][0], False


# Tracks ---------------------------------------------------------------------------------------------------------------


def _match_tracks(by_job: Sequence[tuple[range, Annotations]]) -> list[_Copies]:
    items: list[_Copies] = []
    for span, of_job in by_job:
        copies = [_Copy(raw, span) for raw in of_job.tracks]
        pairs = [(1.0, item, copy) for item, copy in _grouped_tracks(items, copies)]
        pairs += sorted(_similar_tracks(items, copies), key=lambda pair: -pair[0])
        taken: set[int] = set()
        for _, item, copy in pairs:
            if id(item) not in taken and copy in copies:
                taken.add(id(item))
                copies.remove(copy)
                item.append(copy)
        items += [[copy] for copy in copies]
    return items


def _grouped_tracks(items: Sequence[_Copies], copies: Sequence[_Copy]) -> Iterator[tuple[_Copies, _Copy]]:
    """Find tracks of a group in which each job has one.

    Numbers of groups that people make are those of a job alone, so hand-drawn tracks are left out.
    """

    def key(raw: RawItem) -> tuple[int, int]:
        return (0 if raw.get("source") == SOURCE_MANUAL else int(raw.get("group") or 0)), raw["label_id"]

    counts = [Counter(key(each[-1].raw) for each in items), Counter(key(copy.raw) for copy in copies)]
    by_key = {key(item[-1].raw): item for item in items}
    for copy in copies:
        one = key(copy.raw)
        if one[0] and all(count[one] == 1 for count in counts):
            yield by_key[one], copy


def _similar_tracks(items: Sequence[_Copies], copies: Sequence[_Copy]) -> Iterator[tuple[float, _Copies, _Copy]]:
    """Find tracks of one label that are in about the same place on the frames that both jobs have."""
    shapes = cache(_track_shapes)
    for item, copy in product(items, copies):
        before = item[-1]
        shared = range(copy.span.start, before.span.stop)
        if shared and before.raw["label_id"] == copy.raw["label_id"]:
            pairs = [(shapes(before).get(frame), shapes(copy).get(frame)) for frame in shared]
            scores = [shape_overlap(*pair) for pair in pairs if pair != (None, None)]
            if scores and (score := sum(scores) / len(scores)) >= _SAME_TRACK_IOU:
                yield score, item, copy


def _track_shapes(copy: _Copy) -> dict[int, ShapeData | None]:
    """Return where a track is on each frame of its job; between two different polygons as on the first."""
    shapes = shapes_by_frame(parse(LabeledTrack, copy.raw), copy.span.stop - 1)
    found: dict[int, ShapeData | None] = {}
    for frame in range(min(shapes, default=0), copy.span.stop):
        found[frame] = shapes[frame] if frame in shapes else found.get(frame - 1)
    return found


def _merge_track(item: _Copies, is_as_written: Callable[[RawItem], bool]) -> tuple[RawItem, list[int]]:
    """Join the parts of a track, one a job."""
    if len(item) == 1:
        return item[0].raw, []
    frames = sorted({key["frame"] for copy in item for key in copy.raw["shapes"]})
    shapes, doubtful = [], []
    for frame in frames:
        keys = [(key, copy) for copy in item for key in copy.raw["shapes"] if key["frame"] == frame]
        inside = [(key, copy) for key, copy in keys if frame in copy.span] or keys
        key, agreed = _choose([(key, copy.source) for key, copy in inside], shape_key_of, is_as_written)
        shapes.append(key)
        doubtful += [] if agreed else [frame]
    heads = [({**copy.raw, "shapes": [], "frame": 0}, copy.source) for copy in item]
    head, agreed = _choose(heads, content_of, lambda raw: False)
    doubtful += [] if agreed else [frames[0]]
    return {**head, "id": item[0].raw["id"], "frame": frames[0], "shapes": shapes}, doubtful
