"""The image section and the viewer's image layers: which movie is on the controller."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from napari_sam2v.bindings.model_input import ModelInput
from napari_sam2v.bindings.movie_option_lists import show_options
from napari_sam2v.bindings.movie_reading import MovieReader, Opened, Opening, match_document, read_movie, readings_of
from napari_sam2v.bindings.open_documents import OpenDocuments, Work
from napari_sam2v.layers import as_shown, difference_in_words, find_image, guess, images_of, limits_of, with_axes
from napari_sam2v.layers.later import CallLater, Debounced
from napari_sam2v.layers.pixels import Pixels
from src_model.document import Annotation, Project
from src_model.errors import AnnotationFileError, Sam2vError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_sam2v.controllers import Post
    from napari_sam2v.layers import LayerGeometry, MovieOptions
    from napari_sam2v.layers.movie_options import Contrast
    from napari_sam2v.panel.image_section import ImageSection
    from src_model.frames import FrameSource, Normalization

_QUIET_SECONDS = 0.4
"""How long contrast limits have to stay as they are before the model sees them."""
_DRAWN_SECONDS = 0.1


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
    seen
        What the model sees of it.
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
        self.choice: MovieOptions | None = None
        self.source: FrameSource | None = None
        self.geometry: LayerGeometry | None = None
        self._viewer, self._section = viewer, section
        self._opened, self._told = opened, told
        self._dropped, self._closed, self._repainted = dropped, closed, repainted
        self._wanted: Opening | None = None  # is being read
        self._pixels: Pixels | None = None
        self._reader = MovieReader(post, told, reading)
        self.seen = ModelInput(section, self._reader, renormalized)
        self._documents = OpenDocuments()
        self._call_later = call_later
        self._forgetting = False
        self._limits_settled = Debounced(self._normalize, _QUIET_SECONDS, call_later)
        self._contrast = cast("Contrast", contrast)
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

    @property
    def place(self) -> Image | None:
        """The layer that was chosen last, whether it is open or still being read."""
        chosen = self._wanted or self.geometry
        return None if chosen is None else chosen.image

    def close(self) -> None:
        """Let go of the viewer, and of what is being read."""
        self._listen(False)
        events = self._viewer.layers.events
        for event in (events.inserted, events.removed, events.renamed):
            event.disconnect(self._on_layers)
        self._reader.close()

    def holds(self, annotation: Annotation) -> bool:
        """Whether the user can get back to a document by choosing its movie."""
        return self._documents.holds(annotation)

    def choose_layer(self, name: str) -> None:
        """Open a layer, read as most people would want it."""
        try:
            image = find_image(self._viewer.layers, name)
            work = self._documents.latest(image)
            fresh = replace(guess(image, self._viewer.dims), contrast=self._contrast) if work is None else None
            self._open(fresh or replace(work.choice, layer_name=name))  # type: ignore[union-attr]
        except Sam2vError as error:
            self._refuse(error)

    def elsewhere(self) -> str | None:
        """Say that the viewer shows another channel or plane than the one the model sees, and what to do."""
        shown = self._as_shown()
        if self.choice is None or shown is None or shown == self.choice:
            return None
        there, here = difference_in_words(shown, self.choice), difference_in_words(self.choice, shown)
        return f"The model sees {here}; 'Use {there}, as shown' changes that"

    def check_pixels(self) -> None:
        """Let the model see the pixels that the layer has now, if they were replaced and nobody said so."""
        if self._pixels is not None and self._pixels.are_replaced():
            self._on_data()

    def _show_options(self, image: Image, choice: MovieOptions, source: FrameSource) -> None:
        show_options(self._section, images_of(self._viewer.layers), image, choice, source)

    def _on_layers(self, _event: object = None) -> None:
        if self._forgetting:  # our own layers are being removed
            return
        names = [image.name for image in images_of(self._viewer.layers)]
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
        gone = self._documents.take_out(self.geometry.image)
        self.choice = self.source = self.geometry = self._pixels = None
        self.seen.forget()
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

    def _asked(self) -> MovieOptions | None:
        """Return how that layer is read."""
        choice = self.choice if self._wanted is None else self._wanted.choice
        return None if choice is None or self.place is None else replace(choice, layer_name=str(self.place.name))

    def _on_axes(self, key: Any) -> None:
        layers, dims = self._viewer.layers, self._viewer.dims
        self._open_other(
            lambda asked: with_axes(find_image(layers, asked.layer_name), replace(asked, axes=str(key)), dims)
        )

    def _change(self, **changes: Any) -> None:
        self._open_other(lambda asked: replace(asked, **changes))

    def _open_other(self, change: Callable[[MovieOptions], MovieOptions]) -> None:
        asked = self._asked()
        if asked is not None:
            try:
                self._open(change(asked))
            except Sam2vError as error:
                self._refuse(error)

    def _as_shown(self) -> MovieOptions | None:
        if self.choice is None or self.geometry is None or self.geometry.image.ndim != self.geometry.ndim:
            return None
        return as_shown(self.geometry.image, self.choice, self._viewer.dims)

    def _follow_viewer(self) -> None:
        shown = self._as_shown()
        if shown is not None:
            self._change(channel=shown.channel, plane=shown.plane)

    def show_followable(self) -> None:
        """Offer the channel and plane that the viewer shows, if the model sees others."""
        shown = self._as_shown()
        there = "" if shown is None or self.choice is None else difference_in_words(shown, self.choice)
        self._section.set_follow(f"Use {there}, as shown" if there else None)

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

    def _normalize(self) -> None:
        if self.choice is None:
            return
        try:
            self.seen.normalize(limits_of(self._viewer.layers, self.choice))
        except Sam2vError as error:
            self._told(error)

    def _on_data(self, _event: object = None) -> None:
        """Follow a layer that was given other pixels: masks fit them if the frames are as large."""
        if self.choice is None or self.source is None or self._name_now() is None:
            return
        try:
            opening = Opening.of(self._viewer.layers, self.choice)
        except Sam2vError:  # it has other axes now
            opening = None
        if opening is None or tuple(opening.source.shape) != tuple(self.source.shape):
            self._forget()  # the layer holds another movie
            self._on_layers()
            return
        self.source, self._pixels = opening.source, Pixels(opening.image)
        self._repainted(opening.source)
        if self._wanted is None or self._wanted.image is opening.image:
            self._change()  # the contrast may be another

    def _refuse(self, error: Exception) -> None:
        """Tell what did not work, and show what holds, not what was wished."""
        self._wanted = None
        self._told(error)
        if self.choice is not None and self.source is not None and self.geometry is not None:
            self._show_options(self.geometry.image, self.choice, self.source)

    # Opening ---------------------------------------------------------------------------------------------------------

    def _open(self, choice: MovieOptions) -> None:
        opening = Opening.of(self._viewer.layers, choice)
        self._show_options(opening.image, choice, opening.source)
        self._begin(opening, lambda cancelled: read_movie(opening, cancelled), self._arrived, failed=self._refuse)

    def _begin(
        self, opening: Opening, work: Callable[[Callable[[], bool]], Opened], *done: Any, **otherwise: Any
    ) -> None:
        self.seen.cancel()
        self._reader.read("movie", f"Reading '{opening.image.name}'", work, *done, **otherwise)
        self._wanted = opening

    def _arrived(self, opened: Opened) -> None:
        opening, self._wanted = opened.opening, None
        choice = replace(opening.choice, layer_name=str(opening.image.name))
        work = self._documents.find(opening.image, choice)
        if work is not None and not work.fits(opening.source):
            for annotation in self._documents.take_out(opening.image):
                self._dropped(annotation)
            work = None
        if work is None:
            project = Project(opened.identity, normalization=opened.normalization)
            work = Work(opening.image, choice, Annotation(project))
        work.choice = choice
        self._documents.put(work)
        self._show(work, opened)

    def _show(self, work: Work, opened: Opened) -> None:
        opening = opened.opening
        self._listen(False)
        self.choice, self.source, self.geometry = work.choice, opening.source, opening.geometry
        self._pixels = Pixels(opening.image)
        self._listen(True)
        self._show_options(work.image, work.choice, opening.source)
        self._opened(work.annotation, opening.source, opening.geometry)
        frame = opening.geometry.shown_frame(self._viewer.dims) or 0
        self.seen.show(opening.source, frame, opened.normalization, work.annotation.project.normalization)
        self.show_followable()
        if limits_of(self._viewer.layers, work.choice) != opening.limits:
            self._normalize()  # changed while the movie was read

    def _listen(self, listen: bool) -> None:
        if self.geometry is not None:
            events = self.geometry.image.events
            for event, slot in ((events.contrast_limits, self._on_limits), (events.data, self._on_data)):
                (event.connect if listen else event.disconnect)(slot)

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
        asked, of = self._asked(), f"the annotation of '{annotation.movie.name}'"
        if asked is None:
            failed(AnnotationFileError(f"open the movie '{annotation.movie.name}' first, then this annotation of it"))
            return
        try:
            image = find_image(self._viewer.layers, asked.layer_name)
            choices = readings_of(image, asked, images_of(self._viewer.layers))
            openings = [Opening.of(self._viewer.layers, choice) for choice in choices]
        except Sam2vError as error:
            failed(error)
            return

        def fail(error: Exception) -> None:
            self._wanted = None
            failed(error)
            self._on_layers()

        def drop() -> None:
            failed(AnnotationFileError(f"{of} was not opened: another movie was chosen meanwhile"))

        def arrived(opened: Opened) -> None:
            self._wanted = None
            work = Work(image, replace(opened.opening.choice, layer_name=str(image.name)), annotation)
            replaced = self._documents.put(work)
            self._show(work, opened)
            if replaced is not None:
                self._dropped(replaced)
            done()

        self._begin(
            openings[0],
            lambda cancelled: match_document(annotation, openings, cancelled),
            arrived,
            failed=fail,
            dropped=drop,
        )
