"""``sam2v cvat track``: from what was drawn on one frame to tracks and masks on all, in one request."""

from __future__ import annotations

import numpy as np
import pytest

from cvat_serverless.sdk.task import TaskOrJob
from cvat_serverless.shapes import make_shape, shape_of
from tests.cvat_serverless.sdk.cvat_task import key
from tests.cvat_serverless.sdk.drawn import LATER, MASK, OTHER, POLYGON, RECTANGLE
from tests.tracking import tiny


def keys_of(track):
    return {shape["frame"]: shape for shape in track["shapes"]}


def seen_frames(track):
    return {frame for frame, shape in keys_of(track).items() if not shape["outside"]}


def tracked_alone(predictor, frames, prompts):
    """The masks that a session gives for the same prompts, by frame."""
    session = predictor.start(frames)
    for frame, prompt in prompts.items():
        session.prompt(frame, 1, **prompt)
    tiny.finish(session.propagate())
    tiny.finish(session.propagate(start=min(prompts), reverse=True))
    return tiny.masks_of(session)


def test_a_rectangle_becomes_a_polygon_track_in_both_directions(sam2v, cvat, task, predictor):
    number = task.draw("rectangle", RECTANGLE, frame=4)
    sam2v("track", "--object", number)
    (track,) = task.tracks
    expected = tracked_alone(predictor, task.frames, {4: {"box": (10, 5, 30, 25)}})
    assert seen_frames(track) == set(range(10))
    for frame, shape in keys_of(track).items():
        assert shape["type"] == "polygon"
        assert np.allclose(shape["points"], shape_of(expected[frame], "polygon").points, atol=0.01)


def test_it_is_written_by_one_request_and_each_frame_is_fetched_once(sam2v, cvat, task):
    task.draw("rectangle", RECTANGLE, frame=4)
    task.draw("rectangle", OTHER, frame=7)
    sam2v("track", "--object", "101", "--object", "102")
    assert len(task.tracks) == 2
    assert cvat.changes() == ["update"]
    assert sorted(cvat.frames_asked()) == list(range(10))


def test_a_polygon_becomes_a_keyframe_as_it_was_drawn_and_a_rectangle_stays_beside_it(sam2v, cvat, task):
    polygon, rectangle = task.draw("polygon", POLYGON, frame=3), task.draw("rectangle", OTHER, frame=3)
    text = sam2v("track", "--all-shapes-on", 3).output
    assert keys_of(task.tracks[0])[3]["points"] == POLYGON
    assert [shape["id"] for shape in task.shapes] == [rectangle]
    assert cvat.changes() == ["update", "delete"]
    assert f"In place of shape {polygon}" in text
    assert f"Left as they are, in the group of their object: shape {rectangle}" in text


def test_originals_stay_if_that_is_wanted_and_go_if_that_is(sam2v, task):
    kept = task.draw("polygon", POLYGON)
    sam2v("track", "--object", kept, "--originals", "keep")
    assert [shape["id"] for shape in task.shapes] == [kept]
    gone = task.draw("rectangle", OTHER)
    sam2v("track", "--object", gone, "--originals", "remove")
    assert [shape["id"] for shape in task.shapes] == [kept]


def test_rectangle_tracks_have_fewer_keyframes_than_frames_and_miss_no_more_than_half_a_pixel(sam2v, task, predictor):
    task.draw("rectangle", RECTANGLE)
    sam2v("track", "--object", "101", "--as", "rectangles")
    (track,) = task.tracks
    keys = keys_of(track)
    assert keys[0]["points"] == RECTANGLE
    assert task.shapes == []
    masks = tracked_alone(predictor, task.frames, {0: {"box": (10, 5, 30, 25)}})
    boxes = [RECTANGLE, *(shape_of(masks[frame], "rectangle").points for frame in range(1, 10))]
    for corner in range(4):
        shown = np.interp(range(10), sorted(keys), [keys[frame]["points"][corner] for frame in sorted(keys)])
        assert np.abs(shown - [box[corner] for box in boxes]).max() <= 0.5


