from __future__ import annotations

import json
from dataclasses import replace

import pytest

from src_model.errors import EvaluationError
from src_model.evaluation import Evaluation, EvaluationSet, Request, TargetChoice
from src_model.evaluation.evaluate import PAGE, RECORDS, REPORT
from tests.evaluation.fakes import labelled_movie
from tests.tracking import tiny

pytest.importorskip("jinja2", reason="the page needs the extra 'evaluate'")

SETS = (EvaluationSet("squares", (labelled_movie(4, name="a"),), "made for the test", "CC0"),)


@pytest.fixture(scope="module")
def predictor():
    return tiny.predictor(tiny.build())


@pytest.fixture(scope="module")
def finished(predictor, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    baselines = ("alone", "previous-box", "previous-mask", "copy")
    request = Request(SETS, ("click", "online", "offline"), baselines, rounds=2, command="sam2v evaluate --set squares")
    asked = []
    evaluation = Evaluation(request, predictor)
    report = evaluation.run(folder, asked.append)
    # Later tests write a page of their own.
    return folder, evaluation, report, asked, (folder / PAGE).read_text()


def test_the_page_stands_alone(finished):
    *_, page = finished
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("<svg") == 3
    assert "data:image/png;base64," in page


def test_every_protocol_is_run_with_every_method_and_boxes_on_every_frame_once(finished):
    _, evaluation, report, asked, _ = finished
    assert len(evaluation) == len(asked) == len(report.rows) == 4 * 3 + 1
    alone = [row.protocol for row in report.rows if row.method == "alone"]
    assert alone == ["box on every frame"]


def test_the_json_has_what_is_needed_to_do_it_again(finished):
    folder, *_ = finished
    found = json.loads((folder / REPORT).read_text())
    assert found["command"] == "sam2v evaluate --set squares"
    tracking, backend = (found["model"].pop(key) for key in ("tracking", "backend"))
    assert found["model"] == {"name": "tiny", "sha256": "ab" * 32, "image_size": 64, "preset": "default"}
    assert (tracking["window"], tracking["precision"], backend) == ("auto", "exact", "torch")
    assert found["settings"]["rounds"] == 2
    assert {"torch", "numpy"} <= set(found["environment"]["packages"])
    [used] = found["sets"]
    assert (used["source"], used["licence"]) == ("made for the test", "CC0")
    assert [(movie["name"], movie["objects"], len(movie["data_sha256"])) for movie in used["movies"]] == [
        ("a", [1], 64)
    ]


def test_a_second_run_computes_nothing_and_says_the_same(finished, predictor):
    folder, evaluation, report, *_ = finished
    before = (folder / RECORDS).read_bytes()
    assert evaluation.run(folder).rows == report.rows
    assert (folder / RECORDS).read_bytes() == before


def test_more_may_be_asked_for_later(finished, predictor):
    folder, *_ = finished
    count = len((folder / RECORDS).read_text().splitlines())
    report = Evaluation(Request(SETS, ("click", "box"), rounds=2), predictor).run(folder)
    assert [row.protocol for row in report.rows] == ["click", "box"]
    assert len((folder / RECORDS).read_text().splitlines()) == count + 1


def test_other_settings_need_another_folder(finished, predictor):
    folder, *_ = finished
    with pytest.raises(EvaluationError, match="other settings"):
        Evaluation(Request(SETS, ("click",), choice=TargetChoice(frames=3), rounds=2), predictor).run(folder)
    whole_frames = predictor.with_settings(replace(predictor.steps.settings, window="off"))
    with pytest.raises(EvaluationError, match="other settings"):
        Evaluation(Request(SETS, ("click",), rounds=2), whole_frames).run(folder)


def test_names_are_checked_before_anything_is_loaded():
    with pytest.raises(EvaluationError, match="'masc' is unknown"):
        Request(SETS, ("masc",))
    with pytest.raises(EvaluationError, match="no baseline 'xmem'; choose from alone"):
        Request(SETS, ("mask",), ("xmem",))
