from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from src_model.datasets import pair
from src_model.errors import EvaluationError
from src_model.evaluation.methods import Method
from src_model.evaluation.protocols import make_protocols
from src_model.evaluation.records import RecordFile
from src_model.evaluation.runner import Plan, data_digest, run
from src_model.evaluation.sets import EvaluationSet
from src_model.evaluation.targets import TargetChoice, choose_targets
from tests.evaluation.fakes import Forgetful, labelled_movie, square


def plan_of(*movies, protocols=("mask", "click"), choice=TargetChoice(), memory: int = 50) -> Plan:  # noqa: B008
    method = Method("tracking", make_protocols(protocols), lambda movie: Forgetful(memory))
    return Plan((EvaluationSet("squares", movies, "made"),), (method,), choice)


@pytest.fixture
def records(tmp_path) -> RecordFile:
    return RecordFile(tmp_path / "results.jsonl", {})


def test_every_movie_is_annotated_in_every_way(records):
    found = run(plan_of(labelled_movie(name="a"), labelled_movie(name="b")), records)
    assert [(r.key.movie, r.key.protocol) for r in found] == [
        ("a", "mask"),
        ("a", "click"),
        ("b", "mask"),
        ("b", "click"),
    ]
    assert [len(r.objects[0].frames) for r in found] == [5, 6, 5, 6]
    assert {j for r in found for j in r.objects[0].j} == {1.0}


def test_what_is_done_is_not_done_again(tmp_path, records):
    first = run(plan_of(labelled_movie()), records)

    def fail(movie):
        raise AssertionError("a finished unit was run")

    plan = plan_of(labelled_movie())
    again = replace(plan, methods=(replace(plan.methods[0], start=fail),))
    assert run(again, RecordFile(tmp_path / "results.jsonl", {})) == first


def test_a_stopped_run_goes_on_where_it_was(tmp_path, records):
    def stop(key):
        if key.movie == "b":
            raise KeyboardInterrupt

    movies = labelled_movie(name="a"), labelled_movie(name="b")
    with pytest.raises(KeyboardInterrupt):
        run(plan_of(*movies), records, stop)
    later = RecordFile(tmp_path / "results.jsonl", {})
    assert len(later.done) == 2
    assert len(run(plan_of(*movies), later)) == 4


def test_all_cells_of_a_movie_are_scored_together(records):
    [found] = run(plan_of(labelled_movie(), protocols=["click"]), records)
    assert (found.cells.seg, found.cells.det, found.cells.tra) == (1, 1, 1)


def test_cells_that_are_lost_cost(records):
    [found] = run(plan_of(labelled_movie(), protocols=["click"], memory=2), records)
    assert found.cells.seg == pytest.approx(0.5)
    assert found.cells.det < 1


def test_a_part_of_the_cells_is_not_scored_together(records):
    [found] = run(plan_of(labelled_movie(), protocols=["click"], choice=TargetChoice(objects=1)), records)
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
        Plan((one, one), (), TargetChoice())
    with pytest.raises(EvaluationError, match="nothing to evaluate"):
        Plan((), (), TargetChoice())


def test_no_score_is_ever_nan(records):
    for record in run(plan_of(labelled_movie(), memory=1), records):
        for each in record.objects:
            assert not any(math.isnan(value) for value in (*each.j, *each.f, *each.nsd))
