"""``sam2v cvat push`` and ``pull``: a document goes into a task and comes back, with what was changed there."""

from __future__ import annotations

import numpy as np
import pytest

from src_model.document import (
    AddObject,
    AnnotatedObject,
    Annotation,
    LockFrames,
    ModelIdentity,
    MovieIdentity,
    NoteObject,
    Origin,
    Project,
    Prompt,
    SetMask,
    SetPrompt,
    load,
    save,
)
from src_model.masks import Rle
from tests.cvat_serverless.sdk.cvat_task import key
from tests.cvat_serverless.sdk.drawn import MASK, OTHER, POLYGON
from tests.tracking import tiny

FORMS = ["masks", "polygons", "rectangles"]


def ring(frame: int) -> Rle:
    """An object with a hole and a second part, which no polygon of CVAT can show."""
    mask = np.zeros(tiny.SHAPE, bool)
    mask[5:15, 5 + frame : 17 + frame] = True
    mask[8:11, 8 + frame : 12 + frame] = False
    mask[30:33, 40:44] = True
    return Rle.encode(mask)


@pytest.fixture
def document(tmp_path):
    """Two objects: one tracked over all frames, with a lock and a note, one that is seen on three."""
    movie = MovieIdentity("movie.tif", (10, *tiny.SHAPE), "uint16", scale=(2.0, 0.5, 0.5), units=("s", "um", "um"))
    annotation = Annotation(Project(movie, model=ModelIdentity("tiny", "ab" * 32)))
    annotation.do(AddObject(AnnotatedObject(3, name="the left one", class_name="cell", color="#00ff00")))
    annotation.do(AddObject(AnnotatedObject(7, class_name="cell")))
    annotation.do(NoteObject(3, "divides later"))
    annotation.do(SetPrompt(3, 0, Prompt(points=((8.0, 6.0), (2.0, 2.0)), labels=(1, 0), box=(4.0, 4.0, 16.0, 18.0))))
    for frame in range(10):
        origin = Origin.TRACKED if frame else Origin.PROMPTED
        annotation.do(SetMask(3, frame, ring(frame), 0.9 - frame / 100, 0.8, origin))
    annotation.do(LockFrames(3, (2, 3)))
    annotation.do(SetPrompt(7, 4, Prompt(mask=ring(20))))
    for frame, mask in ((4, ring(20)), (5, ring(21)), (6, Rle.empty(tiny.SHAPE))):
        annotation.do(SetMask(7, frame, mask, origin=Origin.TRACKED))
    return save(annotation, tmp_path / "document.sam2v")


def state_of(path):
    return load(path).contents()


def fetched(sam2v, tmp_path, name="fetched.sam2v"):
    sam2v("pull", "--out", tmp_path / name)
    return load(tmp_path / name)


@pytest.mark.parametrize("form", FORMS)
def test_what_nobody_changed_comes_back_as_it_was(sam2v, cvat, task, document, tmp_path, form):
    text = sam2v("push", document, "--as", form).output
    assert "2 objects of 'document.sam2v' sent to task 5" in " ".join(text.split())
    assert cvat.changes() == ["create"]
    assert {raw["group"] for raw in (*task.shapes, *task.tracks)} == {3, 7}
    sam2v("pull", "--out", tmp_path / "back.sam2v")
    assert state_of(tmp_path / "back.sam2v") == state_of(document)


def test_masks_are_shapes_and_polygons_are_tracks(sam2v, task, document):
    sam2v("push", document)
    assert [(shape["type"], shape["group"], shape["frame"]) for shape in task.shapes] == [
        *(("mask", 3, frame) for frame in range(10)),
        ("mask", 7, 4),
        ("mask", 7, 5),
    ]
    assert [shape["source"] for shape in task.shapes[:3]] == ["manual", "auto", "auto"]
    sam2v("push", "--undo")
    assert task.shapes == []
    sam2v("push", document, "--as", "polygons")
    assert [(track["frame"], track["shapes"][-1]["outside"]) for track in task.tracks] == [(0, False), (4, True)]


def test_what_was_changed_in_cvat_is_in_what_comes_back(sam2v, task, document, tmp_path):
    sam2v("push", document)
    task.edit(task.shapes[3]["id"], points=MASK)
    del task.shapes[5]
    task.draw("mask", MASK, frame=9, group=7)
    back, before = fetched(sam2v, tmp_path), load(document)
    assert back.frame(3, 3).origin is Origin.EDITED
    assert back.mask_at(3, 3).area == sum(MASK[1:-4:2])
    assert back.mask_at(3, 5).is_empty
    assert back.mask_at(7, 9) == back.mask_at(3, 3)
    assert not back.is_locked(3, 3), "a person who changes it in CVAT means it"
    for frame in (0, 1, 2, 4, 6):
        assert back.frame(3, frame) == before.frame(3, frame)
    assert dict(back.prompts(3)) == dict(before.prompts(3))
    assert back.object(3) == before.object(3)


