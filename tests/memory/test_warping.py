from __future__ import annotations

import pytest
import torch

from src_model.masks.window import Window
from src_model.memory.warping import is_near_in_scale, warped

HERE = Window((100, 100, 148, 148), 64)  # 4 x 4 tokens of 12 pixels
MEMORY = torch.arange(32.0).reshape(1, 2, 4, 4)


def test_in_the_same_window_a_memory_is_what_it_was():
    assert warped(MEMORY, HERE, HERE, (120.0, 120.0)) is MEMORY


def test_a_window_moved_by_whole_tokens_shifts_the_map_and_repeats_its_border():
    moved = Window((112, 88, 160, 136), 64)
    result = warped(MEMORY, HERE, moved, None)
    expected = MEMORY[:, :, [1, 2, 3, 3]][..., [0, 0, 1, 2]]
    torch.testing.assert_close(result, expected)


def test_a_remembered_object_stays_where_it_was_in_the_movie():
    spot = torch.zeros(1, 1, 4, 4)
    spot[0, 0, 2, 2] = 1  # at (130, 130)
    result = warped(spot, HERE, Window((112, 112, 160, 160), 64), (130.0, 130.0))
    assert result[0, 0].nonzero().tolist() == [[1, 1]]


def test_an_object_that_went_far_is_remembered_near_to_where_it_is_by_now():
    spot = torch.zeros(1, 1, 4, 4)
    spot[0, 0, 1, 1] = 1
    far = Window((112 + 12 * 20, 100, 160 + 12 * 20, 148), 64)
    now = (136.0 + 12 * 20, 118.0)
    result = warped(spot, HERE, far, (118.0, 118.0), now)
    assert result.sum() > 0.4
    assert result[0, 0, :2].sum() > 0.4  # towards where it was
    assert warped(spot, HERE, far).sum() == warped(spot, HERE, far, (118.0, 118.0)).sum() == 0


def test_an_object_at_the_edge_of_a_window_is_remembered_there():
    spot = torch.zeros(1, 1, 4, 4)
    spot[0, 0, 1, 1] = 1
    beside = Window((112, 112, 160, 160), 64)
    result = warped(spot, HERE, beside, (118.0, 118.0), (120.0, 118.0))
    assert result[0, 0].nonzero().tolist() == [[0, 0]]


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_memories_of_lower_precision_are_resampled_as_well_in_any_order_of_storage(order):
    torch.manual_seed(0)
    memory = torch.randn(1, 64, 28, 28).bfloat16()
    source, target = Window((0, 0, 112, 112), 448), Window((8, 3, 120, 115), 448)
    expected = warped(memory.float(), source, target)
    result = warped(memory.contiguous(memory_format=order), source, target)
    assert result.dtype == torch.bfloat16
    torch.testing.assert_close(result.float(), expected, atol=0.02, rtol=0.01)


def test_another_input_size_gives_another_grid():
    larger = Window(HERE.box, 96)
    result = warped(torch.ones(1, 2, 4, 4), HERE, larger, None)
    assert result.shape == (1, 2, 6, 6)
    assert (result == 1).all()


def test_narrow_windows_are_resampled_along_each_axis_alone():
    narrow = Window((100, 100, 124, 148), 64)
    ramp = torch.linspace(0, 3, 4)[:, None].expand(4, 4)[None, None]
    result = warped(ramp, HERE, narrow, None)
    torch.testing.assert_close(result[0, 0, :, 0], torch.tensor([0.0, 0.25, 0.75, 1.25]))


@pytest.mark.parametrize(("size", "near"), [(64, True), (96, True), (128, False)])
def test_only_windows_of_about_the_same_scale_are_near(size, near):
    assert is_near_in_scale(HERE, Window(HERE.box, size)) is near
    assert is_near_in_scale(Window(HERE.box, size), HERE) is near
