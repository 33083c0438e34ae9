"""``sam2v replay``, with a tiny network."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile

from src_model.cli.error_messages import FAILED
from tests.cli.conftest import CLICK


@pytest.fixture
def saved(sam2v, movie):
    sam2v("track", movie, "--point", "4,20,15", "--session", "work.json")
    return "work.json"


def test_a_replayed_session_gives_the_same_labels(sam2v, movie, saved):
    result = sam2v("replay", saved, movie, "--model", "tiny", "--out", "again.tif", "--preview", "again.png")
    np.testing.assert_array_equal(tifffile.imread("again.tif"), tifffile.imread("labels.tif"))
    assert "All 10 masks are those of the session." in result.stdout
    assert "Tracked 1 object through 10 frames" in result.stdout
    assert "preview  again.png" in result.stdout


def test_the_same_can_be_saved_again(sam2v, movie, saved, here):
    sam2v("replay", saved, movie, "--model", "tiny", "--session", "copy.json")
    assert json.loads((here / "copy.json").read_text()) == json.loads((here / saved).read_text())


def test_masks_that_differ_from_those_of_the_file_are_counted(sam2v, movie, saved, here):
    document = json.loads((here / saved).read_text())
    first, second = document["objects"][0]["masklet"][:2]
    first["mask"] = second["mask"]
    (here / saved).write_text(json.dumps(document))
    assert "1 of 10 masks differ" in sam2v("replay", saved, movie, "--model", "tiny").stdout


def test_another_model_is_refused_unless_allowed(sam2v, movie, saved, here):
    document = json.loads((here / saved).read_text())
    document["checkpoint"] = {"name": "sam2.1-tiny", "sha256": "cd" * 32}
    (here / saved).write_text(json.dumps(document))
    assert "was made with the model 'sam2.1-tiny'" in sam2v("replay", saved, movie, code=FAILED).stderr
    sam2v("replay", saved, movie, "--allow-other-model")


def test_the_model_of_the_session_is_loaded_if_it_has_a_name(sam2v, movie, saved, here, loads):
    document = json.loads((here / saved).read_text())
    document["checkpoint"]["name"] = "sam2.1-small"
    (here / saved).write_text(json.dumps(document))
    sam2v("replay", saved, movie)
    assert loads[-1]["name"] == "sam2.1-small"


@pytest.mark.parametrize("content", ["", "{}", "not json", '{"format": "sam2v-session", "version": 99}'])
def test_what_is_no_session_is_refused_before_a_model_is_loaded(sam2v, movie, here, loads, content):
    (here / "bad.json").write_text(content)
    assert "bad.json" in sam2v("replay", "bad.json", movie, code=FAILED).stderr
    assert loads == []


def test_the_session_need_not_be_finished(sam2v, movie):
    sam2v("track", movie, "--point", CLICK, "--frames", "0:3", "--session", "part.json")
    sam2v("replay", "part.json", movie, "--model", "tiny", "--out", "again.tif")
    assert list(np.flatnonzero(tifffile.imread("again.tif").any(axis=(1, 2)))) == [0, 1, 2]


def test_the_session_and_the_movie_are_not_written_onto(sam2v, movie, saved, here):
    before = {name: (here / name).read_bytes() for name in (saved, movie)}
    again = ("replay", saved, movie, "--model", "tiny", "--force")
    assert "is in use here" in sam2v(*again, "--session", saved, code=FAILED).stderr
    assert "is in use here" in sam2v(*again, "--out", movie, code=FAILED).stderr
    assert {name: (here / name).read_bytes() for name in before} == before


def test_a_session_beside_the_labels_can_be_replayed(sam2v, movie, here):
    sam2v("track", movie, "--point", "4,20,15", "--session", "labels.session.json")
    assert "All 10 masks" in sam2v("replay", "labels.session.json", movie, "--model", "tiny").stdout
