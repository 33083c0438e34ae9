"""Masks read from files of other programs, on their way into a document."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from src_model.document import (
    MAX_OBJECT_ID,
    AnnotatedObject,
    Annotation,
    ImportMasklets,
    MovieIdentity,
    renumbered,
)
from src_model.errors import FormatError, MovieError, StoppedError
from src_model.formats.run import never, no_progress
from src_model.frames import open_movie
from src_model.masks import Masklet, masks_from_labels

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from src_model.document import Division
    from src_model.formats.run import Progress
    from src_model.frames import MovieLike

_MOST_OBJECTS: Final = 2**16
"""An image with more values than this is no labels movie."""


@dataclass(frozen=True, slots=True)
class Imported:
    """Objects with their masks.

    Attributes
    ----------
    name
        What the file or folder is called.
    shape
        ``(T, Y, X)`` of what was read.
    masklets
        The masks of each object, by ascending object id.
    objects
        Names, colors, classes and notes, of those objects that have any.
    divisions
        Which of these objects divide, when, and into which.
    notes
        What in the file did not fit together, in sentences.
    """

    name: str
    shape: tuple[int, int, int]
    masklets: tuple[Masklet, ...]
    objects: tuple[AnnotatedObject, ...] = ()
    divisions: tuple[Division, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, annotation: Annotation) -> Imported:
        """Take the objects of another document, without prompts and locks."""
        return cls(
            annotation.movie.name,
            (annotation.movie.length, *annotation.movie.frame_shape),
            tuple(annotation.masklet(object_id) for object_id in annotation.objects),
            tuple(annotation.objects.values()),
            tuple(annotation.divisions.values()),
        )

    def action(self, annotation: Annotation) -> ImportMasklets:
        """Return the action that adds the objects to a document; they are renumbered if an id is taken there.

        Raises
        ------
        FormatError
            If the frames have another size than those of the document, or there are more of them.
        """
        movie = annotation.movie
        if self.shape[1:] != movie.frame_shape or self.shape[0] > movie.length:
            raise FormatError(
                f"'{self.name}' has the shape {self.shape} (T, Y, X) and does not fit the movie '{movie.name}' of "
                f"{(movie.length, *movie.frame_shape)}: open the movie that it belongs to"
            )
        if not {masklet.object_id for masklet in self.masklets} & annotation.objects.keys():
            return ImportMasklets(self.masklets, self.objects, self.divisions)
        masklets, divisions = renumbered(self.masklets, self.divisions, first_id=annotation.next_id())
        names = {old.object_id: new.object_id for old, new in zip(self.masklets, masklets, strict=True)}
        objects = tuple(replace(info, object_id=names[info.object_id]) for info in self.objects)
        return ImportMasklets(masklets, objects, divisions)

    def document(self, movie: MovieIdentity | None = None) -> Annotation:
        """Make a new document of the objects.

        Parameters
        ----------
        movie
            The movie they belong to; left out, one is described that is as long and as large.

        Raises
        ------
        FormatError
            If they do not fit the movie.
        """
        annotation = Annotation(movie or MovieIdentity(self.name, self.shape, "uint16"))
        annotation.do(self.action(annotation))
        annotation.forget_history()
        return annotation


def read_labels(
    movie: MovieLike,
    *,
    axes: str | None = None,
    name: str | None = None,
    progress: Progress = no_progress,
    cancelled: Callable[[], bool] = never,
) -> Imported:
    """Read a labels movie; each number is an object, and keeps it as its id.

    Parameters
    ----------
    movie
        The path of anything that opens as a movie, an array, or an open movie.
    axes
        One letter an axis, where nothing tells.
    name
        What to call it; left out, the file's name.
    progress, cancelled
        As in :class:`~src_model.formats.run.ExportOptions`.

    Raises
    ------
    FormatError
        If it cannot be opened, a frame is damaged, or it holds no labels.
    StoppedError
        If ``cancelled`` said so.
    """
    try:
        source = open_movie(movie, axes=axes, name=name)
        length = len(source)
        masklets: dict[int, Masklet] = {}
        for frame in range(length):
            if cancelled():
                raise StoppedError(f"reading '{source.name}' was stopped")
            labels = as_labels(source.read(frame), f"{source.name}, frame {frame}")
            for label, mask in masks_from_labels(labels).items():
                if label not in masklets:
                    masklets[label] = Masklet(label, labels.shape)
                masklets[label].set(frame, mask)
            if len(masklets) > _MOST_OBJECTS:
                raise FormatError(
                    f"'{source.name}' has more than {_MOST_OBJECTS} different values by frame {frame}: expected "
                    "labels, one number an object; is it an image?"
                )
            progress(frame + 1, length)
    except MovieError as error:
        raise FormatError(str(error)) from error
    ordered = tuple(masklets[label] for label in sorted(masklets))
    return Imported(source.name, (length, source.shape[1], source.shape[2]), ordered)


def as_labels(values: NDArray[np.generic], origin: object) -> NDArray[np.int32]:
    """Check that an array holds labels and return it as int32.

    Parameters
    ----------
    values
        ``(Y, X)`` bool, integers, or floats that are whole numbers, as some programs write them.
    origin
        File and frame, for messages.

    Raises
    ------
    FormatError
        If it is something else, or a value is negative or too large.
    """
    if values.ndim != 2 or values.dtype.kind not in "biuf" or not values.size:
        raise FormatError(f"'{origin}' holds {values.dtype} of shape {values.shape}: expected labels, (Y, X) integers")
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= MAX_OBJECT_ID):  # nor for what is no number
        raise FormatError(f"'{origin}' holds values from {low} to {high}: expected labels from 0 to {MAX_OBJECT_ID}")
    labels = values.astype(np.int32)
    if values.dtype.kind == "f" and not np.array_equal(labels, values):
        raise FormatError(f"'{origin}' holds fractions: expected labels, whole numbers; is it an image?")
    return labels
