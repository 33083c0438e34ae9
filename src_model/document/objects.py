"""What a person says about an object: its name, color, class, note, and whether it is locked or shown."""

from __future__ import annotations

import colorsys
import operator
import re
from dataclasses import dataclass
from typing import Final

from src_model.errors import AnnotationError

MAX_OBJECT_ID: Final = 2**31 - 1
"""Largest object id: what a 32-bit label image holds."""

MAX_TEXT: Final = 10_000
"""Longest name, class or note, in characters."""

_GOLDEN_RATIO: Final = 0.618033988749895
_COLOR = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True, slots=True)
class AnnotatedObject:
    """An object of the annotation, without its masks.

    Parameters
    ----------
    object_id
        Whole number from 1 to ``MAX_OBJECT_ID``; the value of its pixels in label images.
    name
        What the user calls it; may be empty.
    color
        ``"#rrggbb"``; left out, a color that differs from those of neighbouring ids.
    class_name
        What kind of object it is; may be empty.
    note
        Anything else a person wrote about it.
    locked
        Nothing changes its masks, prompts or identity.
    visible
        Whether it is shown and painted into label images.

    Raises
    ------
    AnnotationError
        If the id, the color or a text cannot be.
    """

    object_id: int
    name: str = ""
    color: str = ""
    class_name: str = ""
    note: str = ""
    locked: bool = False
    visible: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "object_id", checked_object_id(self.object_id))
        color = self.color.lower() or default_color(self.object_id)
        if not _COLOR.fullmatch(color):
            raise AnnotationError(f"color {self.color!r} is none: expected '#rrggbb', as in '#ffa500'")
        object.__setattr__(self, "color", color)
        for what, text in (("name", self.name), ("class", self.class_name), ("note", self.note)):
            if len(text) > MAX_TEXT:
                raise AnnotationError(f"the {what} has {len(text)} characters; expected {MAX_TEXT} at most")

    @property
    def title(self) -> str:
        """The name, or ``"object 3"`` where there is none."""
        return self.name or f"object {self.object_id}"


def checked_object_id(object_id: object) -> int:
    """Return an object id as a plain number, or raise AnnotationError."""
    try:
        number = 0 if isinstance(object_id, bool) else operator.index(object_id)  # type: ignore[arg-type]
    except TypeError:
        number = 0
    if not 1 <= number <= MAX_OBJECT_ID:
        raise AnnotationError(f"object id {object_id!r} is none: expected a whole number from 1 to {MAX_OBJECT_ID}")
    return number


def default_color(object_id: int) -> str:
    """Return a bright ``"#rrggbb"`` color for an id; those of neighbouring ids are far apart."""
    # Steps of the golden ratio around the color circle never come close to one another for long.
    rgb = colorsys.hsv_to_rgb(object_id * _GOLDEN_RATIO % 1.0, 0.7, 0.98)
    return "#" + "".join(f"{round(255 * part):02x}" for part in rgb)
