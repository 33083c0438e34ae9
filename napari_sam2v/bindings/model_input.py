"""What the model sees of the open movie: contrast, channel and plane, and a picture of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_sam2v.bindings.movie_opening import stoppable
from napari_sam2v.layers.movie_options import as_shown, difference_in_words
from napari_sam2v.layers.movie_source import limits_of, preview_image
from src_model.errors import Sam2vError
from src_model.frames import decide_normalization

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_sam2v.bindings.layer_binding import LayerBinding
    from napari_sam2v.bindings.movie_binding import MovieBinding
    from napari_sam2v.controllers import AnnotationController
    from napari_sam2v.controllers.background_tasks import BackgroundTasks
    from napari_sam2v.layers.movie_options import MovieOptions
    from napari_sam2v.panel.image_section import ImageSection
    from src_model.frames import FrameSource, Normalization


class ModelInput:
    """Keeps the contrast of a movie in the document, and shows a small picture of what the model sees.

    Parameters
    ----------
    viewer
        Whose layers give the contrast limits.
    section
        Where the picture is shown.
    controller
        Holds the document, the selection and the worker.
    tasks
        Read frames on a thread of their own.
    """

    def __init__(
        self, viewer: ViewerModel, section: ImageSection, controller: AnnotationController, tasks: BackgroundTasks
    ) -> None:
        self._viewer, self._section, self._controller, self._tasks = viewer, section, controller, tasks
        self._source: FrameSource | None = None
        self._normalization: Normalization | None = None
        self._frame = 0
        controller.events.status.connect(self._follow_document)

    def show(self, source: FrameSource, frame: int, normalization: Normalization) -> None:
        """Take another movie, whose document is open.

        Parameters
        ----------
        source
            Frames of the movie, read when they are needed.
        frame
            Number of the frame of which a picture is shown, from 0.
        normalization
            How the model is to see it.
        """
        self._source, self._frame, self._normalization = source, frame, normalization
        self._controller.use_normalization(normalization)
        self._show_preview()

    def normalize(self, options: MovieOptions) -> None:
        """Decide the contrast anew, from the layer's limits or from the movie's own values."""
        source = self._source
        if source is None:
            return
        try:
            limits = limits_of(self._viewer.layers, options)
        except Sam2vError as error:
            self._controller.report_error(error)
            return
        self._tasks.replace(
            "contrast",
            "Reading the contrast",
            lambda _progress, is_stopped: decide_normalization(stoppable(source, is_stopped), limits=limits),
            self._normalized,
        )

    def cancel(self) -> None:
        """Decide nothing any more on a movie that another one will replace."""
        self._tasks.cancel("contrast")

    def forget(self) -> None:
        """Let go of a movie that is gone."""
        self._source = self._normalization = None
        self.cancel()
        self._tasks.cancel("preview")
        self._section.set_preview(None)

    def _follow_document(self) -> None:
        """Show what the document says, where undo brought another contrast back."""
        document = self._controller.document
        known = None if document is None else document.project.normalization
        if known is not None and known != self._normalization and self._source is not None:
            self._normalization = known
            self._show_preview()

    def _normalized(self, found: Normalization) -> None:
        if found != self._normalization:
            self._normalization = found
            self._controller.use_normalization(found)
            self._show_preview()

    def _show_preview(self) -> None:
        source, normalization, frame = self._source, self._normalization, self._frame
        if source is None or normalization is None:
            return
        self._tasks.replace(
            "preview",
            "",
            lambda _progress, is_stopped: preview_image(stoppable(source, is_stopped), frame, normalization),
            lambda picture: self._section.set_preview(picture, "What the model sees of this frame"),
            failed=lambda error: self._section.set_preview(None, str(error)),
        )


class ShownChannel:
    """Compares the channel and the plane that the viewer shows with those that the model sees.

    Parameters
    ----------
    viewer
        Viewer that shows the movie.
    section
        Where it is offered to let the model see what is shown.
    controller
        Shows messages to the user.
    layers
        Say when a prompt was given.
    movie
        Gives the options of the open movie, and takes others.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        section: ImageSection,
        controller: AnnotationController,
        layers: LayerBinding,
        movie: MovieBinding,
    ) -> None:
        self._viewer, self._section, self._controller, self._movie = viewer, section, controller, movie
        self._warned_of: str | None = None
        section.follow_requested.connect(self._follow)
        layers.prompted.connect(self._warn)

    def compare(self) -> None:
        """Offer the channel and plane that are shown, if the model sees others."""
        there, _ = self._difference()
        self._section.set_follow(f"Use {there}, as shown" if there else None)

    def _shown(self) -> MovieOptions | None:
        """Return the options with the channel and the plane that are shown."""
        options, geometry = self._movie.options, self._movie.geometry
        if options is None or geometry is None or geometry.image.ndim != geometry.ndim:
            return None
        return as_shown(geometry.image, options, self._viewer.dims)

    def _difference(self) -> tuple[str, str]:
        """Name what is shown, and what the model sees instead; empty where they are the same."""
        options, shown = self._movie.options, self._shown()
        if options is None or shown is None:
            return "", ""
        return difference_in_words(shown, options), difference_in_words(options, shown)

    def _follow(self) -> None:
        shown = self._shown()
        if shown is not None:
            self._movie.change(channel=shown.channel, plane=shown.plane)

    def _warn(self) -> None:
        """Say once that prompts are answered in another channel or plane than the one that is shown."""
        there, here = self._difference()
        text = f"The model sees {here}; press 'Use {there}, as shown' to change that" if there else None
        if text is not None and text != self._warned_of:
            self._controller.events.problem.emit(text)
        self._warned_of = text
