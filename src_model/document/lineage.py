"""Lineage: which objects an object became, by division or by fusion."""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from src_model.document.objects import checked_object_id
from src_model.errors import AnnotationError, FrameRangeError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Division:
    """An object divides.

    Attributes
    ----------
    parent
        The object that divides; an object divides once.
    frame
        First frame on which the daughters are there.
    daughters
        The objects it became, at least one, by ascending id. One that several objects name is what they fused to.

    Raises
    ------
    AnnotationError, FrameRangeError
        If an object is named twice, no daughter is named, or the frame is negative.
    """

    parent: int
    frame: int
    daughters: tuple[int, ...]

    def __post_init__(self) -> None:
        named = [checked_object_id(number) for number in (self.parent, *self.daughters)]
        if len(named) < 2 or len(set(named)) != len(named):
            raise AnnotationError(
                f"object {self.parent} cannot divide into {self.daughters}: name daughters other than itself, each once"
            )
        object.__setattr__(self, "daughters", tuple(sorted(self.daughters)))
        if self.frame < 0:
            raise FrameRangeError(f"a division on frame {self.frame} cannot be; frames count from 0")

    def without(self, object_id: int) -> Division | None:
        """Return the division after an object is gone; None if no daughter or no parent is left."""
        left = tuple(number for number in self.daughters if number != object_id)
        return Division(self.parent, self.frame, left) if left and object_id != self.parent else None


def life_of(object_id: int, divisions: Mapping[int, Division], length: int) -> range:
    """Return the frames of a movie of some length from the division that an object comes of to that of its own."""
    born = (each.frame for each in divisions.values() if object_id in each.daughters)
    own = divisions.get(object_id)
    return range(next(born, 0), length if own is None else own.frame)


def check_lineage(divisions: Mapping[int, Division]) -> None:
    """Raise AnnotationError if an object begins on two frames, or descends from itself.

    An object may have several parents, which became it together on one frame: a fusion.
    """
    begun: dict[int, Division] = {}
    for division in divisions.values():
        for daughter in division.daughters:
            first = begun.setdefault(daughter, division)
            if first.frame != division.frame:
                raise AnnotationError(
                    f"object {daughter} cannot come of object {division.parent} on frame {division.frame}: it comes of "
                    f"object {first.parent} on frame {first.frame}; remove that division, or mark a fusion on one frame"
                )
    _ancestors_first(parents_of(divisions.values()))


def parents_of(divisions: Iterable[Division]) -> dict[int, tuple[int, ...]]:
    """Return the parents of each daughter, ascending; they are several where objects fused."""
    found: dict[int, set[int]] = {}
    for division in divisions:
        for daughter in division.daughters:
            found.setdefault(daughter, set()).add(division.parent)
    return {daughter: tuple(sorted(parents)) for daughter, parents in found.items()}


def divisions_of(parents: Mapping[int, Collection[int]], begun: Mapping[int, int]) -> tuple[Division, ...]:
    """Make divisions of links between objects, as graphs of other programs have them.

    Parameters
    ----------
    parents
        Ids of the parents of each daughter, at least one.
    begun
        First frame of each daughter.

    Returns
    -------
    tuple
        By ascending parent. Of daughters that appear one after the other the first counts, and what shares a daughter
        or a parent happens on one frame, so that a fusion does.
    """
    daughters: dict[int, list[int]] = {}
    for daughter, found in parents.items():
        for parent in found:
            daughters.setdefault(parent, []).append(daughter)
    frames = {parent: min(begun[daughter] for daughter in found) for parent, found in daughters.items()}
    while True:
        earliest = {daughter: min(frames[parent] for parent in found) for daughter, found in parents.items()}
        settled = {parent: min(earliest[daughter] for daughter in found) for parent, found in daughters.items()}
        if settled == frames:
            return tuple(Division(parent, frames[parent], tuple(daughters[parent])) for parent in sorted(daughters))
        frames = settled


