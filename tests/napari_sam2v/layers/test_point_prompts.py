from __future__ import annotations

import numpy as np
import pytest

from napari_sam2v.layers.point_prompts import PointPrompts
from napari_sam2v.layers.prompt_types import PromptEdit

SHAPE = (6, 20, 30)


@pytest.fixture
def points(viewer, make_movie, event_loop):
    return listening(PointPrompts(viewer, make_movie(SHAPE), name="points"))


def listening(prompts):
    prompts.emissions = []
    prompts.messages = []
    prompts.edited.connect(prompts.emissions.append)
    prompts.refused.connect(prompts.messages.append)
    return prompts


def edit(object_id, frame, points, labels):
    return PromptEdit(object_id, frame, "points", tuple(points), tuple(labels))


def test_a_click_is_a_point_of_the_current_object_on_the_shown_frame(points, viewer, mouse, event_loop):
    points.object_id = 3
    points.require(activate=True).mode = "add"
    viewer.dims.set_current_step(0, 4)
    mouse(points.layer, viewer).drag((5, 7))
    assert points.emissions == []
    event_loop.run()
    assert points.emissions == [(edit(3, 4, [(5, 7)], [1]),)]
    assert points.layer.features.to_dict("list") == {"object_id": [3], "frame": [4], "sign": [1]}


def test_clicks_in_quick_succession_come_out_together(points, viewer, mouse, event_loop):
    points.require().mode = "add"
    for x in (3, 9, 15):
        mouse(points.layer, viewer).drag((5, x))
    event_loop.run()
    assert points.emissions == [(edit(1, 0, [(5, 3), (5, 9), (5, 15)], [1, 1, 1]),)]


@pytest.mark.parametrize(("button", "modifiers"), [(2, ()), (1, ("Control",))])
def test_the_right_button_and_control_mean_outside_for_one_click(points, viewer, mouse, event_loop, button, modifiers):
    points.require().mode = "add"
    mouse(points.layer, viewer, button, modifiers).drag((5, 7))
    mouse(points.layer, viewer).drag((5, 9))
    event_loop.run()
    ((only,),) = points.emissions
    assert only.labels == (0, 1)
    assert [str(symbol) for symbol in points.layer.symbol] == ["x", "disc"]


def test_dragging_with_the_right_button_zooms_and_leaves_no_trace(points, viewer, mouse, event_loop):
    points.require().mode = "add"
    mouse(points.layer, viewer, button=2).drag((5, 7), (9, 20))
    mouse(points.layer, viewer).drag((5, 9))
    event_loop.run()
    assert points.emissions == [(edit(1, 0, [(5, 9)], [1]),)]


def test_the_object_of_a_point_is_the_current_one_though_another_point_was_selected(points, viewer, mouse, event_loop):
    points.show({(7, 0): (((2.0, 2.0),), (0,))})
    points.require().selected_data = {0}
    points.object_id = 2
    points.layer.mode = "add"
    mouse(points.layer, viewer).drag((5, 9))
    event_loop.run()
    assert points.emissions == [(edit(2, 0, [(5, 9)], [1]),)]
    assert points.layer.features["object_id"].tolist() == [7, 2]


def test_deleting_points_on_two_frames_is_two_edits_in_one_emission(points, event_loop):
    points.show({(1, 0): (((2, 2), (3, 3)), (1, 0)), (1, 5): (((4, 4),), (1,)), (2, 0): (((9, 9),), (1,))})
    points.layer.selected_data = {0, 1, 2}
    points.layer.remove_selected()
    event_loop.run()
    assert points.emissions == [(edit(1, 0, [], []), edit(1, 5, [], []))]
    assert len(points.layer.data) == 1


def test_moving_a_point_keeps_the_order_of_the_clicks(points, viewer, mouse, event_loop):
    points.show({(1, 0): (((2, 2), (12, 12)), (1, 0))})
    points.layer.mode = "select"
    viewer.layers.selection.active = points.layer
    points.layer.selected_data = {0}
    points.layer.data[0] = [0, 4, 5]
    points.layer.events.data(value=points.layer.data, action="changed", data_indices=(0,), vertex_indices=((),))
    event_loop.run()
    assert points.emissions == [(edit(1, 0, [(4, 5), (12, 12)], [1, 0]),)]


