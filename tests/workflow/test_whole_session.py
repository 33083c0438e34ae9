"""Find all and track all in a session of the Python API: what it holds, what it keeps, what it saves."""

from __future__ import annotations

import numpy as np
import pytest

import src_model
from src_model.document import load
from src_model.errors import FrameRangeError
from src_model.frames import open_movie
from src_model.masks import Detection, Rle
from src_model.workflow import WholeMovieOptions, find_objects, track_all, track_movie
from tests.tracking import tiny
from tests.workflow import drawn

STAYS = {1: (12, 12, 6)}
MOVIE = drawn.draw(
    *[{**STAYS, **({2: (30, 34, 10)} if t < 3 else {2: (30, 27, 6.8), 3: (30, 42, 6.8)})} for t in range(7)]
)
PREDICTOR = tiny.predictor(drawn.NETWORK)


@pytest.fixture
def session():
    return PREDICTOR.start(open_movie(MOVIE, axes="TYX"))


@pytest.fixture
def follows(monkeypatch):
    drawn.follow_drawn(monkeypatch)


def masks_of(session):
    return {number: masklet.entries() for number, masklet in session.masklets.items()}


def pixels_of(masklets):
    return {n: {frame: masklet.mask_at(frame) for frame in masklet.frames} for n, masklet in masklets.items()}


def test_they_are_a_part_of_the_public_api():
    assert (src_model.find_objects, src_model.track_movie) == (find_objects, track_movie)


def test_what_is_found_is_prompted_and_can_be_tracked(session):
    assert find_objects(PREDICTOR, session, 0, detector=drawn.DrawnCells()) == (1, 2)
    assert session.masklets[1].mask_at(0).decode().tolist() == (MOVIE[0] == 1).tolist()
    assert session.objects[2].prompted_frames == (0,)
    assert [result.frame for result in session.propagate(0, 3)] == [0, 1, 2]


def test_objects_of_the_session_stay_and_are_not_found_once_more(session):
    session.prompt(0, 7, mask=MOVIE[0] == 1)
    before = masks_of(session)
    assert find_objects(PREDICTOR, session, 0, detector=drawn.DrawnCells()) == (8,)
    assert masks_of(session)[7] == before[7]


@pytest.mark.usefixtures("follows")
def test_a_session_is_tracked_as_its_document_would_be_and_saves_the_divisions(session, tmp_path):
    document, tracker = drawn.begin(MOVIE)
    expected = track_all(document, tracker, detector=drawn.DrawnCells())
    told = []
    report = track_movie(PREDICTOR, session, detector=drawn.DrawnCells(), progress=lambda now: told.append(now.frame))
    assert report == expected
    assert told == list(range(7))
    assert pixels_of(session.masklets) == pixels_of({number: document.masklet(number) for number in document.objects})
    saved = load(session.save(tmp_path / "cells.sam2v"))
    assert [(each.parent, each.frame) for each in saved.divisions.values()] == [(2, 3)]
    assert dict(saved.divisions) == dict(document.divisions)
    assert pixels_of({number: saved.masklet(number) for number in saved.objects}) == pixels_of(session.masklets)


@pytest.mark.usefixtures("follows")
def test_a_run_that_was_stopped_goes_on(session):
    def stop(now):
        if now.frame == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        track_movie(PREDICTOR, session, detector=drawn.DrawnCells(), progress=stop)
    assert max(session.masklets[1].frames) == 4
    told = []
    track_movie(PREDICTOR, session, detector=drawn.DrawnCells(), progress=lambda now: told.append(now.frame))
    assert told == [5, 6]
    assert session.masklets[1].frames == tuple(range(7))


def test_a_session_of_a_network_holds_no_pixel_twice():
    session = PREDICTOR.start(tiny.make_movie())
    track_movie(PREDICTOR, session, WholeMovieOptions(every=20), detector=Halves())
    for frame in range(tiny.LENGTH):
        held = [m.decode() for each in session.masklets.values() if (m := each.mask_at(frame)) is not None]
        assert held
        assert np.sum(held, axis=0).max() <= 1
    kept = masks_of(session)
    session.to_document()
    assert masks_of(session) == kept


def test_a_frame_that_is_not_there_is_an_error_and_changes_nothing(session):
    with pytest.raises(FrameRangeError):
        find_objects(PREDICTOR, session, 99)
    assert not session.objects


class Halves:
    """A detector that proposes the left and the right of a frame, apart."""

    name = "halves"

    def detect(self, image, query=None, normalization=None, *, progress=None, cancelled=None):
        y, x = image.shape[:2]
        boxes = [(4, 4, y - 4, x // 2 - 4), (4, x // 2 + 4, y - 4, x - 4)]
        return [Detection.of_mask(Rle.from_box(box, (y, x)), 0.9) for box in boxes]
