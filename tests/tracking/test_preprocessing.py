from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from src_model.frames import Normalization
from src_model.masks import Rle
from src_model.prompts import Prompt
from src_model.tracking.preprocessing import click_tensors, image_tensor, mask_logits, mask_tensor, prompt_tensors
from src_model.tracking.settings import PRESETS
from tests.tracking import tiny

CPU = torch.device("cpu")
EIGHT_BIT = Normalization("none", (0.0,), (255.0,))
DEFAULT, OFFICIAL = PRESETS["default"], PRESETS["official"]


def colors(shape: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)


def undo(tensor: torch.Tensor) -> torch.Tensor:
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (tiny.CONFIG.pixel_mean, tiny.CONFIG.pixel_std))
    return tensor * std + mean


def test_an_image_of_the_right_size_is_only_scaled():
    image = colors((64, 64))
    seen = undo(image_tensor(image, EIGHT_BIT, DEFAULT, tiny.CONFIG, 64))
    expected = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
    torch.testing.assert_close(seen, expected)


@pytest.mark.parametrize("shape", [(40, 52), (200, 90)])
def test_an_image_is_squashed_to_a_square_with_antialiasing(shape):
    image = colors(shape)
    seen = undo(image_tensor(image, EIGHT_BIT, DEFAULT, tiny.CONFIG, 64))
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    expected = F.interpolate(pixels, (64, 64), mode="bilinear", align_corners=False, antialias=True)
    torch.testing.assert_close(seen, expected, atol=1e-6, rtol=0)


def test_a_gray_image_is_normalized_and_repeated():
    image = np.linspace(100, 300, 64 * 64, dtype=np.float32).reshape(64, 64)
    seen = undo(image_tensor(image, Normalization("limits", (100.0,), (300.0,)), DEFAULT, tiny.CONFIG, 64))
    torch.testing.assert_close(seen[0, 0], seen[0, 2])
    assert seen.min().item() == pytest.approx(0, abs=1e-6)
    assert seen.max().item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("shape", [(40, 52), (200, 90), (90, 200), (64, 30)])
def test_gray_is_squashed_as_three_equal_colors_would_be(shape):
    image = colors(shape)[..., 0]
    gray = image_tensor(image, EIGHT_BIT, DEFAULT, tiny.CONFIG, 64)
    assert gray.shape == (1, 3, 64, 64)
    repeated = image_tensor(np.repeat(image[..., None], 3, axis=2), EIGHT_BIT, DEFAULT, tiny.CONFIG, 64)
    torch.testing.assert_close(gray, repeated, atol=1e-6, rtol=0)


def test_the_official_preset_resizes_eight_bit_pixels_and_rounds_them_before_scaling():
    seen = undo(image_tensor(colors((40, 52)), EIGHT_BIT, OFFICIAL, tiny.CONFIG, 64)) * 255
    torch.testing.assert_close(seen, seen.round(), atol=1e-3, rtol=0)


def test_a_read_only_image_is_taken_without_a_warning():
    image = colors((64, 64))
    image.flags.writeable = False
    image_tensor(image, EIGHT_BIT, OFFICIAL, tiny.CONFIG, 64)


def test_points_turn_from_movie_y_x_to_network_x_y():
    tensors = prompt_tensors(Prompt(((20.0, 13.0),), (0,)), (40, 52), 64, None, CPU)
    torch.testing.assert_close(tensors.points, torch.tensor([[[16.0, 32.0]]]))
    assert tensors.labels.tolist() == [[0]]


def test_a_box_becomes_two_corners_before_the_points():
    prompt = Prompt(((20.0, 13.0),), (1,), (0.0, 26.0, 10.0, 52.0))
    tensors = prompt_tensors(prompt, (40, 52), 64, None, CPU)
    torch.testing.assert_close(tensors.points, torch.tensor([[[32.0, 0.0], [64.0, 16.0], [16.0, 32.0]]]))
    assert tensors.labels.tolist() == [[2, 3, 1]]


def test_many_clicks_become_one_row_each():
    tensors = click_tensors([(20.0, 13.0), (0.0, 52.0)], (40, 52), 64, CPU)
    torch.testing.assert_close(tensors.points, torch.tensor([[[16.0, 32.0]], [[64.0, 0.0]]]))
    assert tensors.labels.tolist() == [[1], [1]]


def test_a_mask_is_brought_to_the_network_input_as_zeros_and_ones():
    mask = np.zeros((32, 32), bool)
    mask[8:16, 4:20] = True
    tensor = mask_tensor(Rle.encode(mask), 64, CPU)
    assert tensor.shape == (1, 1, 64, 64)
    assert set(tensor.unique().tolist()) == {0.0, 1.0}
    assert tensor.sum().item() == pytest.approx(4 * mask.sum(), rel=0.02)


def test_a_mask_of_the_right_size_is_taken_as_it_is():
    mask = np.random.default_rng(0).random((64, 64)) > 0.5
    assert np.array_equal(mask_tensor(Rle.encode(mask), 64, CPU)[0, 0].numpy(), mask)


def test_a_stored_mask_becomes_logits_between_minus_and_plus_ten():
    mask = np.zeros((40, 52), bool)
    mask[:, 26:] = True
    logits = mask_logits(Rle.encode(mask), 64, CPU)
    assert logits.shape == (1, 1, 16, 16)
    assert logits[0, 0, 8, 0].item() == pytest.approx(-10)
    assert logits[0, 0, 8, 15].item() == pytest.approx(10)
