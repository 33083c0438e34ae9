"""What has to be read of a movie before it can be annotated; on a thread of its own, as a frame may take its time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import TYPE_CHECKING, Any, cast

from napari_sam2v.controllers import Job, Worker
from napari_sam2v.layers import axis_options, channel_options, find_image, limits_of, plane_options, source_of
from src_model.document import MovieIdentity
from src_model.errors import AnnotationFileError, Sam2vError, StoppedError
from src_model.frames import decide_normalization

if TYPE_CHECKING:
    from napari.layers import Image, Layer

    from napari_sam2v.controllers import Post
    from napari_sam2v.layers import LayerGeometry, MovieOptions
    from src_model.document import Annotation
    from src_model.frames import FrameSource, Normalization
    from src_model.frames.normalization import Limits

_logger = logging.getLogger(__name__)

_MOST_AXES, _MOST_READINGS = 3, 40
"""How many ways of reading a layer are compared with a document, each of which reads three frames."""


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """A movie that was chosen and has not been read yet.

    Attributes
    ----------
    image
        The layer.
    choice
        How it is read.
    source
        Its frames.
    geometry
        Its place in the viewer.
    limits
        The contrast that the layer gives; None if the movie's own values decide.
    """

    image: Image
    choice: MovieOptions
    source: FrameSource
    geometry: LayerGeometry
    limits: Limits | None

    @classmethod
    def of(cls, layers: Sequence[Layer], choice: MovieOptions) -> Opening:
        """Find what was chosen among the layers of a viewer, without reading it; MovieError as `source_of`."""
        image = find_image(layers, choice.layer_name)
        return cls(image, choice, source_of(layers, choice), choice.geometry(image), limits_of(layers, choice))


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A movie that can be annotated.

    Attributes
    ----------
    opening
        What was chosen.
    normalization
        How the model sees its values.
    identity
        What tells it from other movies.
    """

    opening: Opening
    normalization: Normalization
    identity: MovieIdentity


def read_movie(opening: Opening, cancelled: Callable[[], bool]) -> Opened:
    """Read what a document needs to know of a movie: 19 frames at most.

    Raises
    ------
    MovieError
        A frame cannot be read, or there is no finite value in any.
    StoppedError
        It is not wanted any more.
    """
    source = stoppable(opening.source, cancelled)
    return Opened(opening, decide_normalization(source, limits=opening.limits), _identity(source, opening))


def match_document(annotation: Annotation, openings: Sequence[Opening], cancelled: Callable[[], bool]) -> Opened:
    """Find the way of reading a layer that a document was made on, the first one that fits.

    Raises
    ------
    AnnotationFileError
        If there is none.
    MovieError, StoppedError
        As `read_movie`.
    """
    problem: tuple[str, ...] = ()
    for opening in openings:
        source = stoppable(opening.source, cancelled)
        differences = annotation.movie.differences(source)
        if not differences:
            known = annotation.project.normalization
            found = known or decide_normalization(source, limits=opening.limits)
            return Opened(opening, found, annotation.movie)
        problem = problem or differences
    raise AnnotationFileError(
        f"this annotation is of '{annotation.movie.name}', not of '{openings[0].image.name}': {'; '.join(problem)}"
    )


def readings_of(image: Image, now: MovieOptions, images: Sequence[Image]) -> Iterator[MovieOptions]:
    """Go through the ways to read a layer, the present one first, then its other channels, planes and axes."""
    yield now
    axes = [now.axes, *(option.value for option in axis_options(image) if option.value != now.axes)]
    for letters in axes[: 1 + _MOST_AXES]:
        channels = [option.value for option in channel_options(image, letters, images)] or [None]
        planes = [option.value for option in plane_options(image, letters)] or [None]
        for channel, plane in islice(product(channels, planes), _MOST_READINGS):
            choice = replace(now, axes=letters, channel=channel, plane=plane)
            if choice != now:
                yield choice


class MovieReader:
    """Reads movies on a thread of its own; of each kind of reading only the newest counts.

    Parameters
    ----------
    post
        Brings calls to the host's thread.
    told
        Takes an error for the user.
    shown
        Takes what is being read, in words; an empty text when nothing is any more.
    """

    def __init__(self, post: Post, told: Callable[[Exception], None], shown: Callable[[str], None]) -> None:
        self._runner = Worker(post, name="sam2v reading")
        self._told, self._shown = told, shown
        self._jobs: dict[str, Job] = {}
        self._texts: dict[str, str] = {}
        self._dropped: dict[str, Callable[[], None]] = {}

    @property
    def is_reading(self) -> bool:
        """Whether something is being read."""
        return bool(self._jobs)

    def read(
        self,
        kind: str,
        text: str,
        work: Callable[[Callable[[], bool]], Any],
        done: Callable[[Any], None],
        *,
        failed: Callable[[Exception], None] | None = None,
        dropped: Callable[[], None] | None = None,
    ) -> None:
        """Begin to read, in place of an earlier reading of the same kind.

        Parameters
        ----------
        kind
            What kind of reading it is.
        text
            What is read, in words; empty if nobody waits for it.
        work
            Called on the thread, with what says whether to stop.
        done, failed
            Take the outcome on the host's thread; errors go to ``told`` if ``failed`` is left out.
        dropped
            Called where another reading of this kind takes its place.
        """
        self.cancel(kind)

        def attempt(_request: object) -> Iterator[Callable[[], None]]:
            try:
                result = work(job.stop.is_set)
            except StoppedError:
                return
            except Exception as error:
                if not isinstance(error, Sam2vError):
                    _logger.exception("reading the %s failed", kind)
                problem = error
                yield lambda: (failed or self._told)(problem)
            else:
                yield lambda: done(result)

        def take(outcome: Callable[[], None]) -> None:
            if self._jobs.get(kind) is job:
                self._forget(kind)
                outcome()

        job = self._jobs[kind] = Job(kind, lambda: None, attempt, take)
        self._texts[kind] = text
        if dropped is not None:
            self._dropped[kind] = dropped
        self._show()
        self._runner.submit(job)

    def cancel(self, kind: str) -> None:
        """Stop a reading after the frame it is in; nothing comes of it."""
        job = self._jobs.get(kind)
        if job is None:
            return
        job.stop.set()
        self._runner.stop(kind)
        dropped = self._dropped.get(kind)
        self._forget(kind)
        if dropped is not None:
            dropped()

    def close(self) -> None:
        """Stop, and wait for the frame that is being read."""
        for job in self._jobs.values():
            job.stop.set()
        self._jobs.clear()
        self._runner.close()

    def _forget(self, kind: str) -> None:
        for table in (self._jobs, self._texts, self._dropped):
            cast("dict[str, Any]", table).pop(kind, None)
        self._show()

    def _show(self) -> None:
        self._shown(next((text for text in self._texts.values() if text), ""))


def stoppable(source: FrameSource, cancelled: Callable[[], bool]) -> FrameSource:
    """Return a movie of which no further frame is read once it is not wanted any more: StoppedError instead."""
    return cast("FrameSource", _Stoppable(source, cancelled))


class _Stoppable:
    def __init__(self, source: FrameSource, cancelled: Callable[[], bool]) -> None:
        self._source, self._cancelled = source, cancelled

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def __len__(self) -> int:
        return len(self._source)

    def read(self, frame: int) -> Any:
        if self._cancelled():
            raise StoppedError("another movie was chosen")
        return self._source.read(frame)


def _identity(source: FrameSource, opening: Opening) -> MovieIdentity:
    """Describe the movie for the document; where it was read from, napari knows of layers that a reader opened."""
    image, time_axis = opening.image, opening.geometry.time_axis
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
