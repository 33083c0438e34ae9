"""Taking a change back: what was written goes, what was replaced returns, what a person did since stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cvat_serverless.sdk.guide import remove_document
from cvat_serverless.sdk.marks import content_of, place_mark, without_ids
from cvat_serverless.sdk.server import ConnectionBroken
from cvat_serverless.sdk.update import KINDS, all_held, by_id, settle

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from cvat_serverless.sdk.receipts import Receipt, Receipts
    from cvat_serverless.sdk.records import Annotations, Kind
    from cvat_serverless.sdk.task import TaskOrJob

Raw = dict[str, Any]
_LEFT = ("done", "restoring", "restored")
_Key = tuple["Kind", int]


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


def undo(place: TaskOrJob, receipts: Receipts) -> Undone | None:
    """Take the last change back that was not taken back yet; None if there is none.

    First what had been replaced is written again, then what had been written is removed, so that nothing is ever lost.
    """
    settle(place, receipts)
    receipt = next((each for each in reversed(receipts.all()) if each.state in _LEFT), None)
    if receipt is None:
        return None
    now = all_held(place)
    written = _unchanged(now, receipt)
    total = sum(map(len, receipt.created.values()))
    restored = 0
    if receipt.state != "restored":
        in_place, anew = _to_restore(now, receipt, written)
        receipt.state = "restoring"
        receipts.save(receipt)
        restored = sum(map(len, (*in_place.values(), *anew.values())))
        if restored:
            _restore(place, receipt, written, in_place, anew)
        for kind in KINDS:
            for raw in in_place[kind]:
                written.pop((kind, int(raw["id"])))
                total -= 1
        receipt.state = "restored"
        receipts.save(receipt)
    if written:
        place.write("delete", *([raw for (each, _), raw in written.items() if each == kind] for kind in KINDS))
    if receipt.guide:
        remove_document(place)
    receipt.state = "undone"
    receipts.save(receipt)
    return Undone(receipt.summary, len(written), restored, total - len(written))


def _unchanged(now: Annotations, receipt: Receipt) -> dict[_Key, Raw]:
    """Find what was written and is as it was then."""
    sent = set(receipt.sent)

    def is_unchanged(raw: Raw, content: str) -> bool:
        if content:
            return content_of(raw) == content
        return all(f"{raw['label_id']}:{place_mark(look)}" in sent for look in raw.get("shapes", [raw]))

    created: Mapping[Kind, Mapping[int, str]] = receipt.created
    return {
        (kind, number): raw
        for (kind, number), raw in by_id(now).items()
        if number in created[kind] and is_unchanged(raw, created[kind][number])
    }


def _restore(
    place: TaskOrJob,
    receipt: Receipt,
    written: Collection[_Key],
    in_place: Mapping[Kind, list[Raw]],
    anew: Mapping[Kind, list[Raw]],
) -> None:
    """Write what had been replaced; if no answer comes, look whether it was done."""
    action = "update" if any(in_place.values()) else "create"
    try:
        place.write(action, *([*in_place[kind], *anew[kind]] for kind in KINDS))
    except ConnectionBroken:
        if any(part for found in _to_restore(all_held(place), receipt, written) for part in found.values()):
            raise


def _to_restore(
    now: Annotations, receipt: Receipt, written: Collection[_Key]
) -> tuple[dict[Kind, list[Raw]], dict[Kind, list[Raw]]]:
    """Return what takes back its place, and what is made anew because it is gone.

    What a person changed has taken the place of what had been replaced for good.
    """
    there = by_id(now)
    was_tried = receipt.state == "restoring"
    contents = {(kind, content_of(raw)) for (kind, _), raw in there.items()} if was_tried else set()
    in_place: dict[Kind, list[Raw]] = {"shape": [], "track": []}
    anew: dict[Kind, list[Raw]] = {"shape": [], "track": []}
    for kept in (*receipt.replaced, *receipt.later):
        key: _Key = (kept.kind, int(kept.raw["id"]))
        if any((kept.kind, content_of(copy)) in contents for copy in (kept.raw, *kept.copies)):
            continue  # it is back: the connection broke after that
        if key not in there:
            anew[kept.kind].append(without_ids(kept.raw))
        elif key in written:
            in_place[kept.kind].append({**without_ids(kept.raw), "id": kept.raw["id"]})
    return in_place, anew
