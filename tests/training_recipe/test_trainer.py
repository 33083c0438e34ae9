"""Runs on a tiny network: stages, resuming, stopping."""

from __future__ import annotations

import csv
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch

pytest.importorskip("cv2", reason="making clips needs the extra 'recipe'")
pytest.importorskip("lightning_fabric", reason="training needs the extra 'recipe'")

from tests.training.tiny import tiny_network
from tests.training_recipe.tiny import disc_data
from training_recipe.devices import make_fabric
from training_recipe.recipe import Recipe, SizePlan
from training_recipe.run_config import RunConfig, TrainingStage, read_config
from training_recipe.trainer import Trainer

if TYPE_CHECKING:
    from pathlib import Path

    from src_model.nn import Sam2Network
    from src_model.training.training_state import Observer

RECIPE = Recipe(
    new_rate=1e-3, head_rate=1e-3, late_rate=1e-3, early_rate=1e-3, late_from=0.0, early_from=0.5, layer_decay=0.8,
    warm_up_steps=2, batch=2, crowds=0.0, sizes=(SizePlan(64, 1.0, 1.0, (2, 3), 1, 0.0, (1,), 1),), ema=0.5,
)  # fmt: skip
CONFIG = RunConfig(
    (TrainingStage(steps=2, recipe=RECIPE), TrainingStage(steps=2, recipe=RECIPE)),
    precision="32", workers=0, save_minutes=0.0, validate_minutes=1000.0, tensorboard=False,
)  # fmt: skip


def train(out: Path, config: RunConfig = CONFIG, *, stop_after: int | None = None, observer: Observer | None = None):
    trainer = Trainer(config, out, tiny_network(), disc_data(), make_fabric(device="cpu", precision="32"), observer)
    complete = trainer.run(lambda: stop_after is not None and trainer.state.total_steps >= stop_after)
    return trainer, complete


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as stream:
        return [
            {k: v for k, v in row.items() if k not in {"seconds", "waited", "minutes"}}
            for row in csv.DictReader(stream)
        ]


def assert_equal_weights(first: Sam2Network, second: Sam2Network) -> None:
    for (name, ours), theirs in zip(first.state_dict().items(), second.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs), name


class Killed(Exception):
    """Stands for the end of the process."""


class Killer:
    """Ends the process after one step."""

    def stepped(self, report) -> None:
        raise Killed

    def validated(self, what, scores) -> None:
        """Go on."""


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    trainer, complete = train(out)
    assert complete
    return trainer, out


def test_a_stopped_and_resumed_run_equals_an_uninterrupted_one(uninterrupted, tmp_path) -> None:
    whole, whole_out = uninterrupted
    for stop in (1, 3):
        _, complete = train(tmp_path, stop_after=stop)
        assert not complete
    trainer, complete = train(tmp_path)
    assert complete
    assert_equal_weights(trainer.state.network, whole.state.network)
    assert_equal_weights(trainer.state.average, whole.state.average)
    assert rows(tmp_path / "train.csv") == rows(whole_out / "train.csv")


def test_a_killed_run_repeats_what_was_not_saved(uninterrupted, tmp_path) -> None:
    whole, whole_out = uninterrupted
    rare = replace(CONFIG, save_minutes=1000.0)
    train(tmp_path, rare, stop_after=1)
    with pytest.raises(Killed):
        train(tmp_path, rare, observer=Killer())
    trainer, _ = train(tmp_path, rare)
    assert_equal_weights(trainer.state.average, whole.state.average)
    assert rows(tmp_path / "train.csv") == rows(whole_out / "train.csv")


def test_a_run_keeps_its_configuration_its_curves_and_its_best_weights(uninterrupted) -> None:
    _, out = uninterrupted
    assert read_config(out / "config.toml") == CONFIG
    assert [(r["stage"], r["step"]) for r in rows(out / "train.csv")] == [(s, t) for s in "01" for t in "01"]
    assert {r["what"] for r in rows(out / "validation.csv")} == {"copy", "average"}
    assert (out / "best.safetensors").exists()


def test_a_complete_run_stays_as_it_is(uninterrupted, tmp_path) -> None:
    whole, out = uninterrupted
    again, complete = train(out)
    assert complete
    assert_equal_weights(again.state.average, whole.state.average)


def test_a_frozen_stage_encodes_clips_once_and_rolls_them_out_in_several_steps(tmp_path) -> None:
    frozen = replace(RECIPE, late_from=2.0, early_from=2.0, replays=3)
    config = replace(CONFIG, stages=(TrainingStage(steps=7, recipe=frozen), TrainingStage(steps=1, recipe=RECIPE)))
    before = {name: value.clone() for name, value in tiny_network().state_dict().items()}
    trainer = Trainer(config, tmp_path, tiny_network(), disc_data(), make_fabric(device="cpu", precision="32"))
    encoded = []
    original = trainer.module.network.encode_image
    trainer.module.network.encode_image = lambda images: (encoded.append(trainer.state.stage), original(images))[1]
    stopped = trainer.run(lambda: trainer.state.total_steps >= 7)
    after = trainer.state.network.state_dict()
    assert not stopped
    assert len(encoded) == 3 * 2, "two clips in steps 0, 3 and 6"
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert changed
    assert not any(name.startswith(("image_encoder.", "sam_mask_decoder.conv_s")) for name in changed)
    _, complete = train(tmp_path, config)
    assert complete


def test_a_run_by_minutes_ends(tmp_path) -> None:
    config = replace(CONFIG, stages=(TrainingStage(minutes=0.002, recipe=RECIPE),))
    trainer, complete = train(tmp_path, config)
    assert complete
    assert trainer.state.elapsed >= 0.12
