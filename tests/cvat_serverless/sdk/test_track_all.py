"""``sam2v cvat track --all``: all that is in a task is found and tracked, beside what is annotated, in one request."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from src_model.document import load
from src_model.workflow import finding
from tests.cvat_serverless.sdk.cvat_task import FakeTask, key
from tests.cvat_serverless.sdk.drawn import POLYGON
from tests.workflow import drawn

STAYS = {1: (12, 12, 6)}
AROUND_IT = [6.0, 6.0, 19.0, 19.0]
MOTHER, DAUGHTERS = {2: (30, 34, 10)}, {2: (30, 27, 6.8), 3: (30, 42, 6.8)}
TEXT = {"mutable": False, "input_type": "text", "default_value": "", "values": []}
CELL = {"id": 1, "name": "cell", "type": "any", "attributes": [{"id": 11, "name": "lineage", **TEXT}]}
PLAIN = {"id": 1, "name": "cell", "type": "any", "attributes": []}


@pytest.fixture
def task() -> FakeTask:
    """A cell that stays, and one that divides on frame 3."""
    movie = drawn.draw(*[{**STAYS, **(MOTHER if t < 3 else DAUGHTERS)} for t in range(7)])
    return FakeTask(np.repeat(movie[..., None], 3, axis=3), labels=[copy.deepcopy(PLAIN)])


@pytest.fixture(autouse=True)
def follows(monkeypatch, folder):
    """Cells are found and followed as they are drawn; what is kept goes to an empty folder."""
    drawn.follow_drawn(monkeypatch)
    monkeypatch.setattr(finding, "AutomaticDetector", lambda predictor, options: drawn.DrawnCells())
    monkeypatch.chdir(folder)


def seen(track):
    return [shape["frame"] for shape in track["shapes"] if not shape["outside"]]


def gone(track):
    return [shape["frame"] for shape in track["shapes"] if shape["outside"]]


def test_every_object_becomes_a_track_in_one_request_and_each_frame_is_fetched_once(sam2v, cvat, task):
    text = sam2v("track", "--all").output
    assert {(min(seen(track)), *gone(track)) for track in task.tracks} == {(0,), (0, 3), (3,)}
    assert len(task.tracks) == 4
    assert all(track["label_id"] == 1 and track["source"] == "auto" for track in task.tracks)
    assert cvat.changes() == ["create"]
    assert sorted(cvat.frames_asked()) == list(range(7))
    assert "4 objects found and tracked over 7 frames of task 5: 4 polygon tracks" in text
    assert "1 divisions" in text
    assert "To take it back: sam2v cvat track --task 5 --undo" in text


def test_the_document_beside_keeps_the_divisions_and_is_never_replaced(sam2v, task, folder):
    text = sam2v("track", "--all").output
    assert "CVAT has no lineage" in text
    assert "task-5.sam2v" in text
    document = load(folder / "task-5.sam2v")
    assert [(each.parent, each.frame) for each in document.divisions.values()] == [(2, 3)]
    sam2v("track", "--undo")
    assert task.tracks == []
    sam2v("track", "--all", "--divisions", "ask")
    assert not load(folder / "task-5-2.sam2v").divisions


@pytest.mark.parametrize("is_mutable", [False, True])
def test_a_text_attribute_named_lineage_tells_whose_daughters_they_are(sam2v, task, is_mutable):
    task.labels[0] = copy.deepcopy(CELL)
    task.labels[0]["attributes"][0]["mutable"] = is_mutable
    text = sam2v("track", "--all").output
    told = [raw["shapes"][0] if is_mutable else raw for raw in task.tracks]
    assert sorted(each["attributes"][0]["value"] for each in told) == ["1", "2", "2.1", "2.2"]
    assert "'lineage' tells whose daughters" in text


@pytest.mark.parametrize(
    "draw",
    [
        lambda task: task.draw_track(key("rectangle", AROUND_IT, 0)),
        lambda task: task.draw_track(key("polygon", [6, 6, 19, 6, 19, 19, 6, 19], 0), key("polygon", POLYGON, 6)),
        lambda task: [task.draw("rectangle", AROUND_IT, frame=frame, group=4) for frame in range(7)],
    ],
    ids=["a rectangle track", "a polygon track that changes", "a group of shapes"],
)
def test_what_is_annotated_stays_as_it_is_and_is_not_found_once_more(sam2v, task, draw):
    draw(task)
    before = copy.deepcopy((task.shapes, task.tracks))
    text = sam2v("track", "--all").output
    assert "1 objects that were annotated stay as they are" in text
    assert task.shapes == before[0]
    made = [track for track in task.tracks if track not in before[1]]
    assert len(task.tracks) - len(made) == len(before[1])
    assert len(made) == 3
    assert "3 objects found" in text
    sam2v("track", "--undo")
    assert (task.shapes, task.tracks) == before


def test_where_a_shape_is_drawn_on_one_frame_its_cell_is_not_written_on_that_frame(sam2v, task):
    task.draw("rectangle", AROUND_IT, frame=4)
    sam2v("track", "--all")
    stays = next(track for track in task.tracks if max(track["shapes"][0]["points"]) < 20)
    assert gone(stays) == [4]
    assert 5 in seen(stays)


@pytest.mark.parametrize("count", [2, 6])
def test_broken_off_midway_it_goes_on_where_it_stopped(sam2v, cvat, task, count):
    task.draw_track(key("rectangle", AROUND_IT, 0))
    fetched = []

    def fault(method, path, query):
        fetched.extend([query["number"]] if query.get("type") == "frame" else [])
        return "drop" if len(fetched) > count else None

    cvat.fault = fault
    sam2v("track", "--all", code=2)
    assert len(task.tracks) == 1
    cvat.fault = lambda method, path, query: None
    sam2v("track", "--all")
    assert sorted(cvat.frames_asked()) == list(range(7)), "no frame is fetched twice"
    assert sorted((min(seen(track)), *gone(track)) for track in task.tracks[1:]) == [(0, 3), (3,), (3,)]
    assert cvat.changes() == ["create"]


def test_a_lost_answer_does_not_write_twice(sam2v, cvat, task):
    broken = []

    def fault(method, path, query):
        if query.get("action") == "create":
            broken.append(1)
            return "drop-after"
        return "drop" if broken else None

    cvat.fault = fault
    sam2v("track", "--all", code=2)
    cvat.fault = lambda method, path, query: None
    assert "nothing was left to do" in sam2v("track", "--all").output
    assert len(task.tracks) == 4


def test_a_part_of_the_frames_without_deleted_ones_as_masks(sam2v, cvat, task):
    task.deleted = [1]
    sam2v("track", "--all", "--frames", "0:3", "--as", "masks")
    assert task.tracks == []
    assert sorted((shape["group"], shape["frame"]) for shape in task.shapes) == [(1, 0), (1, 2), (2, 0), (2, 2)]
    assert sorted(cvat.frames_asked()) == [0, 2]


def test_in_a_task_of_several_jobs_the_parts_of_a_track_are_in_one_group(sam2v, task):
    task.jobs, task.overlap = [(50, 0, 3), (51, 2, 6)], 2
    sam2v("track", "--all")
    groups = {track["group"] for track in task.tracks}
    assert groups == {1, 2, 3, 4}
    sam2v("track", "--undo")
    assert task.tracks == []


def test_a_task_without_anything_says_so_and_keeps_no_document(sam2v, task, folder):
    task.frames[:] = 0
    assert "nothing was found in task 5" in " ".join(sam2v("track", "--all", code=2).output.split())
    assert not list(folder.glob("*.sam2v"))


def test_of_several_labels_one_is_to_be_chosen(sam2v, task):
    task.labels.append({"id": 2, "name": "debris", "type": "any", "attributes": []})
    told = " ".join(sam2v("track", "--all", code=2).output.split())
    assert "has the labels 'cell', 'debris': choose with --label" in told
    sam2v("track", "--all", "--label", "debris")
    assert {track["label_id"] for track in task.tracks} == {2}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--all", "--object", 101), "either --object ID, --all-shapes-on FRAME or --all"),
        (("--object", 101, "--every", 3), "belongs to --all"),
        (("--object", 101, "--divisions", "off"), "belongs to --all"),
        (("--object", 101, "--label", "cell"), "belongs to --all"),
        (("--all", "--originals", "remove"), "what was drawn stays"),
        (("--all", "--document", "cells.tif"), "must end in .sam2v"),
        (("--all", "--document", "mine.sam2v"), "may hold what somebody corrected"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(sam2v, folder, words, told):
    (folder / "mine.sam2v").touch()
    assert told in " ".join(sam2v("track", *words, code=2).output.replace("│", " ").split())
