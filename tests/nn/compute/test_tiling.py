"""Maps computed tile by tile."""

from __future__ import annotations

import importlib

import pytest
import torch
import torch.nn.functional as F

from src_model.nn.compute import PLAIN_COMPUTE, compute_tiled, compute_with

module = importlib.import_module("src_model.nn.compute.tiling")

WIDTH, CHANNELS = 10, 4
ROW_BYTES = WIDTH * CHANNELS * 4


@pytest.fixture(autouse=True)
def _room_for_three_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TILE_BYTES", 3 * ROW_BYTES)


class Recorder:
    """A step that notes the shapes of its parts."""

    def __init__(self, step):
        self.step, self.shapes = step, []

    def __call__(self, x):
        self.shapes.append(tuple(x.shape))
        return self.step(x)


def convolve(x, stride=1):
    weight = torch.linspace(-1, 1, 3 * CHANNELS * 9).reshape(3, CHANNELS, 3, 3)
    return F.conv2d(x.permute(0, 3, 1, 2), weight, stride=stride, padding=1).permute(0, 2, 3, 1)


@pytest.mark.parametrize("height", [1, 3, 4, 7, 12])
@pytest.mark.parametrize("batch", [1, 2])
@torch.no_grad()
def test_the_result_is_that_of_the_whole_map(height: int, batch: int):
    x = torch.randn(batch, height, WIDTH, CHANNELS)
    torch.testing.assert_close(compute_tiled(torch.exp, x, widest=CHANNELS), x.exp())


@pytest.mark.parametrize("height", [4, 8, 10])
@torch.no_grad()
def test_a_halo_lets_a_step_look_over_the_border(height: int):
    x = torch.randn(2, height, WIDTH, CHANNELS)
    torch.testing.assert_close(compute_tiled(convolve, x, widest=CHANNELS, halo=1), convolve(x))


@pytest.mark.parametrize("height", [4, 8, 10])
@torch.no_grad()
def test_a_step_may_halve_the_map(height: int):
    x = torch.randn(2, height, WIDTH, CHANNELS)
    result = compute_tiled(lambda part: convolve(part, 2), x, widest=CHANNELS, halo=2, stride=2)
    torch.testing.assert_close(result, convolve(x, 2))


@torch.no_grad()
def test_tiles_are_as_high_as_there_is_room_for():
    step = Recorder(torch.exp)
    compute_tiled(step, torch.randn(1, 8, WIDTH, CHANNELS), widest=CHANNELS)
    assert [shape[1] for shape in step.shapes] == [3, 3, 2]


@torch.no_grad()
def test_tiles_start_where_windows_do_even_if_there_is_little_room():
    step = Recorder(torch.exp)
    compute_tiled(step, torch.randn(1, 18, WIDTH, CHANNELS), widest=CHANNELS, rows=7)
    assert [shape[1] for shape in step.shapes] == [7, 7, 4]


@torch.no_grad()
def test_a_map_that_fits_is_not_cut_and_a_batch_is_cut_by_image():
    step = Recorder(torch.exp)
    compute_tiled(step, torch.randn(3, 1, WIDTH, CHANNELS), widest=CHANNELS)
    compute_tiled(step, torch.randn(2, 2, WIDTH, CHANNELS), widest=CHANNELS)
    assert [shape[:2] for shape in step.shapes] == [(3, 1), (1, 2), (1, 2)]


def test_where_gradients_are_taken_nothing_is_cut():
    step = Recorder(torch.exp)
    compute_tiled(step, torch.randn(1, 8, WIDTH, CHANNELS), widest=CHANNELS)
    assert len(step.shapes) == 1


@torch.no_grad()
def test_without_the_lever_nothing_is_cut():
    step = Recorder(torch.exp)
    with compute_with(PLAIN_COMPUTE):
        compute_tiled(step, torch.randn(1, 8, WIDTH, CHANNELS), widest=CHANNELS)
    assert len(step.shapes) == 1
