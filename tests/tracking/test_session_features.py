"""Features that outlast a pass, and frames that are read before they are needed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
import torch

from src_model.errors import FeatureStoreError, MovieError
from src_model.frames import Normalization, open_movie
from src_model.tracking import StreamingPredictor
from src_model.tracking.network_steps import NetworkSteps
from tests.tracking import tiny

if TYPE_CHECKING:
    import numpy as np

LIMITS = Normalization("limits", (0.0,), (255.0,))


class CountingPredictor:
    """Sessions whose encoded frames are counted."""

    def __init__(self, network) -> None:
        self.predictor: StreamingPredictor = tiny.predictor(network)
        self.encoded = 0
        network.image_encoder.register_forward_hook(self._count)

    def _count(self, _module, inputs, _output) -> None:
        self.encoded += len(inputs[0])

    def track(self, movie, **options: object):
        session = self.predictor.start(movie, **options)
        session.prompt(0, 1, points=[tiny.CLICK])
        tiny.finish(session.propagate())
        session.flush()
        return session

    def counted(self, movie, **options: object) -> int:
        before = self.encoded
        self.track(movie, **options)
        return self.encoded - before


@pytest.fixture(scope="module")
def counting():
    return CountingPredictor(tiny.build())


# On disk -----------------------------------------------------------------------------------------------------------


def test_the_next_session_on_a_movie_encodes_nothing_and_gives_the_same_masks(counting, movie, tmp_path):
    first = counting.track(movie, cache_dir=tmp_path)
    before = counting.encoded
    second = counting.track(movie, cache_dir=str(tmp_path))
    assert counting.encoded == before
    assert second.masklets == first.masklets == counting.track(movie).masklets


def test_without_room_in_memory_the_disk_serves_every_pass(counting, movie, tmp_path):
    session = counting.track(movie, cache_dir=tmp_path, cache_bytes=0)
    before = counting.encoded
    tiny.finish(session.propagate(reverse=True))
    assert counting.encoded == before


def test_a_movie_that_grew_and_a_frame_that_was_edited_are_encoded_no_more_than_needed(counting, movie, tmp_path):
    assert counting.counted(movie[:6], cache_dir=tmp_path, normalization=LIMITS) == 6
    longer = movie[:8].copy()
    longer[3, 5, 5] += 1
    assert counting.counted(longer, cache_dir=tmp_path, normalization=LIMITS) == 3


def test_another_normalization_preset_size_or_model_finds_nothing(counting, movie, tmp_path):
    counting.counted(movie, cache_dir=tmp_path)
    assert counting.counted(movie, cache_dir=tmp_path, normalization=LIMITS) == tiny.LENGTH
    assert len(list(tmp_path.iterdir())) == 2


def test_windows_stay_out_of_the_folder_and_whole_frames_are_found_in_it(counting, movie, tmp_path):
    counting.counted(movie, cache_dir=tmp_path)
    session = counting.predictor.start(movie, cache_dir=tmp_path, window=64)
    session.prompt(0, 1, points=[tiny.CLICK])
    tiny.finish(session.propagate())
    before = counting.encoded
    session.features(3)
    assert counting.encoded == before
    session.flush()
    assert len(list(tmp_path.rglob("c.*"))) == tiny.LENGTH


def test_a_saved_session_goes_on_with_the_features_of_its_folder(counting, movie, tmp_path):
    path = counting.track(movie, cache_dir=tmp_path).save(tmp_path / "session.sam2v")
    before = counting.encoded
    for go_on in (counting.predictor.resume, counting.predictor.replay):
        session = go_on(path, movie, cache_dir=tmp_path)
        tiny.finish(session.propagate(stop=4))
    assert counting.encoded == before


def test_weights_that_came_from_no_file_are_told_apart_by_their_values(network, movie, tmp_path):
    for change in (0.0, 0.1):
        other = tiny.build()
        with torch.no_grad():
            other.no_mem_embed += change
        session = StreamingPredictor(other).start(movie, cache_dir=tmp_path)
        session.features(0)
        session.flush()
    assert len(list(tmp_path.iterdir())) == 2


def test_a_damaged_first_frame_that_is_not_needed_harms_nothing(counting, movie, tmp_path):
    for _ in range(2):
        session = counting.predictor.start(WatchedMovie(movie, broken=0), normalization=LIMITS, cache_dir=tmp_path)
        before = counting.encoded
        session.features(3)
        session.flush()
    assert counting.encoded == before


def test_a_live_stream_leaves_nothing_on_disk(counting, movie, tmp_path):
    live = counting.predictor.start(cache_dir=tmp_path)
    live.push(movie[0])
    live.prompt(0, 1, points=[tiny.CLICK])
    live.push(movie[1])
    live.flush()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_is_refused_before_anything_is_tracked(counting, movie, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FeatureStoreError, match="choose a folder"):
        counting.predictor.start(movie, cache_dir=tmp_path / "file")


# Ahead -------------------------------------------------------------------------------------------------------------


class WatchedMovie(tiny.CountingMovie):
    """A movie that bears one read at a time, notes which threads read, and can be damaged."""

    def __init__(self, frames, broken: int | None = None) -> None:
        super().__init__(frames)
        self.broken = broken
        self.readers: dict[int, set[str]] = {}
        self._busy = threading.Lock()

    def read(self, frame: int) -> np.ndarray:
        assert self._busy.acquire(blocking=False), "two reads at once"
        try:
            self.readers.setdefault(frame, set()).add(threading.current_thread().name)
            if frame == self.broken:
                raise MovieError(f"frame {frame} is damaged")
            return super().read(frame)
        finally:
            self._busy.release()


def readers_alive() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "reading ahead" in thread.name]


def started(predictor, movie, **options: object):
    session = predictor.start(movie, normalization=LIMITS, **{"read_ahead": True, **options})
    session.prompt(0, 1, points=[tiny.CLICK])
    return session


@pytest.mark.parametrize("options", [{}, {"cache_bytes": 0}, {"window": 64}], ids=["whole", "no cache", "windows"])
@pytest.mark.parametrize("reverse", [False, True])
def test_frames_read_ahead_give_the_same_masks_and_are_read_once(predictor, movie, options, reverse):
    tracks = {}
    for read_ahead in (False, True):
        watched = WatchedMovie(movie)
        session = started(predictor, watched, read_ahead=read_ahead, **options)
        session.prompt(9, 1, points=[tiny.OTHER_CLICK])
        tiny.finish(session.propagate(reverse=reverse))
        tracks[read_ahead] = session.masklets
        ahead = {frame for frame, readers in watched.readers.items() if "sam2v reading ahead" in readers}
        assert ahead >= set(range(2, 8)) if read_ahead else not ahead
        assert all(count == 1 for count in watched.reads[2:8])
    assert tracks[True] == tracks[False]
    assert readers_alive() == []


def test_a_second_pass_over_frames_in_memory_reads_nothing(predictor, movie):
    watched = WatchedMovie(movie)
    session = started(predictor, watched)
    tiny.finish(session.propagate())
    before = list(watched.reads)
    tiny.finish(session.propagate())
    assert watched.reads == before


def test_the_error_of_a_damaged_frame_comes_when_that_frame_is_tracked(predictor, movie):
    session = started(predictor, WatchedMovie(movie, broken=4))
    done = []
    with pytest.raises(MovieError, match="frame 4 is damaged"):
        done.extend(result.frame for result in session.propagate())
    assert session.masklets[1].frames == (0, 1, 2, 3)
    assert readers_alive() == []


@pytest.mark.parametrize("end", ["close", "throw", "forget"])
def test_leaving_a_propagation_ends_its_thread(predictor, movie, end):
    results = started(predictor, WatchedMovie(movie)).propagate()
    next(results)
    assert len(readers_alive()) == 1
    if end == "close":
        results.close()
    elif end == "throw":
        with pytest.raises(KeyboardInterrupt):
            results.throw(KeyboardInterrupt)
    else:
        del results
    assert readers_alive() == []


def test_a_propagation_that_is_not_begun_reads_nothing(predictor, movie):
    watched = WatchedMovie(movie)
    session = started(predictor, watched)
    session.propagate()
    assert readers_alive() == []
    assert watched.reads == [1] + [0] * 9


def test_prompts_elsewhere_and_other_propagations_get_along_with_the_reader(predictor, movie):
    tracks = []
    for read_ahead in (False, True):
        session = started(predictor, WatchedMovie(movie), read_ahead=read_ahead)
        results = session.propagate()
        for number, _ in enumerate(results):
            if number == 2:
                session.prompt(8, 2, points=[tiny.OTHER_CLICK])
                session.prompt(4, 1, points=[(25, 25)])
                others = session.propagate(8, None, reverse=True, objects=[2])
                next(others)
                next(others)
            if number == 5:
                tiny.finish(others)
                tiny.finish(session.repair(4, 1))
        tracks.append(session.masklets)
    assert tracks[0] == tracks[1]
    assert readers_alive() == []


def test_movies_of_others_are_read_ahead_only_if_they_may_be(predictor, movie):
    def readers(source, **options: object) -> list[str]:
        results = started(predictor, source, **options).propagate()
        next(results)
        alive = readers_alive()
        results.close()
        return alive

    own = WatchedMovie(movie)
    assert readers(own, read_ahead=None) == []
    own.concurrent = True
    assert len(readers(own, read_ahead=None)) == 1
    assert len(readers(movie, read_ahead=None)) == 1
    assert len(readers(open_movie(movie), read_ahead=None)) == 1
    assert readers(movie, read_ahead=False) == []


def test_a_live_stream_is_never_read_ahead(predictor, movie):
    live = predictor.start(read_ahead=True)
    for image in movie:
        live.push(image)
    live.prompt(0, 1, points=[tiny.CLICK])
    results = live.propagate()
    next(results)
    assert readers_alive() == []


def test_where_the_encoder_takes_several_frames_they_are_encoded_together(movie, monkeypatch, tmp_path):
    counting = CountingPredictor(tiny.build())
    expected = counting.track(movie).masklets
    monkeypatch.setattr(NetworkSteps, "frames_per_batch", property(lambda _self: 4))
    for options in ({}, {"cache_bytes": 0}, {"cache_dir": tmp_path}):
        assert counting.counted(movie, **options) == tiny.LENGTH
    boxes = [entry.mask.box for entry in counting.track(movie).masklets[1].entries().values()]
    assert boxes == [entry.mask.box for entry in expected[1].entries().values()]
    assert counting.counted(movie, cache_dir=tmp_path) == 0
