from __future__ import annotations

import math

import numpy as np
import pytest

from src_model.errors import PromptError
from src_model.masks import Rle
from src_model.masks.window import Window
from src_model.prompts import Prompt, checked_object_id, cut_prompt, make_prompt

SHAPE = (40, 52)


def test_points_are_positive_unless_labels_say_otherwise():
    assert make_prompt(SHAPE, points=[(3, 4), (5, 6)]) == Prompt(((3.0, 4.0), (5.0, 6.0)), (1, 1))
    assert make_prompt(SHAPE, points=[(3, 4), (5, 6)], labels=[1, 0]).labels == (1, 0)


def test_points_labels_and_boxes_may_be_arrays():
    prompt = make_prompt(SHAPE, points=np.array([[3, 4]]), labels=np.array([0]), box=np.array([1, 2, 3, 4]))
    assert prompt == Prompt(((3.0, 4.0),), (0,), (1.0, 2.0, 3.0, 4.0))
    assert all(type(value) is int for value in prompt.labels)


def test_a_point_anywhere_on_an_edge_pixel_is_inside():
    corners = [(-0.5, -0.5), (39.5, 51.5)]
    assert make_prompt(SHAPE, points=corners).points == tuple(corners)


@pytest.mark.parametrize("point", [(40, 10), (10, 52), (-0.6, 10), (10, -1)])
def test_a_point_outside_the_image_is_refused_with_the_valid_range(point):
    with pytest.raises(PromptError, match=r"lies outside the image; y must be in 0\.\.39 and x in 0\.\.51"):
        make_prompt(SHAPE, points=[point])


@pytest.mark.parametrize("point", [(math.nan, 3), (3, math.inf)])
def test_a_point_that_is_nowhere_is_refused(point):
    with pytest.raises(PromptError, match=r"is no point \(y, x\): expected 2 finite numbers"):
        make_prompt(SHAPE, points=[point])


def test_a_box_over_the_edge_is_cut_to_the_image():
    assert make_prompt(SHAPE, box=(-5, 10, 20, 60)).box == (0.0, 10.0, 20.0, 52.0)


@pytest.mark.parametrize("box", [(5, 5, 5, 9), (5, 5, 9, 5), (9, 9, 5, 5)])
def test_a_box_without_area_is_refused(box):
    with pytest.raises(PromptError, match=r"has no area; expected \(y0, x0, y1, x1\)"):
        make_prompt(SHAPE, box=box)


def test_a_box_beside_the_image_is_refused_with_the_size_of_the_image():
    with pytest.raises(PromptError, match=r"\(50.0, 5.0, 60.0, 9.0\) lies outside the image of 40 x 52 pixels"):
        make_prompt(SHAPE, box=(50, 5, 60, 9))


@pytest.mark.parametrize(
    "box", [(1, 2, 3), (1, 2, 3, math.nan), (1, 2, 3, math.inf), ("a", 2, 3, 4), 5, (1, 2, 3, None)]
)
def test_a_box_that_is_not_four_numbers_is_refused(box):
    with pytest.raises(PromptError, match=r"is no box \(y0, x0, y1, x1\): expected 4 finite numbers"):
        make_prompt(SHAPE, box=box)


@pytest.mark.parametrize("points", [(3, 4), [(1, 2, 3)], [], [[[1, 2]]], "ab", [(1, 2), (3,)], [("a", "b")]])
def test_points_that_are_not_pairs_of_numbers_are_refused(points):
    with pytest.raises(PromptError, match="pairs"):
        make_prompt(SHAPE, points=points)


@pytest.mark.parametrize("label", [2, -1, 0.5, "1", None])
def test_a_label_is_one_or_zero(label):
    with pytest.raises(PromptError, match=r"neither 1 \(inside the object\) nor 0"):
        make_prompt(SHAPE, points=[(1, 2)], labels=[label])


