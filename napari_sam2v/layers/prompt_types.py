"""Prompts between layers and document: what the user did, and what there is to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from src_model.masks import Rle

Point: TypeAlias = tuple[float, float]
"""(y, x) in pixels; a whole number is the centre of a pixel."""

PromptBox: TypeAlias = tuple[float, float, float, float]
"""(y0, x0, y1, x1) in pixels, pixel number 3 reaching from 3 to 4."""

Tool: TypeAlias = Literal["pan", "point+", "point-", "scribble", "box", "polygon", "lasso", "paint"]

Key: TypeAlias = tuple[int, int]
"""(object id, frame)."""


@dataclass(frozen=True, slots=True)
class PromptEdit:
    """What the user made of one kind of prompts of one object on one frame; other kinds stay as they are.

    Attributes
    ----------
    object_id, frame
        Id of the object; frame number, from 0.
    kind
        Which of the following counts: ``"points"`` are all points there are now (maybe none), ``"scribble"`` are points
        that join those that are there, ``"box"`` is the box
        there is now or None, ``"mask"`` the mask that was drawn or painted, or None if all of it was erased.
    points
        In the order of the clicks.
    labels
        One for each point: 1 inside the object, 0 outside.
    box
        (y0, x0, y1, x1) in pixels, far edges excluded.
    mask
        The whole mask of the object on the frame.
    """

    object_id: int
    frame: int
    kind: Literal["points", "scribble", "box", "mask"]
    points: tuple[Point, ...] = ()
    labels: tuple[int, ...] = ()
    box: PromptBox | None = None
    mask: Rle | None = None
