"""Two cells in one mask: daughters that keep their mother's outline are told apart by clicks on its two halves.

Where one cell fills a mask, the network answers a click on either half of it with the whole; where two do, with a half.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from src_model.detection.tiles import tile_boxes
from src_model.masks import Rle, mask_iou
from src_model.masks.geometry import deepest_point
from src_model.tracking.image_predictor import ImagePredictor
from src_model.tracking.rendering import render_mask
from src_model.workflow.finding import median_area, options_for

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from src_model.frames import FrameSource, Normalization
    from src_model.masks import Box
    from src_model.tracking import StreamingPredictor
    from src_model.workflow.followed_track import FollowedTrack

_LONG = 1.25
"""Longest by shortest axis from which a mask may hold two cells; two nuclei that touch have 1.27 and more."""

_LIKE = (0.3, 0.7)
"""IoU of an answer with a half, or with the whole: up to the first it shows something else, from the second on it."""

_TWO = -0.05
"""Oneness below which a mask holds two cells.

On simulated movies, up to four frames after a division, 52 % of 147 masks over both daughters of a rod have less, and
61 % of 49 over those of a nucleus; .4 % of 240 rods, none of 240 nuclei and 1.7 % of 240 spread cells.
"""

_TWO_AT_ONCE = 0.1
"""The same of a mask whose outline just changed."""

_ONE = 0.2
"""Oneness by the first click alone from which the second one is not needed."""

_WAS_ONE = 0.25
"""Mean oneness on the frames before from which two cells were one: masks that lie on neighbours all along have less."""

_BEFORE = 3
"""So many frames before there are two say whether there was one."""

_SEEN = 2
"""On so many frames two cells must be seen: who sees them once may err, and will be asked again."""


_CLICKS = 64
"""Clicks that are answered at once."""

_SHARED = 0.25
"""What neighbouring tiles share, as a share of their side: three and a half typical cells."""


class Cells(NamedTuple):
    """Two cells in one mask, each ``(Y, X)``."""

    first: Rle
    second: Rle

    def in_order_of(self, others: Cells) -> Cells:
        """Return them so that each has the place of the one of others that it lies on."""
        straight = mask_iou(self.first, others.first) + mask_iou(self.second, others.second)
        crossed = mask_iou(self.first, others.second) + mask_iou(self.second, others.first)
        return self if straight >= crossed else Cells(self.second, self.first)


class Told(NamedTuple):
    """What is told of a mask.

    Attributes
    ----------
    oneness
        How much more the network believes in the whole than in both halves, -1 to 1.
    cells
        The two cells, if there are two; None where one click told that there is one.
    """

    oneness: float
    cells: Cells | None

    def placed(self, origin: tuple[int, int], shape: tuple[int, int]) -> Told:
        """Return it with cells that lie in a frame, of a part of which they were told."""
        if self.cells is None:
            return self
        return self._replace(cells=Cells(*(Rle.from_crop(cell.decode(), origin, shape) for cell in self.cells)))

    def is_two(self, limit: float = _TWO) -> bool:
        """Whether there are two, so much less is believed in the whole."""
        return self.cells is not None and self.oneness < limit


class TwoInOne:
    """Asks the network whether masks hold two cells.

    Parameters
    ----------
    predictor
        A loaded network.
    """

    def __init__(self, predictor: StreamingPredictor) -> None:
        self._images, self._settings = ImagePredictor(predictor), predictor.steps.settings
        self._image_size = predictor.image_size

    def look(
        self, image: NDArray[np.generic], normalization: Normalization, masks: Mapping[int, Rle]
    ) -> dict[int, Told]:
        """Tell how many cells masks of one frame hold; small ones are looked at in tiles, as where cells are found.

        Parameters
        ----------
        image
            ``(Y, X)`` or ``(Y, X, 3)``.
        normalization
            How pixel values become 0 to 1.
        masks
            ``(Y, X)`` by any number, not empty.
        """
        shape = image.shape[0], image.shape[1]
        told = {number: Told(1.0, None) for number in masks}
        long = {number: mask for number, mask in masks.items() if halves(mask) is not None}
        for box, inside in views(long, shape, self._image_size):
            y0, x0, y1, x1 = box
            self._images.set_image(image[y0:y1, x0:x1], normalization)
            seen = self._look_at({number: Rle.encode(mask.crop(box)) for number, mask in inside.items()})
            told |= {number: each.placed((y0, x0), shape) for number, each in seen.items()}
        return told

    def look_back(
        self,
        movie: FrameSource,
        normalization: Normalization,
        tracks: Mapping[int, FollowedTrack],
        frame: int,
        changed: Collection[int] = (),
    ) -> dict[int, dict[int, Cells]]:
        """Find the tracks that became two cells, and since when they are.

        Parameters
        ----------
        movie
            Its frames.
        normalization
            How pixel values become 0 to 1.
        tracks
            Those that are asked about, by number, with a mask on the frame.
        frame
            The latest one that was tracked.
        changed
            Those whose outline just changed, which speaks for two cells by itself.

        Returns
        -------
        dict
            By number, the two cells on each frame on which there are two, the latest first. Left out is what was not
            clearly one before.
        """
        looks = {number: _LookBack(number in changed) for number in tracks}
        asked, at = {number: track.mask(frame) for number, track in tracks.items()}, frame
        while asked:
            for number, told in self.look(movie.read(at), normalization, asked).items():
                looks[number].see(at, told)
            at -= 1
            earlier = {number: tracks[number].mask(at) for number in asked if looks[number].goes_on}
            asked = {number: mask for number, mask in earlier.items() if not mask.is_empty}
        return {number: look.cells for number, look in looks.items() if look.became_two}

    def _look_at(self, masks: Mapping[int, Rle]) -> dict[int, Told]:
        """Tell how many cells masks of the image that was set hold, none of which is round."""
        halved = {number: cells for number, mask in masks.items() if (cells := halves(mask)) is not None}
        firsts = dict(self._answers({number: cells.first for number, cells in halved.items()}, masks))
        told = {number: Told(answer.oneness, None) for number, answer in firsts.items()}
        # Most masks are one cell, and one click tells it.
        unsure = {number: cells.second for number, cells in halved.items() if firsts[number].oneness < _ONE}
        for number, second in self._answers(unsure, masks):
            told[number] = Told(firsts[number].oneness_with(second), Cells(firsts[number].half, second.half))
        return told

    def _answers(self, clicked: Mapping[int, Rle], masks: Mapping[int, Rle]) -> Iterator[tuple[int, _Answer]]:
        """Click on a half of each mask, so many at once as memory allows."""
        every_click = list(clicked.items())
        for start in range(0, len(every_click), _CLICKS):
            batch = every_click[start : start + _CLICKS]
            prediction = self._images.predict_each([_middle(half) for _, half in batch])
            answers = zip(batch, prediction.logits.float().cpu(), prediction.iou.tolist(), strict=True)
            for (number, half), logits, scores in answers:
                rendered = [render_mask(each, self._images.shape, self._settings) for each in logits]
                yield number, _Answer.of(rendered, scores, half, masks[number])


def views(masks: Mapping[int, Rle], shape: tuple[int, int], image_size: int) -> Iterator[tuple[Box, dict[int, Rle]]]:
    """Share masks out among the parts of a frame in which the network sees them large enough.

    Parameters
    ----------
    masks
        ``(Y, X)`` by number, not empty.
    shape
        ``(Y, X)`` of the frame.
    image_size
        Side of the network's input, in pixels.

    Yields
    ------
    tuple
        A part of the frame, ``(y0, x0, y1, x1)``, and the masks that are looked at in it. What is too large to lie
        whole in any is in none.
    """
    tile = options_for(shape, image_size, median_area(masks.values())).tile if masks else None
    boxes = tile_boxes(shape, tile, _SHARED) if isinstance(tile, int) else [(0, 0, *shape)]
    shared: dict[Box, dict[int, Rle]] = {}
    for number, mask in masks.items():
        assert mask.box is not None, "not empty"
        room, best = max((_room(mask.box, box, shape), box) for box in boxes)
        if room >= 0:
            shared.setdefault(best, {})[number] = mask
    yield from shared.items()


def _room(mask_box: Box, box: Box, shape: tuple[int, int]) -> float:
    """Return the pixels between a mask and the nearest edge of a part that is no edge of the frame."""
    near = [mask_box[axis] - box[axis] for axis in (0, 1) if box[axis] > 0]
    far = [box[axis + 2] - mask_box[axis + 2] for axis in (0, 1) if box[axis + 2] < shape[axis]]
    return min(near + far, default=math.inf)


class _LookBack:
    """What is told of one track, frame by frame, the latest first."""

    def __init__(self, changed: bool) -> None:
        self._limit, self._seen = (_TWO_AT_ONCE, 1) if changed else (_TWO, _SEEN)
        self.cells: dict[int, Cells] = {}
        self._before: list[float] = []

    def see(self, frame: int, told: Told) -> None:
        if self._before or told.cells is None or not told.is_two(self._limit):
            self._before.append(told.oneness)
        else:
            self.cells[frame] = told.cells.in_order_of(self.cells[frame + 1]) if self.cells else told.cells

    @property
    def goes_on(self) -> bool:
        return bool(self.cells) and len(self._before) < _BEFORE

    @property
    def became_two(self) -> bool:
        return len(self.cells) >= self._seen and bool(self._before) and float(np.mean(self._before)) >= _WAS_ONE


class _Answer(NamedTuple):
    """What the network says to a click on one half of a mask: the half, how far it believes in it, and in the whole."""

    half: Rle
    apart: float
    whole: float

    @classmethod
    def of(cls, candidates: Sequence[Rle], scores: Sequence[float], half: Rle, mask: Rle) -> _Answer:
        beliefs = [_belief(*each, half) for each in zip(candidates, scores, strict=True)]
        best = int(np.argmax(beliefs))
        whole = max(_belief(*each, mask) for each in zip(candidates, scores, strict=True))
        return cls(candidates[best], beliefs[best], whole)

    @property
    def oneness(self) -> float:
        return self.whole - self.apart

    def oneness_with(self, other: _Answer) -> float:
        return max(self.whole, other.whole) - min(self.apart, other.apart)


def halves(mask: Rle) -> Cells | None:
    """Cut a mask ``(Y, X)`` in the middle of its longest axis; None if it is empty or about round."""
    box = mask.box
    if box is None:
        return None
    places = np.argwhere(mask.crop(box))
    centred = places - places.mean(axis=0)
    lengths, axes = np.linalg.eigh(centred.T @ centred)
    if lengths[1] <= _LONG**2 * lengths[0]:
        return None
    along = centred @ axes[:, 1]
    is_first = along < (along.min() + along.max()) / 2

    def part(chosen: NDArray[np.intp]) -> Rle:
        crop = np.zeros((box[2] - box[0], box[3] - box[1]), bool)
        crop[tuple(chosen.T)] = True
        return Rle.from_crop(crop, (box[0], box[1]), mask.shape)

    return Cells(part(places[is_first]), part(places[~is_first]))


def _middle(mask: Rle) -> tuple[int, int]:
    box = mask.box
    assert box is not None, "halves hold pixels"
    y, x = deepest_point(mask.crop(box))
    return y + box[0], x + box[1]


def _belief(answer: Rle, score: float, expected: Rle) -> float:
    low, high = _LIKE
    return score * min(max((mask_iou(answer, expected) - low) / (high - low), 0.0), 1.0)
