"""The pack for a GPU, its settings, and what comes back."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("cv2", reason="making clips needs the extra 'recipe'")

from PIL import Image

from src_model.datasets import STILLS_HELD_OUT, open_dataset
from training_recipe.clips.mixture import still_movies
from training_recipe.gpu_pack import REPORT_NAME, GpuSession, PackRun, join, short_config, split_file
from training_recipe.gpu_pack_data import pack_data
from training_recipe.run_config import read_config

if TYPE_CHECKING:
    from pathlib import Path

SHAPE = (90, 600)


def davis(folder: Path, names: tuple[str, ...]) -> None:
    mask = np.zeros(SHAPE, bool)
    mask[30:60, 100:200] = True
    for name in names:
        for kind, picture, ending in (
            ("JPEGImages", Image.new("RGB", SHAPE[::-1]), "jpg"),
            ("Annotations", Image.fromarray(mask), "png"),
        ):
            for frame in range(7):
                path = folder / kind / name / f"{frame:05d}.{ending}"
                path.parent.mkdir(parents=True, exist_ok=True)
                picture.save(path)


@pytest.fixture(scope="module")
def packed(tmp_path_factory) -> Path:
    data = tmp_path_factory.mktemp("data")
    davis(data / "davis2016_train", ("bear", "boat"))
    davis(data / "davis2016", ("ant", "bee", "cat"))
    for kind in ("images", "labels"):
        (data / "dsb2018" / kind).mkdir(parents=True)
    for number in range(STILLS_HELD_OUT + 6):
        Image.new("L", (300, 200)).save(data / "dsb2018" / "images" / f"{number:04d}.png")
        Image.fromarray(np.full((200, 300), 300, np.uint16)).save(data / "dsb2018" / "labels" / f"{number:04d}.png")
    pack_data(data, data / "packed")
    return data / "packed"


def test_sequences_are_thinned_and_made_smaller(packed) -> None:
    training = open_dataset(packed / "davis2016_train", layout="davis")
    assert [movie.name for movie in training] == ["bear", "boat"]
    movie = training[0]
    assert len(movie.labelled_frames) == 4
    assert max(movie.movie.read(0).shape) == 384
    assert movie.labels(0).astype(bool).mean() == pytest.approx(30 * 100 / (90 * 600), rel=0.1)


def test_only_sequences_that_no_generation_has_seen_are_evaluated_on(packed) -> None:
    assert [movie.name for movie in open_dataset(packed / "davis2016", layout="davis")] == ["bee"]


def test_the_stills_that_a_run_holds_out_are_those_of_the_whole_set(packed) -> None:
    held_out = [movie.name for movie in still_movies(packed / "dsb2018", held_out=True)]
    assert held_out == [f"{number:04d}" for number in range(6, STILLS_HELD_OUT + 6)]
    movie = still_movies(packed / "dsb2018", held_out=False)[0]
    assert movie.movie.read(0).shape[:2] == movie.labels(0).shape == (171, 256)
    assert set(np.unique(movie.labels(0))) == {300}


def test_a_larger_batch_is_learned_from_faster() -> None:
    config = read_config("third")
    last = config.stages[-1].recipe
    short = short_config(config, PackRun(workers=3), 8, 240.0)
    stage = short.stages[-1]
    assert sum(each.minutes or 0 for each in short.stages) == pytest.approx(4)
    assert short.workers == 3
    assert stage.recipe.batch == 8 * last.batch
    assert [size.clips for size in stage.recipe.sizes] == [8 * size.clips for size in last.sizes]
    assert stage.recipe.early_rate == 2 * last.early_rate
    assert short_config(config, PackRun(dry=True), 1, 240.0).stages[0].steps == 1


def test_what_fails_is_told_and_stops_nothing(tmp_path) -> None:
    session = GpuSession(tmp_path, tmp_path, PackRun())
    session.part("bad", lambda: 1 / 0)
    session.part("good", lambda: "fine")
    report = json.loads((tmp_path / REPORT_NAME).read_text())
    assert report["bad"]["result"].startswith("failed: ZeroDivisionError")
    assert report["good"]["result"] == "fine"


def test_the_weights_are_joined_and_the_tables_compared(tmp_path, monkeypatch, capsys) -> None:
    weights, content = tmp_path / "weights", bytes(range(250))
    weights.write_bytes(content)
    monkeypatch.setattr("training_recipe.gpu_pack.WEIGHTS_PART", 100)
    trained = {"sha256": hashlib.sha256(content).hexdigest(), "parts": split_file(weights, tmp_path)}
    assert len(trained["parts"]) == 3
    row = {"set": "davis2016", "protocol": "click", "j": 0.45}
    report = {
        "training": {"result": trained},
        "evaluation of start": {"result": [row]},
        "evaluation of trained": {"result": [{**row, "j": 0.5}]},
    }
    (tmp_path / REPORT_NAME).write_text(json.dumps(report))
    join(tmp_path, tmp_path / "joined")
    assert (tmp_path / "joined").read_bytes() == content
    assert "| davis2016 | click | 0.450 | 0.500 |" in capsys.readouterr().out
    (tmp_path / trained["parts"][1]).write_bytes(b"damaged")
    with pytest.raises(SystemExit, match="fetch them again"):
        join(tmp_path, tmp_path / "joined")
