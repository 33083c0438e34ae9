"""What was done, as a tree: undoing goes towards the root, and no step is ever dropped.

Doing something new after undoing starts a branch; what was undone stays on its own branch, and one can go back to it.
Each step keeps one patch, which leads from the side of the step where the document is to the other side: the inverse of
what was done while the step counts, and the doing of it while it is undone.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from src_model.annotation.patch import Patch, PatchBuilder
from src_model.errors import AnnotationError

ROOT = 0


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
        What was done.
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


@dataclass(slots=True)
class _Node:
    number: int
    parent: int
    label: str
    time: float
    patch: Patch
    revision: int
    children: list[int] = field(default_factory=list)
    latest_child: int | None = None  # where redo goes


@dataclass(frozen=True, slots=True)
class Move:
    """One edge of a way through the tree.

    Attributes
    ----------
    step
        The step that is undone or redone.
    target
        The current step afterwards.
    """

    step: int
    target: int


class History:
    """The tree of steps and the current one among them."""

    def __init__(self) -> None:
        self._nodes = [_Node(ROOT, ROOT, "", time.time(), Patch(), 0)]
        self._current = ROOT
        self._revisions = 0

    @property
    def current(self) -> int:
        """Number of the last step that counts; 0 if none does."""
        return self._current

    @property
    def revision(self) -> int:
        """A number that is the same whenever the document is in the same state of the tree."""
        return self._nodes[self._current].revision

    @property
    def undo_label(self) -> str | None:
        """What undo would take back; None if nothing."""
        return self._nodes[self._current].label if self._current != ROOT else None

    @property
    def redo_label(self) -> str | None:
        """What redo would do again; None if nothing."""
        child = self._nodes[self._current].latest_child
        return None if child is None else self._nodes[child].label

    def record(self, label: str, inverse: Patch) -> int:
        """Add a step after the current one, and make it the current one; return its number."""
        number = len(self._nodes)
        self._nodes.append(_Node(number, self._current, label, time.time(), inverse, self._next_revision()))
        parent = self._nodes[self._current]
        parent.children.append(number)
        parent.latest_child = number
        self._current = number
        return number

    def can_amend(self, number: int) -> bool:
        """Tell whether more may be added to a step: it is the current one, and nothing was ever done on top of it."""
        return number == self._current != ROOT and not self._nodes[number].children

    def amend(self, inverse: Patch) -> int:
        """Add a later change to the current step; return its number."""
        node = self._nodes[self._current]
        builder = PatchBuilder()
        builder.add_inverse(node.patch)
        builder.add_inverse(inverse)
        node.patch = builder.build()
        node.revision = self._next_revision()
        return self._current

    def undo_move(self) -> Move | None:
        """Return the edge that undo takes; None at the beginning."""
        return None if self._current == ROOT else Move(self._current, self._nodes[self._current].parent)

    def redo_move(self) -> Move | None:
        """Return the edge that redo takes, towards the branch last visited; None at the end of a branch."""
        child = self._nodes[self._current].latest_child
        return None if child is None else Move(child, child)

    def way_to(self, number: int) -> list[Move]:
        """Return the edges from the current step to another one.

        Raises
        ------
        AnnotationError
            If there is no such step.
        """
        if not 0 <= number < len(self._nodes):
            raise AnnotationError(f"there is no step {number}; steps are 0 to {len(self._nodes) - 1}")
        down = self._line_to(number)
        shared = set(self._line_to(self._current)).intersection(down)
        moves, step = [], self._current
        while step not in shared:
            moves.append(Move(step, self._nodes[step].parent))
            step = self._nodes[step].parent
        return moves + [Move(child, child) for child in down if child not in shared]

    def patch_of(self, move: Move) -> Patch:
        """Return the patch that an edge applies."""
        return self._nodes[move.step].patch

    def moved(self, move: Move, inverse: Patch) -> None:
        """Note that an edge was taken, and the patch that leads back."""
        node = self._nodes[move.step]
        node.patch = inverse
        self._nodes[node.parent].latest_child = move.step
        self._current = move.target

    def steps(self) -> tuple[Step, ...]:
        """Return all steps in the order they were made, those of other branches too."""
        done = set(self._line_to(self._current))
        return tuple(
            Step(node.number, node.parent, node.label, node.time, node.number in done, node.number == self._current)
            for node in self._nodes[1:]
        )

    def branches(self) -> tuple[Step, ...]:
        """Return the last step of every branch, the latest first: each a state of the document one can go to."""
        tips = [step for step in self.steps() if not self._nodes[step.number].children]
        return tuple(sorted(tips, key=lambda step: -step.number))

    def _line_to(self, number: int) -> list[int]:
        line = [number]
        while line[-1] != ROOT:
            line.append(self._nodes[line[-1]].parent)
        return line[::-1]

    def _next_revision(self) -> int:
        self._revisions += 1
        return self._revisions
