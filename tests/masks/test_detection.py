"""What a detector proposes."""

from __future__ import annotations

import pytest

from src_model.errors import MaskError
from src_model.masks import Detection, Rle

MASK = Rle.from_box((2, 3, 6, 9), (20, 30))


def test_a_detection_of_a_mask_has_its_box():
    assert Detection.of_mask(MASK, 0.5, "cell") == Detection((2, 3, 6, 9), 0.5, MASK, "cell")


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan")])
def test_a_score_is_from_0_to_1(score):
    with pytest.raises(MaskError, match="0 to 1"):
        Detection.of_mask(MASK, score)


@pytest.mark.parametrize("box", [(2, 3, 2, 9), (2, 9, 6, 3), (float("nan"), 0, 1, 1)])
def test_a_box_has_an_area(box):
    with pytest.raises(MaskError, match="no area"):
        Detection(box, 0.5)


def test_an_empty_mask_is_no_detection():
    with pytest.raises(MaskError, match="empty"):
        Detection.of_mask(Rle.empty((20, 30)), 0.5)
