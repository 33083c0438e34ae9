"""Runs that are stopped and taken up again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
import pytest
import tifffile

from src_model.cli.error_messages import FAILED, STOPPED
from src_model.document import SetMask, load, save
from src_model.masks import Rle
from src_model.tracking.propagation import Propagation
from tests.cli.conftest import CLICK
from tests.tracking import tiny

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[2]
WORDS = ("--point", "3,20,15", "--object", "2", "--point", "6,10,40")
RESUME = ("--resume", "labels.sam2v", "--model", "tiny")

SLOW_COMMAND = """
import sys, time
from src_model.tracking import StreamingPredictor
from src_model.document import SetMask, load, save
from src_model.masks import Rle
from src_model.tracking.propagation import Propagation
from tests.tracking import tiny

StreamingPredictor.load = classmethod(lambda cls, *_, **__: tiny.predictor(tiny.build()))
step = Propagation.step

def slow(self, frame, items, *, reverse):
    result = step(self, frame, items, reverse=reverse)
    print("tracked", frame, flush=True)
    time.sleep(0.1)
    return result

Propagation.step = slow
from src_model.cli.main import main
main()
"""


@contextmanager
def stopped_after(steps: int, error: Exception | None = None) -> Iterator[None]:
    """Let tracking stop after some frames, as if by Ctrl-C, or break with an error."""
    original, done = Propagation.step, []

    def step(self, frame, items, *, reverse):
        if error is not None and len(done) == steps:
            raise error
        result = original(self, frame, items, reverse=reverse)
        done.append(frame)
        if error is None and len(done) == steps:
            signal.raise_signal(signal.SIGINT)
        return result

    with mock.patch.object(Propagation, "step", step):
        yield


@pytest.fixture
def whole(sam2v, movie):
    """Labels of a run that nobody stopped."""
    sam2v("track", movie, *WORDS, "--out", "whole.tif")
    return tifffile.imread("whole.tif")


@pytest.fixture
def forward(sam2v, movie):
    """Labels of the first part of that run."""
    sam2v("track", movie, *WORDS, "--direction", "forward", "--out", "forward.tif")
    return tifffile.imread("forward.tif")


@pytest.mark.parametrize("steps", [1, 4, 7, 9, 11, 13])
def test_a_stopped_run_resumed_exactly_gives_the_labels_of_one_never_stopped(sam2v, movie, whole, steps):
    with stopped_after(steps):
        stopped = sam2v("track", movie, *WORDS, code=STOPPED)
    assert "--resume labels.sam2v" in stopped.stderr
    sam2v("track", movie, *RESUME, "--exact")
    np.testing.assert_array_equal(tifffile.imread("labels.tif"), whole)


def test_finished_frames_are_in_the_labels_of_a_stopped_run(sam2v, movie, forward):
    with stopped_after(4):
        sam2v("track", movie, *WORDS, code=STOPPED)
    labels = tifffile.imread("labels.tif")
    np.testing.assert_array_equal(labels, np.where(np.arange(10)[:, None, None] < 7, forward, 0))
    assert list(np.flatnonzero(labels.any(axis=(1, 2)))) == [3, 4, 5, 6]


def test_resuming_keeps_finished_frames_and_tracks_the_others(sam2v, movie):
    with stopped_after(9):
        sam2v("track", movie, *WORDS, code=STOPPED)
    before = tifffile.imread("labels.tif")
    result = sam2v("track", movie, *RESUME)
    after = tifffile.imread("labels.tif")
    np.testing.assert_array_equal(after[5:], before[5:])
    assert not before[:3].any()
    assert after[2].any()
    assert "Tracked 2 objects through 5 frames" in result.stdout
    assert load("labels.sam2v").mask_count == 20


def test_resuming_a_run_that_was_finished_writes_the_same_labels(sam2v, movie, whole):
    sam2v("track", movie, *WORDS)
    sam2v("track", movie, *RESUME, "--out", "again.tif")
    np.testing.assert_array_equal(tifffile.imread("again.tif"), whole)


def test_what_was_corrected_meanwhile_counts_and_stays(sam2v, movie):
    with stopped_after(4):
        sam2v("track", movie, *WORDS, code=STOPPED)
    document = load("labels.sam2v")
    painted = Rle.encode(np.ones(tiny.SHAPE, bool))
    document.do(SetMask(1, 5, painted))
    save(document)
    sam2v("track", movie, *RESUME)
    after = load("labels.sam2v")
    assert after.mask_at(1, 5) == painted
    assert [step.label for step in after.steps()][-2:] == ["Paint object 1, frame 5", "Track 2 objects both ways"]


def test_a_run_that_is_killed_leaves_its_document_of_a_moment_before(sam2v, movie, monkeypatch):
    monkeypatch.setattr("src_model.workflow.periodic_save.SECONDS_BETWEEN", 0)
    monkeypatch.setattr("src_model.workflow.periodic_save.WORK_PER_SAVING", 0)
    kept = []
    monkeypatch.setattr(Propagation, "step", recording(Propagation.step, kept))
    sam2v("track", movie, "--point", CLICK)
    assert kept[1:] == [1, 2, 3, 4, 5, 6, 7, 8, 9]


def recording(step, kept):
    """Note before each frame how many masks are in the document on disk."""

    def watched(self, *words, **options):
        path = Path("labels.sam2v")
        kept.append(load(path).mask_count if path.exists() else 0)
        return step(self, *words, **options)

    return watched


def test_the_way_to_go_on_repeats_what_a_document_does_not_know(sam2v, movie):
    words = ("--point", CLICK, "--out", "my labels.tif", "--frames", "0:8", "--model", "tiny", "--threads", 1)
    with stopped_after(2):
        hint = sam2v("track", movie, *words, "--direction", "forward", code=STOPPED).stderr
    expected = "sam2v track movie.tif --out 'my labels.tif' --direction forward --frames 0:8 --model tiny --threads 1"
    assert f"{expected} --resume 'my labels.sam2v'" in hint


def test_an_error_on_the_way_keeps_the_finished_frames_too(sam2v, movie):
    with stopped_after(3, OSError(5, "Input/output error", "movie.tif")):
        result = sam2v("track", movie, "--point", CLICK, code=FAILED)
    assert "--resume labels.sam2v" in result.stderr
    assert "Error: Input/output error: 'movie.tif'" in result.stderr
    assert list(np.flatnonzero(tifffile.imread("labels.tif").any(axis=(1, 2)))) == [0, 1, 2]


def test_a_run_whose_labels_cannot_be_written_is_not_lost(sam2v, movie):
    full = OSError(28, "No space left on device")
    with mock.patch("src_model.cli.finishing.write_labels", side_effect=full):
        result = sam2v("track", movie, "--point", CLICK, code=FAILED)
    assert "No space left on device" in result.stderr
    sam2v("track", movie, *RESUME)
    assert tifffile.imread("labels.tif").any(axis=(1, 2)).all()


def test_a_document_of_another_movie_is_refused(sam2v, movie, here):
    sam2v("track", movie, "--point", CLICK)
    tifffile.imwrite(here / "other.tif", np.zeros((10, 30, 30), np.uint8), metadata={"axes": "TYX"})
    result = sam2v("track", "other.tif", "--resume", "labels.sam2v", "--model", "tiny", code=FAILED)
    assert "belongs to the movie 'movie.tif'" in result.stderr


def test_the_model_must_be_named_if_the_document_knows_only_its_file_name(sam2v, movie):
    sam2v("track", movie, "--point", CLICK)
    result = sam2v("track", movie, "--resume", "labels.sam2v", code=FAILED)
    assert "'tiny'" in result.stderr
    assert "--model" in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_a_process_stopped_by_ctrl_c_keeps_its_frames_and_can_be_resumed(sam2v, here, movie, whole, forward):
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SLOW_COMMAND, "track", movie, *WORDS]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=here, env=environment, **pipes) as process:
        for line in process.stdout:
            if line.strip() == "tracked 5":
                process.send_signal(signal.SIGINT)
                break
        _, errors = process.communicate(timeout=60)
    assert process.returncode == STOPPED, errors
    assert "Stopping after this frame" in errors
    assert "--resume labels.sam2v" in errors
    labels = tifffile.imread("labels.tif")
    np.testing.assert_array_equal(labels[3:6], forward[3:6])
    assert not labels[:3].any()
    sam2v("track", movie, *RESUME, "--exact")
    np.testing.assert_array_equal(tifffile.imread("labels.tif"), whole)
