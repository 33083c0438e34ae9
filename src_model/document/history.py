"""What was done, as a tree of steps kept in the document's database: undoing goes towards the root.

Doing something new after undoing starts a branch; what was undone stays on its own branch, and one can go back to it.
Steps keep no values: the rows that they wrote are in the tables of the cells, and which of them count follows from the
line that leads to the current step.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from src_model.document.spans import SpanSet, spans_of
from src_model.document.touched import Touched
from src_model.errors import AnnotationError, AnnotationFileError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from src_model.document.state import Applied
    from src_model.document.store import CellStore

ROOT: Final = 0
"""Number of the step at the beginning, which nothing undoes."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step as a history list shows it.

    Attributes
    ----------
    number
        Its number, for ``Annotation.go_to``; steps count from 1 in the order they were made, 0 is the beginning.
    parent
        Number of the step it was made on.
    label
        What was done, as an undo menu shows it.
    time
        When, in seconds since 1970.
    done
        Whether it counts now: it lies between the beginning and the current step.
    current
        Whether it is the last one that counts.
    """

    number: int
    parent: int
    label: str
    time: float
    done: bool
    current: bool


@dataclass(frozen=True, slots=True)
class HistoryPosition:
    """Where a document is in its history.

    Attributes
    ----------
    current
        The last step that counts.
    newest
        The step that was made last, on any branch.
    revision
        The same whenever the document is in the same state of the tree.
    """

    current: int
    newest: int
    revision: int


@dataclass(frozen=True, slots=True)
class OldestStep:
    """The first step that can be undone.

    Attributes
    ----------
    step
        Number of the step.
    touched
        Cells that it gave another value.
    beside
        Steps of branches that begin where it begins, with what they touched.
    bytes
        How many bytes are free when it can no longer be undone.
    """

    step: int
    touched: Touched
    beside: Mapping[int, Touched]
    bytes: int


@dataclass(slots=True)
class _Node:
    number: int
    parent: int
    label: str
    time: float
    revision: int
    touched: Touched
    written: int = 0
    replaced: int = 0
    latest_child: int | None = None  # where redo goes
    children: list[int] = field(default_factory=list)


class History:
    """The tree of steps and the current one among them; every change is written within a transaction of the caller's.

    Parameters
    ----------
    store
        Of the document, which may have a history already.
    """

    def __init__(self, store: CellStore) -> None:
        self._store = store
        self._nodes: dict[int, _Node] = {}
        self._current = self._forgotten = ROOT
        self._revisions = 0
        self.reload()

    def reload(self) -> None:
        """Read the tree again, as after a transaction that was rolled back.

        Raises
        ------
        AnnotationFileError
            If it is no tree.
        """
        rows = self._connection.execute(
            "SELECT number, parent, label, time, revision, touched, written, replaced, latest_child FROM steps "
            "ORDER BY number"
        )
        nodes = {ROOT: _Node(ROOT, ROOT, "", 0.0, 0, Touched())}
        for number, parent, label, when, revision, touched, *rest in rows:
            if number == ROOT:
                nodes[ROOT].latest_child = rest[2]
                continue
            if parent not in nodes or parent >= number:
                raise AnnotationFileError(f"step {number} of the history stands on no earlier one")
            nodes[number] = _Node(number, parent, label, when, revision, Touched.from_json(touched), *rest)
            nodes[parent].children.append(number)
        for node in nodes.values():
            if node.latest_child is not None and node.latest_child not in node.children:
                raise AnnotationFileError(f"step {node.number} of the history leads nowhere")
        self._nodes = nodes
        self._current, self._forgotten = self._fact("current"), self._fact("forgotten")
        self._revisions = max(node.revision for node in nodes.values())
        if self._current not in nodes or self._forgotten not in self._line_to(self._current):
            raise AnnotationFileError("the current step of the history is not there")

    @property
    def _connection(self) -> sqlite3.Connection:
        return self._store.connection

    @property
    def current(self) -> int:
        """Number of the last step that counts; 0 if none does."""
        return self._current

    @property
    def line(self) -> SpanSet:
        """Numbers of the steps that count."""
        return SpanSet(spans_of(self._line_to(self._current)))

    @property
    def revision(self) -> int:
        """A number that is the same whenever the document is in the same state of the tree."""
        return self._nodes[self._current].revision

    @property
    def position(self) -> HistoryPosition:
        """Where the document is now."""
        return HistoryPosition(self._current, max(self._nodes), self.revision)

    @property
    def undo_label(self) -> str | None:
        """What undo would take back; None if nothing."""
        return self._nodes[self._current].label if self._current != self._forgotten else None

    @property
    def redo_label(self) -> str | None:
        """What redo would do again; None if nothing."""
        child = self._nodes[self._current].latest_child
        return None if child is None else self._nodes[child].label

    @property
    def next_number(self) -> int:
        """Number that the next step will have."""
        return max(self._nodes) + 1

    def record(self, label: str, applied: Applied) -> int:
        """Add a step after the current one, and make it the current one; return its number."""
        number = self.next_number
        node = _Node(
            number, self._current, label, time.time(), self._next_revision(), applied.touched, applied.written,
            applied.replaced,
        )  # fmt: skip
        self._connection.execute(
            "INSERT INTO steps VALUES (?, ?, ?, ?, ?, NULL, ?, ?, ?)",
            (
                *(number, node.parent, label, node.time, node.revision),
                *(node.touched.to_json(), node.written, node.replaced),
            ),
        )
        self._nodes[number] = node
        self._nodes[node.parent].children.append(number)
        self._set_latest_child(node.parent, number)
        self._set_current(number)
        return number

    def can_amend(self, number: int) -> bool:
        """Tell whether more may be added to a step: it is the current one, and nothing was ever done on top of it."""
        return number == self._current != self._forgotten and not self._nodes[number].children

    def amend(self, applied: Applied) -> int:
        """Add a later change to the current step; return its number."""
        node = self._nodes[self._current]
        node.touched = node.touched.joined(applied.touched)
        node.written += applied.written
        node.replaced += applied.replaced
        node.revision = self._next_revision()
        self._connection.execute(
            "UPDATE steps SET revision = ?, touched = ?, written = ?, replaced = ? WHERE number = ?",
            (node.revision, node.touched.to_json(), node.written, node.replaced, node.number),
        )
        return self._current

    def undo_target(self) -> int | None:
        """Return the step that is the current one after undo; None at the beginning."""
        return None if self._current == self._forgotten else self._nodes[self._current].parent

    def redo_target(self) -> int | None:
        """Return the step that redo does again, on the branch last visited; None at the end of a branch."""
        return self._nodes[self._current].latest_child

    def move_to(self, number: int) -> Touched:
        """Make another step the current one; return what changes.

        Raises
        ------
        AnnotationError
            If there is no such step.
        """
        if number not in self._nodes:
            raise AnnotationError(f"there is no step {number}; steps are {self._forgotten} to {max(self._nodes)}")
        there = self._line_to(number)
        if self._forgotten not in there:
            raise AnnotationError(f"step {number} was forgotten; the earliest is {self._forgotten}")
        here, target = set(self._line_to(self._current)), set(there)
        touched = Touched()
        for passed in sorted(here ^ target):
            touched = touched.joined(self._nodes[passed].touched)
        for parent, child in itertools.pairwise(there):
            self._set_latest_child(parent, child)
        for undone in here - target:
            self._set_latest_child(self._nodes[undone].parent, undone, unless_in=target)
        self._set_current(number)
        return touched

    def steps(self) -> tuple[Step, ...]:
        """Return all steps in the order they were made, those of other branches too."""
        done, forgotten = set(self._line_to(self._current)), set(self._line_to(self._forgotten))
        return tuple(
            Step(node.number, node.parent, node.label, node.time, node.number in done, node.number == self._current)
            for node in self._nodes.values()
            if node.number not in forgotten
        )

    def branches(self) -> tuple[Step, ...]:
        """Return the last step of every branch, the latest first: each a state of the document one can go to."""
        tips = [step for step in self.steps() if not self._nodes[step.number].children]
        return tuple(sorted(tips, key=lambda step: -step.number))

    @property
    def bytes(self) -> int:
        """How many bytes are there only so that steps can be undone and redone."""
        line = set(self._line_to(self._current))
        forgotten = set(self._line_to(self._forgotten))
        kept = (node for node in self._nodes.values() if node.number not in forgotten)
        return sum(node.replaced if node.number in line else node.written for node in kept)

    def oldest(self) -> OldestStep | None:
        """Return the first step on the line that can be undone; None if none can."""
        line = self._line_to(self._current)
        at = line.index(self._forgotten)
        if at + 1 == len(line):
            return None
        first = line[at + 1]
        beside = self._all_above([child for child in self._nodes[self._forgotten].children if child != first])
        freed = self._nodes[first].replaced + sum(self._nodes[step].written for step in beside)
        return OldestStep(
            first, self._nodes[first].touched, {step: self._nodes[step].touched for step in beside}, freed
        )

    def forget(self, number: int, beside: Iterable[int]) -> None:
        """Make a step one that nothing undoes; those of branches beside it are gone."""
        self._connection.executemany("DELETE FROM steps WHERE number = ?", [(gone,) for gone in beside])
        for gone in beside:
            node = self._nodes.pop(gone)
            if node.parent in self._nodes:
                self._nodes[node.parent].children.remove(gone)
        self._set_latest_child(self._nodes[number].parent, number)
        self._forgotten = number
        self._store.put_fact("forgotten", number)

    def _all_above(self, steps: list[int]) -> list[int]:
        found = []
        while steps:
            step = steps.pop()
            found.append(step)
            steps.extend(self._nodes[step].children)
        return sorted(found, reverse=True)

    def _line_to(self, number: int) -> list[int]:
        line = [number]
        while line[-1] != ROOT:
            line.append(self._nodes[line[-1]].parent)
        return line[::-1]

    def _set_latest_child(self, parent: int, child: int, *, unless_in: set[int] | None = None) -> None:
        node = self._nodes[parent]
        if (unless_in and node.latest_child in unless_in) or node.latest_child == child:
            return
        node.latest_child = child
        self._connection.execute(
            "INSERT INTO steps VALUES (?, ?, '', 0.0, 0, ?, '{}', 0, 0) "
            "ON CONFLICT (number) DO UPDATE SET latest_child = excluded.latest_child",
            (parent, ROOT, child),
        )

    def _set_current(self, number: int) -> None:
        self._current = number
        self._store.put_fact("current", number)

    def _fact(self, name: str) -> int:
        value = self._store.fact(name)
        if not isinstance(value, int | None):
            raise AnnotationFileError(f"the history's {name} step is no number")
        return ROOT if value is None else value

    def _next_revision(self) -> int:
        self._revisions += 1
        return self._revisions
