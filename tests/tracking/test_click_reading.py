"""The first click on an object is read by the size of the movie's other objects."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from src_model.masks import Rle, TypicalSize
from src_model.masks.window import Window, whole_frame
from src_model.prompts import make_prompt
from src_model.tracking import TrackingSettings
from src_model.tracking.click_reading import accepted_mask, box_of, is_first_click, readings
from tests.tracking import tiny

FIELD = (320, 320)
WHOLE = whole_frame(FIELD, 64)
TYPICAL = TypicalSize(4000, 0.5)


def logits_of(*boxes):
    """Logits on a grid of 16 x 16, positive in each of ``(y0, x0, y1, x1)``."""
    grids = torch.full((len(boxes), 16, 16), -1.0)
    for grid, (y0, x0, y1, x1) in zip(grids, boxes, strict=True):
        grid[y0:y1, x0:x1] = 1
    return grids


def predicted(scores, *boxes):
    return SimpleNamespace(iou=torch.tensor([scores]), logits=logits_of(*boxes)[None])


PART, CELL, GROUP = (6, 6, 7, 7), (5, 5, 8, 8), (3, 3, 11, 11)
"""400, 3,600 and 25,600 pixels of the movie."""


def test_without_other_objects_predicted_iou_alone_decides():
    prediction = predicted([0.5, 0.6, 0.7], PART, CELL, GROUP)
    assert readings(prediction, WHOLE, FIELD, None) is not prediction.iou
    assert readings(prediction, WHOLE, FIELD, None).equal(prediction.iou[0])


def test_of_readings_that_are_as_likely_that_of_the_typical_size_is_meant():
    rates = readings(predicted([0.7, 0.6, 0.7], PART, CELL, GROUP), WHOLE, FIELD, TYPICAL)
    assert rates.argmax() == 1
    assert rates[1] == pytest.approx(0.6, rel=0.03)


def test_an_object_of_unusual_size_is_believed_where_the_network_is_sure():
    assert readings(predicted([0.3, 0.2, 0.9], PART, CELL, GROUP), WHOLE, FIELD, TYPICAL).argmax() == 2


def test_where_sizes_differ_widely_predicted_iou_decides():
    wide = TypicalSize(4000, 8.0)
    assert readings(predicted([0.5, 0.6, 0.7], PART, CELL, GROUP), WHOLE, FIELD, wide).argmax() == 2


def test_what_the_edge_of_the_field_cuts_may_be_small_but_not_large():
    sliver, group = (0, 5, 1, 6), (0, 0, 11, 11)
    rates = readings(predicted([0.7, 0.7, 0.7], sliver, PART, group), WHOLE, FIELD, TYPICAL)
    assert rates[0] == pytest.approx(0.7)
    assert rates[1] < 0.5
    assert rates[2] < 0.5


def test_nothing_is_no_reading():
    assert readings(predicted([0.9, 0.2], (0, 0, 0, 0), CELL), WHOLE, FIELD, TYPICAL).argmax() == 1


def test_areas_are_those_of_the_movie_whatever_the_window():
    window = Window((100, 100, 260, 260), 64)
    rates = readings(predicted([0.7, 0.7], CELL, (5, 5, 11, 11)), window, FIELD, TYPICAL)
    assert rates.argmax() == 1
    assert box_of(logits_of(CELL)[0], window) == (150, 150, 180, 180)


def test_a_mask_near_the_clicked_frame_speaks_for_an_object_unless_it_is_empty():
    masks = {2: Rle.from_box((0, 0, 2, 2), FIELD), 7: Rle.from_box((0, 0, 3, 3), FIELD), 8: Rle.empty(FIELD)}
    assert accepted_mask([2, 7, 8, 9], masks.get, 9) == masks[7]
    assert accepted_mask([2, 7, 8, 9], masks.get, 1) == masks[2]
    assert accepted_mask([8, 9], masks.get, 9) is None


@pytest.mark.parametrize(
    ("asked", "is_first"),
    [
        ({"points": [tiny.CLICK]}, True),
        ({"points": [tiny.CLICK], "labels": [0]}, False),
        ({"points": [tiny.CLICK, tiny.OTHER_CLICK]}, False),
        ({"points": [tiny.CLICK], "box": (5, 5, 30, 30)}, False),
        ({"box": (5, 5, 30, 30)}, False),
    ],
)
def test_only_one_positive_click_leaves_open_how_much_is_meant(session, asked, is_first):
    prompt = make_prompt(tiny.SHAPE, **asked)
    assert is_first_click(session._new_object(1), 0, prompt, replace=False) == is_first


def test_a_click_on_an_object_that_is_known_is_no_first_one(clicked):
    item, prompt = clicked.objects[1], make_prompt(tiny.SHAPE, points=[tiny.CLICK])
    assert not is_first_click(item, 0, prompt, replace=False)
    assert not is_first_click(item, 3, prompt, replace=True)
    assert is_first_click(item, 0, prompt, replace=True)  # the click was dragged, and stands for itself


# In a session --------------------------------------------------------------------------------------------------------


def sizes(session, object_id):
    """Areas of the candidates for a click, and of the one that is taken."""
    answer = session.prompt(0, object_id, points=[tiny.OTHER_CLICK])
    return [candidate.rle.area for candidate in answer.candidates], answer.rle.area


@pytest.fixture
def areas(session):
    """Candidates of the click in a movie without objects: the readings among which size is to choose."""
    candidates, taken = sizes(session, 9)
    session.remove_object(9)
    other = max(candidates, key=lambda area: abs(area - taken))
    return SimpleNamespace(taken=taken, other=other)


def square_of(area):
    """A whole mask of about so many pixels."""
    side = round(area**0.5)
    return Rle.from_box((2, 2, 2 + side, 2 + side), tiny.SHAPE).decode()


def accept(session, area, count=3):
    for object_id in range(1, count + 1):
        session.prompt(0, object_id, mask=square_of(area))


def test_the_first_objects_are_read_by_predicted_iou(session, areas):
    accept(session, areas.other, count=1)
    assert sizes(session, 9)[1] == areas.taken


def test_objects_that_were_accepted_tell_the_size_of_the_next(session, areas):
    accept(session, areas.other)
    assert sizes(session, 9)[1] != areas.taken


def test_a_candidate_that_a_person_chose_teaches_the_next_click(session, areas):
    for object_id in (1, 2, 3):
        answer = session.prompt(0, object_id, points=[tiny.OTHER_CLICK])
        wanted = [candidate.rle.area for candidate in answer.candidates].index(areas.other)
        session.choose(0, object_id, wanted)
    learned = sizes(session, 9)[1]
    assert abs(learned - areas.other) < abs(areas.taken - areas.other)


def test_a_caller_may_say_which_objects_are_alike(session, areas):
    accept(session, areas.other)
    prompt = make_prompt(tiny.SHAPE, points=[tiny.OTHER_CLICK])
    assert session.answer(0, 9, prompt, alike=()).rle.area == areas.taken


def test_later_clicks_do_not_look_at_other_objects(session, areas):
    def looked_at():
        raise AssertionError("other objects were looked at")
        yield

    session.prompt(0, 9, points=[tiny.OTHER_CLICK])
    session.answer(0, 9, make_prompt(tiny.SHAPE, points=[tiny.CLICK], labels=[0]), alike=looked_at())
    session.answer(0, 9, make_prompt(tiny.SHAPE, box=(5, 30, 18, 48)), alike=looked_at(), replace=True)


@pytest.mark.parametrize("preset", ["official", "switched off"])
def test_where_it_is_switched_off_other_objects_change_nothing(official, predictor, movie, preset):
    chosen = official if preset == "official" else predictor.with_settings(TrackingSettings(size_likeness=False))
    alone, among = chosen.start(movie), chosen.start(movie)
    accept(among, 900)
    assert sizes(alone, 9) == sizes(among, 9)
