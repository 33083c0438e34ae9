"""napari layers on one side, plain data on the other: the movie, its prompts, and what was tracked."""

from __future__ import annotations

from napari_sam2v.layers.geometry import LayerGeometry
from napari_sam2v.layers.graphics import GraphicsGuard
from napari_sam2v.layers.label_stack import FrameLabels
from napari_sam2v.layers.movie_options import (
    LayerColors,
    MovieOptions,
    as_shown,
    axis_choices,
    channel_choices,
    difference_in_words,
    guess,
    plane_choices,
    with_axes,
)
from napari_sam2v.layers.movie_source import ImageWatcher, find_image, images_of, limits_of, preview_image, source_of
from napari_sam2v.layers.painted_labels import MaskEdit
from napari_sam2v.layers.prompt_layers import PromptLayers, imported_masks
from napari_sam2v.layers.prompt_types import PromptEdit, ShownPrompt, Tool
from napari_sam2v.layers.result_layers import ResultLayers
from napari_sam2v.layers.shortcuts import Shortcuts

__all__ = [
    "FrameLabels",
    "GraphicsGuard",
    "ImageWatcher",
    "LayerColors",
    "LayerGeometry",
    "MaskEdit",
    "MovieOptions",
    "PromptEdit",
    "PromptLayers",
    "ResultLayers",
    "Shortcuts",
    "ShownPrompt",
    "Tool",
    "as_shown",
    "axis_choices",
    "channel_choices",
    "difference_in_words",
    "find_image",
    "guess",
    "images_of",
    "imported_masks",
    "limits_of",
    "plane_choices",
    "preview_image",
    "source_of",
    "with_axes",
]
