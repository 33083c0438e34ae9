"""Two cells in one mask: daughters that keep their mother's outline are told apart by clicks on its two halves.

Where one cell fills a mask, the network answers a click on either half of it with the whole; where two do, with a half.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from src_model.masks import Rle, mask_iou
from src_model.masks.geometry import deepest_point
from src_model.tracking.image_predictor import ImagePredictor
from src_model.tracking.rendering import render_mask

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from src_model.frames import FrameSource, Normalization
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

    def look(
        self, image: NDArray[np.generic], normalization: Normalization, masks: Mapping[int, Rle]
    ) -> dict[int, Told]:
        """Tell how many cells masks of one frame hold.

        Parameters
        ----------
        image
            ``(Y, X)`` or ``(Y, X, 3)``.
        normalization
            How pixel values become 0 to 1.
        masks
            ``(Y, X)`` by any number, not empty.
        """
        told = {number: Told(1.0, None) for number in masks}
        halved = {number: cells for number, mask in masks.items() if (cells := halves(mask)) is not None}
        if not halved:
            return told
        self._images.set_image(image, normalization)
        firsts = dict(self._answers({number: cells.first for number, cells in halved.items()}, masks))
        told |= {number: Told(answer.oneness, None) for number, answer in firsts.items()}
        unsure = {number: cells.second for number, cells in halved.items() if firsts[number].oneness < _ONE}
        for number, second in self._answers(unsure, masks):
            told[number] = Told(firsts[number].oneness_with(second), Cells(firsts[number].half, second.half))
        return told

    def look_back(
        self,
        movie: FrameSource,
        normalization: Normalization,
        tracks: Mapping[int, FollowedTrack],
        frame: int,
        *,
        changed: bool = False,
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
            Whether their outlines just changed, which speaks for two cells by itself.

        Returns
        -------
        dict
            By number, the two cells on each frame on which there are two, the latest first. Left out is what was not
            clearly one before.
        """
        looks = {number: _LookBack(changed) for number in tracks}
        asked, at = {number: track.mask(frame) for number, track in tracks.items()}, frame
        while asked:
            for number, told in self.look(movie.read(at), normalization, asked).items():
                looks[number].see(at, told)
            at -= 1
            earlier = {number: tracks[number].mask(at) for number in asked if looks[number].goes_on}
            asked = {number: mask for number, mask in earlier.items() if not mask.is_empty}
        return {number: look.cells for number, look in looks.items() if look.became_two}

    def _answers(self, clicked: Mapping[int, Rle], masks: Mapping[int, Rle]) -> Iterator[tuple[int, _Answer]]:
        """Click on a half of each mask."""
        if not clicked:
            return
        prediction = self._images.predict_each([_middle(half) for half in clicked.values()])
        every = zip(clicked.items(), prediction.logits.float().cpu(), prediction.iou.tolist(), strict=True)
        for (number, half), logits, scores in every:
            rendered = [render_mask(each, self._images.shape, self._settings) for each in logits]
            yield number, _Answer.of(rendered, scores, half, masks[number])


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
