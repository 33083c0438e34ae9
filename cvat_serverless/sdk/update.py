"""Carrying a change out, and finishing one that was cut off."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from cvat_serverless.sdk.marks import content_of, hash_of, look_mark, place_mark
from cvat_serverless.sdk.receipts import Kept, Receipt
from cvat_serverless.sdk.records import Annotations, Kind
from cvat_serverless.sdk.server import ConnectionBroken
from src_model.errors import RemoteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cvat_serverless.sdk.change import Change
    from cvat_serverless.sdk.receipts import Receipts
    from cvat_serverless.sdk.sources import ShapeRef
    from cvat_serverless.sdk.task import TaskOrJob

KINDS: tuple[Kind, ...] = ("shape", "track")

Raw = dict[str, Any]


def carry_out(
    place: TaskOrJob, change: Change, receipts: Receipts, summary: str, *, run: str = "", guide: bool = False
) -> Receipt:
    """Write a change by one request, and then remove what it makes needless.

    Raises
    ------
    RemoteError
        If somebody changed meanwhile what it was made from, or the server refuses or does not answer; the receipt
        tells what is to be found out then.
    """
    before = all_held(place)
    _check_unchanged(before, change)
    receipt = Receipt(
        time=time.time(),
        place=place.described,
        summary=summary,
        run=run,
        newest={kind: before.newest(kind) for kind in KINDS},
        sent=[*_marks(change.shapes), *_marks(change.tracks)],
        in_place=_in_place(change.shapes, change.tracks),
        model=change.marks,
        replaced=[_kept(part) for part in change.replaced],
        later=[_kept(part) for part in change.later],
        guide=guide,
    )
    receipts.add(receipt)
    try:
        created = _write(place, change, receipt)
    except ConnectionBroken:
        raise
    except RemoteError:
        receipt.state = "never"
        receipts.save(receipt)
        raise
    receipt.state = "written"
    _note(receipt, created)
    receipts.save(receipt)
    _finish(place, receipt, receipts)
    return receipt


def settle(place: TaskOrJob, receipts: Receipts) -> list[Receipt]:
    """Find out about changes that were cut off, and finish them; return those that turned out to be written."""
    settled = []
    for receipt in receipts.all():
        if receipt.state == "sending":
            created = _found(all_held(place), receipt)
            receipt.state = "written" if any(created.values()) else "never"
            _note(receipt, created)
            receipts.save(receipt)
        if receipt.state == "written":
            _finish(place, receipt, receipts)
            settled.append(receipt)
    return settled


def all_held(place: TaskOrJob) -> Annotations:
    """Read annotations as jobs hold them, copies and all: what is written and removed."""
    held = [annotations for _, annotations in place.held()]
    return Annotations(
        shapes=tuple(raw for part in held for raw in part.shapes),
        tracks=tuple(raw for part in held for raw in part.tracks),
    )


def by_id(annotations: Annotations) -> dict[tuple[Kind, int], Raw]:
    """Return shapes and tracks by kind and id."""
    return {(kind, int(raw["id"])): raw for kind in KINDS for raw in annotations.of(kind)}


def _check_unchanged(now: Annotations, change: Change) -> None:
    """Raise RemoteError if somebody changed the drawing since it was read."""
    there = by_id(now)
    for part in (*change.replaced, *change.later, *change.kept):
        for copy in part.copies:
            raw = there.get((part.kind, int(copy["id"])))
            if raw is None or content_of(raw) != content_of(copy):
                raise _disturbed(part.described)
    groups = now.groups
    for number, members in change.groups.items():
        if members != {(kind, int(raw["id"])) for kind, raw in groups.get(number, ())}:
            raise _disturbed(f"group {number}")


def _disturbed(what: str) -> RemoteError:
    return RemoteError(
        f"{what} was changed in CVAT while it was being tracked, so nothing was written: run the same command again, "
        "with the ids that CVAT shows now"
    )


def _kept(part: ShapeRef) -> Kept:
    return Kept(kind=part.kind, raw=part.raw, copies=list(part.copies) if len(part.copies) > 1 else [])


# What was written -----------------------------------------------------------------------------------------------------


def _write(place: TaskOrJob, change: Change, receipt: Receipt) -> dict[Kind, list[Raw]]:
    """Write, and return what CVAT holds of it; if no answer comes, look whether it was done."""
    try:
        answer = place.write(change.action, change.shapes, change.tracks)
    except ConnectionBroken:
        found = _found(all_held(place), receipt)
        if not any(found.values()):
            raise
        return found
    now = all_held(place)
    if place.is_cut:  # the answer does not name all that lies in frames of two jobs
        return _found(now, receipt)
    ids = {kind: {int(raw["id"]) for raw in answer.of(kind)} for kind in KINDS}
    return {kind: [raw for raw in now.of(kind) if int(raw["id"]) in ids[kind]] for kind in KINDS}


def _found(now: Annotations, receipt: Receipt) -> dict[Kind, list[Raw]]:
    """Find what was sent among what is there."""
    marks = set(receipt.sent)

    def is_found(kind: Kind, raw: Raw) -> bool:
        sent = receipt.in_place[kind].get(int(raw["id"]))
        if sent is not None:
            return sent == _signature(raw)
        return raw["id"] > receipt.newest[kind] and not marks.isdisjoint(_marks([raw]))

    return {kind: [raw for raw in now.of(kind) if is_found(kind, raw)] for kind in KINDS}


def _note(receipt: Receipt, created: Mapping[Kind, Iterable[Raw]]) -> None:
    """Note what CVAT holds now, by which changes of it are recognised.

    Where jobs begin and end CVAT cuts tracks with keyframes of its own, which are no person's either.
    """
    model = set(receipt.model)
    drawn = {mark.partition(":")[2] for mark in receipt.sent} - model
    receipt.created = {kind: {int(raw["id"]): content_of(raw) for raw in created[kind]} for kind in KINDS}
    looks = [look for kind in KINDS for raw in created[kind] for look in raw.get("shapes", [raw])]
    receipt.drawn_looks = [look_mark(look) for look in looks if place_mark(look) in drawn]
    receipt.model_looks = [look_mark(look) for look in looks if place_mark(look) not in drawn]


def _marks(raws: Iterable[Raw]) -> list[str]:
    """Return what shapes and tracks are recognised by."""
    return [f"{raw['label_id']}:{place_mark(look)}" for raw in raws for look in raw.get("shapes", [raw])]


def _in_place(shapes: Iterable[Raw], tracks: Iterable[Raw]) -> dict[Kind, dict[int, str]]:
    sent: dict[Kind, Iterable[Raw]] = {"shape": shapes, "track": tracks}
    return {kind: {int(raw["id"]): _signature(raw) for raw in raws if "id" in raw} for kind, raws in sent.items()}


def _signature(raw: Raw) -> str:
    """Return what tells the new content of something that keeps its id from the old one."""
    return hash_of(" ".join([str(raw.get("group") or 0), *sorted(_marks([raw]))]))


# What becomes needless ------------------------------------------------------------------------------------------------


def _finish(place: TaskOrJob, receipt: Receipt, receipts: Receipts) -> None:
    """Remove what was replaced, but is still there as it was."""
    if receipt.later:
        there = by_id(all_held(place))
        gone: dict[Kind, list[Raw]] = {"shape": [], "track": []}
        for kept in receipt.later:
            for copy in kept.held:
                raw = there.get((kept.kind, int(copy["id"])))
                if raw is not None and content_of(raw) == content_of(copy):
                    gone[kept.kind].append(raw)
        if any(gone.values()):
            place.write("delete", gone["shape"], gone["track"])
    receipt.state = "done"
    receipts.save(receipt)
