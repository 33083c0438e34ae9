"""The image section and the viewer's image layers: which movie is on the workbench."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_sam2v.layers import (
    MovieChoice,
    Option,
    axis_options,
    channel_options,
    find_image,
    guess,
    normalization_of,
    plane_options,
    preview_image,
    source_of,
    with_axes,
)
from napari_sam2v.panel.view_state import Choice
from src_model.annotation import Annotation, MovieIdentity, Project
from src_model.errors import Sam2vError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_sam2v.layers import LayerGeometry
    from napari_sam2v.panel.image_section import ImageSection
    from src_model.frames import FrameSource, Normalization

CONTRASTS = (
    Choice("percentile", "movie percentiles", "The darkest and brightest half per cent of the whole movie are cut"),
    Choice("limits", "layer's contrast", "What you see: the contrast limits of the layer"),
)


class MovieBinding:
    """Keeps the image section and the viewer's layers in step, and opens what is chosen.

    Parameters
    ----------
    viewer
        Whose image layers can be annotated.
    section
        Where they are offered.
    opened
        Takes a movie that was chosen, with a fresh document and its place in the viewer. May refuse by returning False.
    renormalized
        Takes another contrast of the same movie.
    told
        Takes an error for the user.
    contrast
        The contrast chosen at first.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        section: ImageSection,
        *,
        opened: Callable[[Annotation, FrameSource, LayerGeometry], None],
        renormalized: Callable[[Normalization], None],
        told: Callable[[Exception], None],
        contrast: str = "percentile",
    ) -> None:
        self.choice: MovieChoice | None = None
        self.source: FrameSource | None = None
        self.geometry: LayerGeometry | None = None
        self._viewer, self._section = viewer, section
        self._opened, self._renormalized, self._told = opened, renormalized, told
        self._contrast = contrast
        self._normalization: Normalization | None = None
        section.layer_chosen.connect(self.choose_layer)
        section.axis_chosen.connect(self._on_axes)
        section.channel_chosen.connect(lambda key: self._change(channel=key))
        section.plane_chosen.connect(lambda key: self._change(plane=key))
        section.contrast_chosen.connect(self._on_contrast)
        for event in (viewer.layers.events.inserted, viewer.layers.events.removed, viewer.layers.events.renamed):
            event.connect(self._on_layers)
        self._on_layers()

    def close(self) -> None:
        """Let go of the viewer."""
        events = self._viewer.layers.events
        for event in (events.inserted, events.removed, events.renamed):
            event.disconnect(self._on_layers)

    def choose_layer(self, name: str) -> None:
        """Open a layer, read as most people would want it."""
        try:
            image = find_image(self._viewer.layers, name)
            self._open(replace(guess(image, self._viewer.dims), contrast=self._contrast))
        except Sam2vError as error:
            self._told(error)

    def show_preview(self, frame: int) -> None:
        """Show what the model sees of a frame."""
        if self.source is None or self._normalization is None:
            return
        try:
            picture = preview_image(self.source, frame, self._normalization)
        except Sam2vError as error:
            self._section.set_preview(None, str(error))
            return
        self._section.set_preview(picture, "What the model sees of this frame")

    def _images(self) -> list[Image]:
        from napari.layers import Image

        return [layer for layer in self._viewer.layers if isinstance(layer, Image)]

    def _on_layers(self, _event: object = None) -> None:
        names = [image.name for image in self._images()]
        chosen = self._name_now()
        self._section.set_layers(names, chosen)
        if chosen is None and len(names) == 1:
            self.choose_layer(names[0])  # no choice to make
        elif chosen is None and self.choice is not None:
            self.choice = None
            self._section.set_preview(None)

    def _name_now(self) -> str | None:
        """Name of the chosen layer, which the user may have renamed; None if it is gone."""
        if self.geometry is None or self.choice is None or self.geometry.image not in self._viewer.layers:
            return None
        name = str(self.geometry.image.name)
        if name != self.choice.layer_name:
            self.choice = replace(self.choice, layer_name=name)
        return name

    def _on_axes(self, key: Any) -> None:
        if self.choice is None:
            return
        try:
            image = find_image(self._viewer.layers, self.choice.layer_name)
            self._open(with_axes(image, replace(self.choice, axes=str(key)), self._viewer.dims))
        except Sam2vError as error:
            self._told(error)

    def _change(self, **changes: Any) -> None:
        if self.choice is None:
            return
        try:
            self._open(replace(self.choice, **changes))
        except Sam2vError as error:
            self._told(error)

    def _on_contrast(self, key: Any) -> None:
        if self.choice is None or self.source is None:
            return
        self._contrast = str(key)
        self.choice = replace(self.choice, contrast=self._contrast)
        try:
            self._normalization = normalization_of(self._viewer.layers, self.choice, self.source)
        except Sam2vError as error:
            self._told(error)
            return
        self._renormalized(self._normalization)
        self._show_preview_now()

    def _open(self, choice: MovieChoice) -> None:
        image = find_image(self._viewer.layers, choice.layer_name)
        source = source_of(self._viewer.layers, choice)
        geometry = choice.geometry(image)
        normalization = normalization_of(self._viewer.layers, choice, source)
        annotation = Annotation(Project(_identity(source, image, geometry), normalization=normalization))
        self.choice, self.source, self.geometry, self._normalization = choice, source, geometry, normalization
        self._show_options(image, choice, source)
        self._opened(annotation, source, geometry)
        self._show_preview_now()

    def _show_preview_now(self) -> None:
        frame = None if self.geometry is None else self.geometry.shown_frame(self._viewer.dims)
        self.show_preview(frame or 0)

    def _show_options(self, image: Image, choice: MovieChoice, source: FrameSource) -> None:
        section = self._section
        section.set_layers([each.name for each in self._images()], choice.layer_name)
        section.set_axes(_choices(axis_options(image)), choice.axes)
        section.set_channels(_choices(channel_options(image, choice.axes, self._images())), choice.channel)
        section.set_planes(_choices(plane_options(image, choice.axes)), choice.plane)
        section.set_contrast(CONTRASTS, choice.contrast)
        length, height, width = source.shape[:3]
        section.set_summary(f"{length:,} frame{'s' if length != 1 else ''}, {height} x {width}")


def _choices(options: Sequence[Option[Any]]) -> list[Choice]:
    return [Choice(option.value, option.text) for option in options]


def _identity(source: FrameSource, image: Image, geometry: LayerGeometry) -> MovieIdentity:
    """Describe the movie for the document; where it was read from, napari knows of layers that a reader opened."""
    scale = [1.0, *(abs(float(part)) or 1.0 for part in image.scale[-2:])]
    units = ["", *(str(unit) for unit in image.units[-2:])]
    if geometry.time_axis is not None:
        scale[0] = abs(float(image.scale[geometry.time_axis])) or 1.0
        units[0] = str(image.units[geometry.time_axis])
    path = str(getattr(image.source, "path", None) or "")
    return MovieIdentity.of(
        source,
        path=path,
        time_axis=geometry.time_axis or 0,
        scale=(scale[0], scale[1], scale[2]),
        units=(units[0], units[1], units[2]),
    )
