"""The image section and the viewer's image layers: which movie is annotated, and how the model sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtCore import QTimer
from superqt.utils import qdebounced

from napari_sam2v.bindings.model_input import ModelInput, ShownChannel
from napari_sam2v.bindings.movie_opening import (
    LayerMovie,
    MovieDocument,
    OpenDocuments,
    OpenedMovie,
    alternatives,
    match_document,
    offer_options,
    read_movie,
)
from napari_sam2v.controllers.background_tasks import BackgroundTasks, Work
from napari_sam2v.layers.movie_options import guess, with_axes
from napari_sam2v.layers.movie_source import ImageWatcher, find_image, images_of, limits_of
from src_model.errors import AnnotationFileError, Sam2vError

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_sam2v.bindings.layer_binding import LayerBinding
    from napari_sam2v.controllers import AnnotationController, Post
    from napari_sam2v.layers.geometry import LayerGeometry
    from napari_sam2v.layers.movie_options import MovieOptions
    from napari_sam2v.panel.image_section import ImageSection
    from napari_sam2v.view_state import Contrast
    from src_model.document import Annotation
    from src_model.frames import FrameSource

_LIMITS_MILLISECONDS, _REMOVED_MILLISECONDS = 400, 100
"""How long contrast limits have to stay as they are before the model sees them, and a layer has to be gone."""


class MovieBinding:
    """Keeps the image section and the viewer's layers in step, and opens the movie that is chosen.

    Nothing is read on this thread: what was chosen is opened a moment later, and the document before it stays until
    then.

    Parameters
    ----------
    viewer
        Viewer whose image layers can be annotated.
    section
        Section of the panel that offers them.
    controller
        Opens the document of the movie.
    layers
        Show the document on layers of the viewer.
    post
        Has functions called on the main thread, from any thread.
    contrast
        The contrast chosen at first.

    Attributes
    ----------
    options, source, geometry
        How the open movie is read, its frames, and its place in the viewer; None if none is open.
    documents
        Of all movies that were opened; the user gets back to them by choosing the movie.
    """

    reading = Signal(object)
    """What is being read, as RunProgress; None when nothing is."""
    dropped = Signal(object)
    """A document that nobody can get back to here: its layer is gone, or another document took its place."""

    def __init__(
        self,
        viewer: ViewerModel,
        section: ImageSection,
        controller: AnnotationController,
        layers: LayerBinding,
        post: Post,
        *,
        contrast: Contrast = "percentile",
    ) -> None:
        self.options: MovieOptions | None = None
        self.source: FrameSource | None = None
        self.geometry: LayerGeometry | None = None
        self._viewer, self._section, self._controller, self._layers = viewer, section, controller, layers
        self._pending: LayerMovie | None = None  # is being read
        self._watcher: ImageWatcher | None = None
        self._tasks = BackgroundTasks(post, self.reading.emit, controller.report_error, name="sam2v reading")
        self._input = ModelInput(viewer, section, controller, self._tasks)
        self._shown_channel = ShownChannel(viewer, section, controller, layers, self)
        self.documents = OpenDocuments()
        self._is_forgetting = False
        self._limits_settled = qdebounced(self._normalize, timeout=_LIMITS_MILLISECONDS)
        self._removed = QTimer(section)
        self._removed.setSingleShot(True)
        self._removed.timeout.connect(self._on_removed)
        self._contrast = contrast
        self._connect()

    def _connect(self) -> None:
        self._section.option_chosen.connect(self._on_option)
        self._controller.before_jobs = self._check_pixels
        for event in self._layer_events():
            event.connect(self.offer_layers)
        self._viewer.dims.events.current_step.connect(self._on_step)

    def close(self) -> None:
        """Stop reading, and disconnect from the viewer."""
        self._watch(None)
        self._removed.stop()
        self._limits_settled.cancel()
        self._limits_settled.flush(restart_timer=False)
        for event in self._layer_events():
            event.disconnect(self.offer_layers)
        self._viewer.dims.events.current_step.disconnect(self._on_step)
        self._tasks.close()

    def _layer_events(self) -> tuple[Any, ...]:
        events = self._viewer.layers.events
        return events.inserted, events.removed, events.renamed

    @property
    def is_reading(self) -> bool:
        """Whether a movie is being read."""
        return self._tasks.is_running

    @property
    def chosen_image(self) -> Image | None:
        """The layer that was chosen last, whether it is open or still being read."""
        chosen = self._pending or self.geometry
        return None if chosen is None else chosen.image

    def show_frame(self, frame: int) -> None:
        """Bring a frame of the movie into view."""
        if self.geometry is not None:
            self.geometry.show_frame(self._viewer.dims, frame)

    def choose_layer(self, name: str) -> None:
        """Open a layer, read as it was the last time, or as most people would want it."""
        try:
            image = find_image(self._viewer.layers, name)
            known = self.documents.latest(image)
            if known is None:
                self._open(replace(guess(image, self._viewer.dims), contrast=self._contrast))
            else:
                self._open(replace(known.options, layer_name=name))
        except Sam2vError as error:
            self._refuse(error)

    def _on_step(self, _event: object = None) -> None:
        """Follow the frame, the channel and the plane that the viewer shows."""
        frame = None if self.geometry is None else self.geometry.shown_frame(self._viewer.dims)
        if frame is not None and self._controller.document is not None:
            self._controller.show_frame(frame)
        self._shown_channel.compare()

    def offer_layers(self, _event: object = None) -> None:
        """Offer the image layers of the viewer, and open the only one."""
        if self._is_forgetting:  # our own layers are being removed
            return
        names = [image.name for image in images_of(self._viewer.layers)]
        if self._pending is not None and self._pending.image not in self._viewer.layers:
            self._pending = None
            self._tasks.cancel("movie")
        chosen = self._current_name()
        if chosen is None and self.options is not None:
            # Not from within the event that tells of the removal, and not before the canvas is drawn without the
            # layer, because other layers are to be removed now.
            self._removed.start(_REMOVED_MILLISECONDS)
            return
        self._section.set_layers(names, chosen if self._pending is None else self._pending.image.name)
        if chosen is None and self._pending is None and len(names) == 1:
            self.choose_layer(names[0])  # no choice to make

    def _on_removed(self) -> None:
        if self._current_name() is None and self.options is not None:
            self._is_forgetting = True
            try:
                self._forget()
            finally:
                self._is_forgetting = False
        self.offer_layers()

    def _forget(self) -> None:
        """Close the movie of a layer that was removed, and its documents."""
        self._watch(None)
        gone = [] if self.geometry is None else self.documents.take_out(self.geometry.image)
        self.options = self.source = self.geometry = None
        self._input.forget()
        self._section.set_follow(None)
        self._layers.close()
        self._controller.close_document()
        for annotation in gone:
            self.dropped.emit(annotation)

    def _current_name(self) -> str | None:
        """Name of the open movie's layer, which the user may have renamed; None if it is gone."""
        if self.geometry is None or self.options is None or self.geometry.image not in self._viewer.layers:
            return None
        name = str(self.geometry.image.name)
        if name != self.options.layer_name:
            self.options = replace(self.options, layer_name=name)
        return name

    def _watch(self, image: Image | None) -> None:
        if self._watcher is not None:
            self._watcher.close()
        self._watcher = None if image is None else ImageWatcher(image, self._on_limits, self._on_pixels)

    def _check_pixels(self) -> None:
        if self._watcher is not None:
            self._watcher.check()

    def _on_pixels(self) -> None:
        """Follow a layer that was given other pixels: masks fit them if the frames are as large."""
        if self.options is None or self.source is None or self._current_name() is None:
            return
        try:
            movie = LayerMovie.of(self._viewer.layers, self.options)
        except Sam2vError:  # it has other axes now
            movie = None
        if movie is None or tuple(movie.source.shape) != tuple(self.source.shape):
            self._forget()  # the layer holds another movie
            self.offer_layers()
            return
        self.source = movie.source
        self._watch(movie.image)
        self._controller.use_movie(movie.source)
        if self._pending is None or self._pending.image is movie.image:
            self.change()  # the contrast may be another

    # What the user chooses -------------------------------------------------------------------------------------------

    def _on_option(self, name: str, value: Any) -> None:
        if name == "layer_name":
            self.choose_layer(value)
        elif name == "axes":
            layers, dims = self._viewer.layers, self._viewer.dims
            self._open_other(lambda now: with_axes(find_image(layers, now.layer_name), replace(now, axes=value), dims))
        elif name == "contrast":
            self._on_contrast(value)
        else:
            self.change(**{name: value})

    def _chosen_options(self) -> MovieOptions | None:
        """Return how the layer that was chosen last is read."""
        options = self.options if self._pending is None else self._pending.options
        image = self.chosen_image
        return None if options is None or image is None else replace(options, layer_name=str(image.name))

    def change(self, **changes: Any) -> None:
        """Open the chosen layer with other options, by name."""
        self._open_other(lambda now: replace(now, **changes))

    def _open_other(self, change: Callable[[MovieOptions], MovieOptions]) -> None:
        chosen = self._chosen_options()
        if chosen is not None:
            try:
                self._open(change(chosen))
            except Sam2vError as error:
                self._refuse(error)

    def _on_contrast(self, contrast: Contrast) -> None:
        self._contrast = contrast
        if self._pending is not None:
            self.change(contrast=contrast)
        elif self.options is not None:
            self.options = replace(self.options, contrast=contrast)
            self._normalize()

    def _on_limits(self) -> None:
        if self.options is not None and self.options.contrast == "limits":
            self._limits_settled()

    def _normalize(self) -> None:
        if self.options is not None:
            self._input.normalize(self.options)

    def _refuse(self, error: Exception) -> None:
        """Say what did not work, and show the options of the open movie."""
        self._pending = None
        self._controller.report_error(error)
        if self.options is not None and self.source is not None and self.geometry is not None:
            image = self.geometry.image
            self._offer(LayerMovie(image, self.options, self.source, self.geometry, None))

    def _offer(self, movie: LayerMovie) -> None:
        offer_options(self._section, movie, images_of(self._viewer.layers))

    # Opening ---------------------------------------------------------------------------------------------------------

    def _open(self, options: MovieOptions) -> None:
        movie = LayerMovie.of(self._viewer.layers, options)
        self._offer(movie)
        self._read(movie, lambda _report, is_stopped: read_movie(movie, is_stopped), self._on_read, failed=self._refuse)

    def _read(self, movie: LayerMovie, work: Work, done: Callable[[OpenedMovie], None], **otherwise: Any) -> None:
        self._input.cancel()
        self._tasks.replace("movie", f"Reading '{movie.image.name}'", work, done, **otherwise)
        self._pending = movie

    def _on_read(self, opened: OpenedMovie) -> None:
        self._pending = None
        document, gone = self.documents.of(opened)
        for annotation in gone:
            self.dropped.emit(annotation)
        self._show(document, opened)

    def _show(self, document: MovieDocument, opened: OpenedMovie) -> None:
        movie, shown = opened.movie, self._layers.geometry
        self.options, self.source, self.geometry = document.options, movie.source, movie.geometry
        self._watch(movie.image)
        self._offer(replace(movie, options=document.options))
        same = document.annotation is self._controller.document and shown is not None
        if same and shown.lengths == movie.geometry.lengths:
            self._controller.use_movie(movie.source)  # another channel: the same frames, and the same work
        else:
            self._layers.close()
            self._controller.open(document.annotation, movie.source)
            self._layers.open(movie.geometry)
            self._on_step()
        frame = movie.geometry.shown_frame(self._viewer.dims) or 0
        self._input.show(movie.source, frame, opened.normalization)
        self._shown_channel.compare()
        if limits_of(self._viewer.layers, document.options) != movie.limits:
            self._normalize()  # changed while the movie was read

    def take_document(
        self, annotation: Annotation, done: Callable[[], None], failed: Callable[[Exception], None]
    ) -> None:
        """Open a document that was read from a file, with the channel or plane of the open layer that it was made on.

        Parameters
        ----------
        annotation
            The document that is edited.
        done
            Called when it is open.
        failed
            Takes an AnnotationFileError if no movie is open, or another one than the document's, or if another one was
            chosen meanwhile; MovieError if it cannot be read.
        """
        chosen, name = self._chosen_options(), annotation.movie.name
        if chosen is None:
            failed(AnnotationFileError(f"open the movie '{name}' first, then this annotation of it"))
            return
        try:
            image = find_image(self._viewer.layers, chosen.layer_name)
            every = alternatives(image, chosen, images_of(self._viewer.layers))
            movies = [LayerMovie.of(self._viewer.layers, options) for options in every]
        except Sam2vError as error:
            failed(error)
            return
        self._take_document(annotation, movies, done, failed)

    def _take_document(
        self,
        annotation: Annotation,
        movies: list[LayerMovie],
        done: Callable[[], None],
        failed: Callable[[Exception], None],
    ) -> None:
        image = movies[0].image

        def fail(error: Exception) -> None:
            self._pending = None
            failed(error)
            self.offer_layers()

        def drop() -> None:
            text = f"the annotation of '{annotation.movie.name}' was not opened: another movie was chosen meanwhile"
            failed(AnnotationFileError(text))

        def take(opened: OpenedMovie) -> None:
            self._pending = None
            options = replace(opened.movie.options, layer_name=str(image.name))
            document = MovieDocument(image, options, annotation)
            replaced = self.documents.put(document)
            self._show(document, opened)
            if replaced is not None:
                self.dropped.emit(replaced)
            done()

        self._read(
            movies[0],
            lambda _report, is_stopped: match_document(annotation, movies, is_stopped),
            take,
            failed=fail,
            dropped=drop,
        )
