"""What holds for the whole annotation: movie, model, normalisation, settings, overlap policy."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from src_model.errors import AnnotationError

if TYPE_CHECKING:
    from src_model.document.movie import MovieIdentity
    from src_model.frames import Normalization
    from src_model.masks import Overlap

Plain: TypeAlias = bool | int | float | str | None
"""What a setting may be."""

MAX_SETTINGS: Final = 256
_LONGEST_NAME: Final = 64
LONGEST_TEXT: Final = 1000


class Settings(Mapping[str, Plain]):
    """Plain values by name: how the movie was tracked, for whoever tracks it again. Immutable, sorted by name.

    Parameters
    ----------
    values
        Whole numbers below 2**53, finite numbers, texts, True, False or None.

    Raises
    ------
    AnnotationError
        If a name or a value is anything else.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Plain] | None = None) -> None:
        given = dict(values or {})
        if len(given) > MAX_SETTINGS:
            raise AnnotationError(f"{len(given)} settings are too many; expected {MAX_SETTINGS} at most")
        for name, value in given.items():
            _check_setting(name, value)
        self._values = dict(sorted(given.items()))

    def __getitem__(self, name: str) -> Plain:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(tuple(self._values.items()))

    def __eq__(self, other: object) -> bool:
        # 1, 1.0 and True are different settings.
        if not isinstance(other, Settings):
            return NotImplemented
        mine, theirs = ({name: (type(value), value) for name, value in item.items()} for item in (self, other))
        return mine == theirs

    def __repr__(self) -> str:
        return f"Settings({self._values})"


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which weights made the masks.

    Attributes
    ----------
    name
        Name of the checkpoint, such as ``"sam2.1-tiny"``.
    sha256
        Of its file; empty if it came from none.
    """

    name: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Project:
    """What holds for the whole annotation.

    Attributes
    ----------
    movie
        The movie that is annotated.
    model
        The model in use; None before one is chosen.
    normalization
        What the model sees of the movie's values; None before that is decided.
    settings
        How to track, as plain values by name.
    overlap
        Who gets a pixel that several objects claim, wherever objects are flattened to one image: ``"first"`` (the
        smallest id), ``"last"`` (the largest id) or ``"score"`` (the best scored on that frame).
    """

    movie: MovieIdentity
    model: ModelIdentity | None = None
    normalization: Normalization | None = None
    settings: Settings = field(default_factory=Settings)
    overlap: Overlap = "first"

    def __post_init__(self) -> None:
        if self.overlap not in ("first", "last", "score"):
            raise AnnotationError(f"overlap policy {self.overlap!r} is unknown; expected 'first', 'last' or 'score'")


def _check_setting(name: object, value: object) -> None:
    if not isinstance(name, str) or not 1 <= len(name) <= _LONGEST_NAME:
        raise AnnotationError(f"{name!r:.100} names no setting: expected a text of 1 to {_LONGEST_NAME} characters")
    plain = value is None or isinstance(value, bool)
    plain |= isinstance(value, int) and abs(value) < 2**53
    plain |= isinstance(value, float) and math.isfinite(value)
    plain |= isinstance(value, str) and len(value) <= LONGEST_TEXT
    if not plain:
        raise AnnotationError(f"setting {name!r} is {value!r:.100}: expected a number, a text, True, False or None")
