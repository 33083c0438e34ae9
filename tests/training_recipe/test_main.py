"""``python -m training_recipe``."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

pytest.importorskip("cv2", reason="training needs the extra 'recipe'")
pytest.importorskip("lightning_fabric", reason="training needs the extra 'recipe'")

from src_model.cli.error_messages import FAILED
from tests.training.tiny import tiny_network
from tests.training_recipe.tiny import disc_data
from training_recipe import runs
from training_recipe.__main__ import app
from training_recipe.devices import make_fabric
from training_recipe.recipe import Recipe, SizePlan
from training_recipe.run_config import RunConfig, TrainingStage
from training_recipe.runs import Exported
from training_recipe.trainer import Trainer

SMALL = Recipe(batch=1, crowds=0.0, sizes=(SizePlan(64, 1.0, 1.0, (2,), 1, 0.0, (1,), 1),))
CONFIG = RunConfig((TrainingStage(steps=2, recipe=SMALL),), name="small", workers=0, tensorboard=False)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in, with wide output and a folder of data."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "data").mkdir()
    return tmp_path


def run(*words: str, code: int = 0):
    result = CliRunner().invoke(app, ["train", "--data", "data", *words])
    assert result.exit_code == code, f"{result.exit_code}: {result.output} {result.exception!r}"
    return result


@pytest.fixture
def asked(here, monkeypatch):
    """Runs train a tiny network on discs; holds what was asked for."""
    requests = []

    def prepare(request, observer=None):
        requests.append(request)
        fabric = make_fabric(device="cpu", precision="32")
        return Trainer(CONFIG, request.out, tiny_network(), disc_data(), fabric, observer)

    monkeypatch.setattr(runs, "prepare_run", prepare)
    monkeypatch.setattr(runs, "export_run", lambda folder, target: Exported(target, 1000, "ab" * 32))
    return requests


def test_a_run_ends_with_a_checkpoint(asked, here):
    result = run("--out", "run", "--precision", "32", "--seed", "3")
    assert "Held-out clips: J from a click" in result.stdout
    assert "run/small.safetensors (1 kB, SHA-256 abab" in result.stdout
    assert "held out: J from a click" in result.stderr
    (request,) = asked
    assert (request.seed, request.precision, request.recipe, request.resume) == (3, "32", None, False)
    assert (here / "run" / "last.pt").exists()


def test_ctrl_c_saves_and_says_how_to_go_on(asked, here, monkeypatch):
    trains = Trainer.run
    monkeypatch.setattr(Trainer, "run", lambda self, stop: trains(self, lambda: True))
    text = run("--out", "run").stdout
    assert "Stopped after 1 steps. To go on: python -m training_recipe train --resume --data 'data' --out 'run'" in text
    assert (here / "run" / "last.pt").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--recipe", "nothing"], "give one of continue, default"),
        (["--resume"], "there is no run to resume in 'run'"),
        (["--minutes", "3", "--steps", "3"], "give one of them"),
    ],
)
def test_what_cannot_be_run_is_one_line(here, words, message):
    assert message in run(*words, code=FAILED).stderr


def test_it_runs_as_a_module_of_a_checkout(repository):
    program = [sys.executable, "-m", "training_recipe", "--help"]
    asked = subprocess.run(program, cwd=repository, capture_output=True, text=True, check=False, timeout=120)
    assert asked.returncode == 0, asked.stderr
    for command in ("train", "convert", "label-videos", "draw-clips"):
        assert command in asked.stdout
