from __future__ import annotations

import pytest
import torch

from src_model.errors import PromptError
from src_model.tracking import PRESETS, StreamingPredictor, choose_device
from tests.tracking import tiny


def test_a_predictor_knows_its_checkpoint_and_its_input_size(predictor):
    assert (predictor.name, predictor.sha256) == ("tiny", "ab" * 32)
    assert predictor.image_size == tiny.CONFIG.image_size
    assert predictor.device == torch.device("cpu")


def test_the_input_size_can_be_chosen(network, movie):
    larger = tiny.predictor(network, image_size=96)
    answer = larger.start(movie).prompt(0, 1, points=[tiny.CLICK])
    assert answer.logits.shape == (24, 24)
    assert answer.mask.shape == tiny.SHAPE


@pytest.mark.parametrize("size", [65, 32, 5000, -64])
def test_an_input_size_that_the_network_cannot_take_is_refused(network, size):
    with pytest.raises(PromptError, match=rf"image size {size} cannot be used; choose a multiple of 32 in 64..4096"):
        tiny.predictor(network, image_size=size)


def test_other_settings_share_the_network(predictor):
    other = predictor.with_settings(PRESETS["official"], 96)
    assert other.steps.network is predictor.steps.network
    assert (other.image_size, other.steps.settings.preset, other.sha256) == (96, "official", predictor.sha256)
    assert predictor.with_settings(PRESETS["official"]).image_size == predictor.image_size


def test_an_unknown_preset_is_refused_before_anything_is_loaded():
    with pytest.raises(PromptError, match="preset 'fast' is unknown; choose one of default, official"):
        StreamingPredictor.load("default", preset="fast")


def test_the_device_is_the_fastest_there_is_unless_named():
    expected = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert choose_device("auto").type == expected
    assert choose_device("cpu") == torch.device("cpu")


def test_a_device_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(PromptError, match=r"device 'abacus' is not available here; use auto or one of .*cpu"):
        choose_device("abacus")


def test_a_predictor_holds_no_movie_and_serves_many_sessions(predictor, movie):
    one, two = predictor.start(movie), predictor.start(movie[::-1])
    one.prompt(0, 1, points=[tiny.CLICK])
    assert dict(two.objects) == {}
    assert one.feature_cache is not two.feature_cache
