from __future__ import annotations

import numpy as np
import pytest

from napari_sam2v.layers.centroid_tracks import CentroidTracks
from src_model.errors import MovieError

SHAPE = (6, 20, 30)


class Clock:
    """Stands still until told otherwise; each look at it takes `step` seconds."""

    def __init__(self):
        self.now = 0.0
        self.step = 0.0

    def __call__(self):
        self.now += self.step
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def document(make_document):
    document = make_document(SHAPE[1:])
    for frame in range(6):
        document.put(1, frame, (2, 2 + frame, 5, 5 + frame))
    for frame in range(3, 6):
        document.put(4, frame, (10, 10, 13, 13))
    return document


@pytest.fixture
def tracks(viewer, make_movie, document, event_loop, clock):
    return CentroidTracks(viewer, make_movie(SHAPE), document, name="tracks", clock=clock)


def test_centroids_of_all_objects_are_drawn_as_tracks(tracks, document, event_loop):
    tracks.show()
    tracks.update(document.masks)
    event_loop.run()
    assert tracks.layer.data.shape == (9, 4)
    np.testing.assert_allclose(tracks.layer.data[0], [1, 0, 3, 3])
    np.testing.assert_allclose(tracks.layer.data[-1], [4, 5, 11, 11])


def test_nothing_is_computed_before_tracks_are_wanted(tracks, document, event_loop, viewer):
    tracks.update(document.masks)
    assert not tracks._timer.isActive()
    tracks.show()
    event_loop.run()
    assert len(tracks.layer.data) == 9
    tracks.show(False)
    assert tracks.layer is None
    assert len(viewer.layers) == 1


def test_only_changed_frames_are_computed_again(tracks, document, event_loop, monkeypatch):
    tracks.show()
    tracks.update(document.masks)
    event_loop.run()
    asked = []
    mask = document.mask
    monkeypatch.setattr(document, "mask", lambda *key: asked.append(key) or mask(*key))
    document.put(1, 2, (0, 0, 1, 1))
    del document.masks[4, 5]
    tracks.update([(1, 2), (4, 5)])
    event_loop.run()
    assert asked == [(1, 2), (4, 5)]
    assert tracks.layer.data[:, :2].tolist() == [[1, t] for t in range(6)] + [[4, 3], [4, 4]]
    np.testing.assert_allclose(tracks.layer.data[2], [1, 2, 0, 0])


def test_work_is_done_in_short_turns(tracks, document, event_loop, clock):
    clock.step = 1.0  # every look at the clock says that the turn is over
    tracks.show()
    tracks.update(document.masks)
    turns = []
    tracks._timer.timeout.connect(lambda: turns.append(1))
    event_loop.run(0.5)
    assert len(turns) >= len(document.masks)


def test_drawing_rests_in_proportion_to_its_cost(tracks, document, event_loop, clock):
    tracks.show()
    clock.step = 0.001
    tracks.update([(1, 0)])
    event_loop.run(0)
    first = tracks.layer.data
    tracks.update([(1, 1)])
    event_loop.run(0)
    assert tracks.layer.data is first
    assert tracks._timer.interval() > 10, "milliseconds"
    clock.now += tracks._timer.interval() / 1000
    event_loop.run(0.2)
    assert len(tracks.layer.data) == 2


def test_daughters_hang_on_their_mothers(tracks, document, event_loop):
    tracks.set_parents({4: (1, 8), 9: (1,)})
    tracks.show()
    tracks.update(document.masks)
    event_loop.run()
    assert tracks.layer.graph == {4: [1]}
    tracks.remove([1])
    event_loop.run()
    assert tracks.layer.graph == {}
    assert set(tracks.layer.data[:, 0]) == {4}


def test_there_is_no_layer_without_centroids_and_it_comes_back_with_them(tracks, document, event_loop):
    tracks.show()
    event_loop.run()
    assert tracks.layer is None
    tracks.update(document.masks)
    event_loop.run()
    assert tracks.layer is not None
    tracks.remove([1, 4])
    event_loop.run()
    assert tracks.layer is None
    tracks.update([(1, 0)])
    event_loop.run()
    assert len(tracks.layer.data) == 1


def test_tracks_have_the_colors_of_their_objects(tracks, document, event_loop):
    tracks.set_colors({1: (255, 0, 0)})
    tracks.show()
    tracks.update(document.masks)
    event_loop.run()
    colors = tracks.layer.track_colors
    np.testing.assert_allclose(colors[0], [1, 0, 0, 1])
    np.testing.assert_allclose(colors[-1], [1, 1, 1, 1])


def test_tracks_that_the_user_removed_stay_away_until_they_are_asked_for(tracks, document, event_loop, viewer):
    tracks.show()
    tracks.update(document.masks)
    event_loop.run()
    viewer.layers.remove(tracks.layer)
    tracks.update([(1, 0)])
    event_loop.run()
    assert not tracks.shown
    assert len(viewer.layers) == 1
    tracks.show()
    event_loop.run()
    assert len(tracks.layer.data) == 9


def test_tracks_stand_in_the_channel_that_is_shown(viewer, make_movie, document, event_loop, clock):
    geometry = make_movie((6, 2, 20, 30), "TCYX")
    tracks = CentroidTracks(viewer, geometry, document, name="tracks", clock=clock)
    tracks.show()
    tracks.update(document.masks)
    event_loop.run()
    assert tracks.layer.data.shape == (9, 5)
    viewer.dims.set_current_step(1, 1)
    assert tracks.layer.data_to_world((0, 0, 3, 3)) == (0, 1, 3, 3)


@pytest.mark.parametrize(("shape", "axes"), [((2, 6, 20, 30), "CTYX"), ((6, 2, 3, 20, 30), "TCZYX"), ((20, 30), "YX")])
def test_movies_whose_tracks_napari_cannot_show_are_refused(viewer, make_movie, document, event_loop, shape, axes):
    with pytest.raises(MovieError, match="tracks cannot be shown"):
        CentroidTracks(viewer, make_movie(shape, axes), document, name="tracks")
