from __future__ import annotations

import numpy as np
import pytest

from src_model.evaluation.protocols import Attempt
from src_model.evaluation.scoring import score_object
from src_model.masks import MaskletFrame, Rle
from tests.evaluation.fakes import SHAPE, square, target, truth_of


def entries(length: int, *, shift: int = 0, score: float = 0.9, object_score: float = 0.8) -> dict[int, MaskletFrame]:
    return {t: MaskletFrame(Rle.encode(square(3 * t + shift)), score, object_score) for t in range(length)}


def attempt(masks: dict[int, MaskletFrame], clicks: int | None = 1) -> Attempt:
    return Attempt(masks, (0,), clicks, examinations=0)


def test_a_perfect_masklet_is_perfect():
    scores = score_object(target(5), [attempt(entries(5))], gives_first_mask=False)
    assert scores.frames == (0, 1, 2, 3, 4)
    assert scores.j == scores.f == scores.nsd == (1.0,) * 5
    assert scores.hd95 == scores.assd == (0.0,) * 5


def test_region_similarity_is_the_overlap_by_hand():
    scores = score_object(target(3), [attempt(entries(3, shift=4))], gives_first_mask=False)
    assert scores.j == pytest.approx([1 / 3] * 3)


def test_a_given_first_mask_is_left_out_a_clicked_one_counts():
    masks = entries(3)
    assert score_object(target(3), [attempt(masks)], gives_first_mask=True).frames == (1, 2)
    assert score_object(target(3), [attempt(masks)], gives_first_mask=False).frames == (0, 1, 2)


def test_an_absent_object_that_is_found_absent_is_right_and_has_no_distances():
    masks = entries(3) | {1: MaskletFrame(Rle.empty(SHAPE), 0.1, 0.1)}
    scores = score_object(target(3, absent=[1]), [attempt(masks)], gives_first_mask=False)
    assert scores.j[1] == scores.f[1] == scores.nsd[1] == 1
    assert scores.hd95[1] is None
    assert scores.present == (True, False, True)


def test_an_object_that_was_lost_has_no_distances_but_counts_as_wrong():
    masks = entries(3) | {1: MaskletFrame(Rle.empty(SHAPE), 0.1, 0.1)}
    scores = score_object(target(3), [attempt(masks)], gives_first_mask=False)
    assert (scores.j[1], scores.f[1], scores.nsd[1], scores.assd[1]) == (0, 0, 0, None)


def test_what_the_tracker_thought_is_kept():
    scores = score_object(target(2), [attempt(entries(2))], gives_first_mask=False)
    assert scores.predicted_iou == (0.9, 0.9)
    assert scores.object_score == (0.8, 0.8)


def test_the_last_attempt_is_the_result_and_every_attempt_a_round():
    attempts = [
        Attempt(entries(4, shift=4), (0,), 3, examinations=1),
        Attempt(entries(4), (0, 2), 5, examinations=2),
    ]
    scores = score_object(target(4), attempts, gives_first_mask=False)
    assert scores.j == (1.0,) * 4
    assert [(each.prompted, each.clicks) for each in scores.rounds] == [(1, 3), (2, 5)]
    assert [each.j for each in scores.rounds] == pytest.approx([1 / 3, 1])
    # 2 examinations of 4 frames, 2 frames found, 5 clicks
    assert scores.rounds[1].person_seconds == pytest.approx((0.8 + 2 + 7.5) / 4)


def test_drawing_a_mask_has_no_price():
    scores = score_object(target(2), [attempt(entries(2), clicks=None)], gives_first_mask=True)
    assert scores.rounds[0].person_seconds is None


def test_a_still_with_its_mask_given_has_nothing_to_score():
    scores = score_object(target(1), [attempt(entries(1))], gives_first_mask=True)
    assert scores.frames == ()
    assert scores.rounds[0].j is None


def test_masks_of_six_frames_from_first_to_last_are_kept_for_pictures():
    scores = score_object(target(16), [attempt(entries(16))], gives_first_mask=False)
    assert list(scores.strip) == [0, 3, 6, 9, 12, 15]
    kept = Rle.from_coco({"size": list(SHAPE), "counts": scores.strip[9]})
    assert np.array_equal(kept.decode(), truth_of(9).decode())
