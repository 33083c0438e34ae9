"""Where each track of a document stands in its lineage: one column a track, daughters on both sides of the mother."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from src_model.document.lineage import Division

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

TREE_GAP: Final = 0.6
"""Columns that are left free beside a tree of several tracks."""


def track_columns(object_ids: Iterable[int], divisions: Mapping[int, Division]) -> dict[int, float]:
    """Give each object a column, from left to right; it takes time in proportion to objects and divisions.

    A mother stands between her daughters: the first half of them, by id, is on her left. What several objects became
    together (a fusion) stands with the first of them, and the trees of the others beside that tree. Trees are ordered
    by their smallest root, so that an edit moves what it concerns and nothing else changes its place in the order.

    Parameters
    ----------
    object_ids
        Objects that are shown, in any order.
    divisions
        Divisions by parent; what they say of other objects does not count.

    Returns
    -------
    dict
        Column by object id, ascending columns. Neighbours are one apart, and `TREE_GAP` more beside a tree.
    """
    ids = sorted(set(object_ids))
    below, others = _placed_daughters(ids, divisions)
    placed = {daughter for daughters in below.values() for daughter in daughters}
    trees = {root: list(_in_order(root, below)) for root in ids if root not in placed}
    root_of = {number: root for root, tree in trees.items() for number in tree}
    columns: dict[int, float] = {}
    column, was_tree = 0.0, False
    for group in _joined(list(trees), [(root_of[one], root_of[other]) for one, other in others]):
        order = [number for root in group for number in trees[root]]
        is_tree = len(order) > 1
        if columns and (is_tree or was_tree):
            column += TREE_GAP
        for number in order:
            columns[number] = column
            column += 1
        was_tree = is_tree
    return columns


def _placed_daughters(
    ids: list[int], divisions: Mapping[int, Division]
) -> tuple[dict[int, list[int]], list[tuple[int, int]]]:
    """Return the daughters that stand beside each parent, and the pairs (daughter, parent) of all other edges."""
    known = set(ids)
    below: dict[int, list[int]] = {}
    others: list[tuple[int, int]] = []
    done: set[int] = set()
    for parent in ids:
        for daughter in divisions[parent].daughters if parent in divisions else ():
            if daughter in done:
                others.append((daughter, parent))
            elif daughter in known:
                done.add(daughter)
                below.setdefault(parent, []).append(daughter)
    return below, others


def _in_order(root: int, below: Mapping[int, list[int]]) -> Iterator[int]:
    """Yield a tree from left to right; without recursion, because lineages may be thousands of generations deep."""
    stack = [(root, False)]
    while stack:
        number, is_open = stack.pop()
        daughters = below.get(number, [])
        if is_open or not daughters:
            yield number
            continue
        half = len(daughters) // 2
        stack += [(daughter, False) for daughter in reversed(daughters[half:])]
        stack.append((number, True))
        stack += [(daughter, False) for daughter in reversed(daughters[:half])]


def _joined(roots: list[int], pairs: Iterable[tuple[int, int]]) -> Iterator[list[int]]:
    """Yield groups of roots whose trees are to stand together, by the smallest root of each; roots ascending."""
    leader = {root: root for root in roots}

    def find(root: int) -> int:
        while leader[root] != root:
            leader[root] = leader[leader[root]]
            root = leader[root]
        return root

    for one, other in pairs:
        first, second = sorted((find(one), find(other)))
        leader[second] = first
    groups: dict[int, list[int]] = {}
    for root in roots:
        groups.setdefault(find(root), []).append(root)
    yield from groups.values()
