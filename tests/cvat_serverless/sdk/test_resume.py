"""Connections break: what was done is kept, nothing is written twice, nothing half."""

from __future__ import annotations

import pytest

from cvat_serverless.sdk import run
from src_model.errors import AnnotationFileError
from tests.cvat_serverless.sdk.drawn import LATER, MASK, POLYGON, RECTANGLE


def after_frames(count, what="drop"):
    """Break all connections once so many frames were fetched."""
    seen: list[str] = []

    def fault(method, path, query):
        if query.get("type") == "frame":
            seen.append(query["number"])
        return what if len(seen) > count else None

    return fault


def nothing_wrong(method, path, query):
    return None


def whole(task):
    return [[(shape["frame"], shape["points"]) for shape in track["shapes"]] for track in task.tracks]


@pytest.mark.parametrize("count", [1, 5, 8])
def test_broken_off_midway_it_goes_on_where_it_stopped(sam2v, cvat, task, count):
    task.draw("rectangle", RECTANGLE, frame=4)
    cvat.fault = after_frames(count)
    text = " ".join(sam2v("track", "--object", "101", code=2).output.split())
    assert "does not answer" in text
    assert "run the same command again" in text
    assert task.tracks == []
    cvat.fault = nothing_wrong
    sam2v("track", "--object", "101")
    assert sorted(cvat.frames_asked()) == list(range(10)), "no frame is fetched twice"
    (track,) = task.tracks
    assert {shape["frame"] for shape in track["shapes"]} == set(range(10))
    assert cvat.changes() == ["update"]


def test_frames_tracked_before_are_not_tracked_again(sam2v, cvat, task, predictor, monkeypatch):
    task.draw("rectangle", RECTANGLE)
    steps = type(predictor.steps)
    original, frames = steps.track, []
    monkeypatch.setattr(steps, "track", lambda self, *words: frames.append(1) or original(self, *words))
    cvat.fault = after_frames(6)
    sam2v("track", "--object", "101", code=2)
    done = len(frames)
    cvat.fault = nothing_wrong
    sam2v("track", "--object", "101")
    assert done >= 3
    assert len(frames) == 9


def test_other_prompts_begin_anew(sam2v, cvat, task):
    task.draw("rectangle", RECTANGLE)
    cvat.fault = after_frames(5)
    sam2v("track", "--object", "101", code=2)
    cvat.fault = nothing_wrong
    task.shape(101)["points"] = [6.0, 10.0, 25.0, 30.0]
    sam2v("track", "--object", "101")
    resumed = whole(task)
    sam2v("track", "--undo")
    sam2v("track", "--object", "101")
    assert whole(task) == resumed


def test_a_passing_error_of_the_server_is_waited_for(sam2v, cvat, task):
    task.draw("rectangle", RECTANGLE)
    answers = iter([503, None, 502])
    cvat.fault = lambda method, path, query: next(answers, None) if query.get("type") == "frame" else None
    sam2v("track", "--object", "101")
    assert len(task.tracks) == 1


def test_an_answer_that_breaks_off_is_asked_for_again(sam2v, cvat, task):
    task.draw("rectangle", RECTANGLE)
    faults = iter(["cut"])
    cvat.fault = lambda method, path, query: next(faults, None) if query.get("number") == "3" else None
    text = sam2v("track", "--object", "101").output
    assert len(task.tracks) == 1
    assert "Could not be read" not in text
    assert cvat.frames_asked().count(3) == 2


def test_a_lost_answer_does_not_write_twice(sam2v, cvat, task):
    task.draw("polygon", POLYGON)
    cvat.fault = lambda method, path, query: "drop-after" if query.get("action") == "create" else None
    sam2v("track", "--object", "101")
    assert len(task.tracks) == 1
    assert task.shapes == []
    sam2v("track", "--undo")
    assert task.tracks == []


def test_after_a_crash_while_writing_the_next_run_finds_out_what_happened(sam2v, cvat, task):
    task.draw("polygon", POLYGON)
    broken = []

    def fault(method, path, query):
        if query.get("action") == "create":
            broken.append(1)
            return "drop-after"
        return "drop" if broken else None

    cvat.fault = fault
    sam2v("track", "--object", "101", code=2)
    assert len(task.shapes) == len(task.tracks) == 1
    cvat.fault = nothing_wrong
    text = sam2v("track", "--object", "101").output
    assert "nothing was left to do" in text
    assert len(task.tracks) == 1
    assert task.shapes == [], "the polygon is a keyframe now"


