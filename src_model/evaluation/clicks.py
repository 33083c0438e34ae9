"""A simulated annotator's clicks: where, and whether they say inside or outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import distance_transform_edt

from src_model.masks.cleaning import label_components
from src_model.tracking import Prompt

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from src_model.evaluation.tracker import Tracker
    from src_model.masks import MaskletFrame, Rle


@dataclass(frozen=True, slots=True)
class Click:
    """A click on the centre of a pixel.

    Attributes
    ----------
    y, x
        The pixel.
    positive
        Whether it says "inside the object".
    """

    y: int
    x: int
    positive: bool


def deepest_point(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Find the pixel (y, x) of a ``(Y, X)`` mask that lies deepest inside; the image's border bounds it too."""
    distance = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    y, x = np.unravel_index(int(distance.argmax()), mask.shape)
    return int(y), int(x)


def first_click(truth: NDArray[np.bool_]) -> Click | None:
    """Click an object that has no mask yet; None where there is none."""
    return Click(*deepest_point(truth), positive=True) if truth.any() else None


def correcting_click(shown: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Click | None:
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
    return Click(*deepest_point(missed if positive else covered), positive=positive)


@dataclass(frozen=True, slots=True)
class Annotated:
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
    tracker: Tracker, frame: int, object_id: int, truth: Rle, *, shown: Rle | None = None, clicks: int = 3
) -> Annotated:
    """Click an object on one frame until it is right or the clicks are used up.

    Parameters
    ----------
    tracker
        Answers the clicks.
    frame, object_id
        What is annotated.
    truth
        The object's true mask; empty where it is absent.
    shown
        The mask to be corrected, None if the frame was never tracked.
    clicks
        At most so many.
    """
    wanted = truth.decode()
    entry: MaskletFrame | None = None
    for given in range(clicks):
        click = first_click(wanted) if shown is None else correcting_click(shown.decode(), wanted)
        if click is None:
            return Annotated(given, entry)
        prompt = Prompt(points=((float(click.y), float(click.x)),), labels=(int(click.positive),))
        entry = tracker.prompt(frame, object_id, prompt)
        shown = entry.mask
    return Annotated(clicks, entry)


def _largest_region(wrong: NDArray[np.bool_]) -> tuple[int, NDArray[np.bool_]]:
    components, count = label_components(wrong)
    if not count:
        return 0, wrong
    areas = np.bincount(components.ravel())
    areas[0] = 0
    largest = int(areas.argmax())
    return int(areas[largest]), components == largest