def test_every_point_needs_a_label():
    with pytest.raises(PromptError, match="2 points but 1 labels"):
        make_prompt(SHAPE, points=[(1, 2), (3, 4)], labels=[1])
    with pytest.raises(PromptError, match="0 points but 1 labels"):
        make_prompt(SHAPE, box=(1, 2, 3, 4), labels=[1])


def test_a_mask_of_another_shape_is_refused_with_the_right_one():
    with pytest.raises(PromptError, match=r"shape \(52, 40\); the frames of this movie are \(40, 52\)"):
        make_prompt(SHAPE, mask=np.zeros((52, 40), bool))


def test_a_mask_of_numbers_is_foreground_where_it_is_positive():
    numbers = np.zeros(SHAPE, np.uint16)
    numbers[3:5, 6:9] = 700
    assert make_prompt(SHAPE, mask=numbers).mask == Rle.encode(numbers > 0)


def test_a_mask_stands_alone():
    with pytest.raises(PromptError, match="a mask prompt stands alone"):
        make_prompt(SHAPE, mask=np.zeros(SHAPE, bool), points=[(1, 2)])


def test_nothing_is_no_prompt():
    with pytest.raises(PromptError, match="needs points, a box or a mask; none was given"):
        make_prompt(SHAPE)


def test_newer_points_add_up_and_a_newer_box_replaces_the_older():
    first = Prompt(((1.0, 1.0),), (1,), (0.0, 0.0, 5.0, 5.0))
    assert first.extended(Prompt(((2.0, 2.0),), (0,))) == Prompt(((1.0, 1.0), (2.0, 2.0)), (1, 0), first.box)
    assert first.extended(Prompt(box=(1.0, 1.0, 2.0, 2.0))).box == (1.0, 1.0, 2.0, 2.0)


def test_a_newer_mask_replaces_everything_and_newer_points_correct_a_mask():
    mask = Prompt(mask=Rle.empty(SHAPE))
    click = Prompt(((1.0, 1.0),), (1,))
    assert click.extended(mask) == mask
    assert mask.extended(click) == Prompt(click.points, click.labels, mask=mask.mask)


def test_prompts_hold_plain_numbers():
    prompt = Prompt(((1, 2),), (True,), (0, 0, 5, 6))
    assert prompt == Prompt(((1.0, 2.0),), (1,), (0.0, 0.0, 5.0, 6.0))
    assert type(prompt.labels[0]) is int
    assert Prompt().is_empty


@pytest.mark.parametrize(
    "values",
    [
        {"points": ((1, 2),)},
        {"points": ((1, 2, 3),), "labels": (1,)},
        {"points": (("a", 2),), "labels": (1,)},
        {"points": ((1, float("inf")),), "labels": (1,)},
        {"box": (5, 5, 1, 9)},
    ],
)
def test_prompts_that_are_none_are_refused(values):
    with pytest.raises(PromptError):
        Prompt(**values)


@pytest.mark.parametrize("object_id", [0, -3, 1.5, "a", None, True, math.nan])
def test_an_object_id_is_a_whole_number_from_one(object_id):
    with pytest.raises(PromptError, match="must be a whole number from 1: every prompt belongs to an object"):
        checked_object_id(object_id)


def test_an_object_id_may_come_from_an_array():
    assert type(checked_object_id(np.int64(3))) is int


def test_prompts_move_with_the_window_and_boxes_end_at_its_edges():
    prompt = make_prompt((60, 80), points=[(12, 25), (20, 30)], labels=[1, 0], box=(5, 25, 28, 55))
    inside = cut_prompt(prompt, Window((10, 20, 30, 50), 64))
    assert inside.points == ((2, 5), (10, 10))
    assert inside.labels == (1, 0)
    assert inside.box == (0, 5, 18, 30)


def test_without_a_window_a_prompt_stays_what_it_is():
    prompt = make_prompt((60, 80), points=[(3, 4)])
    assert cut_prompt(prompt, None) is prompt
