"""Which of many detections are kept."""

from __future__ import annotations

import numpy as np

from src_model.detection.selection import pick_objects, single_objects, suppress_overlaps
from src_model.masks import Detection, Rle


def square(y, x, side):
    mask = np.zeros((100, 100), bool)
    mask[y : y + side, x : x + side] = True
    return Detection.of_mask(Rle.encode(mask), 0.9)


def test_the_best_are_taken_up_to_the_number_asked_for():
    masks = [square(0, 0, 10), square(20, 20, 10), square(40, 40, 10)]
    assert pick_objects(masks, 2) == masks[:2]


def test_background_and_specks_are_passed_over():
    assert pick_objects([square(0, 0, 90), square(5, 5, 4), square(50, 50, 20)], 8) == [square(50, 50, 20)]


def test_of_masks_on_each_other_the_better_one_is_taken():
    whole, part, neighbour = square(10, 10, 30), square(15, 15, 10), square(39, 39, 20)
    assert pick_objects([whole, part, neighbour], 8) == [whole, neighbour]
    assert pick_objects([part, whole, neighbour], 8) == [part, neighbour]


def test_boxes_without_a_mask_are_passed_over():
    assert pick_objects([Detection((0, 0, 20, 20), 0.9), square(0, 0, 20)], 8) == [square(0, 0, 20)]


def test_nothing_found_is_nothing_picked():
    assert pick_objects([], 8) == []


def test_of_overlapping_boxes_the_one_of_highest_priority_stays():
    boxes = [(0, 0, 10, 10), (0, 0, 10, 9), (20, 20, 30, 30), (0, 0, 10, 5)]
    assert suppress_overlaps(boxes, [0.5, 0.9, 0.1, 0.2], 0.7) == [1, 3, 2]
    assert suppress_overlaps(boxes, [0.9, 0.5, 0.1, 0.2], 0.7) == [0, 3, 2]
    assert suppress_overlaps(boxes, [0.9, 0.9, 0.9, 0.9], 0.4) == [0, 2]
    assert suppress_overlaps([], [], 0.7) == []


def whole(y, x, height, width, score=0.9):
    return Detection.of_mask(Rle.from_box((y, x, y + height, x + width), (80, 80)), score)


def test_a_group_gives_way_to_its_cells_and_a_fragment_to_the_whole():
    alone, left, right = whole(0, 0, 10, 10), whole(20, 0, 10, 10), whole(20, 10, 10, 10, 0.8)
    group, fragment = whole(20, 0, 10, 20, 0.95), whole(0, 0, 5, 10, 0.97)
    assert single_objects([fragment, group, alone, left, right], 100) == [alone, left, right]


def test_without_a_known_size_the_surest_of_all_say_it():
    cells = [whole(12 * row, 12 * column, 10, 10) for row in range(4) for column in range(4)]
    group = whole(0, 0, 22, 22, 0.7)
    assert single_objects([*cells, group]) == cells
    assert single_objects([]) == []


def test_what_is_of_quite_another_size_is_no_object_of_the_kind():
    cells = [whole(12 * row, 0, 10, 10) for row in range(4)]
    assert single_objects([whole(0, 20, 60, 60), *cells, whole(70, 70, 3, 3)]) == cells
