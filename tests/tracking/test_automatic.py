"""Everything in an image at once."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from src_model.errors import MovieError, PromptError
from src_model.masks import Rle, box_iou
from src_model.nn import MaskPrediction
from src_model.tracking import AutomaticMaskGenerator, AutomaticSettings
from src_model.tracking.automatic import crop_boxes, mask_stability, point_grid, suppress_overlaps
from src_model.tracking.network_steps import NetworkSteps
from src_model.weights import MaskThresholds
from tests.tracking import tiny

LOOSE = AutomaticSettings(points_per_side=6, min_score=0.4, min_stability=0.3, stability_offset=0.3)


@pytest.fixture(scope="module")
def found(predictor, movie):
    return AutomaticMaskGenerator(predictor, LOOSE).generate(movie[0])


@pytest.fixture
def sure(monkeypatch, predictor):
    """A predictor that answers a click on an object with that object, sure of it, and with two poor readings more."""

    def segment(steps, image, prompts, *, multimask):
        assert multimask
        side = steps.image_size // 4
        rows = []
        for x, y in (prompts.points[:, 0] / steps.image_size).tolist():
            value = image[round(y * image.shape[0]), round(x * image.shape[1])]
            mask = torch.from_numpy((image == value) & (value > 0)).float()[None, None]
            small = F.interpolate(mask, (side, side), mode="bilinear", antialias=True)[0, 0].round()
            rows.append(torch.stack([20 * small - 10, small - 0.6, 10 - 20 * small]))
        scores = torch.tensor([[0.95, 0.3, 0.2]] * len(rows))
        return MaskPrediction(torch.stack(rows), scores, torch.zeros(len(rows), 3, 256), torch.ones(len(rows), 1))

    monkeypatch.setattr(NetworkSteps, "encode_image", lambda _steps, image, _normalization: image)
    monkeypatch.setattr(NetworkSteps, "segment", segment)
    return predictor


@pytest.fixture
def cells():
    """Three objects of values 1, 2, 3 on a background of 0."""
    image = np.zeros((64, 64), np.uint8)
    image[4:20, 4:24] = 1
    image[40:60, 8:20] = 2
    image[28:52, 36:60] = 3
    return image


def test_every_object_is_found_once(sure, cells):
    masks = AutomaticMaskGenerator(sure, AutomaticSettings(points_per_side=16)).generate(cells)
    assert len(masks) == 3
    for value in (1, 2, 3):
        best = max(np.mean(mask.mask == (cells == value)) for mask in masks)
        assert best > 0.98


def test_a_mask_says_where_it_is_how_good_it_is_and_which_click_found_it(sure, cells):
    for mask in AutomaticMaskGenerator(sure, AutomaticSettings(points_per_side=16)).generate(cells):
        y, x = mask.point
        assert mask.mask[round(y), round(x)]
        assert mask.box == mask.rle.box
        assert mask.score == pytest.approx(0.95)
        assert 0.95 <= mask.stability <= 1
        assert mask.crop_box == (0, 0, 64, 64)


def test_the_checkpoint_says_what_masks_must_reach_unless_the_settings_do(sure, cells, monkeypatch):
    def found(**settings):
        return len(AutomaticMaskGenerator(sure, AutomaticSettings(points_per_side=16, **settings)).generate(cells))

    monkeypatch.setattr(sure, "mask_thresholds", MaskThresholds(0.94, 0.9))
    assert found() == 3
    monkeypatch.setattr(sure, "mask_thresholds", MaskThresholds(0.96, 0.9))
    assert found() == 0
    assert found(min_score=0.94) == 3
    # No logit is over 11, so that masks cut there are empty: a stability of 0.
    assert found(min_score=0.94, stability_offset=11.0) == 0
    assert found(min_score=0.94, stability_offset=11.0, min_stability=0.0) == 3


def test_another_input_size_has_the_same_thresholds(predictor):
    own = MaskThresholds(0.5, 0.6)
    calibrated = tiny.predictor(predictor.steps.network, mask_thresholds=own)
    assert calibrated.with_settings(calibrated.steps.settings, 128).mask_thresholds == own


def test_crops_find_the_same_objects_at_their_places_in_the_whole_image(sure, cells):
    settings = AutomaticSettings(points_per_side=16, crop_layers=1)
    masks = AutomaticMaskGenerator(sure, settings).generate(cells)
    assert len(masks) == 3
    by_value = {int(cells[round(mask.point[0]), round(mask.point[1])]): mask for mask in masks}
    for value, mask in by_value.items():
        assert np.mean(mask.mask == (cells == value)) > 0.97
    # What lies whole in a crop is seen better there.
    assert by_value[1].crop_box == (0, 0, 43, 43)
    assert by_value[2].crop_box == (22, 0, 64, 43)


def test_objects_cut_by_the_inner_edge_of_a_crop_are_dropped_there(sure):
    image = np.zeros((64, 64), np.uint8)
    image[10:54, 10:54] = 1
    masks = AutomaticMaskGenerator(sure, AutomaticSettings(points_per_side=8, crop_layers=1)).generate(image)
    assert [mask.crop_box for mask in masks] == [(0, 0, 64, 64)]


def test_objects_at_the_edge_of_the_image_are_kept_in_crops_too(sure):
    image = np.zeros((64, 64), np.uint8)
    image[:12, :12] = 1
    (mask,) = AutomaticMaskGenerator(sure, AutomaticSettings(points_per_side=16, crop_layers=1)).generate(image)
    assert mask.crop_box != (0, 0, 64, 64)
    assert mask.box[:2] == (0, 0)


def test_holes_and_loose_parts_are_mended_if_asked_for(sure):
    image = np.zeros((64, 64), np.uint8)
    image[8:40, 8:40] = 1
    image[20:28, 20:28] = 0
    image[48:56, 48:56] = 1
    rough, mended = (
        AutomaticMaskGenerator(sure, AutomaticSettings(points_per_side=8, min_region_area=area)).generate(image)[0]
        for area in (0, 100)
    )
    assert not rough.mask[24, 24]
    assert rough.mask[52, 52]
    assert mended.mask[24, 24]
    assert not mended.mask[52, 52]
    assert mended.box == mended.rle.box == (8, 8, 40, 40)


def test_an_object_smaller_than_the_smallest_part_is_dropped(sure, cells):
    settings = AutomaticSettings(points_per_side=16, min_region_area=300)
    masks = AutomaticMaskGenerator(sure, settings).generate(cells)
    assert {int(cells[round(mask.point[0]), round(mask.point[1])]) for mask in masks} == {1, 3}


def test_poor_and_unstable_masks_are_dropped(predictor, movie, found):
    assert found
    assert all(mask.score >= 0.4 and mask.stability >= 0.3 for mask in found)
    strict = AutomaticMaskGenerator(predictor, AutomaticSettings(points_per_side=6)).generate(movie[0])
    assert strict == []


def test_masks_come_best_first_and_no_two_boxes_overlap_much(found):
    assert [mask.score for mask in found] == sorted((mask.score for mask in found), reverse=True)
    assert all(box_iou(one.box, other.box) <= 0.7 for one, other in combinations(found, 2))


def test_the_size_of_the_batches_changes_nothing_but_memory(predictor, movie, found, monkeypatch):
    sizes = []
    original = NetworkSteps.segment

    def counting(steps, features, prompts, *, multimask):
        sizes.append(len(prompts.points))
        return original(steps, features, prompts, multimask=multimask)

    monkeypatch.setattr(NetworkSteps, "segment", counting)
    masks = AutomaticMaskGenerator(predictor, replace(LOOSE, points_per_batch=7)).generate(movie[0])
    assert sizes == [7, 7, 7, 7, 7, 1]
    assert [mask.point for mask in masks] == [mask.point for mask in found]


def test_an_empty_image_has_no_masks(sure):
    assert AutomaticMaskGenerator(sure, LOOSE).generate(np.zeros((30, 40), np.uint8)) == []


def test_what_is_no_image_is_refused(predictor):
    with pytest.raises(MovieError):
        AutomaticMaskGenerator(predictor).generate(np.zeros(7))


def test_the_grid_is_even_and_symmetrical():
    grid = point_grid((40, 20), 4)
    assert grid.shape == (16, 2)
    assert grid[0].tolist() == [4.5, 2.0]
    assert grid[-1].tolist() == [34.5, 17.0]
    np.testing.assert_allclose(grid.mean(axis=0), [19.5, 9.5])


def test_crops_cover_the_image_and_overlap():
    crops = crop_boxes((90, 120), 2, 0.3)
    assert crops[0] == (0, (0, 0, 90, 120))
    assert [layer for layer, _ in crops] == [0] + [1] * 4 + [2] * 16
    for layer in (1, 2):
        covered = np.zeros((90, 120), int)
        for number, (y0, x0, y1, x1) in crops:
            assert 0 <= y0 < y1 <= 90
            assert 0 <= x0 < x1 <= 120
            covered[y0:y1, x0:x1] += number == layer
        assert covered.min() == 1
        assert covered.max() >= 4


def test_tiny_images_still_have_crops_with_pixels():
    assert all(y0 < y1 and x0 < x1 for _, (y0, x0, y1, x1) in crop_boxes((3, 5), 3, 0.3))


def test_of_overlapping_boxes_the_one_of_highest_priority_stays():
    boxes = [(0, 0, 10, 10), (0, 0, 10, 9), (20, 20, 30, 30), (0, 0, 10, 5)]
    assert suppress_overlaps(boxes, [0.5, 0.9, 0.1, 0.2], 0.7) == [1, 3, 2]
    assert suppress_overlaps(boxes, [0.9, 0.5, 0.1, 0.2], 0.7) == [0, 3, 2]
    assert suppress_overlaps(boxes, [0.9, 0.9, 0.9, 0.9], 0.4) == [0, 2]
    assert suppress_overlaps([], [], 0.7) == []


def test_a_mask_is_stable_if_moving_the_threshold_changes_little():
    logits = torch.tensor([[[5.0, 5.0], [-5.0, -5.0]], [[0.5, 5.0], [-0.5, -5.0]], [[-5.0, -5.0], [-5.0, -5.0]]])
    assert mask_stability(logits, 1.0).tolist() == [1.0, pytest.approx(1 / 3), 0.0]


@pytest.mark.parametrize(
    "wrong",
    [{"points_per_side": 0}, {"points_per_batch": 0}, {"min_stability": 2}, {"crop_layers": -1}, {"crop_overlap": 3}],
)
def test_settings_that_cannot_be_meant_are_refused(wrong):
    (name,) = wrong
    with pytest.raises(PromptError, match=rf"{name}=.* cannot be used; it must be in"):
        AutomaticSettings(**wrong)


def test_masks_are_kept_run_length_encoded(found):
    assert all(isinstance(mask.rle, Rle) and mask.rle.shape == tiny.SHAPE for mask in found)


@pytest.fixture
def many():
    """A field of 200 x 230 with small objects everywhere and one that no tile of 64 holds, of values 1 to 31."""
    image = np.zeros((200, 230), np.uint8)
    for number in range(30):
        y, x = 10 + 38 * (number // 6), 8 + 38 * (number % 6)
        image[y : y + 12, x : x + 14] = number + 1
    image[100:122, 60:150] = 31
    return image


def test_a_large_image_is_searched_in_tiles_and_every_object_is_found_once_without_a_seam(sure, many):
    masks = AutomaticMaskGenerator(sure, AutomaticSettings(points_per_side=16)).generate(many)
    values = [int(many[round(mask.point[0]), round(mask.point[1])]) for mask in masks]
    assert sorted(values) == sorted(set(many.ravel().tolist()) - {0})
    for value, mask in zip(values, masks, strict=True):
        truth = many == value
        assert (mask.mask & truth).sum() / (mask.mask | truth).sum() > 0.6


def test_tiles_can_be_left_out_and_small_images_have_none(sure, many, cells):
    plain = AutomaticMaskGenerator(sure, AutomaticSettings(points_per_side=16, tile=None)).generate(many)
    assert {mask.crop_box for mask in plain} == {(0, 0, 200, 230)}
    small = AutomaticMaskGenerator(sure, AutomaticSettings(points_per_side=16, tile=32)).generate(cells)
    assert {mask.crop_box for mask in small} == {(0, 0, 64, 64)}


@pytest.mark.parametrize("wrong", [0, 31, "large", 40.5])
def test_tiles_that_cannot_be_are_refused(wrong):
    with pytest.raises(PromptError, match="tile"):
        AutomaticSettings(tile=wrong)
