"""Find all: every object of a frame, at the scale that suits them, into the document as one step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from src_model.detection import AutomaticDetector, AutomaticOptions, Query
from src_model.detection.contrast import stands_out
from src_model.detection.selection import single_objects
from src_model.document import AddDetections
from src_model.masks import Rle
from src_model.workflow.requests import FindRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from src_model.detection import Detector
    from src_model.document import Annotation, DocumentView
    from src_model.frames import Normalization
    from src_model.masks import Box, Detection
    from src_model.tracking import StreamingPredictor
    from src_model.workflow.document_tracker import DocumentTracker

_FIRST_CLICKS = 16
"""Clicks along each side of a first look: objects of an eighth of the side are hit for sure, and many smaller ones."""

_SPACING = 0.45
"""Clicks lie so many diameters apart: every object is hit by several, of which the best answer is kept."""

_SPACING_AGAIN = 0.8
"""The same where it is looked again and again: what is missed is found the next time."""

_MOST_CLICKS = 64
"""Along each side; more find nothing that the network could tell apart."""

_LEAST_PIXELS = 24
"""Objects of fewer pixels of the network's input, in diameter, are searched in tiles."""

_TILE_DIAMETERS = 14
"""Side of a tile: at 448 pixels of input an object is 32 pixels wide then, as most were in training."""

_LEAST_TILE = 64


