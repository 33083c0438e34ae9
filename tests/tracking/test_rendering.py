from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from src_model.masks import Rle
from src_model.masks.window import Window, placed
from src_model.tracking.rendering import mend, render_mask
from src_model.tracking.settings import PRESETS

OFFICIAL = PRESETS["official"]
MENDING = replace(OFFICIAL, fill_hole_area=4, remove_speck_area=4)


def smooth_logits(seed: int, side: int = 16, bias: float = 0.0) -> torch.Tensor:
    noise = torch.randn(1, 1, 5, 5, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(noise, (side, side), mode="bicubic")[0, 0] + bias


def whole(logits: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    return F.interpolate(logits[None, None], shape, mode="bilinear", align_corners=False)[0, 0]


@pytest.mark.parametrize("shape", [(64, 64), (40, 52), (100, 37), (7, 9), (16, 16), (1, 1), (300, 16)])
@pytest.mark.parametrize("bias", [0.0, -1.2])
def test_a_mask_is_what_interpolating_the_whole_field_and_cutting_at_zero_gives(shape, bias):
    for seed in range(8):
        logits = smooth_logits(seed, bias=bias)
        expected = whole(logits, shape)
        found = torch.from_numpy(render_mask(logits, shape, OFFICIAL).decode())
        # Where the field is zero up to rounding, either side is right.
        assert bool(((expected > 0) == found)[expected.abs() > 1e-5].all())


@pytest.mark.parametrize("corner", [(0, 0), (0, 15), (15, 0), (15, 15)])
def test_a_single_positive_pixel_at_a_corner_is_not_lost(corner):
    logits = torch.full((16, 16), -1.0)
    logits[corner] = 5.0
    assert np.array_equal(render_mask(logits, (50, 70), OFFICIAL).decode(), (whole(logits, (50, 70)) > 0).numpy())


def test_logits_without_a_positive_pixel_give_an_empty_mask():
    assert render_mask(torch.full((16, 16), -1024.0), (40, 52), OFFICIAL) == Rle.empty((40, 52))


def test_logits_that_are_positive_everywhere_give_a_full_mask():
    assert render_mask(torch.full((16, 16), 3.0), (40, 52), OFFICIAL).area == 40 * 52


def test_half_precision_logits_are_rendered_in_full_precision():
    logits = smooth_logits(1).half()
    assert render_mask(logits, (40, 52), OFFICIAL) == render_mask(logits.float(), (40, 52), OFFICIAL)


def test_small_holes_are_filled_and_specks_removed_if_asked_for():
    mask = np.zeros((30, 30), bool)
    mask[5:20, 5:20] = True
    clean = mask.copy()
    mask[10:12, 10:12] = False
    mask[25:27, 25:27] = True
    assert np.array_equal(mend(mask, MENDING), clean)
    assert mend(mask, OFFICIAL) is mask


def test_holes_and_specks_over_the_limit_stay():
    mask = np.zeros((30, 30), bool)
    mask[5:20, 5:20] = True
    mask[10:12, 10:13] = False
    mask[25:27, 25:28] = True
    assert np.array_equal(mend(mask, MENDING), mask)


def test_an_object_that_is_small_itself_is_no_speck():
    mask = np.zeros((30, 30), bool)
    mask[5:7, 5:7] = True
    assert np.array_equal(mend(mask, MENDING), mask)


@pytest.mark.parametrize("box", [(0, 0, 30, 20), (15, 31, 40, 52), (3, 4, 37, 50)])
def test_a_mask_found_in_a_window_lies_in_the_frame_where_the_window_does(box):
    window = Window(box, 64)
    for seed in range(8):
        logits = smooth_logits(seed)
        expected = placed(render_mask(logits, window.shape, MENDING), window, (40, 52))
        assert render_mask(logits, (40, 52), MENDING, window) == expected
    assert render_mask(torch.full((16, 16), -1.0), (40, 52), MENDING, window) == Rle.empty((40, 52))


@pytest.mark.parametrize("shape", [(64, 64), (40, 52), (100, 37)])
def test_rendered_masks_are_mended_unless_nothing_needs_to_be(shape):
    settings = replace(OFFICIAL, fill_hole_area=40, remove_speck_area=40)
    changed = 0
    for seed in range(60):
        noise = torch.randn(16, 16, generator=torch.Generator().manual_seed(seed)) + 0.5
        for logits in (noise, smooth_logits(seed)):
            raw = render_mask(logits, shape, OFFICIAL).decode()
            found = render_mask(logits, shape, settings).decode()
            assert np.array_equal(found, mend(raw, settings))
            changed += not np.array_equal(found, raw)
    assert changed > 10


def test_runs_side_by_side_in_rows_that_follow_each_other_are_still_a_hole():
    mask = np.ones((9, 9), bool)
    mask[4, 4] = False
    logits = torch.from_numpy(np.where(mask, 3.0, -3.0).astype(np.float32))
    assert render_mask(logits, (9, 9), MENDING).area == 81
    assert render_mask(logits, (9, 9), OFFICIAL).area == 80
