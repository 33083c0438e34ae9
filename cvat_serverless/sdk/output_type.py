"""What tracked objects become in CVAT, and what becomes of divisions and of the shapes they were tracked from."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cvat_serverless.shapes import ShapeType


class OutputType(StrEnum):
    """What an object becomes in CVAT. There are no mask tracks: CVAT's page cannot open a job that has one."""

    POLYGONS = "polygons"
    MASKS = "masks"
    RECTANGLES = "rectangles"

    @property
    def shape_type(self) -> ShapeType:
        """CVAT's name of the shapes."""
        match self:
            case OutputType.POLYGONS:
                return "polygon"
            case OutputType.MASKS:
                return "mask"
            case OutputType.RECTANGLES:
                return "rectangle"


class Originals(StrEnum):
    """What becomes of the shapes from which objects were tracked.

    ``AUTO`` removes those that are keyframes of the new track, point for point, and keeps the others.
    """

    AUTO = "auto"
    KEEP = "keep"
    REMOVE = "remove"