class Finder:
    """Looks for all objects of a kind, frame by frame, at the scale of those that are known.

    Parameters
    ----------
    predictor
        A loaded network.
    detector
        What proposes objects; automatic masks, whose clicks and tiles are chosen from the objects' size, if left out.
    """

    def __init__(self, predictor: StreamingPredictor, detector: Detector | None = None) -> None:
        self._predictor = predictor
        self._detector = detector

    @property
    def name(self) -> str:
        """What the detector is called."""
        return AutomaticDetector.name if self._detector is None else self._detector.name

    def look(
        self,
        image: ArrayLike,
        normalization: Normalization | None = None,
        *,
        known: Iterable[Rle] = (),
        typical_area: float | None = None,
        where: Rle | None = None,
        thorough: bool = True,
        progress: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> list[Detection]:
        """Find objects that are not known, each once, without groups and fragments; the best first.

        Parameters
        ----------
        image
            ``(Y, X)`` or ``(Y, X, 3)``.
        normalization
            How pixel values become 0 to 1; decided from the image if left out.
        known
            Masks ``(Y, X)`` of objects that are not looked for.
        typical_area
            Pixels of an object of the kind; None: found by a first look.
        where
            ``(Y, X)``, True where objects may be; None: everywhere.
        thorough
            Click every object several times, which takes three times as long.
        progress
            Told how many steps are done, and of how many; counts twice where there is a first look.
        cancelled
            Asked now and then whether to stop.

        Raises
        ------
        StoppedError
            If ``cancelled`` said so.
        """
        shape, known = np.asarray(image).shape[:2], tuple(known)
        free = _free(shape, known, where)

        def detect(detector: Detector, query: Query) -> list[Detection]:
            return [*detector.detect(image, query, normalization, progress=progress, cancelled=cancelled)]

        if self._detector is not None:
            return single_objects(detect(self._detector, Query(where=free)), typical_area)
        seen: list[Detection] = []
        if typical_area is None:
            options = AutomaticOptions(points_per_side=_FIRST_CLICKS, tile=None)
            query = Query(region=_middle(shape, 2 * self._predictor.image_size), where=free)
            seen = detect(self._automatic(options), query)
            typical_area = median_area(item.mask for item in single_objects(seen))
            if typical_area is None or query.region != (0, 0, *shape):
                seen = []  # what an inner edge cuts is seen better from afar
        options = options_for(shape, self._predictor.image_size, typical_area, thorough=thorough)
        if not seen or options.points_per_side > _FIRST_CLICKS or options.tile is not None:
            # What the first look saw is searched again: of more clicks on an object a better one is the best.
            found = detect(self._automatic(options), Query(where=free))
            seen = sorted([*seen, *found], key=lambda item: -item.score)
        return _standing_out(np.asarray(image), single_objects(seen, typical_area), known)

    def _automatic(self, options: AutomaticOptions) -> AutomaticDetector:
        return AutomaticDetector(self._predictor, options)


def options_for(
    shape: Sequence[int], image_size: int, typical_area: float | None, *, thorough: bool = True
) -> AutomaticOptions:
    """Choose clicks and tiles by the size of the objects.

    Parameters
    ----------
    shape
        ``(Y, X)`` of the frame, in pixels.
    image_size
        Side of the network's input, in pixels.
    typical_area
        Pixels of an object; None: unknown, and everything is searched as SAM does.
    thorough
        Click every object several times.
    """
    if typical_area is None:
        return AutomaticOptions()
    diameter = diameter_of(typical_area)
    longest, tile = max(shape), None
    if diameter * image_size / longest < _LEAST_PIXELS:
        tile = max(_LEAST_TILE, round(_TILE_DIAMETERS * diameter))
    spacing = (_SPACING if thorough else _SPACING_AGAIN) * diameter
    clicks = math.ceil((longest if tile is None else min(tile, longest)) / spacing)
    return AutomaticOptions(points_per_side=min(max(clicks, 4), _MOST_CLICKS), tile=tile)


def find_all(
    annotation: Annotation,
    tracker: DocumentTracker,
    frame: int,
    *,
    detector: Detector | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[int, ...]:
    """Find every object of a frame that is not annotated yet, and add them as one step.

    The scale is that of the objects which are annotated, or comes from a first look where there is none.

    Parameters
    ----------
    annotation
        The document; what it holds stays as it is.
    tracker
        Its tracker, with the movie and the network.
    frame
        Frame number, from 0.
    detector
        What proposes objects; automatic masks if left out.
    cancelled
        Asked now and then whether to stop.

    Returns
    -------
    tuple of int
        Ids of the new objects, each prompted on the frame with its mask, and ready to be tracked.

    Raises
    ------
    DamagedFrameError, FrameRangeError
        If the frame cannot be read.
    StoppedError
        If ``cancelled`` said so; nothing has changed then.
    """
    request = find_request(annotation, frame)
    found = look_for(request, tracker, detector=detector, cancelled=cancelled)
    before = annotation.objects.keys()
    annotation.do(found)
    return tuple(number for number in annotation.objects if number not in before)


def find_request(document: DocumentView, frame: int) -> FindRequest:
    """Ask for every object of a frame that a document does not have there yet, on the document's thread."""
    known = tuple(entry.mask for entry in document.masks_at(frame).values())
    return FindRequest(frame, known, annotated_area(document, frame))


def look_for(
    request: FindRequest,
    tracker: DocumentTracker,
    *,
    detector: Detector | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> AddDetections:
    """Look for objects, on the worker's thread.

    Parameters
    ----------
    request
        On which frame, and what is known there.
    tracker
        The tracker of the document.
    detector
        What proposes objects; automatic masks if left out.
    progress
        Told how many steps are done, and of how many.
    cancelled
        Asked now and then whether to stop.

    Returns
    -------
    AddDetections
        What the document takes, on its thread.

    Raises
    ------
    DamagedFrameError, FrameRangeError
        If the frame cannot be read.
    StoppedError
        If ``cancelled`` said so.
    """
    finder, session = Finder(tracker.predictor, detector), tracker.session
    found = finder.look(
        session.movie.read(request.frame),
        session.normalization,
        known=request.known,
        typical_area=request.typical_area,
        progress=progress,
        cancelled=cancelled,
    )
    return AddDetections(request.frame, tuple(found), finder.name)


def annotated_area(document: DocumentView, frame: int) -> float | None:
    """Return the median area in pixels of the objects on a frame, or on their prompted frames; None without any."""
    here = median_area(entry.mask for entry in document.masks_at(frame).values())
    if here is not None:
        return here
    return median_area(document.mask_at(number, f) for number in document.objects for f in document.prompts(number))


def median_area(masks: Iterable[Rle | None]) -> float | None:
    """Return the median area in pixels of the masks that are not empty; None if there is none."""
    areas = [mask.area for mask in masks if mask is not None and not mask.is_empty]
    return float(np.median(areas)) if areas else None


def diameter_of(area: float) -> float:
    """Return the diameter of a round object of an area, both in pixels."""
    return 2 * math.sqrt(area / math.pi)


def _standing_out(image: NDArray[np.generic], found: list[Detection], known: Sequence[Rle]) -> list[Detection]:
    """Drop patches of empty background, which a network that is asked everywhere sees now and then."""
    free = _free(image.shape[:2], (*known, *(item.mask for item in found if item.mask is not None)), None)
    occupied = np.zeros(image.shape[:2], bool) if free is None else ~free.decode()
    return [item for item in found if item.mask is not None and stands_out(image, item.mask, occupied)]


def _free(shape: Sequence[int], known: Iterable[Rle], where: Rle | None) -> Rle | None:
    """Return the pixels where objects may be that are not known; None: everywhere."""
    masks = [mask for mask in known if not mask.is_empty]
    if not masks:
        return where
    free = np.ones((shape[0], shape[1]), bool) if where is None else where.decode()
    for mask in masks:
        box = mask.box
        assert box is not None, "not empty"
        free[box[0] : box[2], box[1] : box[3]] &= ~mask.crop(box)
    return Rle.encode(free)


def _middle(shape: Sequence[int], side: int) -> Box:
    """Return the middle of a frame, at most ``side`` pixels long."""
    spans = [(max(0, (length - side) // 2), min(length, (length - side) // 2 + side)) for length in shape[:2]]
    (y0, y1), (x0, x1) = ((0, length) if length <= side else span for span, length in zip(spans, shape, strict=False))
    return y0, x0, y1, x1
