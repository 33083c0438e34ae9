from __future__ import annotations

import numpy as np
import pytest

from napari_sam2v.layers.prompt_layers import PromptLayers, imported_masks
from napari_sam2v.layers.prompt_types import PromptEdit
from src_model.errors import MaskError
from src_model.masks import Rle
from src_model.prompts import Prompt

SHAPE = (6, 20, 30)


def square(y, x, size=4):
    mask = np.zeros(SHAPE[1:], bool)
    mask[y : y + size, x : x + size] = True
    return Rle.encode(mask)


@pytest.fixture
def prompts(viewer, make_movie, event_loop):
    locked = set()
    layers = PromptLayers(viewer, make_movie(SHAPE), refusal=lambda *key: "locked" if key in locked else None)
    layers.locked = locked
    layers.emissions, layers.messages, layers.new, layers.tools = [], [], [], []
    layers.edited.connect(layers.emissions.append)
    layers.refused.connect(layers.messages.append)
    layers.made.connect(layers.new.append)
    layers.tool_changed.connect(layers.tools.append)
    return layers


def test_no_layer_is_made_before_a_tool_is_taken(prompts, viewer):
    prompts.set_object(2)
    prompts.set_colors({2: (1, 2, 3)})
    prompts.show({})
    prompts.flush()
    assert len(viewer.layers) == 1
    assert prompts.layers == ()


@pytest.mark.parametrize(
    ("tool", "name", "mode"),
    [
        ("point+", "sam2v points", "add"),
        ("point-", "sam2v points", "add"),
        ("box", "sam2v boxes", "add_rectangle"),
        ("polygon", "sam2v boxes", "add_polygon"),
        ("lasso", "sam2v boxes", "add_polygon_lasso"),
        ("paint", "sam2v paint", "paint"),
    ],
)
def test_a_tool_makes_its_layer_and_readies_it(prompts, viewer, tool, name, mode):
    assert prompts.set_tool(tool)
    active = viewer.layers.selection.active
    assert (active.name, str(active.mode)) == (name, mode)
    assert prompts.new == [active]
    assert prompts.set_tool("pan")
    assert str(active.mode) == "pan_zoom"
    assert prompts.tools == [tool, "pan"]


def test_tools_are_refused_in_3d_with_a_sentence(prompts, viewer):
    viewer.dims.ndisplay = 3
    assert not prompts.set_tool("point+")
    assert "3-D" in prompts.messages[0]
    assert (prompts.tool, prompts.layers) == ("pan", ())
    assert prompts.set_tool("pan")


def test_the_sign_of_clicks_is_that_of_the_tool(prompts, viewer, mouse, event_loop):
    prompts.set_object(5)
    prompts.set_tool("point+")
    mouse(prompts.layers[0], viewer).drag((2, 2))
    prompts.set_tool("point-")
    mouse(prompts.layers[0], viewer).drag((3, 3))
    event_loop.run()
    assert prompts.emissions == [(PromptEdit(5, 0, "points", ((2, 2), (3, 3)), (1, 0)),)]


def test_painting_is_a_mask_prompt_that_grows_with_each_stroke(prompts, viewer, mouse, event_loop):
    prompts.set_object(3)
    prompts.set_tool("paint")
    (layer,) = prompts.layers
    layer.brush_size = 1
    mouse(layer, viewer).drag((5, 5))
    mouse(layer, viewer).drag((8, 8))
    first, second = (emission[0] for emission in prompts.emissions)
    assert (first.object_id, first.frame, first.kind) == (3, 0, "mask")
    assert (first.mask.decode().sum(), second.mask.decode().sum()) == (1, 2)
    prompts.set_tool("paint")
    layer.mode = "erase"
    layer.brush_size = 40
    mouse(layer, viewer).drag((8, 8))
    assert prompts.emissions[-1] == (PromptEdit(3, 0, "mask", mask=None),)


