"""Live input: frame after frame, each tracked at once."""

from __future__ import annotations

import numpy as np
import pytest

from src_model.document import load
from src_model.errors import AnnotationFileError, FrameRangeError, MovieError
from src_model.frames import LiveSource, Normalization
from tests.tracking import tiny

LIMITS = Normalization("limits", (0.0,), (255.0,))


def test_pushed_frames_get_the_same_masks_as_propagated_ones(predictor, movie):
    recorded = predictor.start(movie, normalization=LIMITS)
    live = predictor.start(normalization=LIMITS)
    live.push(movie[0])
    for session in (recorded, live):
        session.prompt(0, 1, points=[tiny.CLICK])
        session.prompt(0, 2, points=[tiny.OTHER_CLICK])
    pushed = [live.push(image) for image in movie[1:]]
    propagated = list(recorded.propagate())
    assert [result.rles for result in pushed] == [result.rles for result in propagated[1:]]
    assert [result.scores for result in pushed] == [result.scores for result in propagated[1:]]
    assert live.masklets == recorded.masklets


def test_frames_before_the_first_prompt_are_taken_and_answered_with_nothing(predictor, movie):
    live = predictor.start()
    results = [live.push(image) for image in movie[:3]]
    assert [result.frame for result in results] == [0, 1, 2]
    assert [dict(result.masks) for result in results] == [{}, {}, {}]
    assert live.feature_cache.misses == 0


def test_an_object_added_later_is_tracked_from_then_on(predictor, movie):
    live = predictor.start()
    live.push(movie[0])
    live.prompt(0, 1, points=[tiny.CLICK])
    live.push(movie[1])
    live.prompt(1, 2, points=[tiny.OTHER_CLICK])
    assert list(live.push(movie[2]).masks) == [1, 2]
    assert live.masklets[2].frames == (1, 2)


def test_a_correction_counts_from_the_next_frame_on(predictor, movie):
    tracks = []
    for corrected in (False, True):
        live = predictor.start(normalization=LIMITS)
        live.push(movie[0])
        live.prompt(0, 1, points=[tiny.CLICK])
        for image in movie[1:4]:
            live.push(image)
        if corrected:
            live.prompt(3, 1, points=[(30, 40)], labels=[0])
        tracks.append(live.push(movie[4]).rles[1])
    assert tracks[0] != tracks[1]


def test_a_live_session_can_be_propagated_over_the_frames_it_still_has(predictor, movie):
    live = predictor.start()
    for image in movie:
        live.push(image)
    live.prompt(5, 1, points=[tiny.CLICK])
    assert [result.frame for result in live.propagate(reverse=True)] == [5, 4, 3, 2, 1, 0]


