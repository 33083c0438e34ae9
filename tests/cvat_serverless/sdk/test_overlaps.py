"""Jobs that share frames hold copies of the same things: each counts once, and what a person changed in one counts."""

from __future__ import annotations

import pytest

from cvat_serverless.sdk.overlaps import merge_jobs
from cvat_serverless.sdk.schemas import Annotations
from src_model.document import AddObject, AnnotatedObject, Annotation, MovieIdentity, Origin, SetMask, load, save
from src_model.masks import Rle
from tests.cvat_serverless.sdk.cvat_task import key
from tests.cvat_serverless.sdk.drawn import LATER, MASK, OTHER, POLYGON, RECTANGLE
from tests.tracking import tiny

CHANGED = [0, 100, 20, 20, 29, 29]
SPANS = {50: range(6), 51: range(4, 10)}


@pytest.fixture
def task(task):
    task.jobs, task.overlap = [(50, 0, 5), (51, 4, 9)], 2
    return task


@pytest.fixture
def document(tmp_path):
    """Two objects on all frames."""
    annotation = Annotation(MovieIdentity("movie.tif", (10, *tiny.SHAPE), "uint8"))
    for number, top in ((1, 3), (2, 22)):
        annotation.do(AddObject(AnnotatedObject(number, class_name="cell")))
        for frame in range(10):
            mask = Rle.from_box((top, 5 + frame, top + 8, 15 + frame), tiny.SHAPE)
            annotation.do(SetMask(number, frame, mask, origin=Origin.TRACKED))
    return save(annotation, tmp_path / "document.sam2v")


def fetched(sam2v, tmp_path, *words):
    text = sam2v("pull", "--out", tmp_path / "fetched.sam2v").output
    return load(tmp_path / "fetched.sam2v"), " ".join(text.split())


def copies(task, frame, group):
    return [shape for shape in task.shapes if (shape["frame"], shape["group"]) == (frame, group)]


def per_job(task):
    return sorted((shape["job"], shape["frame"]) for shape in task.shapes if shape["type"] == "mask")


EACH_ONCE = [(job, frame) for job, span in SPANS.items() for frame in span]


@pytest.mark.parametrize("form", ["masks", "polygons", "rectangles"])
def test_a_document_comes_back_as_it_was(sam2v, task, document, tmp_path, form):
    sam2v("push", document, "--as", form)
    back, text = fetched(sam2v, tmp_path)
    assert back.contents() == load(document).contents()
    assert "0 masks were changed in CVAT since they were sent, and 0 objects are new" in text


@pytest.mark.parametrize("form", ["masks", "polygons"])
def test_tracked_objects_are_as_many_as_were_drawn(sam2v, task, tmp_path, form):
    task.draw("rectangle", RECTANGLE)
    task.draw("rectangle", OTHER, frame=4)
    sam2v("track", "--object", "101", "--object", "102", "--as", form)
    back, _ = fetched(sam2v, tmp_path)
    assert len(back.objects) == 2


@pytest.mark.parametrize("form", ["masks", "polygons"])
def test_tracked_again_there_is_still_one_object_in_each_job(sam2v, task, form):
    kind, points = ("mask", MASK) if form == "masks" else ("polygon", POLYGON)
    number = task.draw(kind, points)
    sam2v("track", "--object", number, "--as", form)
    for _ in range(2):
        number = task.shapes[0]["id"] if form == "masks" else task.tracks[-1]["id"]
        sam2v("track", "--object", number, "--as", form)
        assert per_job(task) == (EACH_ONCE if form == "masks" else [])
        assert [track["job"] for track in task.tracks] == ([] if form == "masks" else [50, 51])


@pytest.mark.parametrize("which", [0, 1])
def test_a_mask_that_was_corrected_in_one_of_two_jobs_is_what_comes_back(sam2v, task, document, tmp_path, which):
    sam2v("push", document)
    task.edit(copies(task, 5, 1)[which]["id"], points=CHANGED)
    back, text = fetched(sam2v, tmp_path)
    assert back.mask_at(1, 5).area == 100
    assert "1 masks were changed" in text
    assert "differ" not in text


@pytest.mark.parametrize("which", [0, 1])
def test_a_keyframe_that_was_corrected_in_one_of_two_jobs_is_what_comes_back(sam2v, task, document, tmp_path, which):
    sam2v("push", document, "--as", "polygons")
    track = [track for track in task.tracks if track["group"] == 1][which]
    task.edit_key(track["id"], 5, points=LATER)
    back, text = fetched(sam2v, tmp_path)
    assert back.mask_at(1, 5).box == (12, 12, 31, 30)
    assert "1 masks were changed" in text


