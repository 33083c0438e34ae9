"""Carrying a change out, finishing one that was cut off, and taking one back."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cvat_serverless.sdk.guide import remove_document
from cvat_serverless.sdk.marks import mark_of
from cvat_serverless.sdk.receipts import Kept, Receipt
from cvat_serverless.sdk.records import Annotations, Kind
from cvat_serverless.sdk.server import ConnectionBroken
from src_model.errors import RemoteError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cvat_serverless.sdk.change import Change
    from cvat_serverless.sdk.receipts import Receipts
    from cvat_serverless.sdk.task import Place

_KINDS: tuple[Kind, ...] = ("shape", "track")


@dataclass(frozen=True, slots=True)
class Undone:
    """What taking back did.

    Attributes
    ----------
    summary
        What was taken back, in words.
    removed, restored
        How many shapes and tracks.
    changed
        How many of what had been written were changed or removed since, and were left alone.
    """

    summary: str
    removed: int
    restored: int
    changed: int


def carry_out(
    place: Place, change: Change, receipts: Receipts, summary: str, *, run: str = "", guide: bool = False
) -> Receipt:
    """Write a change by one request, and then remove what it makes needless.

    Raises
    ------
    RemoteError
        If the server refuses or does not answer; the receipt tells what is to be found out then.
    """
    before = _annotations(place)
    _check_unchanged(before, change)
    receipt = Receipt(
        time=time.time(),
        place=place.described,
        summary=summary,
        run=run,
        newest={kind: before.newest(kind) for kind in _KINDS},
        sent=_marks(change.shapes, change.tracks),
        model=change.marks,
        replaced=[Kept(kind=part.kind, raw=part.raw) for part in change.replaced],
        later=[Kept(kind=part.kind, raw=part.raw) for part in change.later],
        guide=guide,
    )
    receipts.add(receipt)
    try:
        receipt.created = _write_once(place, change.action, change.shapes, change.tracks, receipt.newest)
    except ConnectionBroken:
        raise
    except RemoteError:
        receipt.state = "never"
        receipts.save(receipt)
        raise
    receipt.state = "written"
    receipts.save(receipt)
    _finish(place, receipt, receipts)
    return receipt


def settle(place: Place, receipts: Receipts) -> list[Receipt]:
    """Find out about changes that were cut off, and finish them; return those that turned out to be written."""
    settled = []
    for receipt in receipts.all():
        if receipt.state == "sending":
            receipt.created = _found(_annotations(place), receipt.sent, receipt.newest)
            receipt.state = "written" if any(receipt.created.values()) else "never"
            receipts.save(receipt)
        if receipt.state == "written":
            _finish(place, receipt, receipts)
            settled.append(receipt)
    return settled


def undo(place: Place, receipts: Receipts) -> Undone | None:
    """Take the last change back that was not taken back yet; None if there is none.

    First what had been replaced is written again, then what had been written is removed, so that nothing is ever lost.
    What was changed in CVAT meanwhile is left as it is.
    """
    settle(place, receipts)
    receipt = next((each for each in reversed(receipts.all()) if each.state in ("done", "restored")), None)
    if receipt is None:
        return None
    now = _annotations(place)
    restored = 0
    if receipt.state == "done":
        there = {(kind, int(raw["id"])) for kind in _KINDS for raw in now.of(kind)}
        gone = [kept for kept in (*receipt.replaced, *receipt.later) if (kept.kind, int(kept.raw["id"])) not in there]
        restored = len(gone)
        _restore(place, gone, now)
        receipt.state = "restored"
        receipts.save(receipt)
    written = {kind: [raw for raw in now.of(kind) if raw["id"] in receipt.created[kind]] for kind in _KINDS}
    removed = sum(map(len, written.values()))
    if removed:
        place.write("delete", written["shape"], written["track"])
    if receipt.guide:
        remove_document(place)
    receipt.state = "undone"
    receipts.save(receipt)
    total = sum(len(set(ids)) for ids in receipt.created.values())
    return Undone(receipt.summary, removed, restored, total - removed)


def _restore(place: Place, gone: Iterable[Kept], now: Annotations) -> None:
    raws: dict[Kind, list[dict[str, Any]]] = {"shape": [], "track": []}
    for kept in gone:
        raws[kept.kind].append(_without_ids(kept.raw))
    if any(raws.values()):
        _write_once(place, "create", raws["shape"], raws["track"], {kind: now.newest(kind) for kind in _KINDS})


def _finish(place: Place, receipt: Receipt, receipts: Receipts) -> None:
    """Remove what was replaced, but is still there."""
    if receipt.later:
        now = _annotations(place)
        shapes, tracks = (_still_there(now.of(kind), kind, place, receipt) for kind in _KINDS)
        if shapes or tracks:
            place.write("delete", shapes, tracks)
    receipt.state = "done"
    receipts.save(receipt)


def _still_there(raws: Iterable[dict[str, Any]], kind: Kind, place: Place, receipt: Receipt) -> list[dict[str, Any]]:
    """Find what is to be removed, unchanged, with its copies in other jobs."""
    wanted = [kept.raw for kept in receipt.later if kept.kind == kind]
    if not _overlaps(place):
        by_id = {raw["id"]: raw for raw in wanted}
        return [raw for raw in raws if by_id.get(raw["id"]) == raw]
    contents = {_content(raw) for raw in wanted}
    return [raw for raw in raws if _content(raw) in contents]


def _content(raw: dict[str, Any]) -> str:
    """Write down what copies of a shape or track have in common."""
    return json.dumps(_without_ids(raw), sort_keys=True)


def _write_once(
    place: Place, action: str, shapes: list[dict[str, Any]], tracks: list[dict[str, Any]], newest: dict[Kind, int]
) -> dict[Kind, list[int]]:
    """Write, and if no answer comes, look whether it was done."""
    try:
        written = place.write(action, shapes, tracks)
    except ConnectionBroken:
        found = _found(_annotations(place), _marks(shapes, tracks), newest)
        if not any(found.values()):
            raise
        return found
    if _overlaps(place):  # the answer names what lies in two jobs only once
        return _found(_annotations(place), _marks(shapes, tracks), newest)
    return {kind: [int(raw["id"]) for raw in written.of(kind)] for kind in _KINDS}


def _found(now: Annotations, sent: Iterable[str], newest: dict[Kind, int]) -> dict[Kind, list[int]]:
    """Find what was sent among what is there."""
    marks = set(sent)
    return {
        "shape": [raw["id"] for raw in now.shapes if raw["id"] > newest["shape"] and marks & set(_marks([raw], []))],
        "track": [raw["id"] for raw in now.tracks if raw["id"] > newest["track"] and marks & set(_marks([], [raw]))],
    }


def _annotations(place: Place) -> Annotations:
    """Read annotations with all their ids: those of a whole task leave out what lies in two jobs."""
    if not _overlaps(place):
        return place.annotations()
    parts = [replace(place, job=job).annotations() for job in place.jobs]
    return Annotations(
        shapes=tuple(raw for part in parts for raw in part.shapes),
        tracks=tuple(raw for part in parts for raw in part.tracks),
    )


def _overlaps(place: Place) -> bool:
    return place.job is None and len(place.jobs) > 1 and place.task.overlap > 0


def _check_unchanged(now: Annotations, change: Change) -> None:
    """Raise RemoteError if somebody changed what is to be replaced since it was read."""
    there = {(kind, int(raw["id"])): raw for kind in _KINDS for raw in now.of(kind)}
    for part in (*change.replaced, *change.later):
        if there.get((part.kind, part.id)) != part.raw:
            raise RemoteError(
                f"{part.described} was changed in CVAT while it was being tracked, so nothing was written: run the "
                "same command again, with the ids that CVAT shows now"
            )


def _marks(shapes: Iterable[dict[str, Any]], tracks: Iterable[dict[str, Any]]) -> list[str]:
    """Return what shapes and tracks are recognised by."""
    found = [_mark(raw, raw["label_id"]) for raw in shapes]
    return found + [_mark(key, raw["label_id"]) for raw in tracks for key in raw["shapes"]]


def _mark(raw: dict[str, Any], label: int) -> str:
    mark = mark_of(raw["frame"], raw["type"], raw["points"], outside=bool(raw.get("outside")))
    return f"{label}:{mark}"


def _without_ids(raw: dict[str, Any]) -> dict[str, Any]:
    clean = {name: value for name, value in raw.items() if name != "id"}
    for inner in ("shapes", "elements"):
        if inner in clean:
            clean[inner] = [_without_ids(each) for each in clean[inner]]
    return clean