def test_normalization_is_decided_once_for_the_stream(predictor, movie):
    live = predictor.start()
    live.push(movie[0])
    live.prompt(0, 1, points=[tiny.CLICK])
    decided = live.normalization
    live.push(movie[1] // 4)
    assert live.normalization is decided


def test_a_long_stream_keeps_neither_its_frames_nor_their_memories(predictor):
    live = predictor.start(cache_bytes=0)
    for number, image in enumerate(tiny.make_movie(90)):
        live.push(image)
        # More prompted frames than keep their memory, so that some are dropped while the stream goes on.
        if number % 4 == 0:
            live.prompt(number, 1, points=[tiny.CLICK])
    bank = live.objects[1].bank
    assert len(bank.conditioning) == 23
    assert sum(entry is not None for entry in bank.conditioning.values()) <= 16
    assert len(bank.recent) <= 16
    with pytest.raises(MovieError, match="frame 0 of the live movie 'live' is gone"):
        live.movie.read(0)
    assert live.masklets[1].spans() == [(0, 90)]


def test_a_correction_is_answered_where_the_images_of_frames_that_it_would_read_are_gone(predictor, movie):
    live = predictor.start(LiveSource(keep=4), cache_bytes=0)
    for number, image in enumerate(movie):
        live.push(image)
        if not number:
            live.prompt(0, 1, points=[tiny.CLICK])
    with pytest.raises(MovieError, match="frame 2 of the live movie 'live' is gone"):
        live.movie.read(2)
    before = live.masklets[1].mask_at(8)
    assert live.prompt(8, 1, points=[(30, 40)], labels=[0]).rle != before
    assert live.objects[1].bank.entry(2).memory is None


def test_pushing_needs_a_live_session(clicked, movie):
    with pytest.raises(MovieError, match="push needs a live session"):
        clicked.push(movie[0])


def test_a_stream_can_be_made_by_the_caller(predictor, movie):
    source = LiveSource("camera 2")
    session = predictor.start(source)
    assert session.push(movie[0]).frame == 0
    assert session.movie.name == "camera 2"


@pytest.mark.parametrize("image", [np.zeros((8, 8), np.uint8), np.zeros(tiny.SHAPE, np.uint16)])
def test_a_frame_of_another_shape_or_type_is_refused_and_changes_nothing(predictor, movie, image):
    live = predictor.start()
    live.push(movie[0])
    with pytest.raises(MovieError, match="frame 1 of the live movie"):
        live.push(image)
    assert len(live.movie) == 1


def test_a_prompt_before_the_first_frame_is_refused(predictor):
    with pytest.raises(FrameRangeError, match="no frame yet; push an image before prompting"):
        predictor.start().prompt(0, 1, points=[tiny.CLICK])


@pytest.fixture
def few_masks(monkeypatch):
    """As if a live stream held the masks of four to eight frames."""
    monkeypatch.setattr("src_model.tracking.live_masks.LIVE_MASKS", 4)


def push_all(live, movie) -> None:
    live.push(movie[0])
    live.prompt(0, 1, points=[tiny.CLICK])
    live.prompt(0, 2, points=[tiny.OTHER_CLICK])
    for image in movie[1:]:
        live.push(image)


def test_masks_of_a_long_stream_are_let_go_of_but_for_those_that_a_person_gave(predictor, few_masks):
    live, movie = predictor.start(normalization=LIMITS), tiny.make_movie(30)
    push_all(live, movie)
    assert live.masks_from == 24
    assert live.masklets[1].frames == (0, *range(24, 30))
    assert sorted(live.objects[1].directions) == list(range(24, 30))
    assert live.document is None


def test_masks_do_not_depend_on_what_was_let_go_of(predictor, few_masks, monkeypatch):
    movie = tiny.make_movie(30)
    live = predictor.start(normalization=LIMITS)
    push_all(live, movie)
    monkeypatch.setattr("src_model.tracking.live_masks.LIVE_MASKS", 100)
    other = predictor.start(normalization=LIMITS)
    push_all(other, movie)
    assert live.masklets[1].entries(24) == other.masklets[1].entries(24)


def test_a_stream_with_a_document_loses_no_mask(predictor, few_masks, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    movie = tiny.make_movie(30)
    whole = predictor.start(movie, normalization=LIMITS)
    whole.prompt(0, 1, points=[tiny.CLICK])
    whole.prompt(0, 2, points=[tiny.OTHER_CLICK])
    tiny.finish(whole.propagate())
    live = predictor.start(normalization=LIMITS, document=tmp_path / "live.sam2v")
    push_all(live, movie[:20])
    live.remove_object(2)
    for image in movie[20:]:
        live.push(image)
    assert live.masklets[1].frames == (0, *range(24, 30))
    document = load(live.save())
    masks = [document.mask_at(1, frame) for frame in range(30)]
    assert masks == [whole.masklets[1].mask_at(frame) for frame in range(30)]
    assert list(document.objects) == [1]
    assert document.movie.length == 30
    live.push(movie[0])
    assert load(live.save()).masklet(1).frames == tuple(range(31))


def test_a_recording_of_a_long_stream_goes_on_from_its_document(predictor, few_masks, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    movie = tiny.make_movie(30)
    live = predictor.start(normalization=LIMITS, document=tmp_path / "live.sam2v")
    push_all(live, movie[:25])
    recorded = predictor.resume(live.save(), movie)
    assert [result.frame for result in recorded.propagate(25)] == list(range(25, 30))
    assert recorded.masklets[1].frames == tuple(range(30))


def test_the_document_of_a_stream_has_a_suffix(predictor, tmp_path):
    with pytest.raises(AnnotationFileError, match=r"a \.sam2v file, not 'live.json'"):
        predictor.start(document=tmp_path / "live.json")
