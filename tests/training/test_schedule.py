"""How fast each part of the network learns, and when."""

from __future__ import annotations

import pytest
from torch import nn

from src_model.training.schedule import Schedule, encoder_depths, optimizer_groups, parameter_group
from tests.training.tiny import tiny_network


def test_the_rate_warms_up_stays_and_decays() -> None:
    schedule = Schedule(warm_up_steps=10, decay_from=0.6)
    assert schedule.rate_factor(0.0, 0) == pytest.approx(0.1)
    assert schedule.rate_factor(0.3, 100) == 1.0
    assert schedule.rate_factor(0.8, 500) == pytest.approx(0.51)
    assert schedule.rate_factor(1.0, 900) == pytest.approx(0.02)


def test_the_encoder_learns_from_its_last_stage_on() -> None:
    schedule = Schedule(late_from=0.1, early_from=0.5)
    frozen = [sorted(g for g, rate in schedule.rates(p, 100).items() if rate == 0) for p in (0.0, 0.2, 0.55)]
    assert frozen == [["early", "late"], ["early"], []]


def test_true_memories_become_fewer() -> None:
    assert [Schedule().true_memory(p) for p in (0.0, 1.0)] == pytest.approx([0.5, 0.15])


def test_a_pure_cosine_falls_from_the_beginning() -> None:
    schedule = Schedule(warm_up_steps=1, decay_from=0.0)
    assert schedule.rate_factor(0.5, 10) == pytest.approx(0.51)


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
    groups = list(optimizer_groups(network, Schedule()))
    sizes = [(g["name"], len(g["params"]), g["weight_decay"] > 0) for g in groups if g["params"]]  # type: ignore
    assert sizes == [("new", 1, True), ("new", 1, False), ("head", 1, True), ("head", 1, False)]


def test_the_rate_of_the_encoder_falls_from_layer_to_layer() -> None:
    network = tiny_network()
    depths = encoder_depths(network)
    assert depths["image_encoder.neck.conv1.weight"] == 0
    assert depths["image_encoder.trunk.layers.3.blocks.0.mlp.fc1.weight"] == 1
    # neck, four blocks, three mergings between them
    assert depths["image_encoder.trunk.patch_embed.conv1.weight"] == 8
    groups = list(optimizer_groups(network, Schedule(layer_decay=0.5)))
    scales = {id(p): group["scale"] for group in groups for p in group["params"]}
    scale = {name: scales[id(p)] for name, p in network.named_parameters()}
    assert scale["image_encoder.neck.conv1.weight"] == 1
    assert scale["image_encoder.trunk.patch_embed.conv1.weight"] == 0.5**8
    assert scale["memory_encoder.out_proj.weight"] == 1


def test_every_parameter_is_in_exactly_one_group() -> None:
    network = tiny_network()
    for decay in (1.0, 0.9):
        grouped = [id(p) for group in optimizer_groups(network, Schedule(layer_decay=decay)) for p in group["params"]]
        assert sorted(grouped) == sorted(id(p) for p in network.parameters())
