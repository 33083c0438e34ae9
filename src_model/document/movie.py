"""Which movie an annotation belongs to."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from src_model.errors import AnnotationError, DamagedFrameError, MaskError
from src_model.masks import Rle

if TYPE_CHECKING:
    from src_model.frames import FrameSource

_PIXELS_PER_SIDE: Final = 128
_FINGERPRINTED_FRAMES: Final = 3


@dataclass(frozen=True, slots=True)
class MovieIdentity:
    """What tells one movie from another, and how it lies in the world.

    Attributes
    ----------
    name
        What the user calls it: a file or layer name.
    shape
        ``(T, Y, X)`` or ``(T, Y, X, 3)``.
    dtype
        Name of its values' type, such as ``"uint16"``.
    path
        Where it was read from; empty if unknown.
    time_axis
        Which axis of the array the user opened became time.
    scale
        World units a frame, a row and a column: ``(t, y, x)``.
    units
        Names of those units; empty if unknown.
    fingerprint
        Of :func:`fingerprint`; empty if unknown.

    Raises
    ------
    AnnotationError
        If the shape is that of no movie, or the scale holds anything but positive numbers.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    path: str = ""
    time_axis: int = 0
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    units: tuple[str, str, str] = ("", "", "")
    fingerprint: str = ""

    def __post_init__(self) -> None:
        shape = tuple(int(size) for size in self.shape)
        if len(shape) not in (3, 4) or shape[0] < 0 or (len(shape) == 4 and shape[3] != 3):
            raise AnnotationError(f"a movie of shape {shape} cannot be annotated: expected (T, Y, X) or (T, Y, X, 3)")
        try:
            Rle.empty(shape[1:3])
        except MaskError as error:
            raise AnnotationError(f"a movie of shape {shape} cannot be annotated: {error}") from error
        if len(self.scale) != 3 or not all(math.isfinite(size) and size > 0 for size in self.scale):
            raise AnnotationError(f"scale {self.scale} is none: expected three positive numbers (t, y, x)")
        if len(self.units) != 3:
            raise AnnotationError(f"units {self.units} are none: expected three names (t, y, x), which may be empty")
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "scale", tuple(float(size) for size in self.scale))

    @classmethod
    def of(
        cls,
        source: FrameSource,
        *,
        path: str = "",
        time_axis: int = 0,
        scale: tuple[float, float, float] = (1.0, 1.0, 1.0),
        units: tuple[str, str, str] = ("", "", ""),
    ) -> MovieIdentity:
        """Describe a movie; three of its frames are read for the fingerprint.

        Raises
        ------
        MovieError
            If a frame cannot be read.
        AnnotationError
            As the constructor.
        """
        print_ = fingerprint(source, len(source))
        return cls(source.name, tuple(source.shape), str(source.dtype), path, time_axis, scale, units, print_)

    @property
    def length(self) -> int:
        """Number of frames."""
        return self.shape[0]

    @property
    def frame_shape(self) -> tuple[int, int]:
        """``(Y, X)``."""
        return self.shape[1], self.shape[2]

    def differences(self, source: FrameSource) -> tuple[str, ...]:
        """Say in words in what another movie differs; nothing if it is this one, which may have grown since.

        Raises
        ------
        MovieError
            If a frame cannot be read.
        """
        if tuple(source.shape[1:]) != self.shape[1:]:
            return (f"its frames have shape {tuple(source.shape[1:])}, expected {self.shape[1:]}",)
        found = []
        if str(source.dtype) != self.dtype:
            found.append(f"its values are {source.dtype}, expected {self.dtype}")
        if len(source) < self.length:
            found.append(f"it has {len(source)} frames, expected {self.length} or more")
        elif self.fingerprint and not found and fingerprint(source, self.length) not in ("", self.fingerprint):
            found.append("its images are others")
        return tuple(found)


def fingerprint(source: FrameSource, length: int) -> str:
    """Return a short hash of the first, middle and last of the first ``length`` frames, thinned out.

    Frames that a live movie has let go of do not count. Cheap: reads three frames whatever the movie's length. Empty
    where one of them is damaged, as it may be whole again another day; shape and type have to do then.

    Raises
    ------
    MovieError
        If a frame cannot be read.
    """
    first = int(getattr(source, "oldest", 0))
    if length <= first:
        return ""
    digest = hashlib.sha256()
    for frame in sorted({int(number) for number in np.linspace(first, length - 1, _FINGERPRINTED_FRAMES)}):
        try:
            image = source.read(frame)
        except DamagedFrameError:
            return ""
        steps = tuple(max(1, size // _PIXELS_PER_SIDE) for size in image.shape[:2])
        digest.update(np.ascontiguousarray(image[:: steps[0], :: steps[1]]).tobytes())
    return digest.hexdigest()[:32]