def test_a_shape_that_no_document_can_hold_is_left_out_and_the_rest_comes(sam2v, task, document, tmp_path):
    sam2v("push", document)
    task.edit(task.shapes[3]["id"], points=[-30.0, -30.0, -20.0, -30.0, -20.0, -20.0], type="polygon")
    task.draw("ellipse", [20.0, 20.0, 30.0, 10.0], frame=4, group=3)
    text = sam2v("pull", "--out", tmp_path / "fetched.sam2v").output
    assert "2 shapes enclose nothing or are of a kind" in " ".join(text.split())
    back, before = load(tmp_path / "fetched.sam2v"), load(document)
    assert {frame: back.frame(3, frame) for frame in (3, 4)} == {frame: before.frame(3, frame) for frame in (3, 4)}


def test_a_polygon_that_was_changed_is_the_mask_there_and_the_others_keep_their_holes(sam2v, task, document, tmp_path):
    sam2v("push", document, "--as", "polygons")
    track = task.tracks[0]
    keys = [{**shape, "points": POLYGON} if shape["frame"] == 6 else shape for shape in track["shapes"]]
    task.edit(track["id"], shapes=keys)
    back, before = fetched(sam2v, tmp_path), load(document)
    assert back.mask_at(3, 6).area == 400
    assert [frame for frame in range(10) if back.frame(3, frame) != before.frame(3, frame)] == [6]


def test_a_rectangle_that_was_changed_is_a_prompt(sam2v, task, document, tmp_path):
    sam2v("push", document, "--as", "rectangles")
    task.edit(task.tracks[1]["id"], shapes=[key("rectangle", OTHER, 4), key("rectangle", OTHER, 6, outside=True)])
    back = fetched(sam2v, tmp_path)
    assert back.prompt(7, 4) == Prompt(box=(4.0, 34.0, 17.0, 47.0))
    assert back.mask_at(7, 4) is None


def test_objects_that_were_added_or_removed_or_renamed_in_cvat(sam2v, task, document, tmp_path):
    task.labels.append({"id": 4, "name": "dead", "type": "any", "attributes": []})
    sam2v("push", document)
    task.shapes[:] = [shape for shape in task.shapes if shape["group"] == 3]
    for shape in task.shapes:
        shape["label_id"] = 4
    task.draw("polygon", POLYGON, frame=2)
    back = fetched(sam2v, tmp_path)
    assert {number: info.class_name for number, info in back.objects.items()} == {3: "dead", 4: "cell"}
    assert back.frame(4, 2).origin is Origin.PROMPTED
    assert back.prompt(4, 2) == Prompt(mask=back.mask_at(4, 2))


def test_the_guide_of_the_task_keeps_its_text_and_loses_ours_when_it_is_taken_back(sam2v, task, document):
    task.guide = {"id": 9, "task_id": 5, "project_id": None, "markdown": "# Please annotate\n\nWith care."}
    sam2v("push", document)
    assert task.guide["markdown"].startswith("# Please annotate\n\nWith care.\n")
    assert "2 objects" in task.guide["markdown"]
    sam2v("push", "--undo")
    assert task.guide["markdown"].strip() == "# Please annotate\n\nWith care."
    assert task.shapes == []


def test_who_may_not_edit_the_guide_is_told_what_was_not_sent(sam2v, cvat, task, document, tmp_path):
    cvat.fault = lambda method, path, query: 403 if method == "POST" else None
    text = " ".join(sam2v("push", document).output.split())
    assert "Names, prompts, scores and locks were not sent" in text
    back = fetched(sam2v, tmp_path)
    assert list(back.objects) == [3, 7]
    assert back.mask_at(3, 4) == ring(4)


def test_groups_that_are_taken_are_left_alone(sam2v, task, document, tmp_path):
    task.draw("polygon", POLYGON, group=3)
    sam2v("push", document)
    assert {shape["group"] for shape in task.shapes} == {3, 7, 8}
    back = fetched(sam2v, tmp_path)
    assert back.mask_at(3, 9) == ring(9)
    assert len(back.objects) == 3


def test_a_second_time_it_is_not_sent(sam2v, task, document):
    sam2v("push", document)
    assert "were sent before" in " ".join(sam2v("push", document, code=2).output.split())
    assert len(task.shapes) == 12


@pytest.mark.parametrize("shape", [(9, 40, 52), (10, 80, 104)])
def test_another_movie_is_refused_with_both_sizes(sam2v, document, task, tmp_path, shape):
    other = save(Annotation(MovieIdentity("other", shape, "uint8")), tmp_path / "other.sam2v")
    text = " ".join(sam2v("push", other, code=2).output.split())
    assert f"the annotation is of {shape[0]} frames of {shape[2]} x {shape[1]} pixels" in text
    assert "task 5 has 10 frames of 52 x 40" in text