def test_a_write_that_never_arrived_is_done_by_the_next_run_without_tracking_again(
    sam2v, cvat, task, predictor, monkeypatch
):
    task.draw("rectangle", RECTANGLE)
    cvat.fault = lambda method, path, query: "drop" if method == "PATCH" else None
    sam2v("track", "--object", "101", code=2)
    assert task.tracks == []
    cvat.fault = nothing_wrong
    monkeypatch.setattr(type(predictor.steps), "track", lambda self, *words: pytest.fail("tracked again"))
    sam2v("track", "--object", "101")
    assert len(task.tracks) == 1


def test_nothing_is_written_if_the_drawing_was_changed_meanwhile(sam2v, cvat, task):
    task.draw("polygon", POLYGON)

    def edit(method, path, query):
        if query.get("number") == "9":
            task.shape(101)["points"] = [1.0, 1.0, 9.0, 1.0, 9.0, 9.0]

    cvat.fault = edit
    assert "was changed in CVAT while it was being tracked" in sam2v("track", "--object", "101", code=2).output
    assert cvat.changes() == []


@pytest.mark.parametrize("form", ["polygons", "masks", "rectangles"])
@pytest.mark.parametrize("originals", ["auto", "keep"])
def test_nothing_is_written_either_if_what_was_changed_would_have_stayed(sam2v, cvat, task, form, originals):
    task.draw("rectangle" if form != "rectangles" else "polygon", RECTANGLE if form != "rectangles" else POLYGON)

    def edit(method, path, query):
        if query.get("number") == "9":
            task.edit(101, points=[1.0, 1.0, 9.0, 9.0] if form != "rectangles" else LATER)

    cvat.fault = edit
    text = sam2v("track", "--object", "101", "--as", form, "--originals", originals, code=2).output
    assert "shape 101 was changed in CVAT while it was being tracked" in " ".join(text.split())
    assert cvat.changes() == []


def test_nothing_is_written_if_another_drawing_of_the_object_came_meanwhile(sam2v, cvat, task):
    task.draw("mask", MASK, group=3)

    def draw(method, path, query):
        if query.get("number") == "9":
            task.draw("mask", MASK, frame=5, group=3)

    cvat.fault = draw
    text = sam2v("track", "--object", "101", "--as", "masks", code=2).output
    assert "group 3 was changed in CVAT while it was being tracked" in " ".join(text.split())
    assert cvat.changes() == []


def test_a_lost_answer_to_a_change_that_keeps_numbers_is_found_out(sam2v, cvat, task):
    task.draw("mask", MASK)
    cvat.fault = lambda method, path, query: "drop-after" if query.get("action") == "update" else None
    sam2v("track", "--object", "101", "--as", "masks")
    assert len(task.shapes) == 10
    cvat.fault = nothing_wrong
    sam2v("track", "--undo")
    assert [(shape["id"], shape["group"]) for shape in task.shapes] == [(101, 0)]


def test_a_full_disk_is_told_while_there_is_time_and_does_not_end_the_tracking(sam2v, task, monkeypatch):
    def full(snapshot, path):
        raise AnnotationFileError(f"the annotation cannot be saved as '{path}': no space left on device")

    monkeypatch.setattr(run, "write", full)
    task.draw("rectangle", RECTANGLE)
    text = " ".join(sam2v("track", "--object", "101").output.split())
    assert text.count("cannot be kept") == 1
    assert "no space left on device" in text
    assert len(task.tracks) == 1


def test_a_disk_that_is_full_from_the_beginning_is_one_line_and_nothing_is_written(sam2v, cvat, task, folder):
    (folder / "state").write_text("a file in the place of the folder")
    task.draw("rectangle", RECTANGLE)
    text = " ".join(sam2v("track", "--object", "101", code=2).output.split())
    assert "nothing can be kept in" in text
    assert "Traceback" not in text
    assert cvat.changes() == []


def test_a_note_that_cannot_be_read_is_not_passed_over(sam2v, task, folder):
    task.draw("polygon", POLYGON)
    sam2v("track", "--object", "101")
    (note,) = folder.rglob("*.json")
    note.write_text("{")
    text = " ".join(sam2v("track", "--undo", code=2).output.split())
    assert note.name in text.replace(" ", "")
    assert "damaged" in text
    assert len(task.tracks) == 1


def test_when_all_is_written_nothing_is_left_on_disk_but_the_journal(sam2v, task, folder):
    task.draw("rectangle", RECTANGLE)
    sam2v("track", "--object", "101")
    left = [path.suffix for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"]
    assert left == [".json"]
