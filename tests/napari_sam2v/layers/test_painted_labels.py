from __future__ import annotations

import numpy as np
import pytest

from napari_sam2v.layers.painted_labels import PaintedLabels
from src_model.masks import Rle

SHAPE = (6, 20, 30)


@pytest.fixture
def document(make_document):
    document = make_document(SHAPE[1:])
    for frame in range(6):
        document.put(1, frame, (2, 2, 6, 6))
        document.put(2, frame, (10, 10, 15, 15))
    return document


@pytest.fixture
def painted(viewer, make_movie, document, event_loop):
    painted = PaintedLabels(viewer, make_movie(SHAPE), document, name="masks")
    painted.require()
    painted.strokes = []
    painted.messages = []
    painted.edited.connect(painted.strokes.append)
    painted.edited.connect(document.take)
    painted.refused.connect(painted.messages.append)
    return painted


def shown(painted):
    """What napari has sliced for the screen."""
    return painted.layer._slice.image.raw


def test_the_layer_shows_the_frame_the_viewer_stands_on_and_decodes_no_other(painted, viewer, document):
    document.decoded.clear()
    viewer.dims.set_current_step(0, 4)
    assert document.decoded == [4]
    np.testing.assert_array_equal(shown(painted), document.labels(4))


def test_a_change_of_the_shown_frame_is_seen_and_others_cost_nothing(painted, viewer, document):
    document.put(3, 0, (0, 0, 2, 2))
    document.put(3, 5, (0, 0, 2, 2))
    document.decoded.clear()
    painted.update([5])
    assert document.decoded == []
    painted.update([0])
    assert document.decoded == [0]
    assert shown(painted)[0, 0] == 3
    viewer.dims.set_current_step(0, 5)
    assert shown(painted)[0, 0] == 3


def test_painting_comes_out_when_the_mouse_is_released(painted, viewer, document, mouse):
    painted.layer.mode = "paint"
    painted.layer.brush_size = 3
    painted.select(1)
    mouse(painted.layer, viewer).drag((12, 20), (12, 24))
    ((edit,),) = painted.strokes
    assert (edit.object_id, edit.frame) == (1, 0)
    assert edit.mask.decode()[12, 20:25].all()
    assert edit.mask.decode()[2:6, 2:6].all()
    assert shown(painted)[12, 22] == 1
    np.testing.assert_array_equal(shown(painted), document.labels(0))


def test_painting_over_another_object_edits_both(painted, viewer, document, mouse):
    painted.layer.mode = "paint"
    painted.layer.brush_size = 1
    painted.select(7)
    mouse(painted.layer, viewer).drag((12, 12))
    ((first, second),) = painted.strokes
    assert (first.object_id, second.object_id) == (2, 7)
    assert not first.mask.decode()[12, 12]
    assert second.mask.decode().sum() == 1


def test_what_another_object_covers_is_not_lost_by_painting(painted, viewer, document, mouse):
    document.put(3, 0, (2, 2, 6, 4))  # covers a half of object 1
    painted.update([0])
    painted.layer.mode = "erase"
    painted.layer.brush_size = 1
    mouse(painted.layer, viewer).drag((3, 5))
    ((edit,),) = painted.strokes
    assert edit.object_id == 1
    assert edit.mask.decode().sum() == 15


def test_locked_objects_refuse_to_be_painted_and_painted_over(painted, viewer, document, mouse):
    document.locked.add((2, 0))
    before = document.labels(0)
    painted.layer.mode = "paint"
    painted.layer.brush_size = 3
    painted.select(1)
    mouse(painted.layer, viewer).drag((12, 12))
    assert painted.strokes == []
    assert painted.messages == ["object 2 is locked"]
    np.testing.assert_array_equal(shown(painted), before)
    painted.select(2)
    mouse(painted.layer, viewer).drag((3, 20))
    assert painted.strokes == []
    np.testing.assert_array_equal(shown(painted), before)


def test_a_stroke_beside_a_locked_object_keeps_its_other_pixels(painted, viewer, document, mouse):
    document.locked.add((2, 0))
    painted.layer.mode = "paint"
    painted.layer.brush_size = 1
    painted.select(1)
    mouse(painted.layer, viewer).drag((12, 8), (12, 11))
    ((edit,),) = painted.strokes
    assert edit.mask.decode()[12].nonzero()[0].tolist() == [8, 9]
    assert (shown(painted)[12, 8:12] == [1, 1, 2, 2]).all()


