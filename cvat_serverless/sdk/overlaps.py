"""Annotations of a task of several jobs: what each of them holds of the same thing becomes one.

Frames that two jobs share are annotated in both, and CVAT keeps a copy for each. What a person changes is changed in
the copy of one job alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from cvat_serverless.sdk.appearance import likeness, looks_of
from cvat_serverless.sdk.marks import content_of, look_mark
from cvat_serverless.sdk.records import MANUAL, MODEL, Annotations, Drawn, Kind, TrackInfo, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Raw = dict[str, Any]

_SHAPE_ALIKE, _TRACK_ALIKE = 0.75, 0.5
"""Least overlap (IoU) of two copies of one thing, as CVAT has it for its own view of a task."""


@dataclass(frozen=True, slots=True, eq=False)
class _Copy:
    """A shape or track as one job holds it."""

    raw: Raw
    span: range


def united(held: Sequence[tuple[range, Annotations]], is_as_written: Callable[[Raw], bool]) -> Annotations:
    """Make one of what several jobs hold.

    Parameters
    ----------
    held
        Frames and annotations of each job, by ascending first frame.
    is_as_written
        Tells of a shape or keyframe whether it is as it was written; of two different copies the other one counts.
    """
    found: dict[Kind, list[Raw]] = {"shape": [], "track": []}
    copies: dict[tuple[Kind, int], tuple[Raw, ...]] = {}
    disputed: dict[tuple[Kind, int], str] = {}
    things: dict[Kind, list[list[_Copy]]] = {"shape": _same_shapes(held), "track": _same_tracks(held)}
    for kind, found_things in things.items():
        for thing in found_things:
            raw, frames = (_shape if kind == "shape" else _track)(thing, is_as_written)
            key = (kind, int(raw["id"]))
            found[kind].append(raw)
            if len(thing) > 1:
                copies[key] = tuple(copy.raw for copy in thing)
            if frames:
                disputed[key] = _described(kind, raw, thing, frames)
    return Annotations(shapes=tuple(found["shape"]), tracks=tuple(found["track"]), copies=copies, disputed=disputed)


def _described(kind: Kind, raw: Raw, thing: Sequence[_Copy], frames: Sequence[int]) -> str:
    others = " and ".join(f"{kind} {copy.raw['id']}" for copy in thing if copy.raw["id"] != raw["id"])
    where = ", ".join(map(str, frames))
    return (
        f"{kind} {raw['id']} and {others} are one thing in jobs that share frames, but differ on frame {where}; "
        f"{kind} {raw['id']} counted: make them equal in CVAT if that is wrong"
    )


# Shapes ---------------------------------------------------------------------------------------------------------------


def _same_shapes(held: Sequence[tuple[range, Annotations]]) -> list[list[_Copy]]:
    things: list[list[_Copy]] = []
    on_frame: defaultdict[int, list[list[_Copy]]] = defaultdict(list)
    for span, of_job in held:
        by_frame: defaultdict[int, list[_Copy]] = defaultdict(list)
        for raw in of_job.shapes:
            by_frame[raw["frame"]].append(_Copy(raw, span))
        for frame, copies in by_frame.items():
            fresh = _joined(on_frame[frame], copies)
            on_frame[frame] += fresh
            things += fresh
    return things


def _joined(things: Sequence[list[_Copy]], copies: Sequence[_Copy]) -> list[list[_Copy]]:
    """Add the copies of one more job to the things that they are copies of; return the others, as new things."""
    left, new = list(things), list(copies)
    for pairs in (_equal_pairs, _grouped_pairs, _similar_pairs):
        for thing, copy in list(pairs(left, new)) if left and new else ():
            if copy in new and any(each is thing for each in left):
                left = [each for each in left if each is not thing]
                new.remove(copy)
                thing.append(copy)
    return [[copy] for copy in new]


def _equal_pairs(things: Sequence[list[_Copy]], copies: Sequence[_Copy]) -> Iterator[tuple[list[_Copy], _Copy]]:
    by_content = defaultdict(list)
    for copy in copies:
        by_content[content_of(copy.raw)].append(copy)
    for thing in things:
        if same := by_content[content_of(thing[-1].raw)]:
            yield thing, same.pop()


def _grouped_pairs(things: Sequence[list[_Copy]], copies: Sequence[_Copy]) -> Iterator[tuple[list[_Copy], _Copy]]:
    """Find shapes of a group that has just one of their type on the frame."""

    def key(raw: Raw) -> tuple[int, str]:
        return int(raw.get("group") or 0), raw["type"]

    counts = [Counter(key(each[-1].raw) for each in things), Counter(key(copy.raw) for copy in copies)]
    for thing, copy in product(things, copies):
        one = key(copy.raw)
        if one[0] and key(thing[-1].raw) == one and all(count[one] == 1 for count in counts):
            yield thing, copy


def _similar_pairs(things: Sequence[list[_Copy]], copies: Sequence[_Copy]) -> Iterator[tuple[list[_Copy], _Copy]]:
    scored = []
    for thing, copy in product(things, copies):
        first, second = thing[-1].raw, copy.raw
        if (first["type"], first["label_id"]) == (second["type"], second["label_id"]):
            scored.append((likeness(read(Drawn, first), read(Drawn, second)), thing, copy))
    for score, thing, copy in sorted(scored, key=lambda item: -item[0]):
        if score >= _SHAPE_ALIKE:
            yield thing, copy


def _shape(thing: Sequence[_Copy], is_as_written: Callable[[Raw], bool]) -> tuple[Raw, list[int]]:
    raw, agreed = _chosen([(copy.raw, str(copy.raw.get("source"))) for copy in thing], content_of, is_as_written)
    return raw, [] if agreed else [raw["frame"]]


def _chosen(
    copies: Sequence[tuple[Raw, str]], identity: Callable[[Raw], str], is_as_written: Callable[[Raw], bool]
) -> tuple[Raw, bool]:
    """Return the copy that counts, and whether there is no doubt: the changed one, or one that no model made."""
    distinct = list({identity(raw): (raw, source) for raw, source in reversed(copies)}.values())
    if len(distinct) == 1:
        return copies[0][0], True
    for is_untouched in (lambda raw, source: is_as_written(raw), lambda raw, source: source == MODEL):
        changed = [raw for raw, source in distinct if not is_untouched(raw, source)]
        if len(changed) == 1:
            return changed[0], True
    return copies[0][0], False


# Tracks ---------------------------------------------------------------------------------------------------------------


def _same_tracks(held: Sequence[tuple[range, Annotations]]) -> list[list[_Copy]]:
    things: list[list[_Copy]] = []
    for span, of_job in held:
        copies = [_Copy(raw, span) for raw in of_job.tracks]
        pairs = [(1.0, thing, copy) for thing, copy in _grouped_tracks(things, copies)]
        pairs += sorted(_similar_tracks(things, copies), key=lambda pair: -pair[0])
        taken: set[int] = set()
        for _, thing, copy in pairs:
            if id(thing) not in taken and copy in copies:
                taken.add(id(thing))
                copies.remove(copy)
                thing.append(copy)
        things += [[copy] for copy in copies]
    return things


def _grouped_tracks(things: Sequence[list[_Copy]], copies: Sequence[_Copy]) -> Iterator[tuple[list[_Copy], _Copy]]:
    """Find tracks of a group in which each job has one.

    Numbers of groups that people make are those of a job alone, so hand-drawn tracks are left out.
    """

    def key(raw: Raw) -> tuple[int, int]:
        return (0 if raw.get("source") == MANUAL else int(raw.get("group") or 0)), raw["label_id"]

    counts = [Counter(key(each[-1].raw) for each in things), Counter(key(copy.raw) for copy in copies)]
    by_key = {key(thing[-1].raw): thing for thing in things}
    for copy in copies:
        one = key(copy.raw)
        if one[0] and all(count[one] == 1 for count in counts):
            yield by_key[one], copy


def _similar_tracks(
    things: Sequence[list[_Copy]], copies: Sequence[_Copy]
) -> Iterator[tuple[float, list[_Copy], _Copy]]:
    """Find tracks of one label that are in about the same place on the frames that both jobs have."""
    known: dict[int, dict[int, Drawn | None]] = {}

    def looks(copy: _Copy) -> dict[int, Drawn | None]:
        return known.setdefault(id(copy), _held_looks(copy))

    for thing, copy in product(things, copies):
        before = thing[-1]
        shared = range(copy.span.start, before.span.stop)
        if shared and before.raw["label_id"] == copy.raw["label_id"]:
            pairs = [(looks(before).get(frame), looks(copy).get(frame)) for frame in shared]
            scores = [likeness(*pair) for pair in pairs if pair != (None, None)]
            if scores and (score := sum(scores) / len(scores)) >= _TRACK_ALIKE:
                yield score, thing, copy


def _held_looks(copy: _Copy) -> dict[int, Drawn | None]:
    """Say how a track looks on each frame of its job; between two different polygons as the first."""
    looks = looks_of(read(TrackInfo, copy.raw), copy.span.stop - 1)
    found: dict[int, Drawn | None] = {}
    for frame in range(min(looks, default=0), copy.span.stop):
        found[frame] = looks[frame] if frame in looks else found.get(frame - 1)
    return found


def _track(thing: Sequence[_Copy], is_as_written: Callable[[Raw], bool]) -> tuple[Raw, list[int]]:
    """Join the parts of a track, one a job."""
    if len(thing) == 1:
        return thing[0].raw, []
    frames = sorted({key["frame"] for copy in thing for key in copy.raw["shapes"]})
    shapes, doubtful = [], []
    for frame in frames:
        keys = [(key, copy) for copy in thing for key in copy.raw["shapes"] if key["frame"] == frame]
        inside = [(key, copy) for key, copy in keys if frame in copy.span] or keys
        told = [(key, str(copy.raw.get("source"))) for key, copy in inside]
        key, agreed = _chosen(told, look_mark, is_as_written)
        shapes.append(key)
        doubtful += [] if agreed else [frame]
    heads = [({**copy.raw, "shapes": [], "frame": 0}, str(copy.raw.get("source"))) for copy in thing]
    head, agreed = _chosen(heads, content_of, lambda raw: False)
    doubtful += [] if agreed else [frames[0]]
    return {**head, "id": thing[0].raw["id"], "frame": frames[0], "shapes": shapes}, doubtful
