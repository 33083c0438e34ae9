"""Frame numbers as spans, and as a person reads them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Set
from numbers import Integral
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]
"""``(start, stop)``, stop excluded."""

_LISTED_SPANS = 8


class SpanSet(Set[int]):
    """A set of whole numbers, such as frames, that never changes and takes the room of its spans, not of its numbers.

    Parameters
    ----------
    spans
        ``(start, stop)`` pairs, ascending, with gaps between them.
    """

    __slots__ = ("spans",)

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self.spans: tuple[Span, ...] = tuple((start, stop) for start, stop in spans)

    @classmethod
    def _from_iterable(cls, it: Iterable[int]) -> SpanSet:  # type: ignore[override]  # what & and | return
        return cls(spans_of(it))

    def with_number(self, number: int) -> SpanSet:
        """Return the set with one more number; quick where it is the largest."""
        if number in self:
            return self
        if self.spans and self.spans[-1][1] == number:
            return SpanSet((*self.spans[:-1], (self.spans[-1][0], number + 1)))
        return SpanSet(joined_spans(self.spans, [(number, number + 1)]))

    def __contains__(self, frame: object) -> bool:
        if not isinstance(frame, Integral):
            return False
        at = bisect_right(self.spans, int(frame), key=lambda span: span[0]) - 1
        return at >= 0 and int(frame) < self.spans[at][1]

    def __iter__(self) -> Iterator[int]:
        for start, stop in self.spans:
            yield from range(start, stop)

    def __len__(self) -> int:
        return sum(stop - start for start, stop in self.spans)

    def __hash__(self) -> int:
        return hash(self.spans)

    def __repr__(self) -> str:
        return f"SpanSet({self.spans})"


def spans_of(frames: Iterable[int]) -> tuple[Span, ...]:
    """Return frames, in any order, as ascending ``(start, stop)`` pairs without gaps inside, stop excluded."""
    spans: list[Span] = []
    for frame in sorted(frames):
        if spans and spans[-1][1] >= frame:
            spans[-1] = (spans[-1][0], frame + 1)
        else:
            spans.append((frame, frame + 1))
    return tuple(spans)


def joined_spans(first: Iterable[Span], second: Iterable[Span]) -> tuple[Span, ...]:
    """Return the spans of all frames in either, ascending, without gaps inside."""
    spans: list[Span] = []
    for start, stop in sorted((*first, *second)):
        if spans and spans[-1][1] >= start:
            spans[-1] = (spans[-1][0], max(spans[-1][1], stop))
        else:
            spans.append((start, stop))
    return tuple(spans)


def described(frames: Iterable[int]) -> str:
    """Return frames in words: ``"frame 4"``, or ``"frames 4, 7-9"``."""
    spans = spans_of(frames)
    parts = [str(start) if stop == start + 1 else f"{start}-{stop - 1}" for start, stop in spans[:_LISTED_SPANS]]
    more = ", ..." if len(spans) > _LISTED_SPANS else ""
    single = len(spans) == 1 and spans[0][1] == spans[0][0] + 1
    return f"frame{'' if single else 's'} {', '.join(parts)}{more}"