@pytest.mark.parametrize("which", [0, 1])
def test_a_mask_that_was_removed_in_one_of_two_jobs_is_removed(sam2v, task, document, tmp_path, which):
    sam2v("push", document)
    task.shapes.remove(copies(task, 5, 1)[which])
    back, _ = fetched(sam2v, tmp_path)
    assert back.mask_at(1, 5).is_empty
    assert not back.mask_at(2, 5).is_empty


def test_of_two_corrections_that_differ_one_counts_and_that_is_told(sam2v, task, document, tmp_path):
    sam2v("push", document)
    first, second = copies(task, 5, 1)
    task.edit(first["id"], points=CHANGED)
    task.edit(second["id"], points=MASK)
    back, text = fetched(sam2v, tmp_path)
    assert back.mask_at(1, 5).area == 100
    assert f"Shape {first['id']} and shape {second['id']} are one thing in jobs that share frames, but differ" in text


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("form", ["masks", "polygons"])
def test_a_correction_in_one_of_two_jobs_counts_when_tracked_again(sam2v, task, form, which):
    kind, points = ("mask", MASK) if form == "masks" else ("polygon", POLYGON)
    sam2v("track", "--object", task.draw(kind, points), "--as", form)
    if form == "masks":
        (group,) = {shape["group"] for shape in task.shapes}
        task.edit(copies(task, 5, group)[which]["id"], points=CHANGED)
        sam2v("track", "--object", task.shapes[0]["id"], "--as", form)
        assert [shape["points"] for shape in copies(task, 5, group)] == [CHANGED, CHANGED]
    else:
        task.edit_key(task.tracks[which]["id"], 5, points=LATER)
        sam2v("track", "--object", task.tracks[0]["id"], "--as", form)
        keys = [shape for track in task.tracks for shape in track["shapes"] if shape["frame"] == 5]
        assert [shape["points"] for shape in keys] == [LATER, LATER]


def test_a_track_of_one_job_goes_on_in_the_next_where_the_server_would_end_it(sam2v, task):
    task.overlap, task.jobs = 0, [(50, 0, 4), (51, 5, 9)]
    sam2v("track", "--object", task.draw_track(key("polygon", POLYGON, 0)))
    seen = {track["job"]: [key["frame"] for key in track["shapes"] if not key["outside"]] for track in task.tracks}
    assert set(seen) == {50, 51}
    assert max(seen[51]) == 9


def test_all_of_it_is_taken_back_in_both_jobs_but_what_a_person_changed(sam2v, task):
    task.draw("rectangle", RECTANGLE)
    sam2v("track", "--object", "101", "--as", "masks")
    (group,) = {shape["group"] for shape in task.shapes}
    changed = copies(task, 5, group)[1]["id"]
    task.edit(changed, points=CHANGED)
    sam2v("track", "--undo")
    assert sorted((shape["id"], shape["group"]) for shape in task.shapes) == [(101, 0), (changed, group)]


def shape(number, points, **more):
    raw = {"id": number, "type": "rectangle", "frame": 5, "points": points, "label_id": 1, "group": 0}
    return {**raw, "source": "manual", **more}


def test_what_lies_elsewhere_or_has_another_label_is_another_thing():
    held = [
        (SPANS[50], Annotations(shapes=(shape(1, RECTANGLE), shape(2, OTHER)))),
        (SPANS[51], Annotations(shapes=(shape(3, RECTANGLE, label_id=2), shape(4, [0.0, 0.0, 9.0, 9.0])))),
    ]
    assert [raw["id"] for raw in merge_jobs(held, lambda raw: False).shapes] == [1, 2, 3, 4]


def test_copies_are_found_by_content_then_by_group_then_by_place():
    moved = [OTHER[0] + 1, *OTHER[1:]]
    held = [
        (SPANS[50], Annotations(shapes=(shape(1, RECTANGLE), shape(2, OTHER), shape(3, RECTANGLE, group=4)))),
        (
            SPANS[51],
            Annotations(shapes=(shape(7, moved), shape(8, [0.0, 0.0, 9.0, 9.0], group=4), shape(9, RECTANGLE))),
        ),
    ]
    found = merge_jobs(held, lambda raw: False)
    assert {number: [raw["id"] for raw in each] for (_, number), each in found.copies.items()} == {
        1: [1, 9],
        2: [2, 7],
        3: [3, 8],
    }
