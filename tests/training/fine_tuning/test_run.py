"""Fine-tuning from beginning to end, on a tiny network."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import platformdirs
import pytest
import torch

from src_model.errors import CheckpointError, TrainingError
from src_model.training.fine_tuning import FineTuneRequest, fine_tune
from src_model.training.fine_tuning.clips import AnnotatedClips, FrameFeatureCache
from src_model.training.fine_tuning.loop import FineTuning, tune
from src_model.training.fine_tuning.material import survey
from src_model.training.fine_tuning.run import REPORT_NAME, with_duration
from src_model.training.fine_tuning.verdict import Verdict
from src_model.weights import MaskThresholds, custom_checkpoints, custom_checkpoints_folder
from src_model.weights.loading import LoadedNetwork
from src_model.weights.mask_thresholds import noted_thresholds
from tests.training.fine_tuning.annotated import SIDE, dataset, discs
from tests.training.tiny import tiny_network

PLAN = with_duration(FineTuning(), minutes=None, steps=1)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """An empty folder of the user, a network that is small, and a verdict to be set."""
    import src_model.training.fine_tuning.run as module

    monkeypatch.setattr(platformdirs, "user_data_dir", lambda name, **_: str(tmp_path / "user" / name))
    loaded = LoadedNetwork(tiny_network(), "default", "ab" * 32, tmp_path / "base", MaskThresholds(0.4, 0.5))
    monkeypatch.setattr(module, "load_network", lambda *_, **__: loaded)

    def save(network, path, *, metadata=None, **_):
        path.write_bytes(json.dumps(dict(metadata)).encode())
        return path

    monkeypatch.setattr(module, "save_checkpoint", save)
    monkeypatch.setattr("src_model.weights.saving.save_checkpoint", save)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "labels").write_text("labels")
    return module


def request(tmp_path, **options):
    return FineTuneRequest(
        "default", tmp_path / "data", "my-cells", tmp_path / "out", plan=PLAN, device="cpu", **options
    )


def verdict(gain: float) -> Verdict:
    return Verdict(5, {"click": 0.5}, {"click": 0.5 + gain}, gain, gain, gain)


def test_decoder_and_memory_learn_and_the_encoder_stays():
    network = tiny_network()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    clips = AnnotatedClips(survey([discs()]), SIDE, frames=2, objects=2)
    plan = with_duration(FineTuning(), minutes=None, steps=2)
    state = tune(network, clips, FrameFeatureCache(tiny_network(), SIDE), plan)
    assert state.step == 2
    changed = {
        name.split(".")[0] for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])
    }
    assert {"memory_attention", "memory_encoder", "sam_mask_decoder"} <= changed
    assert "image_encoder" not in changed
    skips = [name for name in before if "conv_s" in name]
    assert all(torch.equal(network.state_dict()[name], before[name]) for name in skips)


def test_a_better_result_has_a_name_and_a_report(machine, tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "compare", lambda *_: verdict(0.1))
    told = []
    result = fine_tune(request(tmp_path), dataset=dataset(discs()), tell=told.append)
    record = custom_checkpoints()["my-cells"]
    assert result.kept == record
    assert (record.origin.base, record.origin.base_sha256, record.origin.data) == ("default", "ab" * 32, "my-discs")
    assert record.origin.scores == {"click before": 0.5, "click after": 0.6}
    assert len(record.origin.data_sha256) == 64
    assert result.weights == tmp_path / "out" / "my-cells.safetensors"
    for path in (result.weights, custom_checkpoints_folder() / record.filename):
        assert noted_thresholds(json.loads(path.read_text()), path) == MaskThresholds(0.4, 0.5)
    report = json.loads((tmp_path / "out" / REPORT_NAME).read_text())
    assert report["verdict"] == result.verdict.words()
    assert len(report["objects_before"]) == len(report["objects_after"]) == 2
    assert told[0].startswith("Held out: 2 of 6 objects")


@pytest.mark.parametrize("keep", [False, True])
def test_a_result_that_is_not_better_replaces_nothing_unless_told_to(machine, tmp_path, monkeypatch, keep):
    monkeypatch.setattr(machine, "compare", lambda *_: verdict(-0.1))
    result = fine_tune(request(tmp_path, keep=keep), dataset=dataset(discs()))
    assert (result.kept is not None) == keep
    assert ("my-cells" in custom_checkpoints()) == keep
    assert result.weights.exists()


def test_too_little_is_refused_before_anything_is_loaded(machine, tmp_path, monkeypatch):
    monkeypatch.delattr(machine, "load_network")
    with pytest.raises(TrainingError, match="too little to fine-tune"):
        fine_tune(request(tmp_path), dataset=dataset(discs(length=2)))


def test_other_files_are_not_written_onto(machine, tmp_path, monkeypatch):
    monkeypatch.delattr(machine, "load_network")
    weights = tmp_path / "out" / "my-cells.safetensors"
    weights.parent.mkdir()
    weights.write_text("mine")
    with pytest.raises(TrainingError, match="not of a fine-tuning"):
        fine_tune(request(tmp_path), dataset=dataset(discs()))
    (weights.parent / REPORT_NAME).write_text("{}")
    with pytest.raises(TrainingError, match="to begin with"):
        fine_tune(replace(request(tmp_path), base=str(weights)), dataset=dataset(discs()))
    with pytest.raises(TrainingError, match="is a file"):
        fine_tune(replace(request(tmp_path), out=weights), dataset=dataset(discs()))


def test_fine_tuning_needs_no_extra(repository):
    extras = (
        "av",
        "cv2",
        "ctc_metrics",
        "jinja2",
        "lightning_fabric",
        "onnx",
        "onnxruntime",
        "tensorboardX",
        "tomli_w",
    )
    program = f"import sys; sys.modules |= dict.fromkeys({extras}); import src_model.training.fine_tuning"
    asked = subprocess.run(
        [sys.executable, "-c", program], cwd=repository, capture_output=True, text=True, check=False, timeout=120
    )
    assert asked.returncode == 0, asked.stderr[-1000:]


def test_a_name_that_is_taken_is_refused_at_once(machine, tmp_path):
    with pytest.raises(CheckpointError, match="comes with sam2v"):
        fine_tune(replace(request(tmp_path), name="sam2.1-tiny"), dataset=dataset(discs()))


def test_stopping_early_still_gives_a_verdict(machine, tmp_path):
    result = fine_tune(request(tmp_path), dataset=dataset(discs()), stop=lambda: True)
    assert not result.complete
    assert result.steps == 0
    assert result.verdict.gain == 0
    assert result.kept is None
