"""Actions that a person means by a selection of tracks: a division, a fusion, one track of two, a cut."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from src_model.document import Division, Group, MarkDivision, MergeObjects, RemoveDaughter, RemoveDivision, SplitObject
from src_model.errors import AnnotationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from src_model.document import Action, DocumentView


class _Life(NamedTuple):
    """First and last frame on which an object has a mask that is not empty."""

    first: int
    last: int


def divided(document: DocumentView, object_ids: Sequence[int]) -> Action:
    """Return the action that marks a division: the object that begins first is the mother of all others.

    Raises
    ------
    AnnotationError
        If fewer than two objects are named, one has no mask, or none begins before the others.
    """
    if len(object_ids) < 2:
        raise AnnotationError("a division takes a mother and her daughters: select two objects or more")
    mother = min(object_ids, key=lambda number: (_life(document, number).first, number))
    return connected(document, mother, [number for number in object_ids if number != mother])


def connected(document: DocumentView, parent: int, daughters: Sequence[int]) -> Action:
    """Return the action after which daughters come of a parent, and of no other one.

    Daughters that the parent has already stay. Where it goes on beside an only daughter, it was tracked as the other
    one: what follows becomes an object of its own, and the second daughter.

    Raises
    ------
    AnnotationError
        If an object has no mask, or the parent does not begin before the daughters.
    """
    life, own = _life(document, parent), document.divisions.get(parent)
    frame = min(_life(document, number).first for number in daughters)
    goes_on = life.last >= frame and len(daughters) == 1 and (own is None or own.frame > frame)
    if own is not None and not goes_on:
        frame = min(frame, own.frame)
    if life.first >= frame:
        raise AnnotationError(
            f"{_title(document, parent)} begins on frame {life.first} and cannot divide on frame {frame}: "
            "a mother begins before her daughters"
        )
    actions: list[Action] = []
    for number in daughters:
        actions += _cut_off(document, number, kept_parent=parent)
    if goes_on:
        rest = document.next_id()
        actions += [SplitObject(parent, frame, rest), MarkDivision(Division(parent, frame, (*daughters, rest)))]
    else:
        known = () if own is None else own.daughters
        actions.append(MarkDivision(Division(parent, frame, tuple({*known, *daughters}))))
    return Group(actions[-1].label, tuple(actions))


def fused(document: DocumentView, object_ids: Sequence[int]) -> Action:
    """Return the action that marks a fusion: the object that begins last is what the others became.

    Of two objects, the one that goes on is what both became: it is split behind the end of the other.

    Raises
    ------
    AnnotationError
        If fewer than two objects are named, one has no mask, begins too late, or divides.
    """
    if len(object_ids) < 2:
        raise AnnotationError("a fusion takes two objects, or two and what they became: select them all")
    lives = {number: _life(document, number) for number in object_ids}
    actions: list[Action] = []
    if len(lives) == 2:
        ends, goes_on = sorted(lives, key=lambda number: (lives[number].last, number))
        frame, child, parents = lives[ends].last + 1, document.next_id(), [ends, goes_on]
        if lives[goes_on].last < frame:
            raise AnnotationError(
                f"both objects end on frame {frame - 1}: select what they became too, or track one of them further"
            )
        actions.append(SplitObject(goes_on, frame, child))
    else:
        child = max(lives, key=lambda number: (lives[number].first, number))
        frame, parents = lives[child].first, [number for number in lives if number != child]
        actions += _cut_off(document, child, kept_frame=frame)
    for parent in parents:
        _check_fuses(document, parent, lives[parent], frame, child)
    actions += [MarkDivision(Division(parent, frame, (child,))) for parent in parents]
    return Group(f"Fusion of {len(parents)} objects, frame {frame}", tuple(actions))


def joined(document: DocumentView, object_ids: Sequence[int]) -> Action:
    """Return the action that makes one track of several that follow one another.

    Raises
    ------
    AnnotationError
        If fewer than two objects are named, one has no mask, two are there on one frame, or one of them has daughters
        that are not among the others and does not come last.
    """
    if len(object_ids) < 2:
        raise AnnotationError("select the two tracks that are one object")
    order = sorted(object_ids, key=lambda number: (_life(document, number).first, number))
    actions: list[Action] = []
    for earlier, later in pairwise(order):
        _check_follows(document, earlier, later)
        own = document.divisions.get(earlier)
        if own is not None and later not in own.daughters:
            raise AnnotationError(
                f"{_title(document, earlier)} divides on frame {own.frame} and cannot go on as "
                f"{_title(document, later)}: cut its daughters off first"
            )
        if own is not None:
            actions.append(RemoveDivision(earlier))
        actions += _cut_off(document, later, kept_parent=earlier)
    actions += [MergeObjects(order[0], later) for later in order[1:]]
    return Group(f"Join {len(order)} tracks", tuple(actions))


def cut(document: DocumentView, object_ids: Sequence[int], frame: int) -> Action:
    """Return the action that cuts: the edge between two objects, or one track before a frame.

    Where the frame is the first one of the track, the edges to its parents are cut; behind its last one, those to its
    daughters.

    Raises
    ------
    AnnotationError
        If neither one nor two objects are named, or there is nothing to cut there.
    """
    if len(object_ids) == 2:
        one, other = object_ids
        division = document.divisions.get(one)
        is_parent = division is not None and other in division.daughters
        return RemoveDaughter(one, other) if is_parent else RemoveDaughter(other, one)
    if len(object_ids) != 1:
        raise AnnotationError("select one track to cut it before the frame that is shown, or two that an edge joins")
    (number,) = object_ids
    life = _life(document, number)
    if life.first < frame <= life.last:
        return SplitObject(number, frame, document.next_id())
    if frame > life.last and number in document.divisions:
        return RemoveDivision(number)
    edges = [each.parent for each in document.divisions.values() if number in each.daughters]
    if frame > life.last or not edges:
        raise AnnotationError(
            f"{_title(document, number)} is there on frames {life.first} to {life.last}: go to the frame before which "
            "it is to be cut"
        )
    return uncoupled([(parent, number) for parent in edges])


def uncoupled(edges: Sequence[tuple[int, int]]) -> Action:
    """Return the action that cuts edges, (parent, daughter) each."""
    actions = tuple(RemoveDaughter(parent, daughter) for parent, daughter in edges)
    return actions[0] if len(actions) == 1 else Group(f"Cut {len(actions)} edges", actions)


def _cut_off(
    document: DocumentView, daughter: int, *, kept_parent: int | None = None, kept_frame: int | None = None
) -> list[Action]:
    """Return the actions that cut a daughter off her parents, but one, or those that became her on a frame."""
    return [
        RemoveDaughter(division.parent, daughter)
        for division in document.divisions.values()
        if daughter in division.daughters and division.parent != kept_parent and division.frame != kept_frame
    ]


def _check_fuses(document: DocumentView, parent: int, life: _Life, frame: int, child: int) -> None:
    own = document.divisions.get(parent)
    # a later division of an object that is split goes to the child
    is_moved = own is not None and own.frame > frame and child not in document.objects
    if own is not None and own.daughters != (child,) and not is_moved:
        raise AnnotationError(
            f"{_title(document, parent)} divides on frame {own.frame}: cut its daughters off before it fuses"
        )
    if life.first >= frame:
        raise AnnotationError(
            f"{_title(document, parent)} begins on frame {life.first} and cannot fuse on frame {frame}: what fuses "
            "begins before what it becomes"
        )


def _check_follows(document: DocumentView, earlier: int, later: int) -> None:
    last, first = _life(document, earlier).last, _life(document, later).first
    if last >= first:
        raise AnnotationError(
            f"{_title(document, earlier)} is there up to frame {last} and {_title(document, later)} from frame {first} "
            "on: tracks that are there together are no one object; cut one of them first, or merge them in the table"
        )


def _life(document: DocumentView, object_id: int) -> _Life:
    frames = [fact.frame for fact in document.track(object_id).masks.facts() if not fact.is_empty]
    if not frames:
        raise AnnotationError(f"{_title(document, object_id)} has no mask on any frame; track it first")
    return _Life(frames[0], frames[-1])


def _title(document: DocumentView, object_id: int) -> str:
    return document.object(object_id).title
