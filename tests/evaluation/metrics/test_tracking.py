"""SEG, DET and TRA against the files-and-folders command of the package, and against cases counted by hand."""

from __future__ import annotations

import contextlib
import io
import math
import sys
import warnings
from dataclasses import astuple
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile

from src_model.errors import EvaluationError, MissingExtraError
from src_model.evaluation.metrics import CellTrackingScores, cell_tracking_scores

if TYPE_CHECKING:
    from collections.abc import Sequence
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


@pytest.mark.parametrize("seed", range(4))
def test_scores_are_those_of_the_package_from_folders_and_from_memory(tmp_path: Path, seed: int) -> None:
    predicted, true = flawed(seed), truth()
    own_parents = PARENTS if seed < 2 else {}
    write_folder(tmp_path / "RES", predicted, "mask", own_parents)
    write_folder(tmp_path / "GT" / "TRA", true, "man_track", PARENTS)
    (tmp_path / "GT" / "SEG").mkdir()
    outlined = range(6) if seed % 2 else (1, 4)
    for frame in outlined:
        tifffile.imwrite(tmp_path / "GT" / "SEG" / f"man_seg{frame:03d}.tif", true[frame].astype(np.uint16))
    expected = astuple(scores_of_the_package(tmp_path / "RES", tmp_path / "GT"))
    assert all(0 < value < 1 for value in expected)
    assert astuple(cell_tracking_scores(tmp_path / "RES", tmp_path / "GT")) == pytest.approx(expected)
    of_movie = cell_tracking_scores(iter(predicted), str(tmp_path / "GT"), predicted_parents=own_parents)
    assert astuple(of_movie) == pytest.approx(expected)
    in_memory = cell_tracking_scores(predicted, true, predicted_parents=own_parents, truth_parents=PARENTS)
    assert (in_memory.det, in_memory.tra) == pytest.approx(expected[1:])


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


def test_parents_of_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="table of mothers of its own"):
        cell_tracking_scores(tmp_path, truth(), predicted_parents={})


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ctc_metrics", None)
    with pytest.raises(MissingExtraError, match=r"napari-sam2v\[evaluate\]"):
        cell_tracking_scores(truth(), truth())
