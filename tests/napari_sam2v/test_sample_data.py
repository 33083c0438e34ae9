from __future__ import annotations

import numpy as np
import pytest

from napari_sam2v.sample_data import epithelium


def test_the_epithelium_sample_is_one_image_layer_in_micrometres():
    ((data, options, layer_type),) = epithelium()
    assert layer_type == "image"
    assert data.shape == (11, 160, 257)
    assert options["scale"] == (1.0, 0.2, 0.2)
    assert options["axis_labels"] == ("t", "y", "x")
    assert options["metadata"]["frame_interval_s"] == 300


def test_its_contrast_leaves_out_the_few_extreme_pixels():
    ((data, options, _),) = epithelium()
    low, high = options["contrast_limits"]
    assert data.min() <= low < high < data.max()
    assert np.mean((data >= low) & (data <= high)) > 0.98


def test_napari_opens_the_sample_through_the_manifest():
    napari_components = pytest.importorskip("napari.components", reason="napari is not installed")
    from napari.plugins import _initialize_plugins

    _initialize_plugins()
    viewer = napari_components.ViewerModel()
    (layer,) = viewer.open_sample("napari-sam2v", "epithelium")
    assert layer.name == "epithelium"
    assert layer.ndim == 3
    assert viewer.dims.nsteps[0] == 11


@pytest.mark.gui
def test_the_sample_shows_in_a_viewer(make_napari_viewer_proxy):
    viewer = make_napari_viewer_proxy(show=True)
    (layer,) = viewer.open_sample("napari-sam2v", "epithelium")
    viewer.dims.set_current_step(0, 10)
    shown = viewer.screenshot(canvas_only=True, flash=False)
    assert layer.visible
    assert shown[..., :3].std() > 10
