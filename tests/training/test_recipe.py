"""The schedule of a training run."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from src_model.training.recipe import Recipe, optimizer_groups, parameter_group


def test_the_rate_warms_up_stays_and_decays() -> None:
    recipe = Recipe(warm_up_steps=10, decay_from=0.6)
    assert recipe.rate_factor(0.0, 0) == pytest.approx(0.1)
    assert recipe.rate_factor(0.3, 100) == 1.0
    assert recipe.rate_factor(0.8, 500) == pytest.approx(0.51)
    assert recipe.rate_factor(1.0, 900) == pytest.approx(0.02)


def test_the_encoder_learns_from_its_last_stage_on() -> None:
    recipe = Recipe(late_from=0.1, early_from=0.5)
    frozen = [sorted(g for g, rate in recipe.rates(p, 100).items() if rate == 0) for p in (0.0, 0.2, 0.55)]
    assert frozen == [["early", "late"], ["early"], []]


def test_true_memories_become_fewer() -> None:
    assert [Recipe().true_memory(p) for p in (0.0, 1.0)] == pytest.approx([0.7, 0.3])


def test_large_images_become_more_frequent() -> None:
    rng = np.random.default_rng(0)
    early, late = (np.mean([Recipe(crowds=0.0).plan(p, rng).size > 224 for _ in range(500)]) for p in (0.0, 1.0))
    assert early == pytest.approx(0.12, abs=0.05)
    assert late == pytest.approx(0.4, abs=0.06)


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("image_encoder.trunk.layers.3.blocks.0.mlp.fc1.weight", "late"),
        ("image_encoder.neck.conv1.weight", "late"),
        ("image_encoder.trunk.layers.2.downsample.conv1.weight", "late"),
        ("image_encoder.trunk.layers.2.blocks.0.mlp.fc1.weight", "early"),
        ("memory_attention.layers.0.linear1.weight", "new"),
        ("sam_mask_decoder.conv_s0.weight", "new"),
        ("sam_mask_decoder.mask_tokens.weight", "head"),
        ("sam_prompt_encoder.no_mask_embed.weight", "head"),
        ("obj_ptr_proj.layers.0.bias", "new"),
    ],
)
def test_parameters_are_grouped_by_how_much_they_know(name: str, group: str) -> None:
    assert parameter_group(name) == group


def test_every_parameter_is_in_one_group_and_only_matrices_decay() -> None:
    network = nn.ModuleDict({"memory_encoder": nn.Linear(2, 3), "sam_mask_decoder": nn.Linear(3, 4)})
    groups = list(optimizer_groups(network, Recipe()))
    sizes = [(g["name"], len(g["params"]), g["weight_decay"] > 0) for g in groups if g["params"]]  # type: ignore
    assert sizes == [("new", 1, True), ("new", 1, False), ("head", 1, True), ("head", 1, False)]
