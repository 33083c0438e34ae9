"""The image section and the viewer's image layers: which movie is on the workbench."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from napari_sam2v.binding.drawer import Drawer, Work
from napari_sam2v.binding.movie_reading import (
    MovieReader,
    Opened,
    Opening,
    match_document,
    read_movie,
    readings_of,
    stoppable,
)
from napari_sam2v.layers import (
    Option,
    axis_options,
    channel_options,
    find_image,
    guess,
    limits_of,
    plane_options,
    preview_image,
    with_axes,
)
from napari_sam2v.layers.later import CallLater, Debounced
from napari_sam2v.layers.pixels import Pixels
from napari_sam2v.panel.view_state import Choice
from src_model.annotation import Annotation, Project
from src_model.errors import AnnotationFileError, Sam2vError
from src_model.frames import decide_normalization

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_sam2v.layers import LayerGeometry, MovieChoice
    from napari_sam2v.layers.movie_choice import Contrast
    from napari_sam2v.panel.image_section import ImageSection
    from napari_sam2v.workbench import Post
    from src_model.frames import FrameSource, Normalization

_QUIET_SECONDS = 0.4
"""How long contrast limits have to stay as they are before the model sees them."""
_DRAWN_SECONDS = 0.1
CONTRASTS = (
    Choice("percentile", "movie percentiles", "The darkest and brightest half per cent of the whole movie are cut"),
    Choice("limits", "layer's contrast", "What you see: the contrast limits of the layer"),
)


class MovieBinding:
    """Keeps the image section and the viewer's layers in step, and opens what is chosen.

    Nothing is read on this thread: what was chosen is opened a moment later, and the document before it stays until
    then.

    Parameters
    ----------
    viewer
        Whose image layers can be annotated.
    section
        Where they are offered.
    post
        Brings calls to this thread.
    opened
        Takes a movie that was chosen, with its document and its place in the viewer. The document is the one that was
        made on these frames before, if there is one.
    dropped
        Takes a document that nobody can get back to here: its layer is gone, or another took its place.
    closed
        Called when the chosen layer is gone.
    renormalized
        Takes another contrast of the same movie.
    repainted
        Takes the movie of the open document, whose layer was given other pixels of the same size.
    told
        Takes an error for the user.
    reading
        Takes what is being read, in words; an empty text when nothing is.
    call_later
        How to wait on this thread.
    contrast
        The contrast chosen at first.

    Attributes
    ----------
    choice, source, geometry
        Of the movie whose document is open; None if there is none.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        section: ImageSection,
        post: Post,
        *,
        opened: Callable[[Annotation, FrameSource, LayerGeometry], None],
        dropped: Callable[[Annotation], None],
        closed: Callable[[], None],
        renormalized: Callable[[Normalization], None],
        repainted: Callable[[FrameSource], None],
        told: Callable[[Exception], None],
        reading: Callable[[str], None],
        call_later: CallLater,
        contrast: str = "percentile",
    ) -> None:
        self.choice: MovieChoice | None = None
        self.source: FrameSource | None = None
        self.geometry: LayerGeometry | None = None
        self._viewer, self._section = viewer, section
        self._opened, self._renormalized, self._told = opened, renormalized, told
        self._dropped, self._closed, self._repainted = dropped, closed, repainted
        self._wanted: Opening | None = None  # is being read
        self._pixels: Pixels | None = None
        self._reader = MovieReader(post, told, reading)
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
        section.follow_requested.connect(self._follow_viewer)
        for event in (viewer.layers.events.inserted, viewer.layers.events.removed, viewer.layers.events.renamed):
            event.connect(self._on_layers)
        self._on_layers()

    @property
    def is_reading(self) -> bool:
        """Whether a movie is being read."""
        return self._reader.is_reading

    def close(self) -> None:
        """Let go of the viewer, and of what is being read."""
        self._listen(False)
        events = self._viewer.layers.events
        for event in (events.inserted, events.removed, events.renamed):
            event.disconnect(self._on_layers)
        self._reader.close()

    def holds(self, annotation: Annotation) -> bool:
        """Whether the user can get back to a document by choosing its movie."""
        return self._drawer.holds(annotation)

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
        source, normalization = self.source, self._normalization
        if source is None or normalization is None:
            return
        self._reader.read(
            "preview",
            "",
            lambda cancelled: preview_image(stoppable(source, cancelled), frame, normalization),
            lambda picture: self._section.set_preview(picture, "What the model sees of this frame"),
            failed=lambda error: self._section.set_preview(None, str(error)),
        )

    def elsewhere(self) -> str | None:
        """Name the channel and plane that the viewer shows, where they are not those the model sees."""
        seen = self._shown_choice()
        if seen is None or self.choice is None or seen == self.choice:
            return None
        pairs = (("channel", seen.channel, self.choice.channel), ("plane", seen.plane, self.choice.plane))
        return " and ".join(f"{what} {shown}" for what, shown, chosen in pairs if shown != chosen)

    def check_pixels(self) -> None:
        """Let the model see the pixels that the layer has now, if they were replaced and nobody said so."""
        if self._pixels is not None and self._pixels.are_replaced():
            self._on_data()

    def _images(self) -> list[Image]:
        from napari.layers import Image

        return [layer for layer in self._viewer.layers if isinstance(layer, Image)]

    def _on_layers(self, _event: object = None) -> None:
        if self._forgetting:  # our own layers are being removed
            return
        names = [image.name for image in self._images()]
        if self._wanted is not None and self._wanted.image not in self._viewer.layers:
            self._wanted = None
            self._reader.cancel("movie")
        chosen = self._name_now()
        if chosen is None and self.choice is not None:
            # not from within the event that tells of the removal, and not before the canvas is drawn without the layer:
            # other layers are to be removed now
            self._call_later(_DRAWN_SECONDS, self._on_gone)
            return
        self._section.set_layers(names, chosen if self._wanted is None else self._wanted.image.name)
        if chosen is None and self._wanted is None and len(names) == 1:
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
        self._listen(False)
        gone = self._drawer.take_out(self.geometry.image)
        self.choice = self.source = self.geometry = self._normalization = self._pixels = None
        self._reader.cancel("preview")
        self._reader.cancel("contrast")
        self._section.set_preview(None)
        self._section.set_follow(None)
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

    # Wishes ----------------------------------------------------------------------------------------------------------

    def _asked(self) -> MovieChoice | None:
        """Return what was chosen last, whether it is open or still being read."""
        if self._wanted is not None:
            return replace(self._wanted.choice, layer_name=str(self._wanted.image.name))
        return self.choice

    def _on_axes(self, key: Any) -> None:
        asked = self._asked()
        if asked is None:
            return
        try:
            image = find_image(self._viewer.layers, asked.layer_name)
            self._open(with_axes(image, replace(asked, axes=str(key)), self._viewer.dims))
        except Sam2vError as error:
            self._refuse(error)

    def _change(self, **changes: Any) -> None:
        asked = self._asked()
        if asked is None:
            return
        try:
            self._open(replace(asked, **changes))
        except Sam2vError as error:
            self._refuse(error)

    def _shown_choice(self) -> MovieChoice | None:
        """Return the choice with the channel and plane that the viewer shows, where one of each was chosen."""
        if self.choice is None or self.geometry is None:
            return None
        shown = with_axes(self.geometry.image, self.choice, self._viewer.dims)
        single = {
            name: getattr(shown, name) for name in ("channel", "plane") if isinstance(getattr(self.choice, name), int)
        }
        return replace(self.choice, **single)

    def _follow_viewer(self) -> None:
        shown = self._shown_choice()
        if shown is not None:
            self._change(channel=shown.channel, plane=shown.plane)

    def show_followable(self) -> None:
        """Offer the channel and plane that the viewer shows, if the model sees others."""
        there = self.elsewhere()
        self._section.set_follow(None if there is None else f"Use {there}, as shown")

    def _on_contrast(self, key: Any) -> None:
        self._contrast = cast("Contrast", key)
        if self._wanted is not None:
            self._change(contrast=self._contrast)
        elif self.choice is not None:
            self.choice = replace(self.choice, contrast=self._contrast)
            self._normalize()

    def _on_limits(self, _event: object = None) -> None:
        if self.choice is not None and self.choice.contrast == "limits":
            self._limits_settled()

    def _on_data(self, _event: object = None) -> None:
        """Follow a layer that was given other pixels: masks fit them if the frames are as large."""
        if self.choice is None or self.source is None or self._name_now() is None:
            return
        try:
            opening = Opening.of(self._viewer.layers, self.choice)
        except Sam2vError:  # it has other axes now
            self._forget_other()
            return
        if tuple(opening.source.shape) != tuple(self.source.shape):
            self._forget_other()
            return
        self.source, self._pixels = opening.source, Pixels(opening.image)
        self._repainted(opening.source)
        if self._wanted is None or self._wanted.image is opening.image:
            self._change()  # the contrast may be another

    def _forget_other(self) -> None:
        """Let go of the document of a layer that holds another movie now, and open that."""
        self._forget()
        self._on_layers()

    def _refuse(self, error: Exception) -> None:
        """Tell what did not work, and show what holds, not what was wished."""
        self._wanted = None
        self._told(error)
        if self.choice is not None and self.source is not None and self.geometry is not None:
            self._show_options(self.geometry.image, self.choice, self.source)

    # Opening ---------------------------------------------------------------------------------------------------------

    def _normalize(self) -> None:
        choice, source = self.choice, self.source
        if choice is None or source is None:
            return
        try:
            limits = limits_of(self._viewer.layers, choice)
        except Sam2vError as error:
            self._told(error)
            return
        self._reader.read(
            "contrast",
            "Reading the contrast",
            lambda cancelled: decide_normalization(stoppable(source, cancelled), limits=limits),
            self._normalized,
        )

    def _normalized(self, found: Normalization) -> None:
        if found != self._normalization:
            self._normalization = found
            self._renormalized(found)
            self._show_preview_now()

    def _open(self, choice: MovieChoice) -> None:
        opening = Opening.of(self._viewer.layers, choice)
        self._show_options(opening.image, choice, opening.source)
        self._read(opening, lambda cancelled: read_movie(opening, cancelled), self._arrived, self._refuse)

    def _read(
        self,
        opening: Opening,
        work: Callable[[Callable[[], bool]], Opened],
        done: Callable[[Opened], None],
        failed: Callable[[Exception], None],
        dropped: Callable[[], None] | None = None,
    ) -> None:
        self._reader.cancel("contrast")  # of the movie before
        name = opening.image.name
        self._reader.read("movie", f"Reading '{name}'", work, done, failed=failed, dropped=dropped)
        self._wanted = opening

    def _arrived(self, opened: Opened) -> None:
        opening, self._wanted = opened.opening, None
        choice = replace(opening.choice, layer_name=str(opening.image.name))
        work = self._drawer.find(opening.image, choice)
        if work is not None and not _fits(work.annotation, opening.source):
            for annotation in self._drawer.take_out(opening.image):
                self._dropped(annotation)
            work = None
        if work is None:
            project = Project(opened.identity, normalization=opened.normalization)
            work = Work(opening.image, choice, Annotation(project))
        work.choice = choice
        self._drawer.put(work)
        self._show(work, opened)

    def _show(self, work: Work, opened: Opened) -> None:
        opening, normalization = opened.opening, opened.normalization
        self._listen(False)
        self.choice, self.source, self.geometry = work.choice, opening.source, opening.geometry
        self._normalization, self._pixels = normalization, Pixels(opening.image)
        self._listen(True)
        self._show_options(work.image, work.choice, opening.source)
        self._opened(work.annotation, opening.source, opening.geometry)
        if work.annotation.project.normalization != normalization:
            self._renormalized(normalization)
        self._show_preview_now()
        self.show_followable()
        if limits_of(self._viewer.layers, work.choice) != opening.limits:
            self._normalize()  # changed while the movie was read

    def _listen(self, listen: bool) -> None:
        if self.geometry is not None:
            events = self.geometry.image.events
            for event, slot in ((events.contrast_limits, self._on_limits), (events.data, self._on_data)):
                (event.connect if listen else event.disconnect)(slot)

    def show_normalization(self, normalization: Normalization | None) -> None:
        """Follow the document, where undo brought another contrast back."""
        if normalization is not None and normalization != self._normalization:
            self._normalization = normalization
            self._show_preview_now()

    def take_document(
        self, annotation: Annotation, done: Callable[[], None], failed: Callable[[Exception], None]
    ) -> None:
        """Open a document that was read from a file, with the channel or plane of the open layer that it was made on.

        Parameters
        ----------
        annotation
            The document.
        done
            Called when it is open.
        failed
            Takes an AnnotationFileError if no movie is open, or another one than the document's, or if another one was
            chosen meanwhile; MovieError if it cannot be read.
        """
        asked = self._asked()
        if asked is None:
            failed(AnnotationFileError(f"open the movie '{annotation.movie.name}' first, then this annotation of it"))
            return
        try:
            image = find_image(self._viewer.layers, asked.layer_name)
            choices = readings_of(image, asked, self._images())
            openings = [Opening.of(self._viewer.layers, choice) for choice in choices]
        except Sam2vError as error:
            failed(error)
            return

        def fail(error: Exception) -> None:
            self._wanted = None
            failed(error)
            self._on_layers()

        def drop() -> None:
            name = annotation.movie.name
            failed(AnnotationFileError(f"the annotation of '{name}' was not opened: another movie was chosen meanwhile"))

        def arrived(opened: Opened) -> None:
            self._wanted = None
            work = Work(image, replace(opened.opening.choice, layer_name=str(image.name)), annotation)
            replaced = self._drawer.put(work)
            self._show(work, opened)
            if replaced is not None:
                self._dropped(replaced)
            done()

        self._read(openings[0], lambda cancelled: match_document(annotation, openings, cancelled), arrived, fail, drop)

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


def _fits(annotation: Annotation, source: FrameSource) -> bool:
    """Whether masks of a document fit frames: as large, and at least as many."""
    length, *frame = annotation.movie.shape[:3]
    return tuple(source.shape[1:3]) == tuple(frame) and len(source) >= length


def _choices(options: Sequence[Option[Any]]) -> list[Choice]:
    return [Choice(option.value, option.text) for option in options]
