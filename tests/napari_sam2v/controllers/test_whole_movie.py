"""Find and track all in the panel: a run like any other, with a summary at its end."""

from __future__ import annotations

import numpy as np
import pytest

from src_model.document import AddDetections, Origin
from src_model.masks import Detection, Rle
from src_model.workflow import WholeMovieOptions
from tests.napari_sam2v.controllers.headless_user import HeadlessUser
from tests.workflow import drawn

STAYS, MOVES = (12, 12, 6), (34, 40, 6)
FRAMES = 7


def movie(frames=FRAMES):
    """One cell that stays, one that moves, and one that comes on frame 3."""
    late = {3: (12, 50, 6)}
    return drawn.draw(*[{1: STAYS, 2: (34, max(40 - t, 20), 6), **(late if t > 2 else {})} for t in range(frames)])


@pytest.fixture
def frames():
    """How many frames the movie has."""
    return FRAMES


@pytest.fixture
def user(predictor, monkeypatch, frames):
    drawn.follow_drawn(monkeypatch)
    user = HeadlessUser(predictor, movie(frames))
    user.controller.finding.detector = drawn.DrawnCells()
    user.notices = []
    user.controller.events.notice.connect(user.notices.append)
    yield user
    user.controller.close()


def seen(user, number):
    return [frame for frame, area in drawn.areas(user.document, number).items() if area]


def test_every_object_is_found_and_tracked_as_one_step_with_a_summary(user):
    told = []
    user.controller.events.run.connect(told.append)
    user.controller.tracking.track_all(WholeMovieOptions(every=2))
    user.wait()
    assert [seen(user, number) for number in user.document.objects] == [[*range(7)], [*range(7)], [3, 4, 5, 6]]
    assert [each.done for each in told if each is not None and each.done] == list(range(1, FRAMES + 1))
    assert user.notices[-1].startswith("3 objects, on 6.0 frames on average, 0 with doubtful frames. 2 objects on the")
    assert user.problems == []
    user.controller.undo()
    assert not user.document.objects
    assert user.document.undo_label is None


def test_what_came_until_it_is_stopped_stays_and_the_next_run_goes_on_there(user):
    user.controller.tracking.track_all(WholeMovieOptions(every=2))
    user.host.turn(lambda: user.document.objects and 1 in seen(user, 1))
    user.controller.tracking.stop()
    user.wait()
    reached = max(seen(user, 1))
    assert reached < FRAMES - 1
    assert "2 objects" in user.notices[-1]
    user.controller.tracking.track_all(WholeMovieOptions(every=2))
    user.wait()
    assert seen(user, 1) == list(range(FRAMES))
    user.controller.tracking.track_all(WholeMovieOptions())
    user.wait()
    assert "tracked before" in user.notices[-1]


@pytest.mark.parametrize("frames", [24], ids=["long enough to be looked at again, however far the worker is ahead"])
def test_an_object_that_a_person_adds_meanwhile_keeps_its_number_and_the_late_one_gets_another(user, frames):
    mine = Rle.from_box((40, 56, 46, 62), drawn.SHAPE)
    user.controller.tracking.track_all(WholeMovieOptions(every=2))
    user.host.turn(lambda: user.document.objects)
    user.controller.do(AddDetections(0, (Detection.of_mask(mine, 1.0),), "me"))
    user.wait()
    assert drawn.areas(user.document, 3) == {0: mine.area}
    assert user.document.frame(3, 0).origin is Origin.PROMPTED
    assert seen(user, 4)[-1] == frames - 1
    for frame in range(frames):
        held = [entry.mask.decode() for entry in user.document.masks_at(frame).values()]
        assert np.sum(held, axis=0).max() == 1
    assert user.problems == []


def test_nothing_found_in_the_movie_is_said_with_what_to_do(predictor, monkeypatch):
    drawn.follow_drawn(monkeypatch)
    empty = HeadlessUser(predictor, movie() * 0)
    notices = []
    empty.controller.events.notice.connect(notices.append)
    empty.controller.finding.detector = drawn.DrawnCells()
    empty.controller.tracking.track_all(WholeMovieOptions())
    empty.wait()
    assert "Click one object" in notices[-1]
    empty.controller.close()
