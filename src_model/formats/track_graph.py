"""Objects as a graph: a node for each object and frame, an edge to the next one, as tracking tools exchange them.

Divisions are edges from the last node of the parent to the first of each daughter, fusions edges from several parents
to one node. Gaps are edges over several frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from src_model.document.lineage import kinship_of
from src_model.formats.report import some

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from src_model.document.lineage import Kinship
    from src_model.formats.run import ExportRun


LONGEST_TEXT: Final = 100
"""Characters of a name or class: it is repeated at every node."""


class TrackGraph:
    """Nodes in the order of frames, numbered from 0, and edges between them, from lower to higher numbers.

    Parameters
    ----------
    run
        The document on its way, of which the frames are given to :meth:`step` in turn.
    """

    def __init__(self, run: ExportRun) -> None:
        self._run = run
        self._latest: dict[int, int] = {}
        self._linked: dict[int, list[int]] = {}
        self.objects: list[int] = []
        """Object id of each node."""
        self.edges: list[tuple[int, int]] = []

    def step(self, object_ids: Iterable[int]) -> dict[int, int]:
        """Take the objects that are seen on the next frame; return the node of each."""
        earlier = dict(self._latest)
        nodes = {}
        for object_id in object_ids:
            node = nodes[object_id] = len(self.objects)
            self.objects.append(object_id)
            if object_id in earlier:
                self.edges.append((earlier[object_id], node))
            else:
                parents = [parent for parent in self._run.kinship[object_id].parents if parent in earlier]
                self.edges += ((earlier[parent], node) for parent in parents)
                self._linked[object_id] = parents
            self._latest[object_id] = node
        return nodes

    def kinship(self) -> dict[int, Kinship]:
        """Return how objects are related by the edges; those of a lineage are all that edges connect."""
        return kinship_of(self._linked, self._linked)

    def tracklets(self) -> NDArray[np.int64]:
        """Return the number of each node's stretch without divisions and fusions, from 1; ``(N,)`` for N nodes."""
        count = len(self.objects)
        edges = np.array(self.edges, np.int64).reshape(-1, 2)
        children = np.bincount(edges[:, 0], minlength=count)
        sources = np.bincount(edges[:, 1], minlength=count)
        goes_on = {after: before for before, after in self.edges if children[before] == sources[after] == 1}
        tracklets = np.zeros(count, np.int64)
        found = 0
        for node in range(count):
            if node in goes_on:
                tracklets[node] = tracklets[goes_on[node]]
            else:
                found += 1
                tracklets[node] = found
        return tracklets

    def note_changes(self) -> None:
        """Tell the report of links that are missing, or that a reader takes for something else."""
        kinship, declared = self.kinship(), self._run.kinship
        lost = [
            f"{parent} to {daughter}"
            for daughter, kin in declared.items()
            for parent in kin.parents
            if daughter not in kinship or parent not in kinship[daughter].parents
        ]
        self._run.note("links", len(lost), f"No link is written from {some(lost)}: the parent is not there before.")
        forked = {before: after for before, after in self.edges if self.objects[before] != self.objects[after]}
        continued = [
            str(self.objects[after])
            for before, after in self.edges
            if before in forked and self.objects[before] == self.objects[after]
        ]
        text = f"What goes on after a division looks like one more daughter: object {some(continued)}."
        self._run.note("continued", len(continued), text)
        only = [
            f"{kin.parents[0]} to {daughter}"
            for daughter, kin in kinship.items()
            if len(kin.parents) == 1
            and len(kinship[kin.parents[0]].daughters) == 1
            and str(kin.parents[0]) not in continued
        ]
        text = f"Divisions with one daughter look as if the parent went on: {some(only)}."
        self._run.note("only children", len(only), text)


def note_long_texts(run: ExportRun, *texts: str) -> None:
    """Tell the report of texts that are longer than is written at a node."""
    long = sum(len(text) > LONGEST_TEXT for text in texts)
    run.note("long names", long, f"Names and classes are cut after {LONGEST_TEXT} characters.")
