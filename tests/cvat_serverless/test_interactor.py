"""The interactor: clicks and boxes become masks."""

from __future__ import annotations

import numpy as np
import pytest

from cvat_serverless.shapes import make_shape
from src_model.masks import mask_iou
from src_model.tracking import ImagePredictor
from tests.cvat_serverless.asking import refused, succeeded
from tests.tracking import tiny

IMAGE = (40, 52)


def mask_in(reply):
    (shape,) = succeeded(reply)["shapes"]
    assert shape["type"] == "mask"
    return make_shape("mask", shape["points"], IMAGE).mask(IMAGE)


def predicted(predictor, image, **prompt):
    model = ImagePredictor(predictor)
    model.set_image(image)
    answer = model.predict(**prompt)
    return answer.rles[answer.best]


def test_a_click_gives_the_best_of_three_readings(asking, predictor, frames):
    expected = predicted(predictor, frames[0], points=[(20, 15)])
    assert mask_in(asking.click(frames[0], [15.5, 20.5])) == expected


def test_clicks_beside_the_object_and_a_box_count(asking, predictor, frames):
    expected = predicted(
        predictor, frames[0], points=[(20, 15), (30, 40)], labels=[1, 0], box=(8, 3, 33, 28), multimask=False
    )
    assert mask_in(asking.click(frames[0], [15.5, 20.5], beside=[[40.5, 30.5]], box=[[3, 8], [28, 33]])) == expected


def test_a_box_alone_is_enough(asking, predictor, frames):
    expected = predicted(predictor, frames[0], box=(8, 3, 33, 28), multimask=False)
    assert mask_in(asking.click(frames[0], box=[[28, 33], [3, 8]])) == expected


@pytest.mark.parametrize("box", [None, []])
def test_no_box_is_no_box(asking, frames, box):
    assert not mask_in(asking.click(frames[0], [15.5, 20.5], box=box)).is_empty


def test_the_confidence_is_the_predicted_iou_and_never_so_low_that_cvat_hides_the_mask(asking, frames):
    (shape,) = succeeded(asking.click(frames[0], [15.5, 20.5]))["shapes"]
    ((attribute),) = shape["attributes"]
    assert attribute["spec_id"] == 0
    assert 0.5 <= float(attribute["value"]) <= 1


def test_an_empty_mask_is_no_shape(asking, frames, monkeypatch):
    from src_model.masks import Rle
    from src_model.tracking import prompting

    monkeypatch.setattr(prompting, "render_mask", lambda *_: Rle.empty(IMAGE))
    assert succeeded(asking.click(frames[0], [15.5, 20.5])) == {"shapes": []}


def test_gray_images_are_those_of_three_equal_channels(asking, frames):
    gray = np.ascontiguousarray(frames[0][..., 0])
    assert mask_iou(mask_in(asking.click(gray, [15.5, 20.5])), mask_in(asking.click(frames[0], [15.5, 20.5]))) == 1


def test_16_bit_images_work(asking):
    image = tiny.make_movie(1)[0].astype(np.uint16) * 200
    assert not mask_in(asking.click(image, [15.5, 20.5])).is_empty


def test_a_point_that_the_browser_put_a_little_outside_is_moved_inside(asking, frames):
    assert mask_in(asking.click(frames[0], [-0.4, 40.3])) == mask_in(asking.click(frames[0], [0, 40]))


NOTHING = {"shapes": []}
"""CVAT's page then says "No shapes to display". Of an error it would show the address and not the reason."""


def test_a_click_beside_the_object_before_one_on_it_gives_nothing_yet(asking, frames, caplog):
    with caplog.at_level("INFO"):
        assert succeeded(asking.click(frames[0], beside=[[3, 3]])) == NOTHING
    assert "nothing to segment" in caplog.text


@pytest.mark.parametrize("point", [[-5, 3], [3, 45], [500, 500]])
def test_points_outside_give_nothing_and_do_not_disturb_others(asking, frames, point):
    """CVAT may cut a region out, which need not hold all points."""
    assert succeeded(asking.click(frames[0], point)) == NOTHING
    alone = mask_in(asking.click(frames[0], [15.5, 20.5]))
    assert mask_in(asking.click(frames[0], [15.5, 20.5], point, beside=[point])) == alone


@pytest.mark.parametrize("box", [[[3, 3], [3, 9]], [[3, 3], [3, 3]], [[60, 60], [70, 70]], [[-9, 3], [0, 9]]])
def test_a_box_without_area_or_outside_gives_nothing_and_does_not_disturb_points(asking, frames, box):
    assert succeeded(asking.click(frames[0], box=box)) == NOTHING
    alone = mask_in(asking.click(frames[0], [15.5, 20.5]))
    assert mask_in(asking.click(frames[0], [15.5, 20.5], box=box)) == alone


def test_a_box_of_one_corner_is_the_fault_of_who_sends_it(asking, frames):
    assert "two corners" in refused(asking.click(frames[0], box=[[3, 3]]))


def test_regions_of_changing_size_are_answered_each_in_itself(asking, frames, predictor):
    """CVAT since 2.70 may send a part of the frame, with points counted from its corner."""
    for top, left, bottom, right in [(4, 2, 36, 40), (0, 0, 40, 52), (10, 6, 30, 29), (4, 2, 36, 40)]:
        region = np.ascontiguousarray(frames[0][top:bottom, left:right])
        reply = asking.click(region, [15.5 - left, 20.5 - top], beside=[[50.5 - left, 2.5 - top]])
        (shape,) = succeeded(reply)["shapes"]
        found = make_shape("mask", shape["points"], region.shape[:2]).mask(region.shape[:2])
        inside = 50 - left < right - left and 2 - top >= 0
        points, labels = [(20 - top, 15 - left), (2 - top, 50 - left)], [1, 0]
        assert found == predicted(
            predictor, region, points=points[: 1 + inside], labels=labels[: 1 + inside], multimask=not inside
        )
    assert asking.service.model.counts.images_encoded == 3
