from __future__ import annotations

import numpy as np
import pytest

from napari_sam2v.layers.prompt_types import PromptEdit
from napari_sam2v.layers.shape_prompts import ShapePrompts

SHAPE = (6, 20, 30)


@pytest.fixture
def shapes(viewer, make_movie, event_loop):
    prompts = ShapePrompts(viewer, make_movie(SHAPE), name="boxes")
    prompts.emissions = []
    prompts.messages = []
    prompts.edited.connect(prompts.emissions.append)
    prompts.refused.connect(prompts.messages.append)
    return prompts


def rectangle(frame, y0, x0, y1, x1):
    """The corners of pixels y0..y1, x0..x1 as napari has them."""
    return np.array([[frame, y, x] for y, x in ((y0, x0), (y0, x1), (y1, x1), (y1, x0))], float) - [0, 0.5, 0.5]


def outline(frame, vertices):
    return np.array([[frame, y, x] for y, x in vertices], float)


def box(object_id, frame, value):
    return PromptEdit(object_id, frame, "box", box=value)


def test_a_box_comes_out_when_the_mouse_is_released(shapes, viewer, mouse, event_loop):
    shapes.object_id = 3
    shapes.require(activate=True).mode = "add_rectangle"
    viewer.dims.set_current_step(0, 4)
    mouse(shapes.layer, viewer).drag((2, 3), (5, 9), (8, 12))
    event_loop.run()
    ((edit,),) = shapes.emissions
    assert (edit.object_id, edit.frame, edit.kind) == (3, 4, "box")
    assert edit.box[:2] == (2.5, 3.5)  # where the drag began; napari needs a screen to get the other corner right
    assert shapes.layer.features.to_dict("list") == {"object_id": [3], "frame": [4], "sign": [1]}


def test_a_second_box_of_an_object_on_a_frame_replaces_the_first(shapes, event_loop):
    layer = shapes.require()
    layer.add(rectangle(2, 1, 1, 5, 5), shape_type="rectangle")
    event_loop.run()
    layer.add(rectangle(2, 6, 6, 9, 9), shape_type="rectangle")
    event_loop.run()
    assert shapes.emissions == [(box(1, 2, (1, 1, 5, 5)),), (box(1, 2, (6, 6, 9, 9)),)]
    assert layer.nshapes == 1


def test_boxes_removed_on_two_frames_are_two_edits(shapes, event_loop):
    shapes.show({(1, 0): (1, 1, 5, 5), (2, 3): (2, 2, 6, 6), (2, 4): (2, 2, 6, 6)})
    shapes.layer.selected_data = {0, 1}
    shapes.layer.remove_selected()
    event_loop.run()
    assert shapes.emissions == [(box(1, 0, None), box(2, 3, None))]


def test_a_box_that_was_moved_keeps_its_object(shapes, event_loop):
    shapes.show({(1, 0): (1, 1, 5, 5), (2, 3): (2, 2, 6, 6)})
    shapes.object_id = 9
    shapes.layer.data = [rectangle(0, 1, 1, 5, 5), rectangle(3, 4, 4, 8, 8)]
    event_loop.run()
    assert shapes.emissions == [(box(2, 3, (4, 4, 8, 8)),)]


def test_boxes_are_cut_at_the_edge_of_the_image_and_refused_beyond(shapes, event_loop):
    layer = shapes.require()
    layer.add(rectangle(0, -5, 25, 5, 40), shape_type="rectangle")
    event_loop.run()
    assert shapes.emissions == [(box(1, 0, (0, 25, 5, 30)),)]
    layer.add(rectangle(1, 30, 2, 40, 5), shape_type="rectangle")
    event_loop.run()
    assert len(shapes.emissions) == 1
    assert "inside the image" in shapes.messages[0]
    assert layer.nshapes == 1


