"""What benchmarks decide by themselves, measurements apart."""

from __future__ import annotations

import importlib

import pytest

from src_model.masks import Rle
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
