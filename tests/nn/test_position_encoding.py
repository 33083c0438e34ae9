"""Position encodings."""

from __future__ import annotations

import math

import pytest
import torch

from src_model.nn.position_encoding import (
    RandomFourierEncoding,
    axial_rotations,
    rotate_pairs,
    sine_map,
    time_sine,
)

CPU = torch.device("cpu")


def test_the_first_half_of_a_sine_map_encodes_y_and_the_second_x():
    encoded = sine_map(64, 4, 6, CPU)[0]
    rows, columns = encoded[:32], encoded[32:]
    assert encoded.shape == (64, 4, 6)
    assert torch.equal(rows, rows[:, :, :1].expand_as(rows))
    assert torch.equal(columns, columns[:, :1].expand_as(columns))


def test_a_sine_map_spans_one_period_whatever_its_size():
    last_row = sine_map(64, 8, 8, CPU)[0, :2, -1, 0]
    torch.testing.assert_close(last_row, torch.tensor([0.0, 1.0]), atol=1e-5, rtol=0)
    half_way = sine_map(64, 8, 8, CPU)[0, :2, 3, 0]
    torch.testing.assert_close(half_way, torch.tensor([0.0, -1.0]), atol=1e-5, rtol=0)


def test_sines_and_cosines_alternate_at_falling_frequencies():
    row = sine_map(16, 4, 4, CPU)[0, :8, 1, 0]
    angle = 2 / (4 + 1e-6) * 2 * math.pi
    expected = [f(angle / 10_000 ** (2 * k / 8)) for k in range(4) for f in (math.sin, math.cos)]
    torch.testing.assert_close(row, torch.tensor(expected))


def test_maps_are_computed_once_for_each_size():
    assert sine_map(64, 4, 6, CPU) is sine_map(64, 4, 6, CPU)
    assert axial_rotations(64, 4, 6, CPU) is axial_rotations(64, 4, 6, CPU)


def test_time_encodings_hold_all_sines_before_all_cosines():
    encoded = time_sine(torch.tensor([0.0, 0.5]), 8)
    assert encoded[0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    torch.testing.assert_close(encoded[1, 0], torch.tensor(0.5).sin())
    torch.testing.assert_close(encoded[1, 4], torch.tensor(0.5).cos())


def test_past_and_future_differ_in_their_time_encoding():
    past, future = time_sine(torch.tensor([0.2, -0.2]), 8)
    assert torch.equal(past[:4], -future[:4])
    assert torch.equal(past[4:], future[4:])


@pytest.fixture
def fourier() -> RandomFourierEncoding:
    return RandomFourierEncoding(16)


def test_a_fourier_encoding_holds_sines_and_cosines_of_a_matrix_product(fourier: RandomFourierEncoding):
    points = torch.rand(2, 3, 2)
    angles = 2 * math.pi * ((2 * points - 1) @ fourier.positional_encoding_gaussian_matrix)
    torch.testing.assert_close(fourier(points), torch.cat((angles.sin(), angles.cos()), dim=-1))


def test_the_grid_encodes_pixel_centres_in_x_y_order(fourier: RandomFourierEncoding):
    grid = fourier.grid(4, 8)
    assert grid.shape == (1, 32, 4, 8)
    centre = torch.tensor([(5 + 0.5) / 8, (2 + 0.5) / 4])
    torch.testing.assert_close(grid[0, :, 2, 5], fourier(centre))


def test_the_frequencies_belong_to_the_checkpoint_but_are_not_trained(fourier: RandomFourierEncoding):
    assert list(fourier.state_dict()) == ["positional_encoding_gaussian_matrix"]
    assert not list(fourier.parameters())


def test_autocast_does_not_blur_positions(fourier: RandomFourierEncoding):
    points = torch.rand(5, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        blurred = fourier(points)
    assert blurred.dtype == torch.float32
    assert torch.equal(blurred, fourier(points))


def test_a_rotation_keeps_the_length_of_every_pair():
    x = torch.randn(1, 12, 16)
    turned = rotate_pairs(x, axial_rotations(16, 3, 4, CPU))
    torch.testing.assert_close(turned.unflatten(-1, (-1, 2)).norm(dim=-1), x.unflatten(-1, (-1, 2)).norm(dim=-1))


def test_the_first_token_is_not_turned():
    x = torch.randn(1, 12, 16)
    assert torch.equal(rotate_pairs(x, axial_rotations(16, 3, 4, CPU))[:, 0], x[:, 0])


def test_the_first_half_of_the_pairs_turns_with_x_and_the_second_with_y():
    cosine, sine = axial_rotations(16, 3, 4, CPU).unbind(-1)
    angles = torch.atan2(sine, cosine).view(3, 4, 8)
    assert angles[2, 0, :4].eq(0).all()
    assert angles[0, 3, 4:].eq(0).all()
    torch.testing.assert_close(angles[1, 2, 0], torch.tensor(2.0))
    torch.testing.assert_close(angles[1, 2, 4], torch.tensor(1.0))


def test_rotated_products_depend_on_the_distance_alone():
    """Query and key moved together by one column give the same score."""
    query, key = torch.randn(16), torch.randn(16)
    rotations = axial_rotations(16, 4, 4, CPU)
    queries, keys = (rotate_pairs(x.expand(1, 16, 16).contiguous(), rotations)[0] for x in (query, key))
    scores = (queries @ keys.T).view(4, 4, 4, 4)
    torch.testing.assert_close(scores[1, 1, 2, 0], scores[1, 2, 2, 1])
    torch.testing.assert_close(scores[1, 1, 2, 0], scores[2, 1, 3, 0])
    assert not torch.isclose(scores[1, 1, 2, 0], scores[1, 1, 2, 1])


def test_rotations_repeat_for_every_memory_frame():
    rotations = axial_rotations(16, 2, 3, CPU)
    frames = torch.randn(2, 3, 6, 16)
    together = rotate_pairs(frames.flatten(1, 2), rotations).unflatten(1, (3, 6))
    for index in range(3):
        torch.testing.assert_close(together[:, index], rotate_pairs(frames[:, index], rotations))


def test_rotation_is_done_in_float32():
    x = torch.randn(1, 6, 16).bfloat16()
    rotations = axial_rotations(16, 2, 3, CPU)
    turned = rotate_pairs(x, rotations)
    assert turned.dtype == torch.float32
    torch.testing.assert_close(turned, rotate_pairs(x.float(), rotations))


def test_tokens_without_a_place_are_not_turned():
    x = torch.randn(2, 6 + 3, 16)
    rotations = axial_rotations(16, 2, 3, CPU)
    turned = rotate_pairs(x, rotations, unrotated=3)
    torch.testing.assert_close(turned[:, :6], rotate_pairs(x[:, :6], rotations))
    assert torch.equal(turned[:, 6:], x[:, 6:])
