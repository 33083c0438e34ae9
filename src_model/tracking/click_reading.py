"""Which reading of a click is meant: a part, an object, a group? The movie's other objects tell how large one is.

The first click on an object is answered with several masks. Predicted IoU chooses among them, as in SAM; once a movie
has objects, their size counts too. One that a person chose in place of it is an object like any other from then on, and
so teaches the next click.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_model.masks.typical_size import is_cut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from torch import Tensor

    from src_model.masks import Rle, TypicalSize
    from src_model.masks.window import Window
    from src_model.nn import MaskPrediction
    from src_model.prompts import Prompt
    from src_model.tracking.tracked_object import TrackedObject


def is_first_click(item: TrackedObject, frame: int, prompt: Prompt, *, replace: bool) -> bool:
    """Whether a prompt is one positive click, and all that is known of its object.

    Parameters
    ----------
    item
        The object, before the prompt is answered.
    frame, prompt
        What is asked, on which frame.
    replace
        Whether the prompt stands in place of what was asked on this frame before.
    """
    is_click = prompt.labels == (1,) and prompt.box is None and prompt.mask is None
    known = {*item.prompts, *item.masklet} - ({frame} if replace else set())
    return is_click and not known


def accepted_masks(objects: Mapping[int, TrackedObject], object_id: int, frame: int) -> Iterator[Rle]:
    """Give a mask ``(Y, X)`` of each prompted object but one, that of ``object_id``; from around ``frame``."""
    for number, item in objects.items():
        mask = accepted_mask(item.prompts, item.masklet.mask_at, frame)
        if number != object_id and mask is not None:
            yield mask


def accepted_mask(prompted: Iterable[int], mask_at: Callable[[int], Rle | None], frame: int) -> Rle | None:
    """Return a mask of which a person said where the object is; None if there is none, or all are empty.

    Parameters
    ----------
    prompted
        Frames on which the object has prompts.
    mask_at
        Gives the object's mask on a frame.
    frame
        The nearest to this one is taken: cells grow.
    """
    masks = (mask_at(number) for number in sorted(prompted, key=lambda number: abs(number - frame)))
    return next((mask for mask in masks if mask is not None and not mask.is_empty), None)


def readings(
    prediction: MaskPrediction, place: Window, frame_shape: tuple[int, int], typical: TypicalSize | None
) -> Tensor:
    """Rate the readings of a click; the best has the highest rate.

    Parameters
    ----------
    prediction
        Of one object: ``(1, M, h, w)`` logits with their predicted IoU.
    place
        What the logits cover: a window, or the whole frame.
    frame_shape
        ``(Y, X)`` of the movie.
    typical
        Size of the movie's other objects; None: predicted IoU alone decides.

    Returns
    -------
    Tensor
        ``(M,)`` predicted IoU, times the likeness to objects of the typical size, 0 to 1.
    """
    scores = prediction.iou[0]
    if typical is None:
        return scores
    likeness = [_likeness(logits, place, frame_shape, typical) for logits in prediction.logits[0].cpu()]
    return scores * scores.new_tensor(likeness)


def box_of(logits: Tensor, place: Window) -> tuple[float, float, float, float] | None:
    """Box of a low-resolution mask in pixels of the movie; None if it is empty."""
    positive = logits > 0
    rows, columns = positive.any(dim=1).nonzero()[:, 0], positive.any(dim=0).nonzero()[:, 0]
    if not len(rows):
        return None
    (y, x), (down, across) = place.origin, _pixel(logits, place)
    return (
        y + int(rows[0]) * down,
        x + int(columns[0]) * across,
        y + (int(rows[-1]) + 1) * down,
        x + (int(columns[-1]) + 1) * across,
    )


def _likeness(logits: Tensor, place: Window, frame_shape: tuple[int, int], typical: TypicalSize) -> float:
    box = box_of(logits, place)
    if box is None:
        return 0.0
    down, across = _pixel(logits, place)
    deviation = float(typical.deviations(int((logits > 0).sum()) * down * across))
    if is_cut(box, frame_shape, min(down, across) / 2):
        deviation = max(deviation, 0.0)  # how much of it lies outside is unknown
    # With heavy tails: an object of unusual size is believed where the network is sure of it and of nothing else.
    return float((1 + deviation**2 / 2) ** -0.5)


def _pixel(logits: Tensor, place: Window) -> tuple[float, float]:
    """Return how many pixels of the movie ``(down, across)`` one of the low-resolution mask covers."""
    height, width = place.shape
    return height / logits.shape[0], width / logits.shape[1]
