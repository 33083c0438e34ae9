"""The image section and the viewer's image layers: which movie is on the workbench."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice, product
from typing import TYPE_CHECKING, cast

from napari_sam2v.binding.drawer import Drawer, Work
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
from napari_sam2v.layers.later import CallLater, Debounced
from napari_sam2v.panel.view_state import Choice
from src_model.annotation import Annotation, MovieIdentity, Project
from src_model.errors import AnnotationFileError, Sam2vError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_sam2v.layers import LayerGeometry
    from napari_sam2v.layers.movie_choice import Contrast
    from napari_sam2v.panel.image_section import ImageSection
    from src_model.frames import FrameSource, Normalization

_QUIET_SECONDS = 0.4
"""How long contrast limits have to stay as they are before the model sees them."""
_DRAWN_SECONDS = 0.1
_MOST_AXES, _MOST_READINGS = 3, 40
"""How many ways of reading a layer are compared with a document, each of which reads three frames."""
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
        Takes a movie that was chosen, with its document and its place in the viewer. The document is the one that was
        made on these frames before, if there is one.
    dropped
        Takes a document that nobody can get back to here: its layer is gone, or another took its place.
    closed
        Called when the chosen layer is gone.
    renormalized
        Takes another contrast of the same movie.
    told
        Takes an error for the user.
    call_later
        How to wait on this thread.
    contrast
        The contrast chosen at first.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        section: ImageSection,
        *,
        opened: Callable[[Annotation, FrameSource, LayerGeometry], None],
        dropped: Callable[[Annotation], None],
        closed: Callable[[], None],
        renormalized: Callable[[Normalization], None],
        told: Callable[[Exception], None],
        call_later: CallLater,
        contrast: str = "percentile",
    ) -> None:
        self.choice: MovieChoice | None = None
        self.source: FrameSource | None = None
        self.geometry: LayerGeometry | None = None
        self._viewer, self._section = viewer, section
        self._opened, self._renormalized, self._told = opened, renormalized, told
        self._dropped, self._closed = dropped, closed
        self._drawer = Drawer()
        self._call_later = call_later
        self._forgetting = False
        self._limits_settled = Debounced(self._normalize, _QUIET_SECONDS, call_later)
        self._contrast = cast("Contrast", contrast)
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
        self._listen_to_limits(False)
        events = self._viewer.layers.events
        for event in (events.inserted, events.removed, events.renamed):
            event.disconnect(self._on_layers)

    def choose_layer(self, name: str) -> None:
        """Open a layer, read as most people would want it."""
        try:
            image = find_image(self._viewer.layers, name)
            work = self._drawer.latest(image)
            fresh = replace(guess(image, self._viewer.dims), contrast=self._contrast) if work is None else None
            self._open(fresh or replace(work.choice, layer_name=name))  # type: ignore[union-attr]
        except Sam2vError as error:
            self._refuse(error)

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
        if self._forgetting:  # our own layers are being removed
            return
        names = [image.name for image in self._images()]
        chosen = self._name_now()
        if chosen is None and self.choice is not None:
            # not from within the event that tells of the removal, and not before the canvas is drawn without the layer:
            # other layers are to be removed now
            self._call_later(_DRAWN_SECONDS, self._on_gone)
            return
        self._section.set_layers(names, chosen)
        if chosen is None and len(names) == 1:
            self.choose_layer(names[0])  # no choice to make

    def _on_gone(self) -> None:
        if self._name_now() is None and self.choice is not None:
            self._forgetting = True
            try:
                self._forget()
            finally:
                self._forgetting = False
        self._on_layers()

    def _forget(self) -> None:
        """Let go of a layer that was removed."""
        assert self.geometry is not None, "a choice has a place"
        self._listen_to_limits(False)
        gone = self._drawer.take_out(self.geometry.image)
        self.choice = self.source = self.geometry = self._normalization = None
        self._section.set_preview(None)
        self._closed()
        for annotation in gone:
            self._dropped(annotation)

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
            self._refuse(error)

    def _change(self, **changes: Any) -> None:
        if self.choice is None:
            return
        try:
            self._open(replace(self.choice, **changes))
        except Sam2vError as error:
            self._refuse(error)

    def _refuse(self, error: Exception) -> None:
        """Tell what did not work, and show what holds, not what was wished."""
        self._told(error)
        if self.choice is not None and self.source is not None and self.geometry is not None:
            self._show_options(self.geometry.image, self.choice, self.source)

    def _on_contrast(self, key: Any) -> None:
        if self.choice is None or self.source is None:
            return
        self._contrast = cast("Contrast", key)
        self.choice = replace(self.choice, contrast=self._contrast)
        self._normalize()

    def _on_limits(self, _event: object = None) -> None:
        if self.choice is not None and self.choice.contrast == "limits":
            self._limits_settled()

    def _normalize(self) -> None:
        if self.choice is None or self.source is None:
            return
        try:
            found = normalization_of(self._viewer.layers, self.choice, self.source)
        except Sam2vError as error:
            self._told(error)
            return
        if found != self._normalization:
            self._normalization = found
            self._renormalized(found)
            self._show_preview_now()

    def _open(self, choice: MovieChoice) -> None:
        image = find_image(self._viewer.layers, choice.layer_name)
        source = source_of(self._viewer.layers, choice)
        geometry = choice.geometry(image)
        normalization = normalization_of(self._viewer.layers, choice, source)
        work = self._drawer.find(image, choice)
        if work is None:
            project = Project(_identity(source, image, geometry), normalization=normalization)
            work = Work(image, choice, Annotation(project))
        work.choice = choice
        self._drawer.put(work)
        self._show(work, source, geometry, normalization)

    def _show(self, work: Work, source: FrameSource, geometry: LayerGeometry, normalization: Normalization) -> None:
        self._listen_to_limits(False)
        self.choice, self.source, self.geometry, self._normalization = work.choice, source, geometry, normalization
        self._listen_to_limits(True)
        self._show_options(work.image, work.choice, source)
        self._opened(work.annotation, source, geometry)
        if work.annotation.project.normalization != normalization:
            self._renormalized(normalization)
        self._show_preview_now()

    def _listen_to_limits(self, listen: bool) -> None:
        if self.geometry is not None:
            event = self.geometry.image.events.contrast_limits
            (event.connect if listen else event.disconnect)(self._on_limits)

    def show_normalization(self, normalization: Normalization | None) -> None:
        """Follow the document, where undo brought another contrast back."""
        if normalization is not None and normalization != self._normalization:
            self._normalization = normalization
            self._show_preview_now()

    def take_document(self, annotation: Annotation) -> None:
        """Open a document that was read from a file, with the channel or plane of the open layer that it was made on.

        Raises
        ------
        AnnotationFileError
            If no movie is open, or another one than the document's.
        """
        if self.choice is None or self.geometry is None or self.source is None:
            raise AnnotationFileError(f"open the movie '{annotation.movie.name}' first, then this annotation of it")
        image = self.geometry.image
        choice = self._choice_for(annotation, image, self.choice)
        source, geometry = source_of(self._viewer.layers, choice), choice.geometry(image)
        normalization = annotation.project.normalization or normalization_of(self._viewer.layers, choice, source)
        work = Work(image, choice, annotation)
        replaced = self._drawer.put(work)
        self._show(work, source, geometry, normalization)
        if replaced is not None:
            self._dropped(replaced)

    def _choice_for(self, annotation: Annotation, image: Image, now: MovieChoice) -> MovieChoice:
        problem: tuple[str, ...] = ()
        for choice in _readings(image, now, self._images()):
            differences = annotation.movie.differences(source_of(self._viewer.layers, choice))
            if not differences:
                return choice
            problem = problem or differences
        raise AnnotationFileError(
            f"this annotation is of '{annotation.movie.name}', not of '{image.name}': {'; '.join(problem)}"
        )

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


def _readings(image: Image, now: MovieChoice, images: Sequence[Image]) -> Iterator[MovieChoice]:
    """Go through the ways to read a layer, the present one first, then its other channels, planes and axes."""
    yield now
    axes = [now.axes, *(option.value for option in axis_options(image) if option.value != now.axes)]
    for letters in axes[: 1 + _MOST_AXES]:
        channels = [option.value for option in channel_options(image, letters, images)] or [None]
        planes = [option.value for option in plane_options(image, letters)] or [None]
        for channel, plane in islice(product(channels, planes), _MOST_READINGS):
            yield replace(now, axes=letters, channel=channel, plane=plane)


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
