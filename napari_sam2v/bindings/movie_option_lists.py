"""What can be chosen of an image layer, in the image section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_sam2v.layers import axis_options, channel_options, plane_options
from napari_sam2v.panel.view_state import Choice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from napari.layers import Image

    from napari_sam2v.layers import MovieOptions, Option
    from napari_sam2v.panel.image_section import ImageSection
    from src_model.frames import FrameSource

CONTRASTS = (
    Choice("percentile", "movie percentiles", "The darkest and brightest half per cent of the whole movie are cut"),
    Choice("limits", "layer's contrast", "What you see: the contrast limits of the layer"),
)


def show_options(
    section: ImageSection, images: Sequence[Image], image: Image, choice: MovieOptions, source: FrameSource
) -> None:
    """Show what was chosen and what else could be; nothing is read.

    Parameters
    ----------
    section
        Where it is shown.
    images
        All image layers of the viewer.
    image, choice, source
        What was chosen.
    """
    section.set_layers([each.name for each in images], choice.layer_name)
    section.set_axes(_choices(axis_options(image)), choice.axes)
    section.set_channels(_choices(channel_options(image, choice.axes, images)), choice.channel)
    section.set_planes(_choices(plane_options(image, choice.axes)), choice.plane)
    section.set_contrast(CONTRASTS, choice.contrast)
    length, height, width = source.shape[:3]
    section.set_summary(f"{length:,} frame{'s' if length != 1 else ''}, {height} x {width}")


def _choices(options: Sequence[Option[Any]]) -> list[Choice]:
    return [Choice(option.value, option.text) for option in options]