def test_a_class_without_a_label_is_refused_with_those_there_are(sam2v, document, task):
    task.labels[0] = {**task.labels[0], "name": "nucleus"}
    text = " ".join(sam2v("push", document, code=2).output.split())
    assert "task 5 has no label 'cell'; it has 'nucleus', 'box only'" in text
    assert "give the label of such objects with --label" in text
    text = " ".join(sam2v("push", document, "--label", "mitosis", code=2).output.split())
    assert "task 5 has no label 'mitosis'" in text
    assert "give another --label" in text


def test_a_label_that_was_given_serves_objects_whose_class_is_none_and_changes_no_class(
    sam2v, document, task, tmp_path
):
    task.labels[0] = {**task.labels[0], "name": "nucleus"}
    sam2v("push", document, "--label", "nucleus")
    assert {shape["label_id"] for shape in task.shapes} == {1}
    sam2v("pull", "--out", tmp_path / "back.sam2v")
    assert state_of(tmp_path / "back.sam2v") == state_of(document)


def test_what_was_changed_since_it_was_sent_is_not_taken_back(sam2v, task, document):
    sam2v("push", document)
    number = task.shapes[3]["id"]
    task.edit(number, points=MASK)
    assert "1 were changed" in " ".join(sam2v("push", "--undo").output.split())
    assert [shape["id"] for shape in task.shapes] == [number]


@pytest.mark.parametrize("form", ["masks", "polygons"])
@pytest.mark.parametrize("drawn", ["shape", "track"])
def test_what_was_tracked_from_a_rectangle_is_one_object_with_a_box(sam2v, task, tmp_path, form, drawn):
    number = task.draw("rectangle", OTHER) if drawn == "shape" else task.draw_track(key("rectangle", OTHER, 0))
    sam2v("track", "--object", number, "--as", form, "--frames", "0:4")
    back = fetched(sam2v, tmp_path)
    (number,) = back.objects
    assert back.prompt(number, 0) == Prompt(box=(4.0, 34.0, 17.0, 47.0))
    assert all(back.mask_at(number, frame) is not None for frame in range(4))


def test_what_was_drawn_in_cvat_alone_becomes_a_document(sam2v, task, tmp_path):
    task.draw("rectangle", OTHER, frame=1)
    task.draw("mask", MASK, frame=2, group=6)
    task.draw("mask", MASK, frame=3, group=6, source="auto")
    task.draw_track(key("polygon", POLYGON, 2), key("polygon", POLYGON, 4), key("polygon", POLYGON, 6, outside=True))
    task.draw("points", [3.0, 3.0])
    text = sam2v("pull", "--out", tmp_path / "new.sam2v").output
    back = load(tmp_path / "new.sam2v")
    assert "1 shapes enclose nothing" in " ".join(text.split())
    assert back.movie.shape == (10, 40, 52, 3)
    (track,) = [number for number in back.objects if back.mask_at(number, 5) is not None]
    assert [back.frame(track, frame).origin.value for frame in range(2, 8)] == [
        "prompted", "imported", "prompted", "imported", "edited", "edited",
    ]  # fmt: skip
    assert back.mask_at(track, 7).is_empty
    assert dict(back.prompts(6)) == {2: Prompt(mask=back.mask_at(6, 2))}
    assert back.frame(6, 3).origin is Origin.IMPORTED
    (boxed,) = set(back.objects) - {track, 6}
    assert dict(back.prompts(boxed)) == {1: Prompt(box=(4.0, 34.0, 17.0, 47.0))}


def test_a_file_that_is_there_is_not_overwritten_unless_by_force(sam2v, cvat, task, document):
    assert "or replace it with --force" in " ".join(sam2v("pull", "--out", document, code=2).output.split())
    assert state_of(document).objects
    task.draw("mask", MASK, frame=2, group=6)
    sam2v("pull", "--out", document, "--force")
    assert list(load(document).objects) == [6]


def test_what_cannot_be_written_is_found_out_before_the_server_is_asked(sam2v, cvat, task, tmp_path):
    (tmp_path / "raw").mkdir()
    for words in (
        ("--out", tmp_path / "raw.tif"),
        ("--out", tmp_path / "raw"),
        ("--out", tmp_path / "nowhere" / "a.sam2v"),
        ("--out", tmp_path / "raw" / "a.sam2v", "--movie", tmp_path / "raw"),
    ):
        sam2v("pull", *words, "--force", code=2)
    assert cvat.asked == []
    assert list(tmp_path.rglob("*.sam2v")) == []


def test_a_document_that_was_damaged_in_the_guide_is_said_to_be(sam2v, task, document, tmp_path):
    sam2v("push", document)
    head, _, tail = task.guide["markdown"].partition('"document":"')
    task.guide["markdown"] = f'{head}"document":"AAAA{tail[tail.index(chr(34)) :]}'
    text = " ".join(sam2v("pull", "--out", tmp_path / "x.sam2v", code=2).output.split())
    assert "the document in the guide of task 5 is damaged" in text
