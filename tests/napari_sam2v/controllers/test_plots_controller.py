"""Curves without a screen: of the chosen objects, in turns, kept up with document, channel and run."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam2v.controllers.plots_controller import MOST_OBJECTS, PlotsController
from napari_sam2v.view_state import TrackOptions
from src_model.document import AddObject, AnnotatedObject, Annotation, MovieIdentity, SetMask
from src_model.errors import AnnotationFileError, MovieError
from src_model.frames import open_movie
from src_model.masks import MaskletFrame, Rle
from tests.tracking import tiny

MASK = Rle.from_box((10, 12, 20, 24), tiny.SHAPE)
LARGER = Rle.from_box((10, 12, 30, 24), tiny.SHAPE)


@pytest.fixture
def viewer(user):
    """Somebody who looks at the curves of a movie with three objects, two of which have masks."""
    for number in (1, 2, 3):
        user.document.do(AddObject(AnnotatedObject(number)))
    with user.document.propagation() as opened:
        for frame in range(tiny.LENGTH):
            opened.add(frame, {number: MaskletFrame(MASK, 0.9, 1.0) for number in (1, 2)})
    user.plots = PlotsController(user.controller, user.host.post)
    user.asked = []
    user.plots.signals.stale.connect(lambda: user.asked.append(True))
    yield user
    user.plots.close()


def measure(user, until=lambda found: found.is_complete and found.series):
    """Refresh whenever that is asked for, as the window does."""

    def is_done():
        if user.asked:
            user.asked.clear()
            user.plots.refresh()
        return until(user.plots.measurement)

    user.host.turn(is_done)
    return {each.object_id: each for each in user.plots.measurement.series}


def test_the_chosen_objects_are_measured_and_the_ones_that_stay_are_not_lost_meanwhile(viewer):
    viewer.plots.choose((2, 3))
    assert list(measure(viewer)) == [2]
    changes = []
    viewer.plots.signals.changed.connect(lambda: changes.append([e.object_id for e in viewer.plots.measurement.series]))
    viewer.plots.choose((2, 1))
    assert list(measure(viewer, lambda found: found.is_complete and len(found.series) == 2)) == [2, 1]
    assert changes[0] == [2]
    viewer.plots.choose(())
    assert viewer.plots.measurement.series == ()


def test_an_edit_of_a_chosen_object_is_measured_and_of_another_one_nobody_asks(viewer):
    viewer.plots.choose((1,))
    measure(viewer)
    viewer.asked.clear()
    viewer.controller.do(SetMask(2, 4, LARGER))
    assert viewer.asked == []
    viewer.controller.do(SetMask(1, 4, LARGER))
    measure(viewer, lambda found: found.series[0].area[4] == LARGER.area)


def test_a_long_movie_is_measured_in_turns_and_what_is_known_is_shown_after_each(viewer, monkeypatch):
    monkeypatch.setattr("napari_sam2v.controllers.plots_controller._TURN_SECONDS", 0.0)
    done = []
    viewer.plots.signals.changed.connect(lambda: done.append(viewer.plots.measurement.done))
    viewer.plots.choose((1,))
    measure(viewer)
    assert done == [0, *range(1, tiny.LENGTH + 1)]


def test_another_channel_is_measured_anew(viewer):
    viewer.plots.choose((1,))
    before = measure(viewer)[1].intensity
    viewer.controller.use_movie(open_movie(np.full((tiny.LENGTH, *tiny.SHAPE), 7, np.uint8)))
    after = measure(viewer, lambda found: found.is_complete and found.series[0].intensity[0] == 7)[1].intensity
    assert not np.allclose(before, 7)
    assert after.tolist() == [7] * tiny.LENGTH


def test_a_movie_that_cannot_be_read_is_told_once_and_all_else_is_shown(viewer, monkeypatch):
    def gone(_self, _frame):
        raise MovieError("the file is gone")

    monkeypatch.setattr(type(viewer.controller.source), "read", gone)
    viewer.plots.choose((1,))
    measure(viewer)
    viewer.controller.do(SetMask(1, 4, LARGER))
    found = measure(viewer, lambda found: found.series[0].area[4] == LARGER.area)[1]
    assert np.isnan(found.intensity).all()
    assert viewer.problems == ["The file is gone"]


def test_a_document_that_cannot_be_read_is_told_once_and_not_tried_again(viewer, monkeypatch):
    def damaged(*_):
        raise AnnotationFileError("the document is damaged")

    monkeypatch.setattr("src_model.measures.meter.SeriesMeter.update", damaged)
    viewer.plots.choose((1,))
    measure(viewer, lambda _: viewer.problems)
    assert viewer.asked == []
    assert viewer.problems == ["The document is damaged"]


def test_of_very_many_objects_only_the_first_are_measured(viewer):
    for number in range(4, 40):
        viewer.document.do(AddObject(AnnotatedObject(number)))
    viewer.plots.choose([*range(39, 1, -1), 1])
    assert viewer.plots.left_out == 39 - MOST_OBJECTS
    measure(viewer, lambda found: found.is_complete)
    assert viewer.plots.measurement.series == ()


def test_another_document_has_curves_of_its_own_and_a_closed_one_none(viewer):
    viewer.plots.choose((1,))
    measure(viewer)
    source = open_movie(tiny.make_movie(4))
    other = Annotation(MovieIdentity.of(source))
    other.do(AddObject(AnnotatedObject(1)))
    other.do(SetMask(1, 2, LARGER))
    viewer.controller.open(other, source)
    assert viewer.plots.measurement.series == ()
    assert measure(viewer)[1].frames.tolist() == [2]
    viewer.controller.close_document()
    assert viewer.plots.measurement.series == ()


def test_a_run_is_followed_while_it_goes_on(viewer):
    viewer.click(tiny.CLICK, frame=0)
    number = viewer.controller.selected
    viewer.plots.choose((number,))
    lengths = []
    viewer.plots.signals.changed.connect(lambda: lengths.extend(len(e.area) for e in viewer.plots.measurement.series))
    viewer.controller.tracking.track(TrackOptions("forward"))
    measure(viewer, lambda _: not viewer.controller.tracking.is_tracking and lengths and lengths[-1] == tiny.LENGTH)
    assert lengths == sorted(lengths)