@pytest.mark.parametrize("form", ["polygons", "masks"])
def test_frames_that_cannot_be_decoded_are_gone_over_and_named(sam2v, task, monkeypatch, form):
    whole = TaskOrJob.frame_file
    monkeypatch.setattr(TaskOrJob, "frame_file", lambda self, n: b"no image" if n in (3, 6, 7) else whole(self, n))
    task.draw("rectangle", RECTANGLE)
    text = sam2v("track", "--object", "101", "--as", form).output
    assert "tracked over 7 frames of task 5" in text
    assert "Could not be read, and gone over: frames 3, 6-7." in text
    if form == "polygons":
        (track,) = task.tracks
        assert seen_frames(track) == {0, 1, 2, 4, 5, 8, 9}
        assert not any(shape["outside"] for shape in track["shapes"]), "CVAT shows it on the others in between"
    else:
        assert [shape["frame"] for shape in task.shapes if shape["type"] == "mask"] == [0, 1, 2, 4, 5, 8, 9]


def test_a_prompt_on_a_frame_that_cannot_be_decoded_is_refused_in_words(sam2v, task, monkeypatch):
    whole = TaskOrJob.frame_file
    monkeypatch.setattr(TaskOrJob, "frame_file", lambda self, n: b"no image" if n == 3 else whole(self, n))
    task.draw("rectangle", RECTANGLE, frame=3)
    refused = " ".join(sam2v("track", "--object", "101", code=2).output.split())
    assert "frame 3 of task 5: the image is no PNG" in refused
    assert refused.endswith("draw the object on a frame that can be read")
    assert task.tracks == []


def test_masks_are_shapes_with_one_group_an_object_and_never_a_track(sam2v, cvat, task, predictor):
    drawn = task.draw("mask", MASK)
    task.draw("rectangle", OTHER)
    sam2v("track", "--all-shapes-on", 0, "--as", "masks")
    assert task.tracks == []
    masks = [shape for shape in task.shapes if shape["type"] == "mask"]
    groups = {group: [shape["frame"] for shape in masks if shape["group"] == group] for group in (1, 2)}
    assert groups == {1: list(range(10)), 2: list(range(10))}
    assert masks[0]["points"] == MASK
    assert masks[0]["source"] == "manual"
    assert cvat.changes() == ["update"], "the mask that was drawn joins its group in the same request"
    assert drawn in {shape["id"] for shape in masks}
    image = task.frames.shape[1:3]
    expected = tracked_alone(
        predictor, task.frames, {0: {"mask": make_shape("mask", MASK, image).mask(image).decode()}}
    )
    first = [shape for shape in masks if shape["group"] == 1]
    assert [make_shape("mask", shape["points"], image).mask(image) for shape in first] == list(expected.values())


def test_a_shape_of_the_same_object_on_a_later_frame_is_a_correction(sam2v, task, predictor):
    first, later = task.draw("polygon", POLYGON), task.draw("polygon", LATER, frame=6)
    sam2v("track", "--object", f"{first},{later}")
    (track,) = task.tracks
    image = task.frames.shape[1:3]
    prompts = {
        frame: {"mask": make_shape("polygon", points, image).mask(image).decode()}
        for frame, points in ((0, POLYGON), (6, LATER))
    }
    expected = tracked_alone(predictor, task.frames, prompts)
    keys = keys_of(track)
    assert (keys[0]["points"], keys[6]["points"]) == (POLYGON, LATER)
    assert np.allclose(keys[8]["points"], shape_of(expected[8], "polygon").points, atol=0.01)
    assert task.shapes == []


def test_shapes_of_a_group_are_one_object_unless_two_are_on_one_frame(sam2v, task):
    for frame, points in ((0, POLYGON), (6, LATER)):
        task.draw("polygon", points, frame=frame, group=3)
    sam2v("track", "--object", "101")
    assert [keys_of(track)[6]["points"] for track in task.tracks] == [LATER]
    for points in (POLYGON, LATER):
        task.draw("polygon", points, group=4)
    sam2v("track", "--all-shapes-on", 0)
    assert len(task.tracks) == 3


