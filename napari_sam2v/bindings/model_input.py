"""What the model sees of the movie whose document is open: its contrast, and a picture of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_sam2v.bindings.movie_reading import stoppable
from napari_sam2v.layers import preview_image
from src_model.frames import decide_normalization

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_sam2v.bindings.movie_reading import MovieReader
    from napari_sam2v.panel.image_section import ImageSection
    from src_model.frames import FrameSource, Normalization
    from src_model.frames.normalization import Limits


class ModelInput:
    """Follows the contrast of a movie, and shows a small picture of what comes of it.

    Parameters
    ----------
    section
        Where the picture is shown.
    reader
        Reads what is needed.
    renormalized
        Takes another contrast.
    """

    def __init__(
        self, section: ImageSection, reader: MovieReader, renormalized: Callable[[Normalization], None]
    ) -> None:
        self._section, self._reader, self._renormalized = section, reader, renormalized
        self._source: FrameSource | None = None
        self._normalization: Normalization | None = None
        self._frame = 0

    def show(self, source: FrameSource, frame: int, normalization: Normalization, known: Normalization | None) -> None:
        """Take another movie.

        Parameters
        ----------
        source
            The movie.
        frame
            Of which a picture is shown.
        normalization
            How the model is to see it.
        known
            How its document says that the model sees it.
        """
        self._source, self._frame, self._normalization = source, frame, normalization
        if known != normalization:
            self._renormalized(normalization)
        self._show_preview()

    def normalize(self, limits: Limits | None) -> None:
        """Decide the contrast anew, from limits or from the movie's own values."""
        source = self._source
        if source is not None:
            self._reader.read(
                "contrast",
                "Reading the contrast",
                lambda cancelled: decide_normalization(stoppable(source, cancelled), limits=limits),
                self._normalized,
            )

    def follow(self, normalization: Normalization | None) -> None:
        """Follow the document, where undo brought another contrast back."""
        if normalization is not None and normalization != self._normalization and self._source is not None:
            self._normalization = normalization
            self._show_preview()

    def cancel(self) -> None:
        """Decide nothing any more on a movie that another one will replace."""
        self._reader.cancel("contrast")

    def forget(self) -> None:
        """Let go of a movie that is gone."""
        self._source = self._normalization = None
        self.cancel()
        self._reader.cancel("preview")
        self._section.set_preview(None)

    def _normalized(self, found: Normalization) -> None:
        if found != self._normalization:
            self._normalization = found
            self._renormalized(found)
            self._show_preview()

    def _show_preview(self) -> None:
        source, normalization, frame = self._source, self._normalization, self._frame
        if source is None or normalization is None:
            return
        self._reader.read(
            "preview",
            "",
            lambda cancelled: preview_image(stoppable(source, cancelled), frame, normalization),
            lambda picture: self._section.set_preview(picture, "What the model sees of this frame"),
            failed=lambda error: self._section.set_preview(None, str(error)),
        )