def test_the_paint_layer_shows_the_mask_prompts_of_the_document(prompts, viewer, mouse):
    prompts.set_tool("paint")
    (layer,) = prompts.layers
    prompts.show({(2, 0): Prompt(mask=square(3, 3)), (2, 4): Prompt(mask=square(8, 8))})
    assert layer._slice.image.raw[4, 4] == 2
    layer.brush_size = 1
    prompts.set_object(2)
    mouse(layer, viewer).drag((15, 15))
    assert prompts.emissions[0][0].mask.decode().sum() == 17
    prompts.show({(2, 4): Prompt(mask=square(8, 8))})  # the document undid all of it
    assert not layer._slice.image.raw.any()


def test_locked_frames_refuse_to_be_painted(prompts, viewer, mouse):
    prompts.locked.add((1, 0))
    prompts.set_tool("paint")
    mouse(prompts.layers[0], viewer).drag((5, 5))
    assert prompts.emissions == []
    assert prompts.messages == ["locked"]
    assert not prompts.layers[0]._slice.image.raw.any()


def test_the_prompts_of_a_document_are_spread_over_their_layers(prompts, viewer, event_loop):
    prompts.show(
        {
            (1, 0): Prompt(points=((2, 3), (4, 5)), labels=(1, 0), box=(1, 1, 9, 9)),
            (2, 3): Prompt(mask=square(3, 3), points=((3, 3),), labels=(0,)),
        }
    )
    event_loop.run()
    points, boxes = prompts.layers
    assert points.data.tolist() == [[0, 2, 3], [0, 4, 5], [3, 3, 3]]
    assert boxes.nshapes == 1
    assert prompts.emissions == []


def test_a_prompt_that_is_shown_again_as_it_was_taken_changes_nothing(prompts, viewer, mouse, event_loop):
    prompts.set_tool("point+")
    mouse(prompts.layers[0], viewer).drag((2, 2))
    event_loop.run()
    ((edit,),) = prompts.emissions
    data = prompts.layers[0].data
    prompts.show({(edit.object_id, edit.frame): Prompt(points=edit.points, labels=edit.labels)})
    assert prompts.layers[0].data is data


def test_large_object_ids_can_be_painted(prompts, viewer, mouse):
    prompts.set_tool("paint")
    prompts.set_object(100_000)
    mouse(prompts.layers[0], viewer).drag((5, 5))
    assert prompts.emissions[0][0].object_id == 100_000


def test_all_layers_can_be_removed_by_the_user_and_at_the_end(prompts, viewer, event_loop):
    for tool in ("point+", "box", "paint"):
        prompts.set_tool(tool)
    viewer.layers.clear()
    event_loop.run()
    assert prompts.layers == ()
    prompts.set_tool("box")
    prompts.close()
    assert len(viewer.layers) == 0


@pytest.fixture
def cells(viewer):
    """Labels of another program on six frames."""
    labels = np.zeros(SHAPE, np.int32)
    labels[2, 3:7, 3:7] = 4
    labels[2, 10:12, 10:12] = 9
    return labels


def test_labels_of_another_program_become_masks_of_all_or_one_of_its_objects(viewer, make_movie, cells):
    geometry = make_movie(SHAPE)
    layer = viewer.add_labels(cells)
    masks = imported_masks(layer, geometry, 2)
    assert list(masks) == [4, 9]
    assert masks[4] == square(3, 3)
    assert list(imported_masks(layer, geometry, 2, label=9)) == [9]
    assert list(imported_masks(viewer.add_labels(cells[2]), geometry, 5)) == [4, 9]


def test_labels_with_the_axes_of_the_image_are_read_at_its_plane(viewer, make_movie, cells):
    geometry = make_movie((6, 3, 20, 30), "TZYX", plane=1)
    layer = viewer.add_labels(np.stack([0 * cells, cells, 0 * cells], axis=1))
    assert list(imported_masks(layer, geometry, 2)) == [4, 9]


def test_labels_that_do_not_fit_or_hold_nothing_are_refused(viewer, make_movie, cells):
    geometry = make_movie(SHAPE)
    with pytest.raises(MaskError, match="does not fit the movie"):
        imported_masks(viewer.add_labels(cells[:, :-1]), geometry, 2)
    with pytest.raises(MaskError, match="any object on frame 0"):
        imported_masks(viewer.add_labels(cells), geometry, 0)
    with pytest.raises(MaskError, match="label 5"):
        imported_masks(viewer.add_labels(cells), geometry, 2, label=5)
