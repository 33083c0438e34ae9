"""An evaluation from beginning to end, and its units of work."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from src_model.datasets import pair
from src_model.errors import EvaluationError
from src_model.evaluation import Evaluation, EvaluationRequest, EvaluationSet, TargetChoice
from src_model.evaluation.evaluate import PAGE, RECORDS, REPORT, EvaluationPlan, data_digest, run_plan
from src_model.evaluation.methods import Method
from src_model.evaluation.protocols import make_protocols
from src_model.evaluation.records import RecordFile
from src_model.evaluation.targets import choose_targets
from tests.evaluation.fakes import Forgetful, labelled_movie, square
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
    request = EvaluationRequest(
        SETS, ("click", "online", "offline"), baselines, rounds=2, command="sam2v evaluate --set squares"
    )
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
    tracking = found["model"].pop("tracking")
    assert found["model"] == {"name": "tiny", "sha256": "ab" * 32, "image_size": 64, "preset": "default"}
    assert (tracking["window"], tracking["precision"]) == ("auto", "exact")
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
    report = Evaluation(EvaluationRequest(SETS, ("click", "box"), rounds=2), predictor).run(folder)
    assert [row.protocol for row in report.rows] == ["click", "box"]
    assert len((folder / RECORDS).read_text().splitlines()) == count + 1


def test_other_settings_need_another_folder(finished, predictor):
    folder, *_ = finished
    with pytest.raises(EvaluationError, match="other settings"):
        Evaluation(EvaluationRequest(SETS, ("click",), choice=TargetChoice(frames=3), rounds=2), predictor).run(folder)
    whole_frames = predictor.with_settings(replace(predictor.steps.settings, window="off"))
    with pytest.raises(EvaluationError, match="other settings"):
        Evaluation(EvaluationRequest(SETS, ("click",), rounds=2), whole_frames).run(folder)


def test_names_are_checked_before_anything_is_loaded():
    with pytest.raises(EvaluationError, match="'masc' is unknown"):
        EvaluationRequest(SETS, ("masc",))
    with pytest.raises(EvaluationError, match="no baseline 'xmem'; choose from alone"):
        EvaluationRequest(SETS, ("mask",), ("xmem",))


def plan_of(*movies, protocols=("mask", "click"), choice=TargetChoice(), memory: int = 50) -> EvaluationPlan:  # noqa: B008
    method = Method("tracking", make_protocols(protocols), lambda movie: Forgetful(memory))
    return EvaluationPlan((EvaluationSet("squares", movies, "made"),), (method,), choice)


@pytest.fixture
def records(tmp_path) -> RecordFile:
    return RecordFile(tmp_path / "results.jsonl", {})


def test_every_movie_is_annotated_in_every_way(records):
    found = run_plan(plan_of(labelled_movie(name="a"), labelled_movie(name="b")), records)
    assert [(r.key.movie, r.key.protocol) for r in found] == [
        ("a", "mask"),
        ("a", "click"),
        ("b", "mask"),
        ("b", "click"),
    ]
    assert [len(r.objects[0].frames) for r in found] == [5, 6, 5, 6]
    assert {j for r in found for j in r.objects[0].j} == {1.0}


def test_what_is_done_is_not_done_again(tmp_path, records):
    first = run_plan(plan_of(labelled_movie()), records)

    def fail(movie):
        raise AssertionError("a finished unit was run")

    plan = plan_of(labelled_movie())
    again = replace(plan, methods=(replace(plan.methods[0], start=fail),))
    assert run_plan(again, RecordFile(tmp_path / "results.jsonl", {})) == first


def test_a_stopped_run_goes_on_where_it_was(tmp_path, records):
    def stop(key):
        if key.movie == "b":
            raise KeyboardInterrupt

    movies = labelled_movie(name="a"), labelled_movie(name="b")
    with pytest.raises(KeyboardInterrupt):
        run_plan(plan_of(*movies), records, stop)
    later = RecordFile(tmp_path / "results.jsonl", {})
    assert len(later.done) == 2
    assert len(run_plan(plan_of(*movies), later)) == 4


def test_all_cells_of_a_movie_are_scored_together(records):
    [found] = run_plan(plan_of(labelled_movie(), protocols=["click"]), records)
    assert (found.cells.seg, found.cells.det, found.cells.tra) == (1, 1, 1)


def test_cells_that_are_lost_cost(records):
    [found] = run_plan(plan_of(labelled_movie(), protocols=["click"], memory=2), records)
    assert found.cells.seg == pytest.approx(0.5)
    assert found.cells.det < 1


def test_a_part_of_the_cells_is_not_scored_together(records):
    [found] = run_plan(plan_of(labelled_movie(), protocols=["click"], choice=TargetChoice(objects=1)), records)
    assert found.cells is None


def test_the_digest_changes_with_one_pixel_of_image_or_truth():
    labels = np.stack([square(3 * t) for t in range(3)]).astype(np.uint8)
    images = labels * 100

    def digest(images, labels):
        movie = pair(images, labels)
        return data_digest(movie, choose_targets(movie, TargetChoice()))

    other_image, other_label = images.copy(), labels.copy()
    other_image[1, 0, 0] += 1
    other_label[1, 0, 0] = 1
    digests = {digest(images, labels), digest(other_image, labels), digest(images, other_label)}
    assert len(digests) == 3
    assert digest(images.copy(), labels.copy()) in digests


def test_sets_of_one_name_are_refused():
    one = EvaluationSet("twice", (labelled_movie(),), "")
    with pytest.raises(EvaluationError, match="'twice'"):
        EvaluationPlan((one, one), (), TargetChoice())
    with pytest.raises(EvaluationError, match="nothing to evaluate"):
        EvaluationPlan((), (), TargetChoice())


def test_no_score_is_ever_nan(records):
    for record in run_plan(plan_of(labelled_movie(), memory=1), records):
        for each in record.objects:
            assert not any(math.isnan(value) for value in (*each.j, *each.f, *each.nsd))
