"""What benchmarks decide by themselves, measurements apart."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from src_model.document import AddObject, AnnotatedObject, Annotation, MovieIdentity
from src_model.masks import MaskletFrame, Rle
from src_model.nn import MODEL_CONFIGS


@pytest.fixture
def benchmark_module(repository, monkeypatch):
    """Import a script of the folder ``benchmarks``, as it runs: with its neighbours beside it."""
    monkeypatch.syspath_prepend(repository / "benchmarks")
    return importlib.import_module


def test_every_network_has_an_official_predictor_or_the_sentence_why_not(benchmark_module, monkeypatch):
    official = benchmark_module("official")
    monkeypatch.setattr(official, "find_spec", lambda name: object())
    without = {name: why for name in MODEL_CONFIGS if (why := official.missing_opponent(name))}
    assert without == {"default": "default has no official predictor: sam2v is measured alone"}
    assert official.build_official("default", 448) is None
    monkeypatch.setattr(official, "find_spec", lambda name: None)
    assert "make parity" in official.missing_opponent("sam2-tiny")


def test_an_official_predictor_is_built_for_both_families(benchmark_module):
    pytest.importorskip("sam2", reason="the official implementation is not installed (make parity)")
    official = benchmark_module("official")
    for name in ("sam2-tiny", "sam2.1-tiny"):
        assert official.build_official(name, 64).image_size == 64


def test_the_strictest_of_the_thresholds_that_are_nearly_the_best_is_chosen(benchmark_module):
    choose = benchmark_module("automatic_masks").strictest
    f1 = {(0.5, 0.8): 0.74, (0.6, 0.8): 0.75, (0.7, 0.8): 0.7401, (0.6, 0.9): 0.7399, (0.8, 0.8): 0.6}
    given = {(0.5, 0.8): 90, (0.6, 0.8): 70, (0.7, 0.8): 60, (0.6, 0.9): 50, (0.8, 0.8): 10}
    assert choose(f1, given) == (0.7, 0.8)


def test_masks_are_linked_by_overlap_and_two_on_one_are_daughters(benchmark_module):
    link = benchmark_module("whole_movie").link

    def box(y, x, height, width):
        return Rle.from_box((y, x, y + height, x + width), (40, 40))

    frames = [[box(0, 0, 10, 10), box(20, 0, 10, 20)], [box(20, 0, 10, 9), box(1, 0, 10, 10), box(20, 11, 10, 9)]]
    tracks = link(frames, (40, 40))
    assert tracks.labels[1][5, 5] == tracks.labels[0][5, 5] == 1
    left, right = int(tracks.labels[1][25, 2]), int(tracks.labels[1][25, 15])
    assert tracks.parents == {left: 2, right: 2}


def test_errors_of_a_review_are_runs_of_wrong_masks_and_its_queue_is_judged_by_them(benchmark_module):
    review, movie = benchmark_module("review_queue"), benchmark_module("whole_movie")
    labels = np.zeros((5, 40, 60), np.int32)
    labels[:, 5:15, 5:15], labels[:, 25:35, 40:50] = 1, 2
    case = movie.Case("squares", None, movie.Tracks(labels, {}))
    document = Annotation(MovieIdentity("squares", labels.shape, "uint8"))
    document.do(AddObject(AnnotatedObject(7)))
    with document.propagation() as opened:
        for frame in range(5):  # on frames 2 and 3 it lies on the other one, and on 4 it is lost
            box = (25, 40, 35, 50) if frame in (2, 3) else (5, 5, 15, 15)
            mask = Rle.empty((40, 60)) if frame == 4 else Rle.from_box(box, (40, 60))
            opened.add(frame, {7: MaskletFrame(mask, 0.9, 1.0)})
    truth = review.compare(document, case)
    assert truth.wrong == {(7, 2), (7, 3)}
    assert truth.missing == {(7, 4)}
    assert truth.undetected == 6
    assert review.errors_of({(7, 2), (7, 3), (7, 5), (8, 4)}) == [{(7, 2), (7, 3)}, {(7, 5)}, {(8, 4)}]
    row = review.measure("squares", review.ReviewQueue().update(document.snapshot()), truth)
    assert row[3] == "2, 1"
    assert row[4:10] == ["1", "1.00", "1.00", "1.00", "0.50", "1.00"]  # one event, too fast, on the first wrong frame
