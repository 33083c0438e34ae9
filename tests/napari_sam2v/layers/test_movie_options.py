from __future__ import annotations

import numpy as np
import pytest

from napari_sam2v.layers.movie_options import (
    LayerColors,
    MovieOptions,
    as_shown,
    assign_colors,
    axis_choices,
    channel_choices,
    difference_in_words,
    guess,
    plane_choices,
    with_axes,
)
from src_model.errors import MovieError


def image(viewer, shape, **options):
    return viewer.add_image(np.zeros(shape, np.uint8), **options)


@pytest.mark.parametrize(
    ("shape", "labels", "expected"),
    [
        ((20, 30), None, ["YX"]),
        ((6, 20, 30), None, ["TYX"]),
        ((9, 20, 30), "zyx", ["TYX"]),
        ((3, 20, 30), "cyx", ["CYX", "TYX"]),
        ((50, 3, 20, 30), None, ["TCYX", "ZTYX"]),
        ((3, 50, 20, 30), None, ["CTYX", "TZYX"]),
        ((50, 12, 20, 30), None, ["TZYX", "ZTYX"]),
        ((12, 50, 20, 30), "ztyx", ["ZTYX", "TZYX"]),
        ((50, 8, 20, 30), "tcyx", ["TCYX", "ZTYX"]),
        ((9, 2, 20, 30), "zcyx", ["TCYX", "ZTYX"]),
        ((6, 2, 9, 20, 30), None, ["TCZYX", "ZCTYX", "CTZYX"]),
        ((6, 9, 2, 20, 30), "tzcyx", ["TZCYX", "ZTCYX", "CZTYX"]),
    ],
)
def test_the_likeliest_time_axis_comes_first(viewer, shape, labels, expected):
    layer = image(viewer, shape, axis_labels=None if labels is None else tuple(labels))
    assert [option.key for option in axis_choices(layer)] == expected


def test_axes_are_called_by_their_labels_or_their_numbers(viewer):
    named = image(viewer, (50, 9, 20, 30), axis_labels=("time", "z", "y", "x"))
    assert [option.label for option in axis_choices(named)] == ["time: 50 frames", "z: 9 frames"]
    assert axis_choices(image(viewer, (50, 20, 30)))[0].label == "axis 0: 50 frames"


def test_rgb_layers_have_their_samples_left_out(viewer):
    layer = image(viewer, (5, 20, 30, 3), rgb=True)
    assert [option.key for option in axis_choices(layer)] == ["TYX"]
    assert channel_choices(layer, "TYX") == ()


def test_a_layer_with_too_many_axes_is_refused(viewer):
    with pytest.raises(MovieError, match="6 axes"):
        axis_choices(image(viewer, (2, 2, 2, 2, 8, 8)))


def test_channels_are_offered_one_by_one_and_as_colors(viewer):
    layer = image(viewer, (50, 3, 20, 30))
    assert [option.key for option in channel_choices(layer, "TCYX")] == [0, 1, 2, (0, 1, 2)]
    many = image(viewer, (50, 9, 20, 30), axis_labels=tuple("tcyx"))
    assert [option.key for option in channel_choices(many, "TCYX")] == list(range(9))


def test_planes_are_offered_with_their_projections(viewer):
    layer = image(viewer, (50, 9, 20, 30))
    assert [option.key for option in plane_choices(layer, "TZYX")] == ["max", "mean", *range(9)]
    assert plane_choices(layer, "TCYX") == ()


def test_layers_of_the_same_shape_and_place_can_become_colors(viewer):
    green = image(viewer, (6, 20, 30), name="GFP", colormap="green")
    red = image(viewer, (6, 20, 30), name="RFP", colormap="red")
    others = [
        image(viewer, (6, 20, 31), name="wider"),
        image(viewer, (6, 20, 30), name="moved", translate=(0, 1, 0)),
        image(viewer, (6, 20, 30, 3), name="picture", rgb=True),
    ]
    single, colors = channel_choices(green, "TYX", [green, red, *others])
    assert single.key is None
    assert colors.key == LayerColors(red="RFP", green="GFP")
    assert colors.label == "RFP + GFP as colors"
    assert channel_choices(others[0], "TYX", [green, red]) == ()


@pytest.mark.parametrize(
    ("colormaps", "expected"),
    [
        (["blue", "red", "green"], LayerColors("b", "c", "a")),
        (["green", "magenta"], LayerColors("b", "a", None)),
        (["gray", "green"], LayerColors("a", "b", None)),
        (["gray", "gray", "gray"], LayerColors("a", "b", "c")),
    ],
)
def test_each_layer_becomes_the_color_nearest_to_its_colormap(viewer, colormaps, expected):
    layers = [image(viewer, (6, 20, 30), name=name, colormap=c) for name, c in zip("abc", colormaps, strict=False)]
    assert assign_colors(layers) == expected


def test_the_guess_takes_the_channel_and_plane_that_are_shown(viewer):
    layer = image(viewer, (6, 2, 9, 20, 30), name="cells")
    viewer.dims.current_step = (3, 1, 7, 0, 0)
    assert guess(layer, viewer.dims) == MovieOptions("cells", "TCZYX", channel=1, plane=7)
    assert guess(layer) == MovieOptions("cells", "TCZYX", channel=0, plane=4)


def test_another_time_axis_brings_other_choices(viewer):
    layer = image(viewer, (6, 9, 20, 30), name="cells")
    choice = with_axes(layer, MovieOptions("cells", "ZTYX"))
    assert choice.time_axis == 1
    assert (choice.channel, choice.plane) == (None, 3)


def test_the_geometry_of_a_choice_keeps_to_the_plane_but_not_to_a_projection(viewer):
    layer = image(viewer, (6, 9, 20, 30))
    assert MovieOptions(layer.name, "TZYX", plane=4).geometry(layer).fixed == {1: 4}
    assert MovieOptions(layer.name, "TZYX", plane="max").geometry(layer).free_axes == (1,)


def test_what_the_viewer_shows_is_told_from_what_was_chosen(viewer):
    image = viewer.add_image(np.zeros((3, 2, 5, 20, 30), np.uint8), name="cells")
    chosen = MovieOptions("cells", "TCZYX", 0, 2)
    viewer.dims.current_step = (1, 1, 4, 0, 0)
    shown = as_shown(image, chosen, viewer.dims)
    assert (shown.channel, shown.plane) == (1, 4)
    assert difference_in_words(shown, chosen) == "channel 1 and plane 4"
    assert difference_in_words(chosen, chosen) == ""
    projected = MovieOptions("cells", "TCZYX", (0, 1), "max")
    assert as_shown(image, projected, viewer.dims) == projected
