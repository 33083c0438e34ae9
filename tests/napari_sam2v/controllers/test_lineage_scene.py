"""What is drawn of a lineage, what of it is in view, and what lies under the pointer."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam2v.controllers import lineage_scene
from napari_sam2v.controllers.lineage_scene import Edge, LineageScene, TrackHit, TrackShape
from napari_sam2v.controllers.lineage_view import FIRST_COLUMN, MOST_COLUMN, LineageExtent, LineageView
from src_model.document import Division

LENGTH = 40


def lasting(start, stop):
    return TrackShape(start, stop, np.array([(start, stop, 2)], np.int32))


@pytest.fixture
def scene():
    """1 divides on frame 10 into 2 and 3; 3 and 4 become 5 on frame 30."""
    shapes = {1: lasting(0, 10), 2: lasting(10, 40), 3: lasting(12, 30), 4: lasting(5, 30), 5: lasting(30, 40)}
    divided = {1: Division(1, 10, (2, 3)), 3: Division(3, 30, (5,)), 4: Division(4, 30, (5,))}
    return LineageScene(shapes, divided, LENGTH)


@pytest.fixture
def view(scene):
    return LineageView(scene.extent, 300, 400).fitted()


def place(scene, view, object_id, frame):
    return view.x_of(scene.column_of[object_id]), view.y_of(frame)


# Shapes --------------------------------------------------------------------------------------------------------------


def test_a_track_has_a_piece_for_each_level_of_score_and_none_in_its_gaps(marks_of):
    nan = np.nan
    shape = TrackShape.of(marks_of(9, [nan, 0.9, 0.95, 0.5, nan, 0.8, 0.8, 0.9, nan], absent=[7]))
    assert (shape.start, shape.stop) == (1, 7)
    assert shape.pieces.tolist() == [[1, 3, 2], [3, 4, 0], [5, 7, 1]]


def test_an_object_that_is_nowhere_has_no_shape(marks_of):
    assert TrackShape.of(marks_of(3)) is None
    assert TrackShape.of(marks_of(3, [0.9, np.nan, np.nan], absent=[0])) is None


def test_objects_without_a_mask_are_drawn_where_an_edge_names_them():
    scene = LineageScene({1: lasting(0, 8)}, {1: Division(1, 10, (2, 3))}, LENGTH)
    assert scene.ids.tolist() == [2, 1, 3]
    assert scene.starts[scene.place[2]] == scene.stops[scene.place[2]] == 10


def test_an_edge_is_one_of_a_fusion_where_the_daughter_has_several_parents(scene):
    fusions = [edge for edge, is_fusion in zip(scene.edges, scene.is_fusion, strict=True) if is_fusion]
    assert fusions == [Edge(3, 5, 30), Edge(4, 5, 30)]


def test_an_empty_lineage_has_nothing_in_view_and_nothing_under_the_pointer():
    scene = LineageScene({}, {}, LENGTH)
    view = LineageView(scene.extent, 300, 400).fitted()
    assert not len(scene.tracks_in(view))
    assert not len(scene.edges_in(view))
    assert scene.hit(view, 10, 10) is None


# In view -------------------------------------------------------------------------------------------------------------


def test_only_tracks_and_edges_in_view_are_painted(scene, view):
    near = view.resized(100, 400).zoomed(0, 0, 100, 100).moved(1e6, 0)
    assert near.column_width == MOST_COLUMN
    shown = {int(scene.ids[track]) for track in scene.tracks_in(near)}
    assert shown == {2, 1}
    pieces, places = scene.pieces_in(near, scene.tracks_in(near))
    assert {int(scene.ids[track]) for track in places} <= shown
    assert len(pieces) == len(places)


def test_where_tracks_are_narrower_than_pixels_no_more_are_painted_than_there_are_pixels():
    scene = LineageScene({number: lasting(0, LENGTH) for number in range(1, 5001)}, {}, LENGTH)
    view = LineageView(scene.extent, 300, 400).fitted()
    assert 290 <= len(scene.tracks_in(view)) <= 302
    # every tenth begins later, and is not hidden by those that do not
    mixed = LineageScene({n: lasting(0 if n % 10 else 20, LENGTH) for n in range(1, 5001)}, {}, LENGTH)
    assert 590 <= len(mixed.tracks_in(view)) <= 604


def test_too_many_pieces_become_one_a_track(scene, view, monkeypatch):
    monkeypatch.setattr(lineage_scene, "MOST_PIECES", 3)
    pieces, places = scene.pieces_in(view, scene.tracks_in(view))
    assert places.tolist() == list(range(5))
    assert pieces[scene.place[3]].tolist() == [12, 30, 2]


# Under the pointer ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "part"), [(12, "beginning"), (12.3, "beginning"), (20.5, "middle"), (29.8, "end"), (30.4, "end")]
)
def test_a_track_is_hit_with_its_frame_and_its_end(scene, view, frame, part):
    x, y = place(scene, view, 3, frame)
    hit = scene.hit(view, x + 3, y)
    assert hit == TrackHit(3, min(int(frame), 29), part)


def test_an_edge_is_hit_between_its_tracks_and_the_shortest_first(scene, view):
    (left, y), (right, _) = (place(scene, view, number, 10) for number in (2, 1))
    assert scene.hit(view, (left + right) / 2, y) == Edge(1, 2, 10)
    assert scene.hit(view, left - 15, y) is None


def test_dragging_an_end_onto_a_beginning_means_an_edge_in_either_direction(scene):
    end, beginning = TrackHit(2, 39, "end"), TrackHit(5, 30, "beginning")
    assert scene.dropped(end, beginning) == scene.dropped(beginning, end) == Edge(2, 5, 30)
    assert scene.dropped(beginning, TrackHit(2, 20, "middle")) == Edge(2, 5, 30), "what goes on is split there"


def test_dragging_a_beginning_or_an_edge_away_cuts(scene):
    assert scene.dropped(TrackHit(5, 30, "beginning"), None) == (Edge(3, 5, 30), Edge(4, 5, 30))
    assert scene.dropped(Edge(1, 2, 10), None) == (Edge(1, 2, 10),)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (None, TrackHit(1, 0, "beginning")),
        (TrackHit(1, 0, "beginning"), None),
        (TrackHit(1, 9, "end"), None),
        (TrackHit(1, 9, "end"), TrackHit(1, 0, "beginning")),
        (TrackHit(1, 9, "end"), TrackHit(2, 39, "end")),
        (TrackHit(1, 9, "end"), Edge(1, 2, 10)),
    ],
)
def test_other_drags_mean_nothing(scene, source, target):
    assert scene.dropped(source, target) is None


# The view ------------------------------------------------------------------------------------------------------------


def test_all_of_a_lineage_fits(scene, view):
    assert view.x_of(0) >= 0
    assert view.x_of(float(scene.columns[-1])) <= 300
    assert (view.y_of(0), view.y_of(LENGTH)) == (0, 400)


def test_the_place_under_the_pointer_stays_there_while_zooming():
    view = LineageView(LineageExtent(1000, 500), 300, 400).fitted().zoomed(0, 0, 40, 4).centred(500, 250)
    nearer = view.zoomed(120, 90, 1.5, 1.5)
    assert nearer.column_at(120) == pytest.approx(view.column_at(120))
    assert nearer.frame_at(90) == view.frame_at(90)


def test_one_cannot_leave_the_lineage():
    view = LineageView(LineageExtent(1000, 500), 300, 400).fitted().zoomed(0, 0, 40, 4)
    for moved in (view.moved(1e6, 1e6), view.moved(-1e6, -1e6)):
        assert moved.column_at(0) >= -0.5
        assert moved.column_at(300) <= 999.5
        assert moved.frame_at(0) >= 0
        assert moved.y_of(500) >= 400 - 1e-6


def test_a_place_out_of_view_comes_into_view_and_one_in_view_moves_nothing():
    view = LineageView(LineageExtent(1000, 500), 300, 400).fitted().zoomed(0, 0, 40, 4)
    assert 0 <= view.showing(800, 400).x_of(800) <= 300
    assert view.showing(1, 5) is view


def test_another_movie_begins_with_all_its_frames_and_readable_columns(view):
    other = view.zoomed(0, 0, 3, 3).of_extent(LineageExtent(1000, 5000))
    assert (other.column_width, other.y_of(5000)) == (FIRST_COLUMN, 400)
    assert other.resized(300, 200).y_of(5000) == 200, "all frames stay in view"
