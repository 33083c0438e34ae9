"""What the model sees of a movie's values: decided once a movie, the same for every frame."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from src_model.errors import AnnotationFileError, DamagedFrameError, MovieError

if TYPE_CHECKING:
    from src_model.frames.source import FrameSource

Kind: TypeAlias = Literal["percentile", "limits", "none"]
Limits: TypeAlias = tuple[float, float] | Sequence[tuple[float, float]]

PIXELS_PER_SAMPLE = 2**18
"""Pixels of a sampled frame that enter the percentiles; larger frames are thinned out evenly."""

_TRIES = 8
"""How many frames are tried, about, for each one that is to be sampled."""


@dataclass(frozen=True, slots=True)
class Normalization:
    """A linear map of values to 0..1, clipped.

    Attributes
    ----------
    kind : "percentile", "limits" or "none"
        How it was decided; "none" is x / 255, for 8-bit RGB.
    low, high : tuple of float
        The values that become 0 and 1: one for all channels, or one for each of three. Where both are equal (a constant
        movie) everything becomes 0.
    """

    kind: Kind
    low: tuple[float, ...]
    high: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.kind not in ("percentile", "limits", "none"):
            raise MovieError(f"normalization kind {self.kind!r} is unknown: expected 'percentile', 'limits' or 'none'")
        if len(self.low) not in (1, 3) or len(self.low) != len(self.high):
            raise MovieError(
                f"normalization has {len(self.low)} low and {len(self.high)} high values: expected 1 or 3 of each"
            )
        for low, high in zip(self.low, self.high, strict=True):
            if not (math.isfinite(low) and math.isfinite(high) and low <= high):
                raise MovieError(f"normalization from {low} to {high} is no range: expected finite numbers, low first")

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Map an image to what the model sees.

        Parameters
        ----------
        image : np.ndarray
            (Y, X) or (Y, X, 3), any real type.

        Returns
        -------
        np.ndarray
            (Y, X, 3) float32 in 0..1; gray is repeated, NaN becomes 0 (as the low value does), infinities 0 or 1.

        Raises
        ------
        MovieError
            Not such an image, or gray where there is a range for each of three channels.
        """
        seen = self.stretch(image)
        return np.repeat(seen[..., None], 3, axis=2) if seen.ndim == 2 else seen

    def stretch(self, image: np.ndarray) -> np.ndarray:
        """Map an image as `apply` does, without repeating gray: (Y, X) or (Y, X, 3) float32.

        Raises
        ------
        MovieError
            As `apply`.
        """
        gray = image.ndim == 2
        if not gray and not (image.ndim == 3 and image.shape[2] == 3):
            raise MovieError(f"an image of shape {image.shape} cannot be normalized: expected (Y, X) or (Y, X, 3)")
        if gray and len(self.low) == 3:
            raise MovieError(f"a gray image {image.shape} cannot be normalized by three ranges: expected (Y, X, 3)")
        exact = image.dtype.itemsize <= 2 or image.dtype == np.float32
        values = image.astype(np.float32 if exact else np.float64)
        varies = np.array(self.low) != np.array(self.high)
        with np.errstate(all="ignore"):  # infinities and tiny ranges come out right after clipping
            low, high = np.array(self.low, values.dtype), np.array(self.high, values.dtype)
            np.subtract(values, low, out=values)
            np.divide(values, np.where(varies, high - low, 1), out=values)
            if not varies.all():
                np.multiply(values, varies, out=values)
            # Unlike clip, these take the number where there is NaN.
            np.fmax(values, 0, out=values)
            np.fmin(values, 1, out=values)
        return values.astype(np.float32, copy=False)

    def to_dict(self) -> dict[str, object]:
        """Give a plain dictionary for a session file."""
        return {"kind": self.kind, "low": list(self.low), "high": list(self.high)}

    @classmethod
    def from_dict(cls, data: object) -> Normalization:
        """Read what `to_dict` gave.

        Raises
        ------
        AnnotationFileError
            Anything else.
        """
        if not isinstance(data, Mapping) or set(data) != {"kind", "low", "high"}:
            raise AnnotationFileError(f"normalization is {data!r}: expected a mapping with kind, low and high")
        try:
            return cls(data["kind"], _numbers(data["low"]), _numbers(data["high"]))
        except (MovieError, OverflowError) as error:
            raise AnnotationFileError(f"saved normalization cannot be used: {error}") from error


