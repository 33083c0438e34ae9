"""One export: the way through the frames of a document, which every format takes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from src_model.document.lineage import kinship_of, parents_of
from src_model.errors import FormatError, StoppedError
from src_model.formats.label_movie import LabelInfo, LabelMovie, label_dtype
from src_model.formats.report import ExportTally, Loss, some
from src_model.masks import labels_from_masks

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray

    from src_model.document import AnnotatedFrame, AnnotatedObject, Annotation
    from src_model.frames import FrameSource
    from src_model.masks import Overlap

Progress = Callable[[int, int], None]
"""Told how many frames are done, and of how many."""


def no_progress(done: int, total: int) -> None:
    """Do nothing with what is told: the default where nobody waits."""


def never() -> bool:
    """Say no: the default where nobody stops it."""
    return False


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """How to export.

    Attributes
    ----------
    overlap
        Who gets a pixel that several objects claim, in formats with one number a pixel; None for the document's rule.
    objects
        Ids of the objects to export; None for all.
    visible_only
        Leave out objects that are not shown.
    channels
        Movies whose mean intensity in each object is measured, by name; for tables.
    sources
        Files that are read meanwhile besides the document's own movie, onto which nothing may be written.
    force
        Replace a file that is there and was not written as this format by sam2v.
    progress
        Told after each frame how many are done, and of how many.
    cancelled
        Asked before each frame whether to stop.
    """

    overlap: Overlap | None = None
    objects: Collection[int] | None = None
    visible_only: bool = False
    channels: Mapping[str, FrameSource] = field(default_factory=dict)
    sources: Collection[Path] = ()
    force: bool = False
    progress: Progress = no_progress
    cancelled: Callable[[], bool] = never


class ExportRun:
    """A document on its way into a file, frame by frame.

    Parameters
    ----------
    annotation
        The document; it is only read.
    options
        Which objects, and by what rule of overlaps.

    Raises
    ------
    UnknownObjectError
        If an object is asked for that is not there.
    FormatError
        If there is no mask to export.
    """

    def __init__(self, annotation: Annotation, options: ExportOptions) -> None:
        wanted = annotation.objects if options.objects is None else options.objects
        chosen = {object_id: annotation.object(object_id) for object_id in sorted(wanted)}
        self.annotation = annotation
        self.options = options
        self.overlap: Overlap = options.overlap or annotation.project.overlap
        self.objects: dict[int, AnnotatedObject] = {
            object_id: info for object_id, info in chosen.items() if info.visible or not options.visible_only
        }
        self.seen = [object_id for object_id in self.objects if self.first_frame(object_id) is not None]
        """Objects with a pixel on some frame, ascending."""
        if not self.seen:
            raise FormatError("there is nothing to export: no object has a mask yet")
        self.tally = ExportTally()
        self.notes: list[Loss] = []
        links = (
            (daughter, tuple(parent for parent in parents if parent in self.objects))
            for daughter, parents in parents_of(annotation.divisions.values()).items()
            if daughter in self.objects
        )
        self.kinship = kinship_of(self.objects, {daughter: parents for daughter, parents in links if parents})
        """Parents, daughters, lineage and generation of each object, among those that are exported."""

    @property
    def parents(self) -> dict[int, int]:
        """Parent by daughter, for formats with room for one: of several that fused, the one with the smallest id."""
        return {object_id: kin.parents[0] for object_id, kin in self.kinship.items() if kin.parents}

    @property
    def length(self) -> int:
        """Number of frames of the movie, with masks or without."""
        return self.annotation.movie.length

    @property
    def frame_shape(self) -> tuple[int, int]:
        """``(Y, X)`` in pixels."""
        return self.annotation.movie.frame_shape

    def first_frame(self, object_id: int) -> int | None:
        """Return the first frame on which an object has a pixel; None if there is none, or it is not exported."""
        if object_id not in self.objects:
            return None
        facts = self.annotation.track(object_id).masks.facts()
        return next((fact.frame for fact in facts if not fact.is_empty), None)

    def seen_frames(self, object_id: int) -> list[int]:
        """Return the frames on which an object that is exported has a pixel, ascending."""
        return [fact.frame for fact in self.annotation.track(object_id).masks.facts() if not fact.is_empty]

    def frames(self) -> Iterator[tuple[int, dict[int, AnnotatedFrame]]]:
        """Go through all frames, with their masks by ascending object id.

        Raises
        ------
        StoppedError
            If the export was cancelled.
        """
        for frame in range(self.length):
            if self.options.cancelled():
                raise StoppedError(f"the export was stopped after {frame} of {self.length} frames; nothing was written")
            here = self.annotation.masks_at(frame)
            entries = {object_id: entry for object_id, entry in here.items() if object_id in self.objects}
            self.tally.count(entries.values())
            yield frame, entries
            self.options.progress(frame + 1, self.length)

    def flatten(
        self, frame: int, entries: Mapping[int, AnnotatedFrame], dtype: DTypeLike = np.uint32
    ) -> tuple[NDArray[np.integer], list[int]]:
        """Paint a frame by the overlap rule, and note what that hides.

        Returns
        -------
        labels
            ``(Y, X)`` object ids, 0 where no object is.
        visible
            The ids in it, ascending.
        """
        labels = labels_from_masks(
            {object_id: entry.mask for object_id, entry in entries.items()},
            self.frame_shape,
            dtype,
            overlap=self.overlap,
            scores={object_id: entry.score for object_id, entry in entries.items()},
        )
        areas = {object_id: entry.mask.area for object_id, entry in entries.items() if not entry.mask.is_empty}
        if int(np.count_nonzero(labels)) == sum(areas.values()):
            return labels, list(areas)
        left = dict(zip(*(column.tolist() for column in np.unique(labels, return_counts=True)), strict=True))
        lost = {object_id: area - left.get(object_id, 0) for object_id, area in areas.items()}
        gone = [object_id for object_id in areas if object_id not in left]
        self.tally.cover(frame, {object_id: pixels for object_id, pixels in lost.items() if pixels}, gone)
        return labels, [object_id for object_id in areas if object_id in left]

    def label_movie(self, numbers: Mapping[int, int] | None = None, *, least: DTypeLike = np.uint16) -> LabelMovie:
        """Return the objects as a labels movie, painted while it is written.

        Parameters
        ----------
        numbers
            Label by object id; the ids themselves if left out.
        least
            The smallest type that may be chosen.
        """
        movie = self.annotation.movie
        labels = dict(numbers) if numbers is not None else {object_id: object_id for object_id in self.seen}
        dtype = label_dtype(labels.values(), least=least)
        return LabelMovie(
            movie.name,
            (movie.length, *movie.frame_shape),
            dtype,
            (self._numbered(frame, entries, labels, dtype) for frame, entries in self.frames()),
            movie.scale,
            movie.units,
            tuple(self._info(object_id, label) for object_id, label in labels.items()),
        )

    def note(self, what: str, count: int, text: str, *, matters: bool = True) -> None:
        """Note a loss that only the format knows of, if there is any."""
        if count:
            self.notes.append(Loss(what, count, text, matters))

    def note_renumbered(self, numbers: Mapping[int, int], limit: int) -> None:
        """Note objects that got another number because theirs is too large."""
        changed = {object_id: number for object_id, number in numbers.items() if object_id != number}
        listed = some(f"object {object_id} is label {number}" for object_id, number in changed.items())
        self.note("renumbered", len(changed), f"Numbers above {limit} do not fit the format: {listed}.")

    def _numbered(
        self,
        frame: int,
        entries: Mapping[int, AnnotatedFrame],
        numbers: Mapping[int, int],
        dtype: np.dtype[np.unsignedinteger],
    ) -> NDArray[np.integer]:
        if all(object_id == number for object_id, number in numbers.items()):
            return self.flatten(frame, entries, dtype)[0]
        return renumbered_labels(*self.flatten(frame, entries), numbers, dtype)

    def _info(self, object_id: int, label: int) -> LabelInfo:
        info = self.objects[object_id]
        texts: dict[str, str | int] = {
            key: text for key, text in (("name", info.name), ("class", info.class_name), ("note", info.note)) if text
        }
        kin = self.kinship[object_id]
        if kin.parents:
            texts["parent"] = kin.parents[0]
        return LabelInfo(label, info.color, texts)


def renumbered_labels(
    labels: NDArray[np.integer], visible: Iterable[int], numbers: Mapping[int, int], dtype: DTypeLike
) -> NDArray[np.integer]:
    """Give the objects of a label image other numbers.

    Parameters
    ----------
    labels
        ``(Y, X)`` object ids, 0 where no object is.
    visible
        The ids in it, ascending.
    numbers
        The number to write for each of these ids.
    dtype
        Unsigned type of the result, which holds all numbers.
    """
    ids = [0, *visible]
    table = np.array([0, *(numbers[object_id] for object_id in ids[1:])], dtype)
    if ids == table.tolist():
        return labels.astype(dtype)
    result: NDArray[np.integer] = table[np.searchsorted(np.array(ids), labels)]
    return result


def fitting_numbers(object_ids: Collection[int], limit: int) -> dict[int, int]:
    """Give each object its own id as its number where that fits, and a free one elsewhere.

    Raises
    ------
    FormatError
        If there are more objects than numbers.
    """
    if len(object_ids) > limit:
        raise FormatError(f"{len(object_ids)} objects do not fit: the format has numbers for {limit}")
    fits = [object_id for object_id in object_ids if object_id <= limit]
    free = free_numbers(fits, limit)
    return {object_id: object_id if object_id <= limit else next(free) for object_id in object_ids}


def free_numbers(taken: Collection[int], limit: int) -> Iterator[int]:
    """Go through the numbers up to ``limit`` that are not taken: those above all of them first."""
    used = frozenset(taken)
    top = max(used, default=0)
    return (number for number in chain(range(top + 1, limit + 1), range(1, top)) if number not in used)
