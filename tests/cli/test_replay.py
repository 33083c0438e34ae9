"""``sam2v replay``, with a tiny network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tifffile

from src_model.cli.error_messages import FAILED
from src_model.document import ModelIdentity, PropagateSpan, SetModel, load, save
from tests.cli.conftest import CLICK


@pytest.fixture
def saved(sam2v, movie):
    sam2v("track", movie, "--point", "4,20,15")
    return "labels.sam2v"


def edit(path, *actions) -> None:
    document = load(path)
    for action in actions:
        document.do(action(document) if callable(action) else action)
    save(document)


def test_a_document_tracked_again_gives_the_same_labels(sam2v, movie, saved):
    result = sam2v("replay", saved, movie, "--model", "tiny", "--out", "again.tif", "--preview", "again.png")
    np.testing.assert_array_equal(tifffile.imread("again.tif"), tifffile.imread("labels.tif"))
    assert "All 10 masks are those of the document." in result.stdout
    assert "Tracked 1 object through 10 frames" in result.stdout
    assert "preview  again.png" in result.stdout


def test_it_can_be_kept_as_a_document_of_its_own(sam2v, movie, saved, here):
    sam2v("replay", saved, movie, "--model", "tiny", "--document", "copy.sam2v")
    before, after = load(here / saved).contents(), load(here / "copy.sam2v").contents()
    assert (after.masks, after.prompts) == (before.masks, before.prompts)


def test_masks_that_differ_from_those_of_the_document_are_counted(sam2v, movie, saved):
    def other_mask(document):
        return PropagateSpan({1: {6: document.frame(1, 4).entry}})

    edit(saved, other_mask)
    assert "1 of 10 masks differ" in sam2v("replay", saved, movie, "--model", "tiny").stdout


def test_another_model_is_refused_unless_allowed(sam2v, movie, saved):
    edit(saved, SetModel(ModelIdentity("sam2.1-tiny", "cd" * 32)))
    assert "was made with the model 'sam2.1-tiny'" in sam2v("replay", saved, movie, code=FAILED).stderr
    sam2v("replay", saved, movie, "--allow-other-model")


def test_the_model_of_the_document_is_loaded_if_it_has_a_name(sam2v, movie, saved, loads):
    edit(saved, lambda document: SetModel(replace(document.project.model, name="sam2.1-small")))
    sam2v("replay", saved, movie)
    assert loads[-1]["name"] == "sam2.1-small"


@pytest.mark.parametrize("content", ["", "{}", "SQLite format 3 and no more"])
def test_what_is_no_document_is_refused_before_a_model_is_loaded(sam2v, movie, here, loads, content):
    (here / "bad.sam2v").write_text(content)
    assert "bad.sam2v" in sam2v("replay", "bad.sam2v", movie, code=FAILED).stderr
    assert loads == []


def test_the_document_need_not_be_finished(sam2v, movie):
    sam2v("track", movie, "--point", CLICK, "--frames", "0:3")
    sam2v("replay", "labels.sam2v", movie, "--model", "tiny", "--out", "again.tif")
    assert list(np.flatnonzero(tifffile.imread("again.tif").any(axis=(1, 2)))) == [0, 1, 2]


def test_the_document_and_the_movie_are_not_written_onto(sam2v, movie, saved, here):
    before = {name: (here / name).read_bytes() for name in (saved, movie)}
    again = ("replay", saved, movie, "--model", "tiny", "--force")
    assert "is in use here" in sam2v(*again, "--document", saved, code=FAILED).stderr
    assert "is in use here" in sam2v(*again, "--out", movie, code=FAILED).stderr
    assert {name: (here / name).read_bytes() for name in before} == before
