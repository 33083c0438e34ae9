from __future__ import annotations

import numpy as np
import pytest

from napari_sam2v import wording
from napari_sam2v.view_state import ModelEntry
from src_model.measures import Measurement, MeasureUnits, TrackSeries
from src_model.workflow.progress import RunProgress


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (59, "59 s"), (59.7, "1 min"), (95, "2 min"), (3599, "1 h"), (4800, "1 h 20 min")],
)
def test_durations_are_written_as_people_say_them(seconds, text):
    assert wording.duration(seconds) == text


@pytest.mark.parametrize(("megabytes", "text"), [(0.3, "1 MB"), (41, "41 MB"), (1240, "1.2 GB")])
def test_sizes_change_their_unit(megabytes, text):
    assert wording.size(megabytes) == text


def test_counts_have_singular_and_plural():
    assert wording.count(1, "object") == "1 object"
    assert wording.count(1200, "frame") == "1,200 frames"


@pytest.mark.parametrize(
    ("key", "text"), [("N", "N"), ("Shift-N", "Shift+N"), ("Control-Shift-S", "Ctrl+Shift+S"), ("-", "-"), ("", "")]
)
def test_keys_are_written_as_menus_write_them(key, text):
    assert wording.key_text(key) == text


def test_a_tooltip_names_a_key_only_where_there_is_one():
    assert wording.with_key("Undo", "U") == "Undo (U)"
    assert wording.with_key("Undo", "") == "Undo"


def test_a_model_says_whether_it_must_be_fetched():
    here = ModelEntry("a", "A", on_disk=True, size_mb=41, hint="quick")
    assert wording.model_line(here) == "41 MB on disk · quick"
    assert wording.model_line(ModelEntry("b", "B", on_disk=False, size_mb=898)) == "898 MB to download"


def test_progress_leaves_out_what_is_not_known():
    assert wording.progress_line(RunProgress(34, 120, 34, 12)) == "34 of 120 · 12 s left"
    assert wording.progress_line(RunProgress(3, 0, text="Loading the model")) == "Loading the model"
    assert wording.progress_line(RunProgress(3, 9, seconds_left=float("inf"))) == "3 of 9"


def test_a_download_counts_in_megabytes():
    assert wording.download_line(RunProgress(310, 898, seconds_left=95)) == "310 of 898 MB · 2 min"
    assert wording.download_line(RunProgress(12, 0)) == "12 MB"


def test_a_frame_is_described_by_its_states_and_score(marks_of):
    scores = [0.91, float("nan"), 0.5, float("nan")]
    marks = marks_of(4, scores, prompted=[0], tracked=[0, 2], locked=[0], absent=[1])
    assert wording.frame_line(marks, 0) == "frame 0 · prompted · locked · score 0.91"
    assert wording.frame_line(marks, 1) == "frame 1 · not in view"
    assert wording.frame_line(marks, 2) == "frame 2 · tracked · score 0.50"
    assert wording.frame_line(marks, 3) == "frame 3 · not tracked yet"
    assert wording.frame_line(marks, 9) == "frame 9"


def test_a_track_is_described_by_its_frames_one_of_them_and_why_it_ends():
    assert wording.track_line("mother", range(3, 9), 4, 0.5, "") == "mother · frames 3 to 8 · frame 4: score 0.50"
    assert wording.track_line("mother", range(3, 9), 4, None, "ends on frame 8: edge") == (
        "mother · frames 3 to 8 · frame 4: no mask · ends on frame 8: edge"
    )
    assert wording.track_line("mother", range(6, 6), 6, None, "") == "mother · no mask"


def test_curves_are_described_by_the_first_object_on_a_frame_and_by_what_is_missing():
    measured = np.array([1200.0, np.nan, 1300.5])
    series = TrackSeries(4, 2, measured, np.array([np.nan, np.nan, 2.5]), measured / 10, np.array([0.9, np.nan, 0.8]))
    found = Measurement((series,), MeasureUnits(length="µm"), 3, 3)
    assert wording.curves_line(found, "mother", 4) == (
        "mother · frame 4 · 1,300.5 µm² · 2.5 µm/frame · intensity 130.1 · score 0.80"
    )
    assert wording.curves_line(found, "mother", 2) == "mother · frame 2 · 1,200 µm² · intensity 120 · score 0.90"
    assert wording.curves_line(found, "mother", 3) == "mother · frame 3 · no mask"
    some = Measurement((series,), MeasureUnits(), 1, 1200)
    assert wording.curves_line(some, "mother", 3, 20, 5) == (
        "mother · frame 3 · no mask · measured 1 of 1,200 frames · the first 20 of 25 objects"
    )
    assert wording.curves_line(Measurement((), MeasureUnits(), 0, 0), "", 3).startswith("Select objects")
