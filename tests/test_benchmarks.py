"""What benchmarks decide by themselves, measurements apart."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

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


def drawn(*frames: dict[int, tuple[int, int, int]], size: int = 60) -> list[np.ndarray]:
    """Draw squares: on each frame ``(y, x, side)`` by label, in int32 of 60 x 60 pixels."""
    movie = [np.zeros((size, size), np.int32) for _ in frames]
    for image, squares in zip(movie, frames, strict=True):
        for label, (y, x, side) in squares.items():
            image[y : y + side, x : x + side] = label
    return movie


def test_a_linker_that_is_not_there_is_named_with_what_to_do_and_the_others_go_on(benchmark_module, monkeypatch):
    linkers, linking = benchmark_module("linkers"), benchmark_module("linking")

    def missing(module):
        raise ImportError(f"No module named '{module}'")

    monkeypatch.setattr(linking, "import_module", missing)
    labels = np.stack(drawn({1: (5, 5, 10)}))
    scene = linking.Scene(labels, labels.astype(np.float32))
    files = linking.Files(btrack="cell_config.json", trackastra="folder")
    every = {name: lambda use=use: use(scene, files) for name, use in linking.LINKERS.items()}
    found = {name: tracks for name, tracks, _ in linkers.available(every | {"ours": lambda: "tracks"})}
    assert found.pop("ours") == "tracks"
    for name, reason in found.items():
        assert f"not installed: pip install {name.split(',')[0]}" in reason
    for use, option in ((linking.link_btrack, "--btrack FILE"), (linking.link_trackastra, "--trackastra FOLDER")):
        with pytest.raises(linking.UnavailableError, match=option):
            use(scene, linking.Files())


def test_links_are_followed_over_gaps_and_to_daughters(benchmark_module):
    linking = benchmark_module("linking")
    labels = np.stack(drawn({1: (5, 5, 10), 2: (30, 30, 12)}, {4: (30, 30, 6), 5: (30, 38, 6)}, {9: (5, 6, 10)}))
    links = [((0, 1), (2, 9)), ((0, 2), (1, 4)), ((0, 2), (1, 5))]
    tracks = linking.along_links(labels, links)
    assert tracks.labels[0][6, 6] == tracks.labels[2][6, 8] == 1
    assert tracks.parents == {int(tracks.labels[1][32, 32]): 2, int(tracks.labels[1][32, 40]): 2}
    gone = linking.renumbered(labels, {(0, 1): 7}, {})
    assert [np.unique(image).tolist() for image in gone.labels] == [[0, 7], [0], [0]]


def test_trackastra_is_asked_as_its_api_wants_and_its_graph_is_followed(benchmark_module, monkeypatch, tmp_path):
    linking = benchmark_module("linking")
    graph = pytest.importorskip("networkx").DiGraph()
    graph.add_node(0, time=0, label=1)
    graph.add_node(1, time=1, label=2)
    graph.add_edge(0, 1)
    asked = {}

    class Trackastra:
        @classmethod
        def from_folder(cls, folder, device=None):
            asked.update(folder=folder, device=device)
            return cls()

        def track(self, imgs, masks, mode):
            asked.update(shapes=(imgs.shape, masks.shape), mode=mode)
            return graph, masks

    monkeypatch.setitem(sys.modules, "trackastra", ModuleType("trackastra"))
    model = ModuleType("trackastra.model")
    model.Trackastra = Trackastra
    monkeypatch.setitem(sys.modules, "trackastra.model", model)
    labels = np.stack(drawn({1: (5, 5, 10)}, {2: (6, 5, 10), 1: (40, 40, 10)}))
    scene = linking.Scene(labels, labels.astype(np.float32))
    tracks = linking.link_trackastra(scene, linking.Files(trackastra=tmp_path))
    assert asked == {"folder": tmp_path, "device": "cpu", "shapes": ((2, 60, 60),) * 2, "mode": "greedy"}
    assert tracks.labels[1][8, 8] == tracks.labels[0][8, 8] != tracks.labels[1][45, 45]


@pytest.mark.filterwarnings("ignore")  # theirs, of pandas and of temporary folders
@pytest.mark.parametrize("name", ["laptrack", "ultrack"])
def test_linkers_that_are_installed_follow_two_squares(benchmark_module, name):
    pytest.importorskip(name, reason=f"{name} is not installed: see docs/whole-movie.md")
    linking = benchmark_module("linking")
    labels = np.stack(drawn(*({1 + t: (5, 5 + t, 14), 9 + t: (36, 30 - t, 14)} for t in range(3))))
    tracks = linking.LINKERS[name](linking.Scene(labels, labels.astype(np.float32)), linking.Files())
    upper, lower = ({int(image[place]) for image in tracks.labels} for place in ((12, 12), (42, 36)))
    assert len(upper) == len(lower) == 1
    assert 0 not in upper | lower
    assert upper != lower
    assert tracks.parents == {}


def test_ultrack_is_given_what_lies_above_each_of_several_thresholds(benchmark_module):
    linking = benchmark_module("linking")
    image = np.zeros((1, 60, 60), np.float32)
    image[:, 5:25, 5:25], image[:, 35:55, 5:55] = 100, 40
    image[:, 35:55, 10:25] = image[:, 35:55, 35:50] = 100  # two bright cells, joined by what is dim
    counts = [int(movie.max()) for movie in linking.thresholded(image)]
    assert len(counts) == len(linking.THRESHOLDS)
    assert counts[0] == 2
    assert counts[-1] == 3


@pytest.fixture
def reviewed(benchmark_module):
    """Let the simulated person follow the queue of some tracks, and return what came of it, clicks and looks."""
    movie, effort = benchmark_module("whole_movie"), benchmark_module("review_effort")

    def review(found, truth, parents=None, true_parents=None, passes=False):
        document = effort.document_of(movie.Tracks(found, parents or {}))
        person = effort.Reviewer(document, movie.Tracks(truth, true_parents or {}))
        looks = len(list(person.looks()))
        if passes:
            looks += len(list(person.passes()))
        return document, person.clicks, looks

    return review


def test_what_is_right_costs_a_look_and_no_click(reviewed):
    appears = drawn({1: (25, 25, 10)}, {1: (25, 25, 10)}, {1: (25, 25, 10), 2: (40, 40, 9)})
    document, clicks, looks = reviewed(appears, appears)
    assert (clicks, looks) == (0, 1)
    assert set(document.objects) == {1, 2}


def test_a_mask_that_is_missing_costs_a_click_and_what_is_no_cell_goes_with_one(reviewed):
    here = {1: (25, 25, 10)}
    truth = drawn(here, here, here, here)
    document, clicks, _ = reviewed(drawn(here, {}, here, here), truth)
    assert clicks == 1
    assert document.mask_at(1, 1).area == 100
    document, clicks, _ = reviewed(drawn(here, here, {**here, 2: (45, 45, 8)}, here), truth)
    assert clicks == 1
    assert set(document.objects) == {1}


def test_an_object_that_got_another_number_is_joined_by_one_edge(reviewed):
    truth = drawn(*({1: (25, 25, 10), 3: (5, 40, 10)} for _ in range(4)))
    cut = drawn(*({1 + t // 2: (25, 25, 10), 3: (5, 40, 10)} for t in range(4)))
    document, clicks, _ = reviewed(cut, truth)
    assert clicks == 1
    assert document.mask_counts() == {1: 4, 3: 4}


def test_a_division_that_was_missed_is_marked_and_masks_of_both_daughters_are_drawn(reviewed):
    mother, daughters = {1: (20, 20, 16)}, {2: (16, 10, 12), 3: (30, 36, 12)}
    truth = drawn(mother, mother, daughters, daughters)
    went_on = drawn(mother, mother, {1: daughters[2]}, {1: daughters[2]})
    document, clicks, _ = reviewed(went_on, truth, true_parents={2: 1, 3: 1})
    (division,) = document.divisions.values()
    assert (division.parent, division.frame, len(division.daughters)) == (1, 2, 2)
    assert clicks == 3  # the other daughter is drawn on two frames, and her edge; the mother's own edge was there
    begun = drawn(mother, mother, *({1: daughters[2], 4: daughters[3]} for _ in range(2)))
    document, clicks, _ = reviewed(begun, truth, true_parents={2: 1, 3: 1})
    assert [each.daughters for each in document.divisions.values()] == [(4, 5)]
    assert clicks == 1


def test_two_that_were_mistaken_for_one_another_are_cut_and_joined(reviewed):
    first, second = (10, 10, 10), (38, 38, 10)
    truth = drawn(*({1: first, 2: second} for _ in range(4)))
    swapped = drawn(*({1: first, 2: second} if t < 2 else {1: second, 2: first} for t in range(4)))
    document, clicks, _ = reviewed(swapped, truth)
    assert clicks == 4  # two edges cut, two drawn
    assert sorted(document.mask_counts().values()) == [4, 4]


def test_what_no_event_shows_is_mended_when_all_frames_are_gone_through(reviewed):
    truth = drawn(*({1: (25, 25, 10), 2: (0, 0, 10)} for _ in range(3)))
    found = drawn(*({1: (25, 25, 10), 7: (50, 50, 10)} for _ in range(3)))
    document, clicks, looks = reviewed(found, truth)
    assert (clicks, looks, set(document.objects)) == (0, 0, {1, 7})
    document, clicks, looks = reviewed(found, truth, passes=True)
    assert (clicks, looks) == (4, 3)  # a mask is drawn on each frame, and what is no cell goes as a whole
    assert document.mask_counts() == {1: 3, 8: 3}


def test_effort_is_counted_until_the_movie_is_good_enough(benchmark_module):
    pytest.importorskip("ctc_metrics", reason="py-ctcmetrics is not installed")
    movie, effort = benchmark_module("whole_movie"), benchmark_module("review_effort")
    here = {1: (25, 25, 10), 2: (5, 5, 10)}
    truth = movie.Tracks(drawn(here, here, here, here), {})
    found = movie.Tracks(drawn(here, {2: here[2]}, here, here), {})
    before, emptied, done = effort.review(effort.document_of(found), truth)
    assert before.tra < effort.GOAL
    assert (before.looks, before.clicks) == (0, 0)
    assert done == emptied
    assert (done.clicks, done.tra) == (1, 1.0)
