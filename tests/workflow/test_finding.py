"""Find all: the scale comes from the objects that are there, and what is found is one step of the document."""

from __future__ import annotations

import numpy as np
import pytest

from src_model.detection import Query
from src_model.document import AddDetections, Annotation, MovieIdentity
from src_model.errors import StoppedError
from src_model.frames import open_movie
from src_model.masks import Detection, Rle
from src_model.workflow import DocumentTracker, FindRequest, find_all, find_request, look_for
from src_model.workflow.finding import Finder, annotated_area, options_for
from tests.tracking import tiny


@pytest.fixture
def document():
    return Annotation(MovieIdentity("tiny", (tiny.LENGTH, *tiny.SHAPE), "uint8"))


@pytest.fixture(scope="module")
def predictor():
    return tiny.predictor(tiny.build())


@pytest.fixture
def tracker(predictor):
    return DocumentTracker(open_movie(tiny.make_movie()), lambda: predictor)


def square(y, x, side=8):
    return Rle.from_box((y, x, y + side, x + side), tiny.SHAPE)


class Proposes:
    """A detector that proposes what it was given, and keeps what it was asked."""

    name = "a friend"

    def __init__(self, *masks):
        self.masks, self.asked = masks, []

    def detect(self, image, query=None, normalization=None, *, progress=None, cancelled=None):
        self.asked.append(query)
        if progress is not None:
            progress(1, 1)
        return [Detection.of_mask(mask, 0.9) for mask in self.masks]


def test_all_of_a_frame_are_found_as_one_step_that_can_be_undone(document, tracker):
    found = find_all(document, tracker, 2, detector=Proposes(square(2, 2), square(2, 20), square(20, 2)))
    assert found == (1, 2, 3)
    assert [document.prompt(number, 2).mask.area for number in found] == [64, 64, 64]
    assert document.undo() == "Detect with a friend, frame 2"
    assert not document.objects


def test_the_bundled_way_finds_what_the_network_shows(document, tracker, predictor, monkeypatch):
    monkeypatch.setattr(predictor, "mask_thresholds", type(predictor.mask_thresholds)(0.0, 0.0))
    found = find_all(document, tracker, 2)
    assert found
    assert not find_all(document, tracker, 2)  # nothing is found twice


def test_annotated_objects_are_not_searched_and_say_how_large_objects_are(document, tracker):
    document.do(AddDetections(2, (Detection.of_mask(square(2, 2), 1.0), Detection.of_mask(square(2, 20), 1.0)), "me"))
    assert annotated_area(document, 2) == annotated_area(document, 5) == 64
    group = Rle.from_box((20, 2, 28, 20), tiny.SHAPE)
    friend = Proposes(group, square(20, 2), square(20, 12))
    assert find_all(document, tracker, 2, detector=friend) == (3, 4)
    (query,) = friend.asked
    searched = query.where.decode()
    assert not searched[2:10, 2:10].any()
    assert searched.sum() == searched.size - 2 * 64


def test_nothing_changes_when_it_is_stopped(document, tracker):
    with pytest.raises(StoppedError):
        find_all(document, tracker, 0, cancelled=lambda: True)
    assert document.undo_label is None


def test_asking_looking_and_taking_are_separate_so_that_each_has_its_thread(document, tracker):
    steps = []
    request = find_request(document, 2)
    found = look_for(request, tracker, detector=Proposes(square(2, 2)), progress=lambda *step: steps.append(step))
    assert document.undo_label is None
    assert steps == [(1, 1)]
    document.do(found)
    assert list(document.objects) == [1]
    assert find_request(document, 2) == FindRequest(2, (square(2, 2),), 64.0)


def test_clicks_and_tiles_follow_from_the_size_of_objects():
    large = options_for((500, 600), 448, np.pi * 30**2)
    assert (large.points_per_side, large.tile) == (23, None)
    small = options_for((1024, 1024), 448, np.pi * 10**2)
    assert (small.points_per_side, small.tile) == (32, 280)
    assert options_for((500, 600), 448, None).points_per_side == 32


def test_what_is_searched_again_by_another_detector_is_asked_whole_where_nothing_is_known(predictor):
    friend = Proposes(square(2, 2))
    assert len(Finder(predictor, friend).look(np.zeros(tiny.SHAPE, np.uint8))) == 1
    assert friend.asked == [Query()]
