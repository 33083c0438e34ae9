"""What has to be read of a movie before it can be annotated, and the documents of all movies that were opened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import TYPE_CHECKING, Any, cast

from napari_sam2v.layers.movie_options import axis_choices, channel_choices, plane_choices
from napari_sam2v.layers.movie_source import find_image, limits_of, source_of
from napari_sam2v.wording import count
from src_model.document import Annotation, MovieIdentity, Project
from src_model.errors import AnnotationFileError, StoppedError
from src_model.frames import decide_normalization

if TYPE_CHECKING:
    from napari.layers import Image, Layer

    from napari_sam2v.controllers.background_tasks import IsStopped
    from napari_sam2v.layers.geometry import LayerGeometry
    from napari_sam2v.layers.movie_options import MovieOptions
    from napari_sam2v.panel.image_section import ImageSection
    from src_model.frames import FrameSource, Normalization
    from src_model.frames.normalization import Limits

_MOST_AXES, _MOST_OPTIONS = 3, 40
"""How many ways to read a layer are compared with a document; each of them takes three frames of reading."""


@dataclass(frozen=True, slots=True, eq=False)
class LayerMovie:
    """A movie in an image layer, of which nothing has been read yet.

    Attributes
    ----------
    image
        The image layer.
    options
        How the layer is read.
    source
        Frames of the movie, read when they are needed.
    geometry
        Place of the movie in the viewer.
    limits
        Contrast limits of the layer; None if the movie's own values decide.
    """

    image: Image
    options: MovieOptions
    source: FrameSource
    geometry: LayerGeometry
    limits: Limits | None

    @classmethod
    def of(cls, layers: Sequence[Layer], options: MovieOptions) -> LayerMovie:
        """Find the movie among the layers of a viewer, without reading it; MovieError as `source_of`."""
        image = find_image(layers, options.layer_name)
        return cls(image, options, source_of(layers, options), options.geometry(image), limits_of(layers, options))


@dataclass(frozen=True, slots=True, eq=False)
class OpenedMovie:
    """A movie that can be annotated.

    Attributes
    ----------
    movie
        The movie, as it was chosen.
    normalization
        How the model sees its values.
    identity
        What tells it from other movies.
    """

    movie: LayerMovie
    normalization: Normalization
    identity: MovieIdentity


@dataclass(slots=True)
class MovieDocument:
    """A document with the movie it was made on.

    Attributes
    ----------
    image
        The image layer.
    options
        How the layer is read; another channel of the same frames has the same document.
    annotation
        The document that is edited.
    """

    image: Image
    options: MovieOptions
    annotation: Annotation

    def is_of(self, image: Image, options: MovieOptions) -> bool:
        """Whether these are the document's frames, whatever the channel and the contrast."""
        same = (options.axes, options.plane) == (self.options.axes, self.options.plane)
        return image is self.image and same

    def fits(self, source: FrameSource) -> bool:
        """Whether the masks fit the frames that the layer has now: as large, and at least as many."""
        length, *frame = self.annotation.movie.shape[:3]
        return tuple(source.shape[1:3]) == tuple(frame) and len(source) >= length


class OpenDocuments:
    """The documents of all movies that were opened in a panel, the one used last at the end.

    Each is kept as long as its layer is there, so that looking at another movie loses nothing.
    """

    def __init__(self) -> None:
        self._documents: list[MovieDocument] = []

    def find(self, image: Image, options: MovieOptions) -> MovieDocument | None:
        """Return the document of these frames."""
        return next((document for document in self._documents if document.is_of(image, options)), None)

    def latest(self, image: Image) -> MovieDocument | None:
        """Return the document of this layer that was used last."""
        return next((document for document in reversed(self._documents) if document.image is image), None)

    def of(self, opened: OpenedMovie) -> tuple[MovieDocument, list[Annotation]]:
        """Return the document of a movie, a new one if need be, and those that do not fit its layer any more."""
        movie, gone = opened.movie, []
        options = replace(movie.options, layer_name=str(movie.image.name))
        document = self.find(movie.image, options)
        if document is not None and not document.fits(movie.source):
            gone, document = self.take_out(movie.image), None
        if document is None:
            project = Project(opened.identity, normalization=opened.normalization)
            document = MovieDocument(movie.image, options, Annotation(project))
        document.options = options
        self.put(document)
        return document, gone

    def holds(self, annotation: Annotation) -> bool:
        """Whether a document is in here."""
        return any(document.annotation is annotation for document in self._documents)

    def put(self, document: MovieDocument) -> Annotation | None:
        """Add a document, or move it to the end; returns the other document of these frames that it replaces."""
        before = self.find(document.image, document.options)
        self._documents = [*(other for other in self._documents if other is not before), document]
        replaced = before is not None and before.annotation is not document.annotation
        return before.annotation if before is not None and replaced else None

    def take_out(self, image: Image) -> list[Annotation]:
        """Forget the documents of a layer that is gone, and return them."""
        gone = [document.annotation for document in self._documents if document.image is image]
        self._documents = [document for document in self._documents if document.image is not image]
        return gone