def test_an_outline_becomes_a_mask_of_the_pixels_inside_and_leaves_the_layer(shapes, event_loop):
    layer = shapes.require()
    layer.add(outline(2, [(1.5, 2.5), (1.5, 8.5), (5.5, 8.5), (5.5, 2.5)]), shape_type="polygon")
    event_loop.run()
    ((edit,),) = shapes.emissions
    assert (edit.object_id, edit.frame, edit.kind) == (1, 2, "mask")
    assert edit.mask.box == (2, 3, 6, 9)
    assert edit.mask.decode().sum() == 24
    assert layer.nshapes == 0


def test_two_outlines_drawn_in_one_go_are_one_mask(shapes, event_loop):
    layer = shapes.require()
    for left in (2.5, 12.5):
        layer.add(outline(0, [(1.5, left), (1.5, left + 4), (5.5, left + 4), (5.5, left)]), shape_type="polygon")
    event_loop.run()
    ((edit,),) = shapes.emissions
    assert edit.mask.decode().sum() == 32


def test_an_ellipse_is_filled_as_an_ellipse(shapes, event_loop):
    shapes.require().add(rectangle(0, 2, 4, 18, 24), shape_type="ellipse")
    event_loop.run()
    ((edit,),) = shapes.emissions
    assert edit.mask.box == (2, 4, 18, 24)
    assert edit.mask.decode().sum() == pytest.approx(np.pi * 8 * 10, rel=0.03)


def test_a_drawn_line_becomes_clicks_at_equal_distances_and_leaves_the_layer(shapes, event_loop):
    layer = shapes.require()
    layer.add(outline(2, [(4, 5), (4, 15), (14, 15)]), shape_type="path")
    event_loop.run()
    ((edit,),) = shapes.emissions
    assert (edit.object_id, edit.frame, edit.kind) == (1, 2, "scribble")
    assert edit.points == ((4.0, 7.0), (4.0, 11.0), (4.0, 15.0), (8.0, 15.0), (12.0, 15.0))
    assert edit.labels == (1,) * 5
    assert layer.nshapes == 0


def test_a_line_drawn_with_control_lies_outside_and_a_short_one_is_one_click(shapes, viewer, mouse, event_loop):
    shapes.require(activate=True).mode = "add_path"
    mouse(shapes.layer, viewer, modifiers=["Control"]).drag((4, 5), (4, 8), (4, 11), (4, 14))
    shapes.layer.mode = "pan_zoom"
    event_loop.run()
    (edit,) = shapes.emissions[-1]
    assert edit.kind == "scribble"
    assert set(edit.labels) == {0}
    shapes.layer.add(outline(2, [(4, 5), (4, 6), (4, 7)]), shape_type="path")
    event_loop.run()
    assert shapes.emissions[-1][0].points == ((4.0, 6.0),)


@pytest.mark.parametrize(("size", "refused"), [(0.4, True), (1, True), (1.9, True), (2, False)])
def test_a_box_under_two_pixels_is_refused_and_the_one_before_it_stays(shapes, event_loop, size, refused):
    shapes.show({(1, 2): (1, 1, 5, 5)})
    shapes.layer.add(rectangle(2, 6, 6, 6 + size, 12), shape_type="rectangle")
    event_loop.run()
    assert ("smaller than 2 pixels" in " ".join(shapes.messages)) is refused
    assert (shapes.emissions == []) is refused
    assert shapes.layer.nshapes == 1


def test_an_outline_of_hardly_any_pixels_is_refused(shapes, event_loop):
    shapes.require().add(outline(2, [(4, 5), (4, 6), (5, 6)]), shape_type="polygon")
    event_loop.run()
    assert "fewer than 4 pixels" in shapes.messages[0]
    assert shapes.emissions == []


def test_what_the_document_wants_shown_waits_for_the_end_of_a_drag(shapes, viewer, mouse, event_loop):
    shapes.show({(1, 0): (1, 1, 5, 5)})
    shapes.layer.mode = "add_rectangle"
    hand = mouse(shapes.layer, viewer)

    def answer():
        shapes.show({})

    hand.drag((2, 3), (5, 9), (8, 12), between=answer)
    event_loop.run()
    assert shapes.emissions[-1][0].kind == "box"
    assert shapes.emissions[-1][0].box[:2] == (2.5, 3.5)


