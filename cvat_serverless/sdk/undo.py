"""Taking a change back: what was written goes, what was replaced returns, what a person did since stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cvat_serverless.sdk.apply import finish_interrupted
from cvat_serverless.sdk.client import ConnectionBroken
from cvat_serverless.sdk.fingerprints import content_of, without_ids
from cvat_serverless.sdk.guide import remove_document

if TYPE_CHECKING:
    from collections.abc import Collection

    from cvat_serverless.sdk.journal import Journal, JournalEntry
    from cvat_serverless.sdk.schemas import Annotations, ItemKey, ItemKind, RawItem
    from cvat_serverless.sdk.task import TaskOrJob

_CAN_BE_UNDONE = ("done", "restoring", "restored")


@dataclass(frozen=True, slots=True)
class UndoResult:
    """What taking back did.

    Attributes
    ----------
    summary
        What was taken back, in words.
    removed, restored
        How many shapes and tracks were removed, and written again.
    changed
        How many of what had been written were changed or removed since, and were left alone.
    """

    summary: str
    removed: int
    restored: int
    changed: int


@dataclass(frozen=True, slots=True)
class _Restoration:
    """What is written again.

    Attributes
    ----------
    in_place
        Items that take back the place of what was written, with their ids.
    anew
        Items that are made anew, with new ids, because the old ones are gone.
    """

    in_place: dict[ItemKey, RawItem]
    anew: list[tuple[ItemKind, RawItem]]

    def of(self, kind: ItemKind) -> list[RawItem]:
        """Return the shapes, or the tracks."""
        in_place = [raw for (each, _), raw in self.in_place.items() if each == kind]
        return in_place + [raw for each, raw in self.anew if each == kind]


def undo(task: TaskOrJob, journal: Journal) -> UndoResult | None:
    """Take the last change back that was not taken back yet; None if there is none.

    First what had been replaced is written again, then what had been written is removed, so that nothing is ever lost.
    """
    finish_interrupted(task, journal)
    entry = next((each for each in reversed(journal.entries()) if each.state in _CAN_BE_UNDONE), None)
    if entry is None:
        return None
    now = task.all_copies()
    unchanged = _unchanged(now, entry)
    total = sum(map(len, entry.created.values()))
    restored = 0
    if entry.state != "restored":
        restoration = _restoration(now, entry, unchanged)
        entry.state = "restoring"
        journal.save(entry)
        _restore(task, entry, unchanged, restoration)
        restored = len(restoration.in_place) + len(restoration.anew)
        for key in restoration.in_place:
            unchanged.pop(key)
            total -= 1
        entry.state = "restored"
        journal.save(entry)
    task.delete(unchanged)
    if entry.guide:
        remove_document(task)
    entry.state = "undone"
    journal.save(entry)
    return UndoResult(entry.summary, len(unchanged), restored, total - len(unchanged))


def _unchanged(now: Annotations, entry: JournalEntry) -> dict[ItemKey, RawItem]:
    """Find what was written and is as it was then."""
    found = {}
    for (kind, number), item in now.items.items():
        written = entry.created[kind].get(number)
        if written is not None and content_of(item.raw) == written:
            found[kind, number] = item.raw
    return found


def _restore(task: TaskOrJob, entry: JournalEntry, unchanged: Collection[ItemKey], restoration: _Restoration) -> None:
    """Write what had been replaced; if no answer comes, look whether it was done."""
    shapes, tracks = restoration.of("shape"), restoration.of("track")
    if not shapes and not tracks:
        return
    try:
        task.write("update" if restoration.in_place else "create", shapes, tracks)
    except ConnectionBroken:
        left = _restoration(task.all_copies(), entry, unchanged)
        if left.in_place or left.anew:
            raise


def _restoration(now: Annotations, entry: JournalEntry, unchanged: Collection[ItemKey]) -> _Restoration:
    """Return what is to be written again; what a person changed has taken the place of what was replaced for good."""
    was_tried = entry.state == "restoring"
    there = {(key[0], content_of(item.raw)) for key, item in now.items.items()} if was_tried else set()
    restoration = _Restoration({}, [])
    for item in (*entry.replaced, *entry.removed_after):
        if any((item.kind, content_of(copy)) in there for copy in (item.raw, *item.copies)):
            continue  # it is back: the connection broke after that
        if item.key not in now.items:
            restoration.anew.append((item.kind, without_ids(item.raw)))
        elif item.key in unchanged:
            restoration.in_place[item.key] = {**without_ids(item.raw), "id": item.raw["id"]}
    return restoration