def test_napari_can_undo_and_redo_a_stroke_and_the_document_hears_of_it(painted, viewer, document, mouse, event_loop):
    before = document.labels(0)
    painted.layer.mode = "paint"
    painted.select(1)
    mouse(painted.layer, viewer).drag((12, 22))
    after = document.labels(0)
    assert (before != after).any()
    painted.layer.undo()
    event_loop.run()
    np.testing.assert_array_equal(document.labels(0), before)
    np.testing.assert_array_equal(shown(painted), before)
    painted.layer.redo()
    event_loop.run()
    np.testing.assert_array_equal(document.labels(0), after)
    assert len(painted.strokes) == 3


def test_a_frame_that_arrives_during_a_stroke_does_not_disturb_it(painted, viewer, document, event_loop):
    painted.layer.data[0, 12, 22] = 1  # as the brush does while the button is down
    document.put(5, 0, (18, 0, 20, 2))
    painted.update([0])
    assert shown(painted)[12, 22] == 1
    painted.take_strokes()
    ((edit,),) = painted.strokes
    assert edit.object_id == 1
    assert shown(painted)[18, 0] == 5


def test_filling_is_painting_too(painted, document, event_loop):
    painted.layer.fill((0, 3, 3), 9)
    event_loop.run()
    ((first, second),) = painted.strokes
    assert (first.object_id, first.mask.box) == (1, None)
    assert second.object_id == 9
    assert document.labels(0)[2:6, 2:6].tolist() == [[9] * 4] * 4


def test_pixels_set_by_a_script_come_out_as_one_stroke_over_several_frames(painted):
    with painted.layer.block_history():
        for frame in (2, 4):
            painted.layer.data_setitem((np.array([frame]), np.array([0]), np.array([0])), 1)
    ((first, second),) = painted.strokes
    assert (first.frame, second.frame) == (2, 4)


def test_colors_are_shown(painted):
    painted.set_colors({1: (255, 0, 0), 2: (0, 255, 0)})
    colors = painted.layer.colormap
    np.testing.assert_array_equal(colors.map(1), [1, 0, 0, 1])
    np.testing.assert_array_equal(colors.map(2), [0, 1, 0, 1])
    np.testing.assert_array_equal(colors.map(99), [1, 1, 1, 1])
    painted.set_colors({1: (255, 0, 0), 2: (0, 255, 0)})
    assert painted.layer.colormap is colors


def test_large_ids_change_the_type_of_the_layer(painted, document):
    document.dtype = np.dtype(np.int32)
    document.put(70_000, 0, (0, 0, 1, 1))
    painted.update([0])
    assert painted.layer.data.dtype == np.int32
    assert shown(painted)[0, 0] == 70_000
    painted.select(70_001)


def test_a_layer_that_the_user_removed_comes_back_with_what_the_document_holds(painted, viewer, document, event_loop):
    viewer.layers.remove(painted.layer)
    assert painted.layer is None
    painted.update([0])
    painted.select(2)
    painted.set_colors({1: (1, 2, 3)})
    event_loop.run()
    painted.require()
    np.testing.assert_array_equal(shown(painted), document.labels(0))
    painted.close()
    painted.close()
    assert not [layer for layer in viewer.layers if layer.name == "masks"]


def test_the_layer_can_be_saved_as_an_array(painted, document):
    saved = np.asarray(painted.layer.data)
    assert saved.shape == SHAPE
    np.testing.assert_array_equal(saved[3], document.labels(3))


def test_masks_come_as_run_lengths_of_the_whole_frame(painted, viewer, mouse):
    painted.layer.mode = "paint"
    mouse(painted.layer, viewer).drag((12, 22))
    assert isinstance(painted.strokes[0][0].mask, Rle)
    assert painted.strokes[0][0].mask.shape == SHAPE[1:]


def test_three_dimensions_and_back_do_no_harm(painted, viewer, document):
    viewer.dims.ndisplay = 3
    viewer.dims.ndisplay = 2
    np.testing.assert_array_equal(shown(painted), document.labels(0))
