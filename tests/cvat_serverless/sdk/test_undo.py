"""Taking back: what was written goes, what was replaced returns, what a person did meanwhile stays."""

from __future__ import annotations

import pytest

from tests.cvat_serverless.sdk.cvat_task import key
from tests.cvat_serverless.sdk.drawn import LATER, MASK, OTHER, POLYGON, RECTANGLE


def content(task):
    """Everything that CVAT shows, but the numbers."""

    def clean(raw):
        return {name: clean_all(value) for name, value in sorted(raw.items()) if name != "id"}

    def clean_all(value):
        return [clean(each) if isinstance(each, dict) else each for each in value] if isinstance(value, list) else value

    shown = task.annotations()
    return sorted((clean(raw) for raw in (*shown["shapes"], *shown["tracks"])), key=repr)


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
    kept = task.shapes[5]["id"]
    task.edit(kept, points=MASK)
    text = sam2v("track", "--undo").output
    assert sorted(shape["id"] for shape in task.shapes) == [101, kept]
    assert "1 were changed or removed in CVAT since" in text


@pytest.mark.parametrize(
    "change",
    [
        {"points": [0, 100, 20, 20, 29, 29]},
        {"occluded": True},
        {"z_order": 4},
        {"label_id": 2},
        {"group": 8},
        {"attributes": [{"spec_id": 11, "value": "mitosis"}]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_a_person_changed_about_a_mask_stays_though_its_number_does_too(sam2v, task, change):
    task.draw("mask", MASK)
    sam2v("track", "--object", "101", "--as", "masks", "--frames", "0:3")
    number = task.shapes[-1]["id"]
    task.edit(number, **change)
    sam2v("track", "--undo")
    assert {shape["id"] for shape in task.shapes} == {101, number}
    assert change.items() <= task.shape(number).items()
    assert task.shape(101)["group"] == 0


@pytest.mark.parametrize(
    "change",
    [{"points": LATER}, {"outside": True}, {"occluded": True}, {"attributes": [{"spec_id": 11, "value": "mitosis"}]}],
    ids=lambda change: next(iter(change)),
)
def test_a_track_with_a_keyframe_that_a_person_changed_stays(sam2v, task, change):
    number = task.draw_track(key("polygon", POLYGON, 0))
    sam2v("track", "--object", number, "--frames", "0:4")
    assert [track["id"] for track in task.tracks] == [number], "the server keeps its number"
    task.edit_key(number, 2, **change)
    text = " ".join(sam2v("track", "--undo").output.split())
    assert change.items() <= {shape["frame"]: shape for shape in task.track(number)["shapes"]}[2].items()
    assert "0 removed, 0 written again as they were before. 1 were changed" in text


def test_a_track_that_was_continued_has_its_own_keyframes_again(sam2v, task):
    number = task.draw_track(key("polygon", POLYGON, 0), key("polygon", LATER, 9))
    before = content(task)
    sam2v("track", "--object", number)
    text = " ".join(sam2v("track", "--undo").output.split())
    assert content(task) == before
    assert task.track(number)
    assert "0 removed, 1 written again" in text


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