@dataclass(frozen=True, slots=True)
class Kinship:
    """Where an object stands among those that divisions and fusions connect it with.

    Attributes
    ----------
    parents, daughters
        Object ids, ascending; several parents fused to it.
    lineage_id
        Id of the object without parents that all of them descend from; of several, the smallest.
    generation
        Number of divisions on the way from there, the longest way if there are several. What comes of a fusion, or as
        an only daughter, has the generation of its parent.
    """

    parents: tuple[int, ...]
    daughters: tuple[int, ...]
    lineage_id: int
    generation: int


def kinship_of(object_ids: Iterable[int], parents: Mapping[int, Collection[int]]) -> dict[int, Kinship]:
    """Find lineages and generations.

    Parameters
    ----------
    object_ids
        All objects; those without parents and daughters are lineages of their own.
    parents
        Ids of the parents of each daughter, as :func:`parents_of` gives them; all are among ``object_ids``.

    Raises
    ------
    AnnotationError
        If an object would descend from itself.
    """
    ids = sorted(object_ids)
    daughters: dict[int, list[int]] = {number: [] for number in ids}
    for daughter in sorted(parents):
        for parent in parents[daughter]:
            daughters[parent].append(daughter)
    generations = dict.fromkeys(ids, 0)
    for number in _ancestors_first(parents):
        steps = (generations[parent] + (len(daughters[parent]) > 1) for parent in parents.get(number, ()))
        generations[number] = max(steps, default=0)
    lineages = _lineages(ids, parents, daughters)
    return {
        number: Kinship(
            tuple(sorted(parents.get(number, ()))), tuple(daughters[number]), lineages[number], generations[number]
        )
        for number in ids
    }


def life_reasons(object_id: int, kinship: Mapping[int, Kinship], first: int, last: int, length: int) -> tuple[str, str]:
    """Say how an object begins and how it ends.

    Parameters
    ----------
    object_id
        The object.
    kinship
        Of all objects, from :func:`kinship_of`.
    first, last
        Numbers of the first and last frame on which it is seen.
    length
        Number of frames of the movie.

    Returns
    -------
    begins, ends
        ``"division"``, ``"fusion"``, ``"link"`` (an only parent or daughter); without relatives ``"first frame"`` or
        ``"appears"``, and ``"last frame"`` or ``"disappears"``.
    """
    own = kinship[object_id]
    if len(own.parents) > 1:
        begins = "fusion"
    elif own.parents:
        begins = "division" if len(kinship[own.parents[0]].daughters) > 1 else "link"
    else:
        begins = "appears" if first else "first frame"
    if len(own.daughters) > 1:
        ends = "division"
    elif own.daughters:
        ends = "fusion" if len(kinship[own.daughters[0]].parents) > 1 else "link"
    else:
        ends = "last frame" if last == length - 1 else "disappears"
    return begins, ends


def _lineages(
    ids: list[int], parents: Mapping[int, Collection[int]], daughters: Mapping[int, list[int]]
) -> dict[int, int]:
    """Return for each object the smallest of those without parents that it is connected with."""
    lineages: dict[int, int] = {}
    for root in ids:
        if root in lineages or parents.get(root):
            continue
        waiting = [root]
        while waiting:
            number = waiting.pop()
            if number not in lineages:
                lineages[number] = root
                waiting += (*daughters[number], *parents.get(number, ()))
    return lineages


def _ancestors_first(parents: Mapping[int, Collection[int]]) -> list[int]:
    """Order daughters and parents so that parents come first, or raise AnnotationError."""
    try:
        return list(TopologicalSorter(parents).static_order())
    except CycleError as error:
        cycle = ", ".join(map(str, sorted(set(error.args[1]))[:10]))
        raise AnnotationError(
            f"objects {cycle} would descend from themselves; check which object is the daughter"
        ) from error
