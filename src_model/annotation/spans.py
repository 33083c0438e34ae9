"""Frame numbers as spans, and as a person reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Span: TypeAlias = tuple[int, int]
"""``(start, stop)``, stop excluded."""

_LISTED_SPANS = 8


def spans_of(frames: Iterable[int]) -> tuple[Span, ...]:
    """Return frames, in any order, as ascending ``(start, stop)`` pairs without gaps inside, stop excluded."""
    spans: list[Span] = []
    for frame in sorted(frames):
        if spans and spans[-1][1] >= frame:
            spans[-1] = (spans[-1][0], frame + 1)
        else:
            spans.append((frame, frame + 1))
    return tuple(spans)


def described(frames: Iterable[int]) -> str:
    """Return frames in words: ``"frame 4"``, or ``"frames 4, 7-9"``."""
    spans = spans_of(frames)
    parts = [str(start) if stop == start + 1 else f"{start}-{stop - 1}" for start, stop in spans[:_LISTED_SPANS]]
    more = ", ..." if len(spans) > _LISTED_SPANS else ""
    single = len(spans) == 1 and spans[0][1] == spans[0][0] + 1
    return f"frame{'' if single else 's'} {', '.join(parts)}{more}"
