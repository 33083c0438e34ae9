"""``sam2v train``."""

from __future__ import annotations

import json
from dataclasses import replace

import platformdirs
import pytest

from src_model.cli.error_messages import FAILED
from src_model.training.fine_tuning.run import FineTuneResult
from src_model.training.fine_tuning.verdict import Verdict
from src_model.weights import CheckpointOrigin, save_custom_checkpoint
from tests.cli.conftest import said

VERDICT = Verdict(5, {"click": 0.5}, {"click": 0.6}, 0.1, 0.05, 0.15)


def test_without_a_checkpoint_to_teach_it_says_where_training_from_nothing_is(sam2v, here):
    (here / "data").mkdir()
    message = said(sam2v("train", "--data", "data", code=2))
    assert "--fine-tune default" in message
    assert "python -m training_recipe train" in message


def test_two_lengths_are_one_line(sam2v, here):
    (here / "data").mkdir()
    words = ("train", "--fine-tune", "default", "--data", "data", "--minutes", "3", "--steps", "3")
    assert "give one of them" in sam2v(*words, code=FAILED).stderr


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
    assert (request.base, request.name, request.plan.steps, request.plan.minutes) == ("default", "mine", 5, None)


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
