"""Masks read from a file of another program, on their way into a document."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from src_model.document import AnnotatedObject, Annotation, ImportMasklets, MovieIdentity, renumbered
from src_model.errors import FormatError

if TYPE_CHECKING:
    from src_model.document import Division
    from src_model.masks import Masklet


@dataclass(frozen=True, slots=True)
class Imported:
    """Objects with their masks.

    Attributes
    ----------
    name
        Of the file or folder.
    shape
        ``(T, Y, X)`` of what was read.
    masklets
        By ascending object id.
    objects
        What is known of them beyond that.
    divisions
        Between them.
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
