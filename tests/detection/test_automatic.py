"""Everything in an image at once."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from src_model.detection import AutomaticDetector, AutomaticOptions, Detector, Example, Query
from src_model.detection.automatic import mask_stability
from src_model.detection.tiles import point_grid
from src_model.errors import MaskError, MovieError, PromptError, StoppedError
from src_model.masks import Rle, box_iou, mask_iou
from src_model.nn import MaskPrediction
from src_model.tracking.network_steps import NetworkSteps
from src_model.weights import MaskThresholds
from tests.tracking import tiny

LOOSE = AutomaticOptions(points_per_side=6, min_score=0.4, min_stability=0.3, stability_offset=0.3)


@pytest.fixture(scope="module")
def found(predictor, movie):
    return AutomaticDetector(predictor, LOOSE).detect(movie[0])


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
    masks = AutomaticDetector(sure, AutomaticOptions(points_per_side=16)).detect(cells)
    assert len(masks) == 3
    for value in (1, 2, 3):
        best = max(np.mean(mask.mask.decode() == (cells == value)) for mask in masks)
        assert best > 0.98


def test_a_mask_says_where_it_is_how_good_it_is_and_which_click_found_it(sure, cells):
    for mask in AutomaticDetector(sure, AutomaticOptions(points_per_side=16)).detect(cells):
        y, x = mask.point
        assert mask.mask.decode()[round(y), round(x)]
        assert mask.box == mask.mask.box
        assert mask.score == pytest.approx(0.95)
        assert 0.95 <= mask.stability <= 1
        assert mask.crop_box == (0, 0, 64, 64)


def test_the_checkpoint_says_what_masks_must_reach_unless_the_settings_do(sure, cells, monkeypatch):
    def found(**settings):
        return len(AutomaticDetector(sure, AutomaticOptions(points_per_side=16, **settings)).detect(cells))

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


def test_where_nothing_is_searched_nothing_is_clicked(sure, cells):
    steps = []
    lower = Rle.from_box((26, 0, 64, 64), (64, 64))
    detector = AutomaticDetector(sure, AutomaticOptions(points_per_side=16, points_per_batch=16))
    found = detector.detect(cells, Query(where=lower), progress=lambda done, total: steps.append((done, total)))
    assert {int(cells[round(mask.point[0]), round(mask.point[1])]) for mask in found} == {2, 3}
    assert steps[-1] == (10, 10)  # of 16 rows of clicks those from pixel 26 on
    assert detector.detect(cells, Query(where=Rle.empty((64, 64)))) == []
    with pytest.raises(MaskError, match="expected those of the image"):
        detector.detect(cells, Query(where=Rle.empty((64, 65))))


def test_crops_find_the_same_objects_at_their_places_in_the_whole_image(sure, cells):
    settings = AutomaticOptions(points_per_side=16, crop_layers=1)
    masks = AutomaticDetector(sure, settings).detect(cells)
    assert len(masks) == 3
    by_value = {int(cells[round(mask.point[0]), round(mask.point[1])]): mask for mask in masks}
    for value, mask in by_value.items():
        assert np.mean(mask.mask.decode() == (cells == value)) > 0.97
    # What lies whole in a crop is seen better there.
    assert by_value[1].crop_box == (0, 0, 43, 43)
    assert by_value[2].crop_box == (22, 0, 64, 43)


def test_objects_cut_by_the_inner_edge_of_a_crop_are_dropped_there(sure):
    image = np.zeros((64, 64), np.uint8)
    image[10:54, 10:54] = 1
    masks = AutomaticDetector(sure, AutomaticOptions(points_per_side=8, crop_layers=1)).detect(image)
    assert [mask.crop_box for mask in masks] == [(0, 0, 64, 64)]


def test_objects_at_the_edge_of_the_image_are_kept_in_crops_too(sure):
    image = np.zeros((64, 64), np.uint8)
    image[:12, :12] = 1
    (mask,) = AutomaticDetector(sure, AutomaticOptions(points_per_side=16, crop_layers=1)).detect(image)
    assert mask.crop_box != (0, 0, 64, 64)
    assert mask.box[:2] == (0, 0)


def test_holes_and_loose_parts_are_mended_if_asked_for(sure):
    image = np.zeros((64, 64), np.uint8)
    image[8:40, 8:40] = 1
    image[20:28, 20:28] = 0
    image[48:56, 48:56] = 1
    rough, mended = (
        AutomaticDetector(sure, AutomaticOptions(points_per_side=8, min_region_area=area)).detect(image)[0]
        for area in (0, 100)
    )
    assert not rough.mask.decode()[24, 24]
    assert rough.mask.decode()[52, 52]
    assert mended.mask.decode()[24, 24]
    assert not mended.mask.decode()[52, 52]
    assert mended.box == mended.mask.box == (8, 8, 40, 40)


def test_an_object_smaller_than_the_smallest_part_is_dropped(sure, cells):
    settings = AutomaticOptions(points_per_side=16, min_region_area=300)
    masks = AutomaticDetector(sure, settings).detect(cells)
    assert {int(cells[round(mask.point[0]), round(mask.point[1])]) for mask in masks} == {1, 3}


def test_poor_and_unstable_masks_are_dropped(predictor, movie, found):
    assert found
    assert all(mask.score >= 0.4 and mask.stability >= 0.3 for mask in found)
    strict = AutomaticDetector(predictor, AutomaticOptions(points_per_side=6)).detect(movie[0])
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
    masks = AutomaticDetector(predictor, replace(LOOSE, points_per_batch=7)).detect(movie[0])
    assert sizes == [7, 7, 7, 7, 7, 1]
    assert [mask.point for mask in masks] == [mask.point for mask in found]


def test_an_empty_image_has_no_masks(sure):
    assert AutomaticDetector(sure, LOOSE).detect(np.zeros((30, 40), np.uint8)) == []


def test_what_is_no_image_is_refused(predictor):
    with pytest.raises(MovieError):
        AutomaticDetector(predictor).detect(np.zeros(7))


def test_the_grid_is_even_and_symmetrical():
    grid = point_grid((40, 20), 4)
    assert grid.shape == (16, 2)
    assert grid[0].tolist() == [4.5, 2.0]
    assert grid[-1].tolist() == [34.5, 17.0]
    np.testing.assert_allclose(grid.mean(axis=0), [19.5, 9.5])


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
        AutomaticOptions(**wrong)


def test_masks_are_kept_run_length_encoded(found):
    assert all(isinstance(mask.mask, Rle) and mask.mask.shape == tiny.SHAPE for mask in found)


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
    masks = AutomaticDetector(sure, AutomaticOptions(points_per_side=16)).detect(many)
    values = [int(many[round(mask.point[0]), round(mask.point[1])]) for mask in masks]
    assert sorted(values) == sorted(set(many.ravel().tolist()) - {0})
    for value, mask in zip(values, masks, strict=True):
        truth = many == value
        assert mask_iou(mask.mask, truth) > 0.6


def test_tiles_can_be_left_out_and_small_images_have_none(sure, many, cells):
    plain = AutomaticDetector(sure, AutomaticOptions(points_per_side=16, tile=None)).detect(many)
    assert {mask.crop_box for mask in plain} == {(0, 0, 200, 230)}
    small = AutomaticDetector(sure, AutomaticOptions(points_per_side=16, tile=32)).detect(cells)
    assert {mask.crop_box for mask in small} == {(0, 0, 64, 64)}


@pytest.mark.parametrize("wrong", [0, 31, "large", 40.5])
def test_tiles_that_cannot_be_are_refused(wrong):
    with pytest.raises(PromptError, match="tile"):
        AutomaticOptions(tile=wrong)


def test_only_what_lies_whole_in_a_region_is_found_there(sure, cells):
    detector = AutomaticDetector(sure, AutomaticOptions(points_per_side=16))
    (found,) = detector.detect(cells, Query(region=(0, 0, 40, 64)))
    assert mask_iou(found.mask, cells == 1) > 0.9
    assert found.crop_box == (0, 0, 40, 64)


def test_a_large_region_is_searched_in_tiles_as_a_frame_of_its_size(sure, many):
    detector = AutomaticDetector(sure, AutomaticOptions(points_per_side=16))
    y, x = 20, 30
    region = detector.detect(many, Query(region=(y, x, 200, 230)))
    alone = detector.detect(many[y:, x:])
    inside = [item for item in alone if item.box[0] > 2 and item.box[1] > 2]
    assert len(inside) > 20
    boxes = {item.box for item in region}
    assert {(a + y, b + x, c + y, d + x) for a, b, c, d in (item.box for item in inside)} <= boxes
    assert all(item.box[0] > y and item.box[1] > x for item in region)


def test_a_region_outside_the_frame_is_refused(predictor, movie):
    with pytest.raises(MaskError, match="leaves the image"):
        AutomaticDetector(predictor).detect(movie[0], Query(region=(0, 0, 41, 20)))


def test_it_is_a_detector_with_a_name(predictor):
    detector: Detector = AutomaticDetector(predictor)
    assert detector.name == "automatic masks"


def test_words_and_examples_are_for_other_detectors(predictor, movie):
    example = Example(movie[0], Rle.from_box((2, 2, 9, 9), tiny.SHAPE))
    for query in (Query(words=("cell",)), Query(examples=(example,))):
        with pytest.raises(PromptError, match="words and examples"):
            AutomaticDetector(predictor).detect(movie[0], query)


def test_progress_is_told_and_a_search_can_be_stopped_between_batches(sure, many):
    detector = AutomaticDetector(sure, AutomaticOptions(points_per_side=8, points_per_batch=48))
    told = []
    detector.detect(many, progress=lambda done, total: told.append((done, total)))
    total = told[-1][1]
    assert told == [(done, total) for done in range(1, total + 1)]
    assert total > 2 * 16  # two batches in each of the tiles and in the whole frame
    told.clear()
    with pytest.raises(StoppedError, match=f"after 5 of {total} steps"):
        detector.detect(many, progress=lambda done, _: told.append(done), cancelled=lambda: len(told) == 5)
    assert told == [1, 2, 3, 4, 5]
