"""A simulated annotator: where they click, what box they draw, and how long a person would have been busy.

Times are those of the SAM 2 paper's interactive evaluation:
T = examinations x 30 s for every 300 frames + 1 s for every annotated frame + 1.5 s for every click. Offline the movie
is examined once a round, online once. The constants are its authors' for natural videos.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from src_model.masks.cleaning import label_components
from src_model.masks.geometry import deepest_point
from src_model.prompts import Prompt

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from src_model.evaluation.methods import PromptableTracker
    from src_model.masks import MaskletFrame, Rle
    from src_model.prompts import PromptBox

EXAMINE_SECONDS_A_FRAME = 30 / 300
"""Seconds to watch the masks of one frame while looking for mistakes."""
LOCATE_SECONDS = 1.0
"""Seconds to find the object on a frame that will be annotated."""
CLICK_SECONDS = 1.5
"""Seconds for a click on a frame that is already looked at."""
CLICKS_OF_A_BOX = 2
"""A box is two opposite corners, each as much work as a click."""


@dataclass(frozen=True, slots=True)
class SimulatedClick:
    """A click on the centre of a pixel.

    Attributes
    ----------
    y, x
        Row and column of the pixel, from 0.
    positive
        Whether it says "inside the object".
    """

    y: int
    x: int
    positive: bool


def first_click(truth: NDArray[np.bool_]) -> SimulatedClick | None:
    """Click an object that has no mask yet; None where there is none."""
    return SimulatedClick(*deepest_point(truth), positive=True) if truth.any() else None


def correcting_click(shown: NDArray[np.bool_], truth: NDArray[np.bool_]) -> SimulatedClick | None:
    """Click at the centre of the largest error region, missed or wrongly covered; None where nothing is wrong.

    Parameters
    ----------
    shown, truth
        ``(Y, X)`` bool: the mask as it is, and as it should be.
    """
    missed_area, missed = _largest_region(truth & ~shown)
    covered_area, covered = _largest_region(shown & ~truth)
    if not missed_area and not covered_area:
        return None
    positive = missed_area >= covered_area
    return SimulatedClick(*deepest_point(missed if positive else covered), positive=positive)


@dataclass(frozen=True, slots=True)
class AnnotationResult:
    """What came of annotating one object on one frame.

    Attributes
    ----------
    clicks
        Clicks that were given.
    entry
        The tracker's last answer; None where no click was needed.
    """

    clicks: int
    entry: MaskletFrame | None


def annotate(
    tracker: PromptableTracker, frame: int, object_id: int, truth: Rle, *, shown: Rle | None = None, clicks: int = 3
) -> AnnotationResult:
    """Click an object on one frame until it is right or the clicks are used up.

    Parameters
    ----------
    tracker
        What is clicked; its answers are corrected.
    frame, object_id
        Frame number, from 0, and number of the object.
    truth
        The object's true mask; empty where it is absent.
    shown
        The mask to be corrected, None if the frame was never tracked.
    clicks
        Clicks on this frame, at most.
    """
    wanted = truth.decode()
    entry: MaskletFrame | None = None
    for given in range(clicks):
        click = first_click(wanted) if shown is None else correcting_click(shown.decode(), wanted)
        if click is None:
            return AnnotationResult(given, entry)
        prompt = Prompt(points=((float(click.y), float(click.x)),), labels=(int(click.positive),))
        entry = tracker.prompt(frame, object_id, prompt)
        shown = entry.mask
    return AnnotationResult(clicks, entry)


def _largest_region(wrong: NDArray[np.bool_]) -> tuple[int, NDArray[np.bool_]]:
    components, count = label_components(wrong)
    if not count:
        return 0, wrong
    areas = np.bincount(components.ravel())
    areas[0] = 0
    largest = int(areas.argmax())
    return int(areas[largest]), components == largest


def tight_box(mask: Rle) -> PromptBox:
    """Return the smallest box (y0, x0, y1, x1) around a mask; of an empty one, that of the whole image."""
    y0, x0, y1, x1 = mask.box or (0, 0, *mask.shape)
    return float(y0), float(x0), float(y1), float(x1)


def annotation_seconds(*, frames: int, prompted: int, clicks: int, examinations: int) -> float:
    """Seconds of a person's time a frame of the movie.

    Parameters
    ----------
    frames
        Length of the movie in frames.
    prompted
        Number of frames that were annotated.
    clicks
        Clicks on all of them.
    examinations
        How often the movie was watched to find the frames to annotate.
    """
    busy = examinations * EXAMINE_SECONDS_A_FRAME * frames + prompted * LOCATE_SECONDS + clicks * CLICK_SECONDS
    return busy / frames
