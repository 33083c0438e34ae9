"""Taking back: what was written goes, what was replaced returns, what a person did meanwhile stays."""

from __future__ import annotations

import pytest

from tests.cvat_serverless.sdk.cvat_server import key
from tests.cvat_serverless.sdk.drawn import LATER, MASK, OTHER, POLYGON, RECTANGLE


def content(task):
    """Everything but the numbers, which CVAT gives anew."""

    def clean(raw):
        return {name: clean_all(value) for name, value in raw.items() if name != "id"}

    def clean_all(value):
        return [clean(each) if isinstance(each, dict) else each for each in value] if isinstance(value, list) else value

    return sorted((clean(raw) for raw in (*task.shapes, *task.tracks)), key=repr)


@pytest.mark.parametrize("form", ["polygons", "masks", "rectangles"])
def test_all_is_as_it_was(sam2v, task, form):
    task.draw("polygon", POLYGON, attributes=[{"spec_id": 12, "value": "hela"}])
    task.draw("mask", MASK)
    task.draw("rectangle", OTHER)
    kind, points = ("rectangle", OTHER) if form == "rectangles" else ("polygon", POLYGON)
    task.draw_track(key(kind, points, 0), key(kind, points, 5))
    task.draw("points", [1.0, 1.0], frame=3)
    before = content(task)
    sam2v("track", "--all-shapes-on", 0, "--as", form)
    assert content(task) != before
    text = sam2v("track", "--undo").output
    assert content(task) == before
    assert "4 objects tracked over 10 frames" in " ".join(text.split())


def test_several_changes_are_taken_back_one_after_the_other(sam2v, task):
    task.draw("polygon", POLYGON)
    task.draw("polygon", LATER)
    before = content(task)
    sam2v("track", "--object", "101")
    between = content(task)
    sam2v("track", "--object", "102")
    sam2v("track", "--undo")
    assert content(task) == between
    sam2v("track", "--undo")
    assert content(task) == before
    assert "nothing that this computer wrote" in sam2v("track", "--undo", code=2).output


def test_what_a_person_changed_since_stays_and_is_counted(sam2v, task):
    task.draw("rectangle", RECTANGLE)
    sam2v("track", "--object", "101", "--as", "masks")
    kept = task.edit(task.shapes[5]["id"], points=MASK)
    text = sam2v("track", "--undo").output
    assert [shape["id"] for shape in task.shapes] == [101, kept]
    assert "1 were changed or removed in CVAT since" in text


def test_it_can_be_asked_again_when_the_connection_broke_in_between(sam2v, cvat, task):
    task.draw("polygon", POLYGON)
    before = content(task)
    sam2v("track", "--object", "101")
    cvat.fault = lambda method, path, query: "drop" if query.get("action") == "delete" else None
    sam2v("track", "--undo", code=2)
    cvat.fault = lambda method, path, query: None
    sam2v("track", "--undo")
    assert content(task) == before


def test_what_lies_in_the_frames_that_two_jobs_share_is_taken_back_in_both(sam2v, task):
    task.jobs, task.overlap = [(50, 0, 5), (51, 4, 9)], 2
    task.draw("rectangle", RECTANGLE)
    sam2v("track", "--object", "101", "--as", "masks")
    assert [shape["frame"] for shape in task.shapes if shape["type"] == "mask"] == [*range(6), *range(4, 10)]
    sam2v("track", "--undo")
    assert [shape["id"] for shape in task.shapes] == [101]


def test_what_was_written_with_a_job_is_taken_back_with_it(sam2v, task):
    task.draw("rectangle", RECTANGLE)
    sam2v("track", "--job", 50, "--object", "101")
    assert "--job" in sam2v("track", "--undo", code=2).output
    sam2v("track", "--job", 50, "--undo")
    assert task.tracks == []
