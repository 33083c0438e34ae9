"""The image model behind the pseudo-labels, with random weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

pytest.importorskip("cv2", reason="labelling videos needs the extra 'recipe'")

from src_model.nn import ModelConfig, build_network
from src_model.nn.image_encoder.tiny_vit import TinyViTConfig
from training_recipe.pseudo_labels.segmenter import Segmenter

SHAPE = (45, 80)
BOX = np.zeros((1, *SHAPE), bool)
BOX[0, 10:30, 20:50] = True


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    trunk = TinyViTConfig(widths=(16, 32, 32, 64), depths=(1, 1, 1, 1), heads=(1, 1, 1, 2), windows=(7, 7, 14, 7))
    config = ModelConfig("tiny", trunk, image_size=128, memory_layers=1, memory_hidden=64, iou_sigmoid=False)
    return build_network(config)


@pytest.fixture(scope="module")
def segmenter(network):
    return Segmenter(network, 128)


@pytest.fixture(scope="module")
def picture():
    return np.random.default_rng(0).integers(0, 256, (90, 160, 3)).astype(np.uint8)


def test_clicks_get_three_readings_and_masks_one_at_the_size_of_the_frame(segmenter, picture) -> None:
    frame = segmenter.encode(picture, SHAPE)
    assert frame.share == (72 / 128, 1.0)
    clicked = segmenter.click(frame, np.array([[5.0, 7.0], [40.0, 70.0]]))
    assert clicked.logits.shape == (2, 3, *SHAPE)
    assert clicked.scores.shape == clicked.stability.shape == (2, 3)
    redrawn = segmenter.redraw(frame, BOX)
    assert redrawn.logits.shape == (1, 1, *SHAPE)
    assert ((redrawn.stability >= 0) & (redrawn.stability <= 1)).all()


def test_each_prompt_is_answered_alone_however_many_there_are(segmenter, picture) -> None:
    frame = segmenter.encode(picture, SHAPE)
    points = np.stack(np.meshgrid([5.0, 20.0, 40.0], np.arange(2.0, 80, 10), indexing="ij"), -1).reshape(-1, 2)
    together = segmenter.click(frame, points)
    alone = segmenter.click(frame, points[[17]])
    np.testing.assert_allclose(together.logits[17], alone.logits[0], atol=0.05 * np.abs(alone.logits).max())


def test_the_answer_depends_on_the_place_and_the_mask(segmenter, picture) -> None:
    frame = segmenter.encode(picture, SHAPE)
    here, there = segmenter.click(frame, np.array([[5.0, 7.0], [40.0, 70.0]])).logits
    assert not np.allclose(here, there)
    whole = segmenter.redraw(frame, BOX).logits
    part = BOX.copy()
    part[0, 12:28, 24:46] = False
    assert not np.allclose(whole, segmenter.redraw(frame, part).logits)


def test_the_untrained_object_score_has_no_say(network, segmenter, picture) -> None:
    frame = segmenter.encode(picture, SHAPE)
    before = segmenter.redraw(frame, BOX).logits
    with torch.no_grad():
        network.sam_mask_decoder.obj_score_token.weight.normal_()
    assert np.array_equal(before, segmenter.redraw(frame, BOX).logits)