def test_a_line_is_refused(shapes, event_loop):
    shapes.require().add(outline(0, [(1, 1), (5, 5)]), shape_type="line")
    event_loop.run()
    assert shapes.emissions == []
    assert shapes.messages
    assert shapes.layer.nshapes == 0


def test_a_polygon_that_is_still_being_drawn_is_left_alone(shapes, viewer, mouse, event_loop):
    layer = shapes.require()
    layer.mode = "add_polygon"
    layer.add(rectangle(0, 1, 1, 5, 5), shape_type="rectangle")
    mouse(layer, viewer).drag((8, 8))
    event_loop.run()
    assert shapes.emissions == [(box(1, 0, (1, 1, 5, 5)),)]
    assert layer.nshapes == 2


def test_showing_the_document_emits_nothing_and_is_exact(shapes, event_loop):
    shapes.show({(1, 0): (1.3, 2.7, 5.1, 6.9), (2, 3): (2, 2, 6, 6)})
    shapes.take_edits()
    shapes.show({(2, 3): (2, 2, 6, 6.1)})
    shapes.take_edits()
    shapes.show({})
    event_loop.run()
    assert shapes.emissions == []
    assert shapes.layer.nshapes == 0


def test_showing_what_is_there_already_changes_nothing(shapes, event_loop):
    shapes.require().add(rectangle(2, 1, 1, 5, 5), shape_type="rectangle")
    event_loop.run()
    shapes.layer.selected_data = {0}
    shapes.show({(1, 2): (1.0, 1.0, 5.0, 5.0)})
    assert set(shapes.layer.selected_data) == {0}


def test_boxes_have_the_colors_of_their_objects(shapes):
    shapes.set_colors({1: (255, 0, 0), 2: (0, 0, 255)})
    shapes.show({(2, 0): (1, 1, 5, 5), (1, 0): (2, 2, 6, 6)})
    np.testing.assert_allclose(shapes.layer.edge_color, [[0, 0, 1, 1], [1, 0, 0, 1]])


def test_a_layer_that_the_user_removed_comes_back_with_its_boxes(shapes, viewer, event_loop):
    shapes.show({(1, 0): (1, 1, 5, 5)})
    viewer.layers.remove(shapes.layer)
    event_loop.run()
    assert shapes.emissions == []
    assert shapes.require().nshapes == 1


@pytest.mark.filterwarnings("ignore:Polygons must have three or more vertices")
def test_a_stroke_too_short_for_an_outline_leaves_the_box_and_later_prompts_alone(shapes, viewer, mouse, event_loop):
    shapes.show({(1, 0): (1, 1, 5, 5)})
    shapes.require(activate=True).mode = "add_polygon_lasso"
    mouse(shapes.layer, viewer).drag((8, 8), (8, 9), (8, 10), (8, 11), (8, 12))
    assert len(shapes.layer.features) == shapes.layer.nshapes == 1
    event_loop.run()
    assert shapes.emissions == []
    shapes.layer.add(rectangle(2, 6, 6, 9, 9), shape_type="rectangle")
    event_loop.run()
    assert shapes.emissions == [(box(1, 2, (6, 6, 9, 9)),)]


def test_a_layer_that_cannot_be_read_shows_the_document_again_and_the_next_one_works(shapes, event_loop, monkeypatch):
    shapes.show({(1, 0): (1, 1, 5, 5)})
    shapes.layer.add(rectangle(2, 6, 6, 9, 9), shape_type="rectangle")
    with monkeypatch.context() as broken:
        broken.setattr(shapes, "_tidy", lambda: [][0])
        event_loop.run()
    assert shapes.emissions == []
    assert "draw it again" in shapes.messages[0]
    assert shapes.layer.nshapes == 1
    shapes.layer.add(rectangle(2, 6, 6, 9, 9), shape_type="rectangle")
    event_loop.run()
    assert shapes.emissions == [(box(1, 2, (6, 6, 9, 9)),)]