def read_movie(movie: LayerMovie, is_stopped: IsStopped) -> OpenedMovie:
    """Read what a document needs to know of a movie: 19 frames at most.

    Raises
    ------
    MovieError
        A frame cannot be read, or there is no finite value in any.
    StoppedError
        It is not wanted any more.
    """
    source = stoppable(movie.source, is_stopped)
    return OpenedMovie(movie, decide_normalization(source, limits=movie.limits), _identity(source, movie))


def match_document(annotation: Annotation, movies: Sequence[LayerMovie], is_stopped: IsStopped) -> OpenedMovie:
    """Find the movie that a document was made on among several ways to read a layer: the first one that fits.

    Raises
    ------
    AnnotationFileError
        If the document was made on none of them.
    MovieError, StoppedError
        As `read_movie`.
    """
    problem: tuple[str, ...] = ()
    for movie in movies:
        source = stoppable(movie.source, is_stopped)
        differences = annotation.movie.differences(source)
        if not differences:
            known = annotation.project.normalization
            return OpenedMovie(movie, known or decide_normalization(source, limits=movie.limits), annotation.movie)
        problem = problem or differences
    raise AnnotationFileError(
        f"this annotation is of '{annotation.movie.name}', not of '{movies[0].image.name}': {'; '.join(problem)}"
    )


def offer_options(section: ImageSection, movie: LayerMovie, images: Sequence[Image]) -> None:
    """Show how a layer is read, and how else it could be among all image layers of the viewer; nothing is read."""
    options = movie.options
    section.set_layers([image.name for image in images], options.layer_name)
    section.set_choices("axes", axis_choices(movie.image), options.axes)
    section.set_choices("channel", channel_choices(movie.image, options.axes, images), options.channel)
    section.set_choices("plane", plane_choices(movie.image, options.axes), options.plane)
    section.form.show_values(contrast=options.contrast)
    length, height, width = movie.source.shape[:3]
    section.set_summary(f"{count(length, 'frame')}, {height} x {width}")


def alternatives(image: Image, now: MovieOptions, images: Sequence[Image]) -> Iterator[MovieOptions]:
    """Yield the ways to read a layer: the present one first, then its other channels, planes and axes."""
    yield now
    axes = [now.axes, *(choice.key for choice in axis_choices(image) if choice.key != now.axes)]
    for letters in axes[: 1 + _MOST_AXES]:
        channels = [choice.key for choice in channel_choices(image, letters, images)] or [None]
        planes = [choice.key for choice in plane_choices(image, letters)] or [None]
        for channel, plane in islice(product(channels, planes), _MOST_OPTIONS):
            options = replace(now, axes=letters, channel=channel, plane=plane)
            if options != now:
                yield options


def stoppable(source: FrameSource, is_stopped: IsStopped) -> FrameSource:
    """Return a movie of which no further frame is read once it is not wanted any more: StoppedError instead."""
    return cast("FrameSource", _Stoppable(source, is_stopped))


class _Stoppable:
    def __init__(self, source: FrameSource, is_stopped: IsStopped) -> None:
        self._source, self._is_stopped = source, is_stopped

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def __len__(self) -> int:
        return len(self._source)

    def read(self, frame: int) -> Any:
        if self._is_stopped():
            raise StoppedError("another movie was chosen")
        return self._source.read(frame)


def _identity(source: FrameSource, movie: LayerMovie) -> MovieIdentity:
    """Describe the movie for the document, with the file it was read from where napari knows it."""
    image, time_axis = movie.image, movie.geometry.time_axis
    scale = [1.0, *(abs(float(part)) or 1.0 for part in image.scale[-2:])]
    units = ["", *(str(unit) for unit in image.units[-2:])]
    if time_axis is not None:
        scale[0] = abs(float(image.scale[time_axis])) or 1.0
        units[0] = str(image.units[time_axis])
    path = str(getattr(image.source, "path", None) or "")
    return MovieIdentity.of(
        source,
        path=path,
        time_axis=time_axis or 0,
        scale=(scale[0], scale[1], scale[2]),
        units=(units[0], units[1], units[2]),
    )
