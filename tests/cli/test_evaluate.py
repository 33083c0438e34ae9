from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import tifffile

from src_model.cli.error_messages import FAILED
from tests.cli.conftest import said
from tests.tracking import tiny

pytest.importorskip("jinja2", reason="the page needs the extra 'evaluate'")


@pytest.fixture
def cells(here) -> str:
    """A movie of five frames with labels of two squares beside it."""
    labels = np.zeros((5, *tiny.SHAPE), np.uint8)
    labels[:, 14:27, 9:22] = 1
    labels[:, 4:14, 34:46] = 2
    folder = here / "cells"
    folder.mkdir()
    tifffile.imwrite(folder / "a.tif", tiny.make_movie(5), metadata={"axes": "TYX"})
    tifffile.imwrite(folder / "a_labels.tif", labels, metadata={"axes": "TYX"})
    return "cells"


def report_of(here, folder: str = "report") -> dict:
    return json.loads((here / folder / "report.json").read_text())


def test_a_folder_is_evaluated_and_shown_as_a_table(sam2v, here, cells):
    result = sam2v("evaluate", "--data", cells, "--protocol", "mask,click", "--baseline", "copy")
    for word in ("cells", "mask", "click", "tracking", "copy", "DAVIS J&F"):
        assert word in result.stdout
    assert {path.name for path in (here / "report").iterdir()} == {"results.jsonl", "report.json", "report.html"}
    found = report_of(here)
    assert [(row["protocol"], row["method"], row["objects"]) for row in found["rows"]] == [
        ("mask", "tracking", 2), ("mask", "copy", 2), ("click", "tracking", 2), ("click", "copy", 2),
    ]  # fmt: skip
    assert found["rows"][1]["j"]["mean"] == 1  # squares that stay where they are


def test_the_report_says_how_to_do_it_again(sam2v, here, cells):
    sam2v("evaluate", "--data", f"{cells}:pairs", "--protocol", "click", "--quick", "--size", 64, "-q", "--out", "r")
    assert report_of(here, "r")["command"] == (
        "sam2v evaluate --data cells:pairs --protocol click --movies 1 --frames 8 --objects 3 --rounds 3 "
        "--model default --size 64 --preset default"
    )


def test_zero_objects_are_all_of_them(sam2v, here, cells):
    sam2v("evaluate", "--data", cells, "--protocol", "click", "--objects", 0)
    assert report_of(here)["settings"]["objects"] is None
    assert "--objects 0" in report_of(here)["command"]


def test_simulated_sets_are_evaluated_by_name(sam2v, here):
    sam2v(
        "evaluate", "--set", "simulated-vesicles", "--protocol", "click", "--movies", 1, "--frames", 2, "--objects", 1
    )
    assert [each["name"] for each in report_of(here)["sets"]] == ["simulated-vesicles"]


def test_baselines_may_have_a_model_of_their_own(sam2v, cells, loads):
    sam2v("evaluate", "--data", cells, "--protocol", "click", "--baseline", "copy", "--baseline-model", "sam2.1-tiny")
    assert [asked["name"] for asked in loads] == ["default", "sam2.1-tiny"]


def test_nothing_is_said_if_asked(sam2v, cells):
    assert sam2v("evaluate", "--data", cells, "--protocol", "click", "--quiet").output == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--protocol", "clicks"], "protocol 'clicks' is unknown; choose from mask, box, click"),
        (["--baseline", "xmem"], "no baseline 'xmem'"),
        (["--set", "nuclei"], "no set named 'nuclei'"),
        (["--data", "nowhere"], "nowhere"),
        (["--held-out"], "--held-out"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_before_a_model_is_loaded(sam2v, loads, options, message):
    assert message in sam2v("evaluate", *options, code=2).stderr
    assert loads == []


def test_results_of_other_settings_are_kept_apart(sam2v, cells):
    sam2v("evaluate", "--data", cells, "--protocol", "click")
    result = sam2v("evaluate", "--data", cells, "--protocol", "click", "--frames", 3, code=2)
    assert "other settings (frames" in result.stderr
    assert "choose another folder" in result.stderr


def test_a_report_is_written_again_but_other_files_are_kept(sam2v, here, cells, loads):
    words = ("evaluate", "--data", cells, "--protocol", "click", "--quick", "-q")
    sam2v(*words)
    sam2v(*words)
    loaded = len(loads)
    for name in ("report.html", "report.json"):
        text = (here / "report" / name).read_text()
        (here / "report" / name).write_text("mine")
        assert "replace it with --force" in said(sam2v(*words, code=FAILED))
        (here / "report" / name).write_text(text)
    assert len(loads) == loaded
    (here / "report" / "report.json").write_text("mine")
    sam2v(*words, "--force")
    assert report_of(here)["rows"]


@pytest.mark.parametrize("out", ["cells", "cells/report", "cells/a.tif"])
def test_a_report_is_not_written_among_the_data(sam2v, here, cells, loads, out):
    before = sorted(here.rglob("*"))
    assert "in use" in sam2v("evaluate", "--data", f"{cells}:pairs", "--out", out, code=FAILED).stderr
    assert (sorted(here.rglob("*")), loads) == (before, [])


def test_what_the_page_needs_is_found_out_before_the_work(sam2v, here, cells, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert "napari-sam2v[evaluate]" in sam2v("evaluate", "--data", cells, code=FAILED).stderr
    assert not (here / "report").exists()