def test_an_object_that_leaves_is_outside_once_and_for_all(sam2v, task, network):
    task.draw("rectangle", RECTANGLE, frame=4)
    with tiny.sees(network, anything=False):
        sam2v("track", "--object", "101", "--as", "polygons")
    (track,) = task.tracks
    assert [(shape["frame"], shape["outside"]) for shape in track["shapes"]] == [(4, False), (5, True)]
    assert track["frame"] == 4


def test_masks_are_left_out_where_the_object_is_not_there(sam2v, task, network):
    task.draw("rectangle", RECTANGLE, frame=4)
    with tiny.sees(network, anything=False):
        sam2v("track", "--object", "101", "--as", "masks")
    assert [shape["frame"] for shape in task.shapes if shape["type"] == "mask"] == [4]


def test_a_track_drawn_on_some_frames_is_filled_in_and_replaced_and_stays_outside_where_it_was(sam2v, cvat, task):
    number = task.draw_track(
        key("polygon", POLYGON, 1), key("polygon", LATER, 4), key("polygon", LATER, 7, outside=True)
    )
    sam2v("track", "--object", number)
    (track,) = task.tracks
    keys = keys_of(track)
    assert cvat.changes() == ["update"]
    assert (keys[1]["points"], keys[4]["points"]) == (POLYGON, LATER)
    assert keys[7]["outside"]
    assert max(keys) == 7
    assert min(keys) == 0


def test_only_the_frames_asked_for_are_tracked_and_behind_them_the_object_is_outside(sam2v, cvat, task):
    task.draw("rectangle", RECTANGLE, frame=4)
    sam2v("track", "--object", "101", "--frames", "3:7")
    (track,) = task.tracks
    assert seen_frames(track) == {3, 4, 5, 6}
    assert keys_of(track)[7]["outside"]
    assert sorted(cvat.frames_asked()) == [3, 4, 5, 6]


def test_keyframes_of_a_track_beyond_the_frames_asked_for_are_kept(sam2v, task):
    keys = [key("polygon", POLYGON, frame) for frame in (0, 4, 9)]
    sam2v("track", "--object", task.draw_track(*keys), "--frames", "3:6")
    found = keys_of(task.tracks[0])
    assert [found[frame]["points"] for frame in (0, 4, 9)] == [POLYGON] * 3
    assert not any(shape["outside"] for shape in found.values())


def test_deleted_frames_are_neither_fetched_nor_annotated(sam2v, cvat, task):
    task.deleted = [2, 6]
    task.draw("rectangle", RECTANGLE, frame=4)
    sam2v("track", "--object", "101", "--as", "masks")
    assert {shape["frame"] for shape in task.shapes if shape["type"] == "mask"} == {0, 1, 3, 4, 5, 7, 8, 9}
    assert not {2, 6} & set(cvat.frames_asked())


def test_a_job_is_tracked_within_its_frames(sam2v, cvat, task):
    task.jobs = [(50, 0, 4), (51, 5, 9)]
    task.draw("rectangle", RECTANGLE, frame=7)
    sam2v("track", "--job", 51, "--object", "101")
    (track,) = task.tracks
    assert track["job"] == 51
    assert seen_frames(track) == {5, 6, 7, 8, 9}
    assert sorted(cvat.frames_asked()) == [5, 6, 7, 8, 9]


def test_in_a_task_of_several_jobs_each_gets_its_part(sam2v, cvat, task):
    task.jobs = [(50, 0, 4), (51, 5, 9)]
    task.draw("rectangle", RECTANGLE, frame=7)
    sam2v("track", "--object", "101")
    assert [(track["job"], seen_frames(track)) for track in task.tracks] == [
        (50, {0, 1, 2, 3, 4}),
        (51, {5, 6, 7, 8, 9}),
    ]
    assert cvat.changes() == ["update"]


def test_label_and_attributes_are_carried_over(sam2v, task):
    values = [{"spec_id": 11, "value": "mitosis"}, {"spec_id": 12, "value": "hela"}]
    task.draw("polygon", POLYGON, attributes=values, z_order=3)
    sam2v("track", "--object", "101")
    (track,) = task.tracks
    assert track["label_id"] == 1
    assert track["attributes"] == [{"spec_id": 12, "value": "hela"}]
    assert [shape["attributes"] for shape in track["shapes"][:2]] == [[{"spec_id": 11, "value": "mitosis"}], []]
    assert {shape["z_order"] for shape in track["shapes"]} == {3}
    task.draw("polygon", POLYGON, attributes=values)
    sam2v("track", "--object", "shape:" + str(task.shapes[-1]["id"]), "--as", "masks")
    assert all(shape["attributes"] == values for shape in task.shapes if shape["type"] == "mask")


