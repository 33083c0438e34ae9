"""How sure found divisions are, also of those that nobody marked: kept in the settings of the project.

So they survive saving and opening, and undo takes them back with the step that found them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from src_model.document.project import LONGEST_TEXT, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DECLINED: Final = 0.0
"""Score of a division that a person declined; nobody is asked again."""

ACCEPTED: Final = 1.0
"""Score of a division that a person accepted; nobody is asked again."""

_NAME: Final = "division_scores_"
_MOST_SETTINGS: Final = 64
"""Of a project's 256; each holds some forty divisions."""

_ENTRY: Final = re.compile(r"(\d{1,9})@(\d{1,9}):(\d{1,9}),(\d{1,9})=([01]\.\d{1,4})")


@dataclass(frozen=True, slots=True)
class ScoredDivision:
    """An object divides, or may.

    Attributes
    ----------
    parent, daughters
        Object ids. Of a suggestion the first daughter may be the parent, whose track went on.
    frame
        First frame on which both daughters are seen.
    score
        How sure it is, 0 to 1.
    """

    parent: int
    daughters: tuple[int, int]
    frame: int
    score: float


def division_scores(settings: Settings) -> tuple[ScoredDivision, ...]:
    """Return the divisions whose scores are kept, in the order of frames; what cannot be read is left out."""
    return tuple(sorted(_read(settings), key=lambda each: (each.frame, each.parent, each.daughters)))


def with_division_scores(settings: Settings, divisions: Iterable[ScoredDivision]) -> Settings:
    """Return settings that keep exactly these scores, of equal divisions the last.

    Where there are too many for the settings of a project (some 2,500), the surest are left out.
    """
    by_division = {(each.parent, each.frame, each.daughters): each for each in divisions}
    others = {name: value for name, value in settings.items() if not name.startswith(_NAME)}
    texts: list[str] = []
    for each in sorted(by_division.values(), key=lambda division: division.score):
        entry = f"{each.parent}@{each.frame}:{each.daughters[0]},{each.daughters[1]}={each.score:.4f}"
        if texts and len(texts[-1]) + 1 + len(entry) <= LONGEST_TEXT:
            texts[-1] += f" {entry}"
        elif len(texts) < _MOST_SETTINGS:
            texts.append(entry)
        else:
            break
    return Settings({**others, **{f"{_NAME}{number}": text for number, text in enumerate(texts)}})


def _read(settings: Settings) -> Iterator[ScoredDivision]:
    for name, value in settings.items():
        if name.startswith(_NAME) and isinstance(value, str):
            for entry in value.split():
                if (found := _ENTRY.fullmatch(entry)) is not None:
                    parent, frame, first, second = (int(number) for number in found.groups()[:4])
                    yield ScoredDivision(parent, (first, second), frame, min(float(found[5]), 1.0))
