"""Whole movies tracked by the official predictor and by the ``official`` preset, from the same random weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image

from src_model.nn import MODEL_CONFIGS
from src_model.tracking import PRESETS
from src_model.tracking.preprocessing import image_tensor
from tests.parity.comparing import SIZE, TOLERANCE, Pair, pair, presence_bias, shifted
from tests.parity.duel import RGB, Duel, drifting_still

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.parity

CLICK, OTHER_CLICK, NEGATIVE = (100.0, 60.0), (180.5, 200.0), (40.0, 220.0)
BOX = (40.0, 50.0, 120.5, 200.0)


@pytest.fixture
def newer() -> Pair:
    return pair("sam2.1-tiny")


@pytest.fixture(params=[False, True], ids=["corrections are dropped", "corrections condition"])
def duel(request: pytest.FixtureRequest, newer: Pair) -> Duel:
    return Duel(newer, drifting_still(), corrections_condition=request.param)


def square(top: int, left: int, side: int, shape: tuple[int, int] = (SIZE, SIZE)) -> np.ndarray:
    mask = np.zeros(shape, dtype=bool)
    mask[top : top + side, left : left + side] = True
    return mask


def test_two_objects_forward_and_reverse(networks: Pair) -> None:
    duel = Duel(networks, drifting_still())
    duel.prompt(3, 1, [CLICK])
    duel.prompt(3, 2, box=BOX)
    duel.propagate(3)
    duel.propagate(3, reverse=True)
    first, second = (duel.session.objects[number].bank.recent[7].logits for number in (1, 2))
    assert (first - second).abs().max() > 10 * TOLERANCE, "objects of one answer could be mixed up unseen"


def test_every_kind_of_prompt(newer: Pair) -> None:
    duel = Duel(newer, drifting_still())
    duel.prompt(0, 1, [CLICK])
    duel.prompt(0, 1, [NEGATIVE], [0])
    duel.prompt(0, 1, [OTHER_CLICK, (5.0, 5.0)], [1, 0])
    duel.prompt(0, 2, [CLICK, NEGATIVE], [1, 0], box=BOX)
    duel.mask(0, 3, square(60, 90, 70))
    duel.propagate(0)


def test_a_mask_refined_by_a_click(newer: Pair) -> None:
    duel = Duel(newer, drifting_still())
    duel.mask(0, 1, square(60, 90, 70))
    duel.prompt(0, 1, [CLICK])
    duel.prompt(0, 1, [NEGATIVE], [0])
    duel.propagate(0, frames=3)


def test_a_movie_tracked_in_pieces(newer: Pair) -> None:
    duel = Duel(newer, drifting_still())
    duel.prompt(0, 1, [CLICK])
    duel.propagate(0, frames=3)
    duel.propagate(3, frames=2)
    duel.propagate(5)


def test_several_prompted_frames(newer: Pair) -> None:
    duel = Duel(newer, drifting_still())
    duel.prompt(6, 1, [CLICK])
    duel.prompt(1, 1, box=BOX)
    duel.mask(4, 1, square(100, 30, 50))
    duel.propagate(0)
    duel.propagate(7, reverse=True)


def test_an_object_that_starts_later(newer: Pair) -> None:
    """The official predictor looks for it on earlier frames too."""
    duel = Duel(newer, drifting_still())
    duel.prompt(0, 1, [CLICK])
    duel.propagate(0, frames=4)
    duel.prompt(5, 2, [OTHER_CLICK])
    duel.propagate(0)


def test_a_click_in_the_middle_of_a_tracked_movie(duel: Duel) -> None:
    duel.prompt(0, 1, [CLICK])
    duel.prompt(0, 2, box=BOX)
    duel.propagate(0)
    duel.prompt(4, 1, [NEGATIVE], [0])
    duel.prompt(4, 1, [OTHER_CLICK])
    duel.propagate(5)
    duel.propagate(0)


def test_a_mask_and_a_box_in_the_middle_of_a_tracked_movie(duel: Duel) -> None:
    duel.prompt(0, 1, [CLICK])
    duel.propagate(0)
    duel.mask(3, 1, square(60, 90, 70))
    duel.prompt(6, 1, box=BOX)
    duel.propagate(2)
    duel.propagate(7, reverse=True)


def test_a_click_in_a_movie_tracked_in_reverse(duel: Duel) -> None:
    duel.prompt(6, 1, [CLICK])
    duel.propagate(6, reverse=True)
    duel.prompt(2, 1, [OTHER_CLICK])
    duel.propagate(1, reverse=True)
    duel.propagate(6, reverse=True)


@pytest.mark.parametrize("corrections_condition", [False, True])
def test_a_click_on_a_prompted_frame_after_tracking(newer: Pair, corrections_condition: bool) -> None:
    """Here we differ: the official predictor drops even this click by default, we always keep it."""
    duel = Duel(newer, drifting_still(), corrections_condition=corrections_condition)
    duel.official.add_all_frames_to_correct_as_cond = True
    duel.prompt(2, 1, [CLICK])
    duel.propagate(2)
    duel.prompt(2, 1, [NEGATIVE], [0])
    duel.propagate(2)


def test_an_object_that_is_absent_for_some_frames(newer: Pair) -> None:
    """Blank frames, on which the occlusion head, turned round and made sharper, sees nothing."""
    movie = drifting_still().copy()
    movie[3:5], movie[6] = 0, 255
    head = newer.theirs.sam_mask_decoder.pred_obj_score_head.layers[-1]
    with shifted(head.weight, scale=-50.0), shifted(head.bias, scale=-50.0, offset=255.75):
        duel = Duel(newer, movie)
        duel.prompt(0, 1, [CLICK])
        duel.prompt(0, 2, box=BOX)
        duel.propagate(0)
    assert {frame for (frame, _), presence in duel.presence.items() if presence <= 0} == {3, 4, 6}
    assert min(abs(presence) for presence in duel.presence.values()) > 0.1, "rounding could decide"


def test_an_object_that_is_never_there(networks: Pair) -> None:
    with shifted(presence_bias(networks.theirs), offset=-10.0):
        duel = Duel(networks, drifting_still())
        duel.prompt(0, 1, [CLICK])
        duel.mask(0, 2, square(60, 90, 70))
        duel.mask(0, 3, square(0, 0, 0))
        duel.propagate(0, frames=3)
    assert all(presence < 0 for (frame, _), presence in duel.presence.items() if frame)


def test_a_movie_of_another_shape_than_the_network_input(newer: Pair) -> None:
    movie = drifting_still(180, 320)[:5]
    duel = Duel(newer, movie)
    duel.prompt(2, 1, [(90.0, 250.0)])
    duel.prompt(2, 2, box=(10.0, 20.0, 170.0, 160.0))
    duel.mask(2, 3, square(30, 40, 100, movie.shape[1:3]))
    duel.propagate(2)
    duel.propagate(2, reverse=True)


@pytest.mark.parametrize("shape", [(540, 960), (100, 120), (SIZE, SIZE)])
def test_images_are_prepared_alike(shape: tuple[int, int], tmp_path: Path) -> None:
    """Both round 8-bit pixels after resizing them, so that they may differ by one gray value here and there."""
    from sam2.utils.misc import _load_img_as_tensor

    pixels = drifting_still(*shape)[0]
    Image.fromarray(pixels).save(tmp_path / "0.png")
    config = MODEL_CONFIGS["sam2.1-tiny"]
    expected, height, width = _load_img_as_tensor(str(tmp_path / "0.png"), SIZE)
    ours = image_tensor(pixels, RGB, PRESETS["official"], config, SIZE)[0]
    mean, std = (torch.tensor(x).view(3, 1, 1) for x in (config.pixel_mean, config.pixel_std))
    difference = (ours * std + mean - expected.float()).abs() * 255
    assert (height, width) == shape
    assert difference.max() < 1.01
    assert difference.mean() < 0.01
