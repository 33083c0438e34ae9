"""Stopping a run and going on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from src_model.errors import TrainingError
from tests.training.tiny import tiny_network
from training_recipe.recipe import Recipe
from training_recipe.run_state import RunState, save_weights

if TYPE_CHECKING:
    from pathlib import Path


def train(state: RunState, steps: int) -> None:
    for group in state.optimizer.param_groups:
        group["lr"] = 1e-3
    for _ in range(steps):
        sum(p.square().sum() for p in state.network.parameters()).backward()  # type: ignore[union-attr]
        state.optimizer.step()
        state.optimizer.zero_grad()
        state.update_average(0.5)
        state.step += 1


def test_a_resumed_run_goes_on_exactly(tmp_path: Path) -> None:
    state = RunState.fresh(tiny_network(0), Recipe())
    train(state, 2)
    state.save(tmp_path / "last.pt")
    train(state, 2)
    resumed = RunState.fresh(tiny_network(1), Recipe())
    resumed.load(tmp_path / "last.pt", lambda stage: Recipe())
    assert resumed.step == 2
    train(resumed, 2)
    for ours, theirs in ((resumed.network, state.network), (resumed.average, state.average)):
        for name, value in ours.state_dict().items():
            assert torch.equal(value, theirs.state_dict()[name]), name


def test_a_failed_save_keeps_the_file_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "last.pt"
    state = RunState.fresh(tiny_network(0), Recipe())
    state.save(path)
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(OSError, match="disk full"):
        state.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_saved_weights_hold_every_tensor(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    network = tiny_network(0)
    save_weights(network, tmp_path / "best.safetensors")
    saved = load_file(tmp_path / "best.safetensors")
    assert saved.keys() == network.state_dict().keys()


def test_a_resumed_run_takes_the_rates_of_its_own_recipe(tmp_path: Path) -> None:
    state = RunState.fresh(tiny_network(0), Recipe(layer_decay=0.9))
    state.save(tmp_path / "last.pt")
    state.load(tmp_path / "last.pt", lambda stage: Recipe(layer_decay=0.8))
    assert min(group["scale"] for group in state.optimizer.param_groups) == 0.8**8


def test_a_run_with_other_groups_of_parameters_is_refused(tmp_path: Path) -> None:
    state = RunState.fresh(tiny_network(0), Recipe())
    state.save(tmp_path / "last.pt")
    with pytest.raises(TrainingError, match="another network or recipe"):
        state.load(tmp_path / "last.pt", lambda stage: Recipe(layer_decay=0.5))


def test_a_stage_begins_with_the_average_of_the_one_before_and_a_new_optimizer() -> None:
    state = RunState.fresh(tiny_network(0), Recipe())
    train(state, 2)
    state.next_stage(Recipe())
    for ours, averaged in zip(state.network.parameters(), state.average.parameters(), strict=True):
        assert torch.equal(ours, averaged)
    assert (state.stage, state.step) == (1, 0)
    assert not state.optimizer.state
