"""Prompts drawn from masks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from src_model.nn import PromptTensors
from src_model.training.prompt_simulation import (
    Annotator,
    PromptMix,
    click_in,
    corrective_click,
    first_prompts,
    noisy_box,
    with_correction,
)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def mask() -> np.ndarray:
    mask = np.zeros((32, 32), bool)
    mask[10:15, 4:13] = True
    return mask


def test_a_central_click_is_farthest_from_the_outline(mask: np.ndarray, rng: np.random.Generator) -> None:
    x, y = click_in(mask, rng, central=1.0)
    assert y == 12
    assert 6 <= x <= 10


def test_the_image_border_counts_as_outline(rng: np.random.Generator) -> None:
    assert click_in(np.ones((9, 9), bool), rng, central=1.0) == (4.0, 4.0)


def test_every_click_lies_on_the_mask_as_x_y(mask: np.ndarray, rng: np.random.Generator) -> None:
    clicks = [click_in(mask, rng, central=0.0) for _ in range(50)]
    assert all(mask[int(y), int(x)] for x, y in clicks)
    assert len(set(clicks)) > 10


def test_a_box_without_noise_is_half_open(mask: np.ndarray, rng: np.random.Generator) -> None:
    assert noisy_box(mask, rng, noise=0.0) == (4.0, 10.0, 13.0, 15.0)


def test_a_noisy_box_stays_ordered_and_inside(mask: np.ndarray, rng: np.random.Generator) -> None:
    for _ in range(50):
        x0, y0, x1, y1 = noisy_box(mask, rng, noise=1.0)
        assert 0 <= x0 <= x1 <= 32
        assert 0 <= y0 <= y1 <= 32


def test_a_correction_adds_what_is_missing(mask: np.ndarray, rng: np.random.Generator) -> None:
    x, y, label = corrective_click(np.zeros_like(mask), mask, rng)
    assert label == 1
    assert mask[int(y), int(x)]


def test_a_correction_removes_what_is_too_much(mask: np.ndarray, rng: np.random.Generator) -> None:
    x, y, label = corrective_click(np.ones_like(mask), mask, rng)
    assert label == 0
    assert not mask[int(y), int(x)]


def test_a_perfect_mask_is_clicked_on_the_object(mask: np.ndarray, rng: np.random.Generator) -> None:
    x, y, label = corrective_click(mask, mask, rng)
    assert label == 1
    assert mask[int(y), int(x)]


def test_a_rightly_empty_mask_is_clicked_on_the_background(rng: np.random.Generator) -> None:
    empty = np.zeros((8, 8), bool)
    assert corrective_click(empty, empty, rng)[2] == 0


def test_box_prompts_are_two_corners(mask: np.ndarray, rng: np.random.Generator) -> None:
    prompts = first_prompts(np.stack([mask, mask.T]), "box", rng, device=torch.device("cpu"))
    assert prompts.points.shape == (2, 2, 2)
    assert prompts.labels.tolist() == [[2, 3], [2, 3]]


def test_a_correction_keeps_earlier_prompts_and_gives_the_logits(mask: np.ndarray, rng: np.random.Generator) -> None:
    first = first_prompts(mask[None], "click", rng, device=torch.device("cpu"))
    prompts = with_correction(first, torch.full((1, 1, 8, 8), -100.0), mask[None], rng)
    assert isinstance(prompts, PromptTensors)
    assert torch.equal(prompts.points[:, :1], first.points)
    assert prompts.labels.tolist() == [[1, 1]]
    assert prompts.mask_logits is not None
    assert prompts.mask_logits.min() == -32


def test_a_mix_draws_each_kind_in_its_share(rng: np.random.Generator) -> None:
    kinds = [PromptMix(0.5, 0.25, 0.25).draw(rng) for _ in range(2000)]
    assert kinds.count("mask") == pytest.approx(1000, abs=100)
    assert kinds.count("box") == pytest.approx(500, abs=80)


def test_a_share_of_the_corrections_ignores_what_is_wrong(mask: np.ndarray, rng: np.random.Generator) -> None:
    too_much = np.ones_like(mask)
    labels = [corrective_click(too_much, mask, rng, from_truth=0.5)[2] for _ in range(200)]
    # An error would be clicked as background, the truth as the object.
    assert np.mean(labels) == pytest.approx(0.5, abs=0.12)


def test_where_no_mask_may_be_given_and_nothing_else_is_wanted_a_click_is(rng: np.random.Generator) -> None:
    assert PromptMix(1.0, 0.0, 0.0).draw(rng, mask=False) == "click"


def test_the_shares_are_those_of_the_paper_unless_told_otherwise() -> None:
    assert PromptMix() == PromptMix(mask=0.5, click=0.25, box=0.25)
    assert Annotator().clicks_from_truth == 0.1