def decide_normalization(
    source: FrameSource,
    *,
    percentiles: tuple[float, float] = (0.5, 99.5),
    limits: Limits | None = None,
    sample_frames: int = 16,
) -> Normalization:
    """Decide how a movie's values become what the model sees.

    8-bit RGB is left alone (x / 255). Anything else is stretched between percentiles of frames spread evenly over the
    movie; colors share one range, channels that were mapped to colors have one each. NaN and infinities do not count.
    Where the two percentiles coincide, because less than that is bright, the smallest and largest value do. In place of
    frames that are damaged, others beside them are looked at.

    Parameters
    ----------
    source : FrameSource
        The movie.
    percentiles : tuple of float
        The low and the high one, 0..100.
    limits : tuple of float, or three such tuples, or None
        Given (low, high), for all channels or for each of red, green, blue, instead of percentiles.
    sample_frames : int
        At most so many frames are looked at.

    Raises
    ------
    MovieError
        The movie is empty, none of its frames can be read, it has no finite value in the sampled frames, or a parameter
        makes no sense.
    """
    if len(source) == 0:
        raise MovieError(f"movie '{source.name}' is empty: its normalization needs at least one frame")
    if limits is not None:
        return _from_limits(limits)
    color = len(source.shape) == 4
    separate = color and bool(getattr(source, "composite", False))
    if color and not separate and source.dtype == np.uint8:
        return Normalization("none", (0.0,), (255.0,))
    if not 0 <= percentiles[0] < percentiles[1] <= 100:
        raise MovieError(f"percentiles {percentiles} make no range: expected two in 0..100, low first, as (0.5, 99.5)")
    if sample_frames < 1:
        raise MovieError(f"sample_frames={sample_frames} leaves nothing to look at: expected at least 1")
    oldest, count = int(getattr(source, "oldest", 0)), len(source)  # a live movie may have let go of its first frames
    frames = np.unique(np.linspace(oldest, count - 1, min(sample_frames, count - oldest)).round().astype(int))
    spreads = [_Spread() for _ in range(3 if separate else 1)]
    for image in _samples(source, frames.tolist()):
        for channel, spread in enumerate(spreads):
            spread.add(image[..., channel] if separate else image)
    ranges = [spread.between(percentiles, source.name) for spread in spreads]
    return Normalization("percentile", tuple(low for low, _ in ranges), tuple(high for _, high in ranges))


def _samples(source: FrameSource, frames: Sequence[int]) -> Iterator[np.ndarray]:
    """Read frames, in place of a damaged one another before the next; if all are damaged, any that can be read."""
    problem: DamagedFrameError | None = None
    found = False
    for first, following in zip(frames, [*frames[1:], frames[-1] + 1], strict=True):
        for frame in range(first, following, max(1, (following - first) // _TRIES)):
            try:
                image = source.read(frame)
            except DamagedFrameError as error:
                problem = problem or error
            else:
                found = True
                yield image
                break
    if not found:
        yield _first_readable(source, frames[0], problem)


def _first_readable(source: FrameSource, start: int, problem: DamagedFrameError | None) -> np.ndarray:
    for frame in range(start, len(source)):
        with suppress(DamagedFrameError):
            return source.read(frame)
    raise MovieError(f"no frame of movie '{source.name}' can be read: {problem}") from problem


class _Spread:
    """The values of sampled frames: a thinned-out collection and the exact extremes."""

    def __init__(self) -> None:
        self._values: list[np.ndarray] = []
        self._smallest = math.inf
        self._largest = -math.inf

    def add(self, image: np.ndarray) -> None:
        finite = image[np.isfinite(image)]
        if finite.size:
            self._smallest = min(self._smallest, float(finite.min()))
            self._largest = max(self._largest, float(finite.max()))
        step = math.ceil(math.sqrt(image.shape[0] * image.shape[1] / PIXELS_PER_SAMPLE))
        thin = image[::step, ::step]
        self._values.append(thin[np.isfinite(thin)])

    def between(self, percentiles: tuple[float, float], name: str) -> tuple[float, float]:
        if self._smallest > self._largest:
            raise MovieError(
                f"movie '{name}' has only NaN or infinite values in the sampled frames: "
                "expected numbers; pass limits=(low, high)"
            )
        values = np.concatenate(self._values).astype(np.float64)
        if values.size:
            with np.errstate(over="ignore", invalid="ignore"):
                low, high = (float(value) for value in np.percentile(values, percentiles))
            if math.isfinite(low) and math.isfinite(high) and low < high:
                return low, high
        return self._smallest, self._largest


def _from_limits(limits: Limits) -> Normalization:
    try:
        table = np.array(limits, dtype=np.float64)
    except (TypeError, ValueError):
        table = np.empty(0)
    pairs = table[None] if table.ndim == 1 else table
    if pairs.shape not in ((1, 2), (3, 2)) or not np.isfinite(pairs).all() or (pairs[:, 0] >= pairs[:, 1]).any():
        raise MovieError(
            f"limits {limits!r} are no range: expected (low, high), low < high, or three such pairs for RGB"
        )
    return Normalization("limits", tuple(pairs[:, 0].tolist()), tuple(pairs[:, 1].tolist()))


def _numbers(values: object) -> tuple[float, ...]:
    """Read a list of numbers; True and text are none."""
    if not isinstance(values, (list, tuple)) or any(
        isinstance(value, bool) or not isinstance(value, (int, float)) for value in values
    ):
        raise AnnotationFileError(f"normalization has the values {values!r}: expected a list of numbers")
    return tuple(float(value) for value in values)
