"""SEG, DET and TRA against the command of the package, which reads folders, and against cases counted by hand."""

from __future__ import annotations

import contextlib
import io
import math
import sys
import warnings
from collections.abc import Sequence
from dataclasses import astuple
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile

from src_model.datasets import open_dataset
from src_model.errors import EvaluationError, MissingExtraError
from src_model.evaluation.metrics import CellTrackingScores, cell_tracking_scores

if TYPE_CHECKING:
    from pathlib import Path

SHAPE = (30, 40)
PARENTS = {4: 1, 5: 1}


def square(labels: np.ndarray, label: int, y: int, x: int, size: int = 6) -> None:
    labels[y : y + size, x : x + size] = label


def truth() -> list[np.ndarray]:
    """Six frames: cell 1 divides into 4 and 5 after frame 2, cells 2 and 3 stay."""
    movie = [np.zeros(SHAPE, np.int32) for _ in range(6)]
    for frame, labels in enumerate(movie):
        square(labels, 2, 2, 2 + frame)
        square(labels, 3, 20, 30 - frame)
        if frame < 3:
            square(labels, 1, 12, 12, 8)
        else:
            square(labels, 4, 10, 8)
            square(labels, 5, 10, 20)
    return movie


def flawed(seed: int) -> list[np.ndarray]:
    """The truth with cells shifted, lost, merged, invented and exchanged."""
    rng = np.random.default_rng(seed)
    movie = [np.roll(labels, tuple(rng.integers(-2, 3, 2)), (0, 1)) for labels in truth()]
    start = int(rng.integers(1, 5))
    for labels in movie[start:]:
        labels[labels == 2] = 0
    for labels in movie[int(rng.integers(1, 5)) :]:
        square(labels, 8, 1, 30)
    if seed % 2:
        movie[5][movie[5] == 5] = 4
        movie[0][14:22, 8:22] = 3
    return movie


def write_folder(folder: Path, movie: Sequence[np.ndarray], name: str, parents: dict[int, int]) -> None:
    folder.mkdir(parents=True)
    for frame, labels in enumerate(movie):
        tifffile.imwrite(folder / f"{name}{frame:03d}.tif", labels.astype(np.uint16))
    lines = []
    for label in np.unique(movie)[1:].tolist():
        frames = [frame for frame, labels in enumerate(movie) if (labels == label).any()]
        assert frames == list(range(frames[0], frames[-1] + 1)), "the package allows no gaps"
        lines.append(f"{label} {frames[0]} {frames[-1]} {parents.get(label, 0)}")
    (folder / ("res_track.txt" if name == "mask" else "man_track.txt")).write_text("\n".join(lines))


def scores_of_the_package(result: Path, truth_folder: Path) -> CellTrackingScores:
    evaluate = pytest.importorskip("ctc_metrics").evaluate_sequence
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        found = evaluate(str(result), str(truth_folder), metrics=["SEG", "DET", "TRA"], threads=1)
    return CellTrackingScores(found["SEG"], found["DET"], found["TRA"])


@pytest.fixture(autouse=True)
def _package() -> None:
    pytest.importorskip("ctc_metrics")


Movie = Sequence[np.ndarray]
Parents = dict[int, int]


def in_folders(folder: Path, predicted: Movie, true: Movie, parents: Parents, own: Parents) -> CellTrackingScores:
    """The scores that the package gives to two movies once they are files."""
    write_folder(folder / "RES", predicted, "mask", own)
    write_folder(folder / "GT" / "TRA", true, "man_track", parents)
    write_folder(folder / "GT" / "SEG", true, "man_seg", parents)
    return scores_of_the_package(folder / "RES", folder / "GT")


@pytest.mark.parametrize("seed", range(4))
def test_scores_are_those_of_the_package(tmp_path: Path, seed: int) -> None:
    predicted, own_parents = flawed(seed), PARENTS if seed < 2 else {}
    expected = astuple(in_folders(tmp_path, predicted, truth(), PARENTS, own_parents))
    assert all(0 < value < 1 for value in expected)
    found = cell_tracking_scores(iter(predicted), truth(), predicted_parents=own_parents, truth_parents=PARENTS)
    assert astuple(found) == pytest.approx(expected)


@pytest.mark.slow
def test_scores_are_those_of_the_package_on_a_sequence_of_the_challenge(tmp_path: Path, shared_data: Path) -> None:
    """55 tracks with 13 divisions; found a little aside, a fourth of the others lost, and a third of the links."""
    (movie,) = open_dataset(shared_data / "ctc_sim_01")
    true = [movie.labels(frame) for frame in movie.labelled_frames[:24]]
    shown = set(np.unique(true).tolist())
    parents = {daughter: mother for daughter, mother in movie.parents.items() if daughter in shown}
    predicted = [np.roll(labels, (3, -2), (0, 1)) for labels in true]
    for labels in predicted[10:]:
        labels[(labels % 4 == 0) & ~np.isin(labels, [*parents, *parents.values()])] = 0
    linked = {daughter: mother for daughter, mother in parents.items() if daughter % 3}
    expected = astuple(in_folders(tmp_path, predicted, true, parents, linked))
    assert all(0.7 < value < 0.92 for value in expected)
    found = cell_tracking_scores(predicted, true, predicted_parents=linked, truth_parents=parents)
    assert astuple(found) == pytest.approx(expected, abs=1e-12)