def test_what_cannot_be_tracked_on_a_frame_is_named_and_the_rest_tracked(sam2v, task):
    task.draw("rectangle", RECTANGLE)
    line = task.draw("polyline", [1.0, 1.0, 9.0, 9.0])
    result = sam2v("track", "--all-shapes-on", 0)
    assert len(task.tracks) == 1
    assert f"Left out: shape {line} is of the type polyline" in " ".join(result.output.split())


@pytest.mark.parametrize("form", ["polygons", "masks"])
def test_corrected_in_the_web_page_it_is_tracked_again_from_the_corrections_alone(sam2v, task, form):
    number = task.draw("polygon" if form == "polygons" else "mask", POLYGON if form == "polygons" else MASK)
    sam2v("track", "--object", number, "--as", form)
    if form == "polygons":
        number = task.tracks[0]["id"]
        task.edit_key(number, 6, points=LATER)
    else:
        task.edit(task.shapes[6]["id"], points=[0, 100, 20, 20, 29, 29])
        number = task.shapes[0]["id"]
    before = {shape["frame"]: shape["points"] for shape in (*task.shapes, *(task.tracks and task.tracks[0]["shapes"]))}
    sam2v("track", "--object", number, "--as", form)
    after = {shape["frame"]: shape["points"] for shape in (*task.shapes, *(task.tracks and task.tracks[0]["shapes"]))}
    assert len(task.tracks) == (form == "polygons")
    assert len(task.shapes) == (10 if form == "masks" else 0)
    assert (after[0], after[6]) == (before[0], before[6])
    assert after[7] != before[7]


@pytest.mark.parametrize(
    "change",
    [{"occluded": True}, {"attributes": [{"spec_id": 11, "value": "mitosis"}]}, {"z_order": 5}],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.parametrize("form", ["polygons", "masks"])
def test_what_a_person_said_about_a_frame_besides_the_outline_stays_when_tracked_again(sam2v, task, form, change):
    number = task.draw("polygon" if form == "polygons" else "mask", POLYGON if form == "polygons" else MASK)
    sam2v("track", "--object", number, "--as", form, "--frames", "0:5")
    if form == "polygons":
        number = task.tracks[0]["id"]
        task.edit_key(number, 3, **change)
    else:
        task.edit(next(shape["id"] for shape in task.shapes if shape["frame"] == 3), **change)
    sam2v("track", "--object", number, "--as", form, "--frames", "0:5")
    shown = task.annotations()
    (look,) = [look for look in (shown["tracks"][0]["shapes"] if form == "polygons" else shown["shapes"])
               if look["frame"] == 3]  # fmt: skip
    for name, value in change.items():
        assert all(each in look[name] for each in value) if name == "attributes" else look[name] == value


def test_keyframes_of_all_tracks_that_are_one_object_are_kept_beyond_the_frames_asked_for(sam2v, task):
    first = task.draw_track(key("polygon", POLYGON, 0), key("polygon", POLYGON, 4))
    second = task.draw_track(key("polygon", LATER, 5), key("polygon", LATER, 9))
    sam2v("track", "--object", f"{first},{second}", "--frames", "3:7")
    (track,) = task.tracks
    assert (keys_of(track)[0]["points"], keys_of(track)[9]["points"]) == (POLYGON, LATER)


def test_a_polygon_that_is_not_the_keyframe_of_its_frame_stays(sam2v, task):
    first, second = task.draw("polygon", POLYGON), task.draw("polygon", LATER)
    sam2v("track", "--object", f"{first},{second}", "--frames", "0:3")
    (track,) = task.tracks
    assert keys_of(track)[0]["points"] == LATER
    assert [shape["id"] for shape in task.shapes] == [first]
