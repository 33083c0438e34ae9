"""One column a track: daughters on both sides of their mother, trees one beside the other, in an order that stays."""

from __future__ import annotations

import pytest

from napari_sam2v.controllers.lineage_layout import TREE_GAP, track_columns
from src_model.document import Division


def divisions(*edges):
    return {parent: Division(parent, frame, daughters) for parent, frame, daughters in edges}


def order(ids, *edges):
    return list(track_columns(ids, divisions(*edges)))


def test_a_mother_stands_between_her_daughters_and_they_between_theirs():
    assert order(range(1, 8), (1, 5, (2, 3)), (2, 8, (4, 5)), (3, 9, (6, 7))) == [4, 2, 5, 1, 6, 3, 7]


def test_of_three_daughters_one_is_on_the_left_and_an_only_one_is_on_the_right():
    assert order(range(1, 5), (1, 5, (2, 3, 4))) == [2, 1, 3, 4]
    assert order((1, 2), (1, 5, (2,))) == [1, 2]


def test_trees_are_ordered_by_their_roots_and_stand_apart():
    columns = track_columns([5, 1, 2, 3, 4], divisions((1, 5, (4, 5))))
    assert columns == {4: 0.0, 1: 1.0, 5: 2.0, 2: 3.0 + TREE_GAP, 3: 4.0 + TREE_GAP}


def test_what_two_became_stands_between_them_and_their_trees_beside_each_other():
    assert order(range(1, 5), (1, 5, (4,)), (3, 5, (4,))) == [1, 4, 3, 2]


def test_daughters_of_one_mother_may_fuse():
    assert sorted(order(range(1, 5), (1, 3, (2, 3)), (2, 6, (4,)), (3, 6, (4,)))) == [1, 2, 3, 4]


def test_objects_that_are_not_shown_are_left_out_and_their_daughters_are_roots():
    assert order((2, 3), (1, 5, (2, 3))) == [2, 3]
    assert order((1, 2), (1, 5, (2, 3))) == [1, 2]


@pytest.mark.parametrize(
    "edit",
    [(), ((7, 4, (8, 9)),), ((2, 4, (7,)),)],
    ids=["a division is removed", "another one is marked", "an edge is added"],
)
def test_an_edit_leaves_all_others_in_their_order(edit):
    ids = range(1, 10)
    before = order(ids, (2, 4, (5, 6)))
    after = order(ids, *edit)
    untouched = [number for number in before if number not in {2, 5, 6, 7, 8, 9}]
    assert [number for number in after if number in untouched] == untouched


def test_thousands_of_generations_are_no_matter():
    chain = [(number, number, (number + 1,)) for number in range(1, 5000)]
    assert order(range(1, 5001), *chain) == list(range(1, 5001))