def test_a_movie_with_gaps_is_scored_as_it_would_be_exported(tmp_path: Path) -> None:
    """Label 2 is gone on frame 3, and label 1 stays on as its own daughter."""
    predicted = truth()
    predicted[3][predicted[3] == 2] = 0
    square(predicted[3], 1, 22, 2)
    exported = [labels.copy() for labels in predicted]
    for labels in exported[4:]:
        labels[labels == 2] = 12
    exported[3][exported[3] == 1] = 11
    expected = in_folders(tmp_path, exported, truth(), PARENTS, {**PARENTS, 12: 2, 11: 1})
    found = cell_tracking_scores(predicted, truth(), predicted_parents=PARENTS, truth_parents=PARENTS)
    assert astuple(found) == pytest.approx(astuple(expected))


def test_the_truth_scores_one_whatever_its_labels_are() -> None:
    renamed = [np.where(labels > 0, labels * 40_000_000, 0) for labels in truth()]
    parents = {daughter * 40_000_000: mother * 40_000_000 for daughter, mother in PARENTS.items()}
    found = cell_tracking_scores(renamed, truth(), predicted_parents=parents, truth_parents=PARENTS)
    assert found == CellTrackingScores(1, 1, 1)


def test_a_missing_division_costs_its_two_links() -> None:
    found = cell_tracking_scores(truth(), truth(), truth_parents=PARENTS)
    cells, links = 3 * 3 + 3 * 4, 5 + 5 + 2 + 2 + 2 + 2
    assert (found.seg, found.det) == (1, 1)
    assert found.tra == pytest.approx(1 - 2 * 1.5 / (10 * cells + 1.5 * links))


def test_a_cell_lost_on_one_frame_costs_itself_and_its_links() -> None:
    predicted = truth()
    predicted[2][predicted[2] == 3] = 0
    found = cell_tracking_scores(predicted, truth())
    cells, links = 21, 16
    assert found.seg == pytest.approx(20 / 21)
    assert found.det == pytest.approx(1 - 10 / (10 * cells))
    # The cell, two links to add, and one to delete: the gap is bridged from frame 1 to frame 3.
    assert found.tra == pytest.approx(1 - (10 + 2 * 1.5 + 1) / (10 * cells + 1.5 * links))


def test_a_gap_in_both_movies_costs_nothing() -> None:
    movie = truth()
    movie[3][movie[3] == 2] = 0
    assert cell_tracking_scores(movie, movie) == CellTrackingScores(1, 1, 1)


def test_frames_without_any_background_are_scored_alike() -> None:
    full = [np.repeat([[1, 2]], 4, axis=0)] * 2
    assert cell_tracking_scores(full, full) == CellTrackingScores(1, 1, 1)


def test_a_single_frame_is_scored_without_links() -> None:
    found = cell_tracking_scores(truth()[:1], truth()[:1])
    assert found == CellTrackingScores(1, 1, 1)


def test_nothing_found_scores_zero_and_without_truth_there_is_no_score() -> None:
    empty = [np.zeros(SHAPE, np.int32)] * 6
    assert cell_tracking_scores(empty, truth()) == CellTrackingScores(0, 0, 0)
    assert all(math.isnan(value) for value in astuple(cell_tracking_scores(truth(), empty)))


@pytest.mark.parametrize(
    ("predicted", "complaint"),
    [
        (truth()[:4], "predicted ends after 4 frames"),
        ([*truth(), truth()[0]], "truth ends after 6 frames"),
        ([labels[:, 1:] for labels in truth()], r"frame 0: predicted \(30, 39\) and truth \(30, 40\)"),
        ([labels - 1 for labels in truth()], r"predicted frame 0: labels lie in 0\.\..*, got -1"),
        ([labels * 0.5 for labels in truth()], "predicted frame 0: labels are integers .* float64"),
    ],
)
def test_movies_that_do_not_go_together_are_refused(predicted: list[np.ndarray], complaint: str) -> None:
    with pytest.raises(EvaluationError, match=complaint):
        cell_tracking_scores(predicted, truth())


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ctc_metrics", None)
    with pytest.raises(MissingExtraError, match=r"napari-sam2v\[evaluate\]"):
        cell_tracking_scores(truth(), truth())
