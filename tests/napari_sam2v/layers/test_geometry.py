from __future__ import annotations

import numpy as np
import pytest

from napari_sam2v.layers.geometry import LayerGeometry
from src_model.errors import MovieError


def world_of(geometry, frame, y, x):
    return np.asarray(geometry.image.data_to_world(geometry.to_data(frame, [(y, x)])[0]))


@pytest.mark.parametrize(
    ("shape", "axes", "expected"),
    [
        ((20, 30), "YX", (1, 20, 30)),
        ((6, 20, 30), "TYX", (6, 20, 30)),
        ((2, 6, 20, 30), "CTYX", (6, 20, 30)),
        ((6, 9, 20, 30), "TZYX", (6, 20, 30)),
        ((6, 2, 9, 20, 30), "TCZYX", (6, 20, 30)),
    ],
)
def test_a_movie_has_the_shape_its_axes_say(make_movie, shape, axes, expected):
    geometry = make_movie(shape, axes)
    assert geometry.shape == expected
    assert geometry.ndim == len(shape)


def test_axes_that_do_not_fit_the_layer_are_refused(make_movie):
    image = make_movie().image
    for axes in ("TCYX", "TXY", "YX", "QYX", "YYX"):
        with pytest.raises(MovieError, match="axes"):
            LayerGeometry(image, axes)


def test_the_samples_of_rgb_are_no_axis(viewer):
    image = viewer.add_image(np.zeros((4, 20, 30, 3), np.uint8), rgb=True)
    assert LayerGeometry(image, "TYX").shape == (4, 20, 30)


def test_points_come_back_from_data_coordinates_as_they_went_in(make_movie):
    geometry = make_movie((2, 6, 9, 20, 30), "CTZYX", plane=4)
    data = geometry.to_data(3, [(1.5, 2.25), (7, 8)])
    np.testing.assert_array_equal(data, [[0, 3, 4, 1.5, 2.25], [0, 3, 4, 7, 8]])
    frames, yx = geometry.from_data(data)
    assert frames.tolist() == [3, 3]
    assert yx.tolist() == [[1.5, 2.25], [7, 8]]


PLACED = {
    "scale": (2.0, 0.5, 0.25),
    "translate": (10.0, -3.0, 4.0),
    "rotate": 30.0,
    "shear": [0.0, 0.0, 0.1],
    "affine": np.array([[1, 0, 0, 1], [0, 1.5, 0.2, 2], [0, -0.2, 1.5, 3], [0, 0, 0, 1.0]]),
}


def rotation(degrees):
    angle = np.deg2rad(degrees)
    return np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])


@pytest.mark.parametrize("names", [["scale"], ["scale", "translate"], ["rotate", "scale"], ["shear"], list(PLACED)])
def test_world_and_movie_go_into_one_another_under_every_transform(make_movie, names):
    options = {name: PLACED[name] for name in names}
    if "rotate" in options:
        options["rotate"] = rotation(30)
    geometry = make_movie(**options)
    world = world_of(geometry, 4, 3.25, 17.5)
    frame, y, x = geometry.world_to_movie(world)
    assert frame == 4
    np.testing.assert_allclose((y, x), (3.25, 17.5))
    if names == ["scale"]:
        np.testing.assert_allclose(world, (8, 3.25 * 0.5, 17.5 * 0.25))


def test_a_layer_on_the_movie_lies_where_the_image_lies(make_movie, viewer):
    geometry = make_movie(units=("s", "um", "um"), axis_labels=("t", "y", "x"), **{**PLACED, "rotate": rotation(30)})
    layer = viewer.add_labels(np.zeros((6, 20, 30), np.uint16), **geometry.options())
    for place in ((0, 0, 0), (5, 19, 29), (2, 3.5, 7.25)):
        np.testing.assert_allclose(layer.data_to_world(place), geometry.image.data_to_world(place))
    assert layer.units == geometry.image.units
    assert layer.axis_labels == ("t", "y", "x")


def test_a_layer_follows_when_it_is_placed_again(make_movie, viewer):
    geometry = make_movie()
    layer = viewer.add_points(np.zeros((1, 3)), **geometry.options())
    geometry.image.scale = (1, 0.2, 0.2)
    geometry.image.affine = PLACED["affine"]
    geometry.place(layer)
    np.testing.assert_allclose(layer.data_to_world((2, 5, 6)), geometry.image.data_to_world((2, 5, 6)))


def test_the_entry_of_a_layer_stands_in_the_channel_that_is_shown(make_movie, viewer):
    geometry = make_movie((6, 3, 20, 30), "TCYX", scale=(1, 4, 0.5, 0.5), translate=(0, 7, 0, 0))
    layer = viewer.add_points(geometry.to_data(2, [(5, 6)]), **geometry.options(viewer.dims))
    for channel in (0, 2, 1):
        viewer.dims.set_current_step(1, channel)
        geometry.place(layer, viewer.dims)
        np.testing.assert_allclose(layer.data_to_world(layer.data[0]), geometry.image.data_to_world((2, channel, 5, 6)))


def test_the_shown_frame_is_counted_along_the_time_axis(make_movie, viewer):
    geometry = make_movie((3, 6, 20, 30), "CTYX", scale=(1, 300, 1, 1), translate=(0, 50, 0, 0))
    viewer.dims.set_current_step(1, 4)
    assert geometry.shown_frame(viewer.dims) == 4
    geometry.show_frame(viewer.dims, 2)
    assert viewer.dims.current_step[1] == 2
    assert geometry.shown_frame(viewer.dims) == 2


def test_a_viewer_with_more_axes_than_the_image_counts_the_last_ones(make_movie, viewer):
    viewer.add_image(np.zeros((4, 8, 20, 30), np.uint8))
    geometry = make_movie()
    viewer.dims.set_current_step(1, 5)
    assert geometry.shown_frame(viewer.dims) == 5
    viewer.dims.set_current_step(1, 7)  # only the other layer is as long
    assert geometry.shown_frame(viewer.dims) is None


def test_a_single_image_has_frame_zero(make_movie, viewer):
    geometry = make_movie((20, 30), "YX")
    assert geometry.shown_frame(viewer.dims) == 0
    geometry.show_frame(viewer.dims, 0)


def test_three_dimensions_rolled_axes_and_other_planes_are_told_in_a_sentence(make_movie, viewer):
    geometry = make_movie((6, 9, 20, 30), "TZYX", plane=4)
    viewer.dims.set_current_step(1, 4)
    assert geometry.problem(viewer.dims) is None
    viewer.dims.set_current_step(1, 5)
    assert "Plane 4 is annotated, but plane 5 is shown" in geometry.problem(viewer.dims)
    viewer.dims.order = (2, 0, 1, 3)
    assert "roll" in geometry.problem(viewer.dims)
    viewer.dims.ndisplay = 3
    assert "3-D" in geometry.problem(viewer.dims)


def test_a_view_with_rows_and_columns_exchanged_is_fine(make_movie, viewer):
    geometry = make_movie()
    viewer.dims.order = (0, 2, 1)
    assert geometry.problem(viewer.dims) is None


def test_the_camera_goes_to_a_point_of_a_scaled_and_moved_movie_and_keeps_its_zoom(viewer):
    image = viewer.add_image(np.zeros((4, 20, 30)), scale=(1, 2, 3), translate=(0, 10, 20))
    camera = getattr(viewer, "scene", viewer).camera
    zoom = camera.zoom
    LayerGeometry(image, "TYX").look_at(viewer, 2, (5, 6))
    assert camera.center[-2:] == (20, 38)
    assert camera.zoom == zoom
