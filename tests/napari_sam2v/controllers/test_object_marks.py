"""Table rows and time marks follow the document, change by change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_sam2v.controllers.object_marks import ObjectMarks, hex_color, rgb
from napari_sam2v.layers.painted_labels import MaskEdit
from napari_sam2v.view_state import TrackOptions
from src_model.document import ImportMasklets, LockFrames, LockObject, RenameObject, SetMask
from src_model.masks import Masklet, Rle
from tests.tracking import tiny

MASK = Rle.from_box((10, 12, 25, 30), tiny.SHAPE)


@pytest.fixture
def object_marks(clicked):
    object_marks = ObjectMarks(clicked.document)
    yield object_marks
    object_marks.close()


def flags(marks, name):
    return np.flatnonzero(getattr(marks, name)).tolist()


def same(first, second):
    names = ("prompted", "tracked", "locked", "absent", "edited", "imported", "scores")
    return all(np.array_equal(getattr(first, n), getattr(second, n), equal_nan=n == "scores") for n in names)


def test_marks_tell_prompted_tracked_painted_and_locked_frames(clicked, object_marks):
    object_marks.of(1)
    clicked.controller.tracking.track(TrackOptions("forward", "count", count=3))
    clicked.wait()
    clicked.controller.prompts.paint(MaskEdit(1, 4, Rle.empty(tiny.SHAPE)))
    clicked.controller.do(LockFrames(1, (5,)))
    marks = object_marks.of(1)
    assert flags(marks, "prompted") == [2]
    assert flags(marks, "tracked") == [3, 5]
    assert flags(marks, "edited") == flags(marks, "absent") == [4]
    assert flags(marks, "locked") == [5]
    assert np.flatnonzero(~np.isnan(marks.scores)).tolist() == [2, 3, 4, 5]


def test_marks_kept_up_to_date_equal_marks_made_anew(clicked, object_marks):
    object_marks.of(1)
    clicked.controller.tracking.track(TrackOptions("both"))
    clicked.wait()
    clicked.controller.undo()
    clicked.controller.redo()
    clicked.controller.do(LockObject(1, True))
    assert same(object_marks.of(1), ObjectMarks(clicked.document).of(1))
    clicked.controller.do(LockObject(1, False))
    assert flags(object_marks.of(1), "locked") == []


def test_a_row_tells_how_far_an_object_is_and_where_it_is_worst(clicked, object_marks):
    clicked.controller.tracking.track(TrackOptions("forward"))
    clicked.wait()
    clicked.controller.do(RenameObject(1, "mother"))
    row = object_marks.row(1)
    scores = {frame: clicked.document.frame(1, frame).score for frame in clicked.frames()}
    assert (row.name, row.frames_done, row.frames_total) == ("mother", 8, tiny.LENGTH)
    tracked = {frame: score for frame, score in scores.items() if frame != 2}  # frame 2 is prompted: somebody saw it
    assert row.worst_score == pytest.approx(min(tracked.values()))
    assert scores[row.worst_frame] == min(tracked.values())
    assert hex_color(row.color) == clicked.document.object(1).color


def test_an_outline_is_a_row_without_scores_until_somebody_asks_for_them(clicked):
    clicked.controller.tracking.track(TrackOptions("forward"))
    clicked.wait()
    fresh = ObjectMarks(clicked.document)
    (outline,) = fresh.outlines()
    row = fresh.row(1)
    assert row.worst_frame is not None
    assert outline == replace(row, worst_score=None, worst_frame=None, doubtful=0)
    assert fresh.outlines() == [row]


def test_marks_of_what_was_imported_painted_and_erased_are_those_of_each_frame(clicked, object_marks):
    masks = Masklet(2, tiny.SHAPE)
    for frame in (0, 4, 6):
        masks.set(frame, MASK, score=0.5)
    clicked.controller.do(ImportMasklets((masks,)))
    object_marks.of(2)
    clicked.controller.do(SetMask(2, 6, MASK))
    clicked.controller.do(SetMask(2, 7, MASK))
    clicked.controller.do(SetMask(2, 8, Rle.empty(tiny.SHAPE)))
    clicked.controller.do(LockFrames(2, (3, 8)))
    anew = ObjectMarks(clicked.document).of(2)
    assert same(anew, object_marks.of(2))
    assert flags(anew, "imported") == [0, 4]
    assert flags(anew, "edited") == [6, 7, 8]
    assert flags(anew, "absent") == [8]
    assert flags(anew, "locked") == [3, 8]


def test_an_object_without_masks_has_no_worst_frame(user):
    user.click(tiny.CLICK, wait=False)
    row = ObjectMarks(user.document).row(1)
    assert (row.frames_done, row.worst_score, row.worst_frame) == (0, None, None)
    user.wait()


def test_colors_come_back_from_their_numbers():
    assert hex_color(rgb("#ffa500")) == "#ffa500"
