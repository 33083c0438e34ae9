"""Applying a change to a task, and finishing one that was interrupted.

Every step is noted in the journal before and after it, so that whatever breaks, the next command knows what to do.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cvat_serverless.sdk.client import ConnectionBroken
from cvat_serverless.sdk.fingerprints import content_of, geometry_key_of, shape_key_of, text_hash
from cvat_serverless.sdk.journal import JournalEntry
from cvat_serverless.sdk.schemas import KINDS
from src_model.errors import RemoteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cvat_serverless.sdk.change import AnnotationChange
    from cvat_serverless.sdk.journal import Journal
    from cvat_serverless.sdk.schemas import Annotations, ItemKey, RawItem
    from cvat_serverless.sdk.task import TaskOrJob


def apply_change(
    task: TaskOrJob, change: AnnotationChange, journal: Journal, summary: str, *, run: str = "", guide: bool = False
) -> JournalEntry:
    """Write a change by one request, and then remove what it makes needless.

    Parameters
    ----------
    task
        The task or job to change.
    change
        What is written, and what that takes the place of.
    journal
        Journal of the task or job.
    summary, run, guide
        As in :class:`~cvat_serverless.sdk.journal.JournalEntry`.

    Raises
    ------
    RemoteError
        If somebody changed meanwhile what the change was made from, or the server refuses or does not answer. The
        journal tells what is to be found out then.
    """
    before = task.all_copies()
    _check_unchanged(before, change)
    entry = JournalEntry(
        time=time.time(),
        task=task.described,
        summary=summary,
        run=run,
        newest={kind: before.newest(kind) for kind in KINDS},
        sent=_keys([*change.shapes, *change.tracks]),
        in_place={
            kind: {int(raw["id"]): _signature(raw) for raw in sent if "id" in raw}
            for kind, sent in zip(KINDS, (change.shapes, change.tracks), strict=True)
        },
        model=change.model_geometry,
        replaced=change.replaced,
        removed_after=change.removed_after,
        guide=guide,
    )
    journal.add(entry)
    try:
        created = _write(task, change, entry)
    except ConnectionBroken:
        raise
    except RemoteError:
        entry.state = "never"
        journal.save(entry)
        raise
    entry.state = "written"
    _note(entry, created)
    journal.save(entry)
    _remove_needless(task, entry, journal)
    return entry


def finish_interrupted(task: TaskOrJob, journal: Journal) -> list[JournalEntry]:
    """Find out about changes that were interrupted, and finish them; return those that turned out to be written."""
    finished = []
    for entry in journal.entries():
        if entry.state == "sending":
            created = _found(task.all_copies(), entry)
            entry.state = "written" if created else "never"
            _note(entry, created)
            journal.save(entry)
        if entry.state == "written":
            _remove_needless(task, entry, journal)
            finished.append(entry)
    return finished


def _check_unchanged(now: Annotations, change: AnnotationChange) -> None:
    """Raise RemoteError if somebody changed the drawing since it was read."""
    for item in (*change.replaced, *change.removed_after, *change.kept):
        for copy in item.held:
            there = now.items.get((item.kind, int(copy["id"])))
            if there is None or content_of(there.raw) != content_of(copy):
                raise _changed_meanwhile(item.described)
    for number, members in change.groups.items():
        if members != {item.key for item in now.groups.get(number, ())}:
            raise _changed_meanwhile(f"group {number}")


def _changed_meanwhile(what: str) -> RemoteError:
    return RemoteError(
        f"{what} was changed in CVAT while it was being tracked, so nothing was written: run the same command again, "
        "with the ids that CVAT shows now"
    )


# What was written -----------------------------------------------------------------------------------------------------


def _write(task: TaskOrJob, change: AnnotationChange, entry: JournalEntry) -> dict[ItemKey, RawItem]:
    """Write, and return what CVAT holds of it; if no answer comes, look whether it was done."""
    try:
        answer = task.write(change.action, change.shapes, change.tracks)
    except ConnectionBroken:
        found = _found(task.all_copies(), entry)
        if not found:
            raise
        return found
    now = task.all_copies()
    if task.has_several_jobs:  # the answer does not name all that lies in frames of two jobs
        return _found(now, entry)
    return {key: item.raw for key, item in now.items.items() if key in answer.items}


def _found(now: Annotations, entry: JournalEntry) -> dict[ItemKey, RawItem]:
    """Find what was sent among what is there."""
    sent = set(entry.sent)

    def is_found(key: ItemKey, raw: RawItem) -> bool:
        kind, number = key
        signature = entry.in_place[kind].get(number)
        if signature is not None:
            return signature == _signature(raw)
        return number > entry.newest[kind] and not sent.isdisjoint(_keys([raw]))

    return {key: item.raw for key, item in now.items.items() if is_found(key, item.raw)}


def _note(entry: JournalEntry, created: Mapping[ItemKey, RawItem]) -> None:
    """Note what CVAT holds now, by which changes of it are recognised.

    Where jobs begin and end CVAT cuts tracks with keyframes of its own, which are no person's either.
    """
    manual = {key.partition(":")[2] for key in entry.sent} - set(entry.model)
    entry.created = {
        each: {number: content_of(raw) for (kind, number), raw in created.items() if kind == each} for each in KINDS
    }
    shapes = [shape for raw in created.values() for shape in raw.get("shapes", [raw])]
    entry.manual_shapes = [shape_key_of(shape) for shape in shapes if geometry_key_of(shape) in manual]
    entry.model_shapes = [shape_key_of(shape) for shape in shapes if geometry_key_of(shape) not in manual]


def _keys(raws: Iterable[RawItem]) -> list[str]:
    """Return what shapes and keyframes are found by: label and geometry."""
    return [f"{raw['label_id']}:{geometry_key_of(shape)}" for raw in raws for shape in raw.get("shapes", [raw])]


def _signature(raw: RawItem) -> str:
    """Return what tells the new content of something that keeps its id from the old one."""
    return text_hash(" ".join([str(raw.get("group") or 0), *sorted(_keys([raw]))]))


# What becomes needless ------------------------------------------------------------------------------------------------


def _remove_needless(task: TaskOrJob, entry: JournalEntry, journal: Journal) -> None:
    """Remove what was replaced but could not be in one request, if it is still as it was."""
    if entry.removed_after:
        there = task.all_copies().items
        copies = {(item.kind, int(copy["id"])): copy for item in entry.removed_after for copy in item.held}
        task.delete(
            {
                key: there[key].raw
                for key, copy in copies.items()
                if key in there and content_of(there[key].raw) == content_of(copy)
            }
        )
    entry.state = "done"
    journal.save(entry)
