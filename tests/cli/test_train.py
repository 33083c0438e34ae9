"""``sam2v train``."""

from __future__ import annotations

import json
from dataclasses import replace

import platformdirs
import pytest

pytest.importorskip("cv2", reason="training needs the extra 'train'")
pytest.importorskip("lightning_fabric", reason="training needs the extra 'train'")

from src_model.cli.guard import FAILED
from src_model.training import runs
from src_model.training.devices import make_fabric
from src_model.training.fine_tuning.run import FineTuneResult
from src_model.training.fine_tuning.verdict import Verdict
from src_model.training.recipe import Recipe, SizePlan
from src_model.training.run_config import RunConfig, Stage
from src_model.training.trainer import Trainer
from src_model.weights import CheckpointOrigin, save_custom_checkpoint
from tests.training.tiny import disc_data, tiny_network

SMALL = Recipe(batch=1, crowds=0.0, sizes=(SizePlan(64, 1.0, 1.0, (2,), 1, 0.0, (1,), 1),))
CONFIG = RunConfig((Stage(steps=2, recipe=SMALL),), name="small", workers=0, tensorboard=False)
VERDICT = Verdict(5, {"click": 0.5}, {"click": 0.6}, 0.1, 0.05, 0.15)


@pytest.fixture
def asked(here, monkeypatch):
    """Runs train a tiny network on discs; holds what was asked for."""
    (here / "data").mkdir()
    requests = []

    def prepare(request, observer=None):
        requests.append(request)
        fabric = make_fabric(device="cpu", precision="32")
        return Trainer(CONFIG, request.out, tiny_network(), disc_data(), fabric, observer)

    monkeypatch.setattr(runs, "prepare_run", prepare)
    monkeypatch.setattr("src_model.training.export.export_run", lambda folder, target: _exported(target))
    return requests


def _exported(target):
    from src_model.training.export import Exported

    return Exported(target, 1000, "ab" * 32)


def test_a_run_ends_with_a_checkpoint(sam2v, asked, here):
    result = sam2v("train", "--data", "data", "--out", "run", "--precision", "32", "--seed", "3")
    assert "Held-out clips: J from a click" in result.stdout
    assert "run/small.safetensors (1 kB, SHA-256 abab" in result.stdout
    assert "held out: J from a click" in result.stderr
    (request,) = asked
    assert (request.seed, request.precision, request.recipe, request.resume) == (3, "32", None, False)
    assert (here / "run" / "last.pt").exists()


def test_ctrl_c_saves_and_says_how_to_go_on(sam2v, asked, here, monkeypatch):
    run = Trainer.run
    monkeypatch.setattr(Trainer, "run", lambda self, stop: run(self, lambda: True))
    text = sam2v("train", "--data", "data", "--out", "run").stdout
    assert "Stopped after 1 steps. To go on: sam2v train --resume --data 'data' --out 'run'" in text
    assert (here / "run" / "last.pt").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--recipe", "nothing"], "give one of continue, default"),
        (["--resume"], "there is no run to resume in 'run'"),
        (["--minutes", "3", "--steps", "3"], "give one of them"),
    ],
)
def test_what_cannot_be_run_is_one_line(sam2v, here, words, message):
    (here / "data").mkdir()
    assert message in sam2v("train", "--data", "data", *words, code=FAILED).stderr


def test_options_of_a_run_do_not_go_with_fine_tuning_and_the_other_way_round(sam2v, here):
    (here / "data").mkdir()
    assert "--recipe" in sam2v("train", "--data", "data", "--fine-tune", "default", "--recipe", "x", code=2).stderr
    assert "--fine-tune" in sam2v("train", "--data", "data", "--name", "x", code=2).stderr


@pytest.fixture
def fine_tunes(here, monkeypatch):
    """Fine-tuning that has a result at once."""
    requests = []

    def fake(request, *, observer, tell, stop):
        requests.append(request)
        kept = None if request.name == "worse" else replace(RECORD, name=request.name)
        return FineTuneResult(VERDICT, here / "out.safetensors", kept, "1 of 4 movies (d)", 5, True)

    from src_model.training import fine_tuning

    RECORD = _record()
    monkeypatch.setattr(fine_tuning, "fine_tune", fake)
    return requests


def _record():
    from src_model.weights import CustomCheckpoint

    origin = CheckpointOrigin("MIT", "default", "cd", "cells", "ef")
    return CustomCheckpoint("x", "default", 1, "ab", "2026-01-01", origin)


def test_fine_tuning_says_what_was_held_out_whether_it_helped_and_how_to_use_it(sam2v, fine_tunes):
    text = sam2v("train", "--fine-tune", "default", "--data", "cells", "--name", "mine", "--steps", "5").stdout
    assert "Held out: 1 of 4 movies (d)" in text
    assert "Better on 5 held-out objects" in text
    assert "--model mine" in text
    (request,) = fine_tunes
    assert (request.base, request.name, request.plan.stage.steps, request.plan.stage.minutes) == (
        "default",
        "mine",
        5,
        None,
    )


def test_a_result_that_is_not_better_is_not_offered(sam2v, fine_tunes):
    result = sam2v("train", "--fine-tune", "default", "--data", "cells", "--name", "worse")
    assert "Nothing was replaced" in result.stderr
    assert "--model" not in result.stdout


def test_own_checkpoints_are_listed(sam2v, here, monkeypatch):
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda name, **_: str(here / name))
    from src_model.nn import MODEL_CONFIGS, build_network

    origin = CheckpointOrigin("Apache-2.0", "default", "ab", "cells", "cd", {"click after": 0.8})
    save_custom_checkpoint(build_network(MODEL_CONFIGS["default"]), "mine", origin)
    text = sam2v("models").stdout
    assert "mine: made from default with cells on 20" in text
    assert "click after 0.800" in text
    assert json.loads((here / "sam2v" / "checkpoints" / "mine.json").read_text())["name"] == "mine"
