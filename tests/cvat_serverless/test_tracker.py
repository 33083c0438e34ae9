"""The tracker: what CVAT gets for its shapes and states."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest

from cvat_serverless.shapes import make_shape, shape_of
from cvat_serverless.state import StateCodec
from cvat_serverless.store import LocalStore
from src_model.masks import mask_iou
from tests.cvat_serverless.asking import MASK, OTHER, POLYGON, RECTANGLE, Asking, refused, succeeded
from tests.tracking import tiny


def propagated(predictor, frames, **prompt):
    """The masks that a session gives on the same frames."""
    session = predictor.start(frames)
    session.prompt(0, 1, **prompt)
    tiny.finish(session.propagate())
    return tiny.masks_of(session)


def one(reply):
    (shape,) = succeeded(reply)["shapes"]
    return shape


# What comes back -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [RECTANGLE, POLYGON, MASK], ids=lambda shape: shape["type"])
def test_a_shape_is_followed_as_a_shape_of_its_type(asking, frames, shape):
    found = asking.track(frames[:4], shape)
    assert [shapes[0]["type"] for shapes in found] == [shape["type"]] * 4
    assert found[0] == [shape]
    for (answer,) in found:
        assert not make_shape(answer["type"], answer["points"], (40, 52)).mask((40, 52)).is_empty


def test_a_followed_mask_is_the_one_that_propagation_gives(asking, frames, predictor):
    start = make_shape("mask", MASK["points"], (40, 52)).mask((40, 52))
    expected = propagated(predictor, frames, mask=start.decode())
    found = asking.track(frames, MASK)
    for frame, (shape,) in enumerate(found):
        assert make_shape("mask", shape["points"], (40, 52)).mask((40, 52)) == expected[frame]


def test_a_followed_rectangle_is_the_box_of_what_propagation_gives(asking, frames, predictor):
    expected = propagated(predictor, frames, box=(10, 5, 30, 25))
    found = asking.track(frames, RECTANGLE)
    for frame, (shape,) in list(enumerate(found))[1:]:
        assert tuple(shape["points"]) == shape_of(expected[frame], "rectangle").points


def test_objects_of_one_request_do_not_know_each_other(asking, frames, make_service):
    together = asking.track(frames[:4], RECTANGLE, OTHER, MASK)
    for number, shape in enumerate([RECTANGLE, OTHER, MASK]):
        alone = Asking(make_service()).track(frames[:4], shape)
        for frame in range(4):
            assert mask_iou(*(_mask(shapes) for shapes in (together[frame][number], alone[frame][0]))) > 0.98


def _mask(shape):
    return make_shape(shape["type"], shape["points"], (40, 52)).mask((40, 52))


def test_objects_drawn_on_different_frames_are_followed_together(asking, frames):
    first = succeeded(asking.start(frames[0], RECTANGLE))
    first = succeeded(asking.follow(frames[1], first["states"]))
    second = succeeded(asking.start(frames[1], OTHER))
    both = succeeded(asking.follow(frames[2], [*first["states"], *second["states"]]))
    assert [state["n"] for state in both["states"]] == [2, 1]


def test_boxes_stay_within_the_image_and_hold_a_pixel(asking, frames):
    found = asking.track(frames[:3], {"type": "rectangle", "points": [-3.5, 20.0, 10.0, 40.4]})
    for (shape,) in found:
        x0, y0, x1, y1 = shape["points"]
        assert 0 <= x0 <= x1 - 1 <= 51
        assert 0 <= y0 <= y1 - 1 <= 39


@pytest.mark.parametrize("shape", [RECTANGLE, MASK], ids=lambda shape: shape["type"])
def test_a_lost_object_stays_where_it_was_and_is_found_again(asking, frames, network, shape):
    reply = succeeded(asking.start(frames[0], shape))
    before = succeeded(asking.follow(frames[1], reply["states"]))
    with tiny.sees(network, anything=False):
        lost = succeeded(asking.follow(frames[2], before["states"]))
        lost = succeeded(asking.follow(frames[3], lost["states"]))
    assert lost["shapes"] == before["shapes"]
    assert asking.service.model.counts.objects_lost == 2
    succeeded(asking.follow(frames[4], lost["states"]))
    assert asking.service.model.counts.objects_lost == 2


def test_bare_lists_are_answered_by_bare_lists_as_older_versions_of_cvat_want_them(asking, frames):
    reply = succeeded(asking.start(frames[0], RECTANGLE["points"]))
    assert reply["shapes"] == [RECTANGLE["points"]]
    (box,) = succeeded(asking.follow(frames[1], reply["states"]))["shapes"]
    assert len(box) == 4


@pytest.mark.parametrize("shape", [RECTANGLE, POLYGON, MASK], ids=lambda shape: shape["type"])
def test_states_have_a_few_hundred_bytes(asking, frames, shape):
    reply = succeeded(asking.start(frames[0], shape))
    for frame in frames[1:4]:
        reply = succeeded(asking.follow(frame, reply["states"]))
        assert len(json.dumps(reply["states"][0])) < 600


def test_no_image_is_encoded_twice(asking, frames):
    """A second object, a first step after a start on the frame before, and clicks."""
    counts = asking.service.model.counts
    first = succeeded(asking.start(frames[0], RECTANGLE))
    second = succeeded(asking.start(frames[0], OTHER))
    assert counts.images_encoded == 1
    succeeded(asking.follow(frames[1], first["states"]))
    succeeded(asking.follow(frames[1], second["states"]))
    succeeded(asking.click(frames[1], [15.5, 20.5]))
    succeeded(asking.click(frames[0], [15.5, 20.5], [16, 21]))
    assert counts.images_encoded == 2


@pytest.mark.parametrize(
    "shape",
    [
        {"type": "rectangle", "points": [5.0, 5.0, 5.0, 9.0]},
        {"type": "rectangle", "points": [60.0, 60.0, 70.0, 70.0]},
        {"type": "polygon", "points": [1.0, 1.0, 5.0, 5.0, 9.0, 9.0]},
        {"type": "polygon", "points": [60.0, 1.0, 70.0, 5.0, 70.0, 9.0]},
        {"type": "mask", "points": [4, 3, 3, 4, 4]},
    ],
    ids=str,
)
def test_a_shape_that_covers_nothing_does_not_stop_the_others(asking, frames, make_service, shape):
    """CVAT loses all objects of a request that is refused, and does not say why."""
    found = asking.track(frames[:4], RECTANGLE, shape)
    alone = Asking(make_service()).track(frames[:4], RECTANGLE)
    assert [mask_iou(_mask(both[0]), _mask(one)) > 0.98 for both, (one,) in zip(found, alone, strict=True)] == [
        True
    ] * 4
    for _, answer in found[1:]:
        assert (
            not make_shape(answer["type"], answer["points"], (40, 52), may_cover_nothing=True).place((40, 52)).is_empty
        )


# Corrections ---------------------------------------------------------------------------------------------------------


def followed(asking, frames, shape=RECTANGLE):
    reply = succeeded(asking.start(frames[0], shape))
    for frame in frames[1:]:
        reply = succeeded(asking.follow(frame, reply["states"]))
    return reply


def shifted(shape, by=2.0):
    return {**shape, "points": [point + by for point in shape["points"]]}


def smaller(shape):
    x0, y0, x1, y1 = shape["points"]
    width, height = (x1 - x0) * 0.1, (y1 - y0) * 0.1
    return {"type": "rectangle", "points": [x0 + width, y0 + height, x1 - width, y1 - height]}


def test_a_shape_drawn_over_a_tracked_object_corrects_it(asking, frames):
    reply = followed(asking, frames[:4])
    corrected = succeeded(asking.start(frames[3], smaller(reply["shapes"][0])))
    assert corrected["states"][0]["n"] == 3
    assert corrected["states"][0]["id"] != reply["states"][0]["id"]
    track = asking.service.store.get(corrected["states"][0]["id"])
    assert sorted(track.memory.conditioning) == [0, 3]
    assert sorted(track.memory.recent) == [1, 2]
    assert asking.service.model.counts.corrections == 1


def test_a_corrected_mask_goes_on_as_it_does_in_a_session(asking, frames, predictor):
    """Drawn on frame 0, corrected on frame 3 by a mask, both with what was learned between."""
    session = predictor.start(frames)
    session.prompt(0, 1, mask=_mask(MASK).decode())
    tiny.finish(session.propagate(stop=4))
    tracked = session.masklets[1].mask_at(3).decode()
    better = tracked & (np.arange(52) < 35)
    session.prompt(3, 1, mask=better)
    tiny.finish(session.propagate(start=3))
    expected = tiny.masks_of(session)

    followed(asking, frames[:4], MASK)
    from src_model.masks import Rle

    drawn = shape_of(Rle.encode(better), "mask")
    reply = succeeded(asking.start(frames[3], {"type": "mask", "points": list(drawn.points)}))
    assert asking.service.model.counts.corrections == 1
    for frame in range(4, 8):
        reply = succeeded(asking.follow(frames[frame], reply["states"]))
        assert _mask(reply["shapes"][0]) == expected[frame]


def test_a_correction_leaves_the_object_it_was_made_from_as_it_was(asking, frames):
    """Somebody else may be following it."""
    before = followed(asking, frames[:3])
    kept = asking.service.store.get(before["states"][0]["id"])
    succeeded(asking.start(frames[2], smaller(before["shapes"][0])))
    assert asking.service.store.get(before["states"][0]["id"]) is kept


def test_a_shape_elsewhere_or_of_another_type_is_a_new_object(asking, frames):
    followed(asking, frames[:3])
    for shape in ({"type": "rectangle", "points": [0, 0, 4, 4]}, MASK):
        reply = succeeded(asking.start(frames[2], shape))
        assert reply["states"][0]["n"] == 0
    assert asking.service.model.counts.corrections == 0


def test_a_shape_on_another_image_is_a_new_object(asking, frames):
    reply = followed(asking, frames[:3])
    assert succeeded(asking.start(frames[5], reply["shapes"][0]))["states"][0]["n"] == 0


def test_two_shapes_of_a_request_do_not_correct_the_same_object(asking, frames):
    reply = followed(asking, frames[:3])
    two = [smaller(reply["shapes"][0]), smaller(smaller(reply["shapes"][0]))]
    steps = [state["n"] for state in succeeded(asking.start(frames[2], *two))["states"]]
    assert sorted(steps) == [0, 2]


def test_redrawing_on_the_first_frame_starts_anew(asking, frames):
    followed(asking, frames[:3])
    reply = succeeded(asking.start(frames[0], shifted(RECTANGLE, 1.0)))
    track = asking.service.store.get(reply["states"][0]["id"])
    assert (track.step, len(track.memory.recent)) == (0, 0)


def test_an_unchanged_shape_goes_on_where_it_was_without_becoming_a_correction(asking, frames):
    """CVAT forgets its states when its user goes back, or loads the page again."""
    middle = followed(asking, frames[:3], MASK)
    ahead = succeeded(asking.follow(frames[3], middle["states"]))
    expected = succeeded(asking.follow(frames[4], ahead["states"]))
    again = succeeded(asking.start(frames[2], *middle["shapes"]))
    assert (again["states"][0]["id"], again["states"][0]["n"]) == (middle["states"][0]["id"], 2)
    again = succeeded(asking.follow(frames[3], again["states"]))
    again = succeeded(asking.follow(frames[4], again["states"]))
    assert again["shapes"] == expected["shapes"]
    assert asking.service.model.counts.corrections == 0


def test_an_unchanged_shape_whose_memory_is_gone_starts_anew(asking, frames, monkeypatch):
    reply = followed(asking, frames[:3])
    monkeypatch.setattr(asking.service.store, "get", lambda _: None)
    assert succeeded(asking.start(frames[2], *reply["shapes"]))["states"][0]["n"] == 0


# Repeats, recovery ----------------------------------------------------------------------------------------------------


def test_the_same_request_twice_has_the_same_answer_and_tracks_once(asking, frames):
    reply = followed(asking, frames[:2])
    first = succeeded(asking.follow(frames[2], reply["states"]))
    second = succeeded(asking.follow(frames[2], reply["states"]))
    assert second["shapes"] == first["shapes"]
    assert second["states"][0]["id"] == first["states"][0]["id"]
    assert asking.service.model.counts.repeats == 1


def test_a_video_that_stands_still_is_tracked_frame_by_frame(asking, frames):
    reply = succeeded(asking.start(frames[0], RECTANGLE))
    for step in range(1, 4):
        reply = succeeded(asking.follow(frames[0], reply["states"]))
        assert reply["states"][0]["n"] == step
    assert asking.service.model.counts.repeats == 0


def test_one_state_on_two_images_becomes_two_objects(asking, frames, make_service):
    reply = followed(asking, frames[:2], MASK)
    first = succeeded(asking.follow(frames[2], reply["states"]))
    second = succeeded(asking.follow(frames[5], reply["states"]))
    assert first["states"][0]["id"] != second["states"][0]["id"]
    other = Asking(make_service())
    reply = followed(other, frames[:2], MASK)
    assert succeeded(other.follow(frames[5], reply["states"]))["shapes"] == second["shapes"]


def test_a_state_given_twice_in_a_request_becomes_two_objects(asking, frames):
    reply = followed(asking, frames[:2])
    twice = succeeded(asking.follow(frames[2], reply["states"] * 2))
    assert twice["shapes"][0] == twice["shapes"][1]
    assert twice["states"][0]["id"] != twice["states"][1]["id"]


@pytest.mark.parametrize("shape", [RECTANGLE, POLYGON, MASK], ids=lambda shape: shape["type"])
def test_an_object_whose_memory_is_gone_goes_on_from_its_last_shape_and_the_log_says_so(
    asking, frames, make_service, shape, caplog
):
    reply = followed(asking, frames[:3], shape)
    restarted = Asking(make_service())
    with caplog.at_level(logging.WARNING):
        recovered = succeeded(restarted.follow(frames[3], reply["states"]))
    assert "goes on from the last mask" in caplog.text
    assert recovered["shapes"][0]["type"] == shape["type"]
    assert restarted.service.model.counts.recoveries == 1
    succeeded(restarted.follow(frames[4], recovered["states"]))
    assert restarted.service.model.counts.recoveries == 1


# What is refused -----------------------------------------------------------------------------------------------------


def test_a_state_of_another_video_is_refused(asking, frames):
    reply = succeeded(asking.start(frames[0], RECTANGLE))
    assert "52 x 40" in refused(asking.follow(frames[0][:30], reply["states"]))


def test_nothing_to_be_tracked_is_refused(asking, frames):
    assert "neither" in refused(asking.start(frames[0]))


def test_one_bad_object_refuses_the_request_and_changes_nothing(make_service, frames):
    store = LocalStore()
    asking = Asking(make_service(store=store))
    reply = succeeded(asking.start(frames[0], RECTANGLE))
    before = store.size()
    refused(asking.follow(frames[1], [*reply["states"], {"id": "s2"}]))
    refused(asking.start(frames[0], OTHER, {"type": "rectangle", "points": [1, 1, 1]}))
    assert store.size() == before
    assert store.get(reply["states"][0]["id"]).step == 0


def test_a_forged_state_is_refused(make_service, frames):
    asking = Asking(make_service(codec=StateCodec("a secret")))
    forger = Asking(make_service(codec=StateCodec()))
    forged = succeeded(forger.start(frames[0], RECTANGLE))["states"]
    assert "made elsewhere" in refused(asking.follow(frames[1], forged))