def test_points_dragged_with_the_mouse_come_out_once(points, viewer, mouse, event_loop):
    points.show({(1, 0): (((5, 5),), (1,))})
    points.layer.mode = "select"
    points.layer.selected_data = {0}
    points.layer._get_value_ = lambda **_: 0  # which point lies under the cursor is asked of the screen
    mouse(points.layer, viewer).drag((5, 5), (7, 9), (8, 10))
    event_loop.run()
    assert points.emissions == [(edit(1, 0, [(8, 10)], [1]),)]


def test_a_sign_changed_in_the_feature_table_is_an_edit(points, event_loop):
    points.show({(1, 0): (((5, 6), (7, 8)), (1, 1))})
    table = points.layer.features.copy()
    table.loc[1, "sign"] = -1
    points.layer.features = table
    event_loop.run()
    assert points.emissions == [(edit(1, 0, [(5, 6), (7, 8)], [1, 0]),)]
    assert str(points.layer.symbol[1]) == "x"


def test_showing_the_document_emits_nothing(points, event_loop):
    points.show({(1, 0): (((5, 6),), (1,)), (2, 3): (((7, 8), (1, 1)), (1, 0))})
    points.show({(2, 3): (((7, 8),), (1,))})
    points.show({})
    event_loop.run()
    assert points.emissions == []
    assert len(points.layer.data) == 0


def test_showing_what_is_there_already_keeps_the_selection(points, viewer, mouse, event_loop):
    points.require().mode = "add"
    mouse(points.layer, viewer).drag((5, 7))
    event_loop.run()
    points.layer.selected_data = {0}
    points.show({(1, 0): (((5.0, 7.0),), (1,))})
    assert set(points.layer.selected_data) == {0}


def test_a_document_that_did_not_take_an_edit_wins(points, viewer, mouse, event_loop):
    points.require().mode = "add"
    mouse(points.layer, viewer).drag((5, 7))
    event_loop.run()
    points.show({})
    assert len(points.layer.data) == 0


def test_clicks_beside_the_image_are_taken_back_with_a_message(points, viewer, mouse, event_loop):
    points.require().mode = "add"
    mouse(points.layer, viewer).drag((25, 7))
    event_loop.run()
    assert points.emissions == []
    assert "20 x 30" in points.messages[0]
    assert len(points.layer.data) == 0


def test_points_have_the_colors_of_their_objects(points, viewer, mouse, event_loop):
    points.set_colors({1: (255, 0, 0), 2: (0, 0, 255)})
    points.show({(2, 0): (((5, 6),), (1,))})
    points.require().mode = "add"
    mouse(points.layer, viewer).drag((5, 7))
    np.testing.assert_allclose(points.layer.face_color, [[0, 0, 1, 1], [1, 0, 0, 1]])
    points.set_colors({1: (0, 255, 0), 2: (0, 0, 255)})
    np.testing.assert_allclose(points.layer.face_color[1], [0, 1, 0, 1])


def test_there_is_no_layer_until_there_is_something_to_show(points, viewer):
    points.show({})
    assert len(viewer.layers) == 1
    image = viewer.layers[0]
    viewer.layers.selection.active = image
    points.show({(1, 0): (((5, 6),), (1,))})
    assert viewer.layers.selection.active is image


def test_a_layer_that_the_user_removed_comes_back_with_its_points(points, viewer, event_loop):
    points.show({(1, 0): (((5, 6),), (1,))})
    viewer.layers.remove(points.layer)
    event_loop.run()
    assert points.emissions == []
    points.require()
    assert points.layer.data.tolist() == [[0, 5, 6]]


def test_points_follow_the_channel_and_the_transforms_of_the_image(viewer, make_movie, event_loop, mouse):
    geometry = make_movie((6, 3, 20, 30), "TCYX", scale=(1, 1, 0.5, 0.5))
    points = listening(PointPrompts(viewer, geometry, name="points"))
    points.show({(1, 0): (((5, 6),), (1,))})
    viewer.dims.set_current_step(1, 2)
    np.testing.assert_allclose(points.layer.data_to_world(points.layer.data[0]), (0, 2, 2.5, 3))
    geometry.image.scale = (1, 1, 0.1, 0.1)
    np.testing.assert_allclose(points.layer.data_to_world((0, 0, 5, 6)), (0, 2, 0.5, 0.6))
    points.layer.mode = "add"
    mouse(points.layer, viewer).drag((9, 9))
    event_loop.run()
    np.testing.assert_allclose(points.emissions[0][0].points, [(5, 6), (9, 9)])
