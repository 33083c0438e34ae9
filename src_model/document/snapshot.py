"""An object of the document as it is at one moment, never changing and to be read on any thread."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from src_model.document import Origin
from src_model.document.provenance import ORIGINS
from src_model.document.spans import spans_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from src_model.document import AnnotatedFrame, DocumentView, Prompt
    from src_model.document.store import MaskFacts

KnownMasks: TypeAlias = "dict[int, tuple[int, AnnotatedFrame]]"
"""Masks of an object that were read before, with their versions, by frame."""

_FRAMES_BETWEEN = 16
"""Frames that are read although they are known, rather than to ask once more for those behind them."""


class ObjectSnapshot:
    """An object of the document at one moment; its masks are read when they are asked for, on any thread.

    Parameters
    ----------
    view
        The document at that moment.
    object_id
        Its number; UnknownObjectError if there is no such object.
    """

    def __init__(self, view: DocumentView, object_id: int) -> None:
        self._view = view  # keeps there what the masks are read from
        self._track = view.track(object_id)
        self.object_id = object_id

    @property
    def prompts(self) -> Mapping[int, Prompt]:
        """Prompts by frame."""
        return self._track.prompts

    @property
    def class_name(self) -> str:
        """What kind of object it is; may be empty."""
        return self._track.info.class_name

    @property
    def is_locked(self) -> bool:
        """Whether the whole object is locked."""
        return self._track.info.locked

    @cached_property
    def frames(self) -> dict[int, MaskFacts]:
        """What is known of the masks without reading them, by ascending frame."""
        return {fact.frame: fact for fact in self._track.masks.facts()}

    @cached_property
    def fixed(self) -> frozenset[int]:
        """Frames that tracking takes as they are: locked ones, and those painted by hand."""
        edited = {frame for frame, fact in self.frames.items() if ORIGINS[fact.origin] is Origin.EDITED}
        return frozenset(edited | set(self.frames if self._track.info.locked else self._track.locked))

    def mask(self, frame: int) -> AnnotatedFrame | None:
        """Read the mask of a frame; None where there is none."""
        return self._track.masks.get(frame)

    def masks(self, known: KnownMasks | None = None) -> dict[int, AnnotatedFrame]:
        """Read all masks, by ascending frame.

        Parameters
        ----------
        known
            Masks that were read before, which are not read again if they did not change; it is brought up to date.
        """
        known = {} if known is None else known
        for frame in known.keys() - self.frames.keys():
            del known[frame]
        changed = [f for f, fact in self.frames.items() if f not in known or known[f][0] != fact.version]
        for start, stop in _runs(changed):
            for frame, entry in self._track.masks.entries(start, stop).items():
                if frame not in known or known[frame][0] != self.frames[frame].version:
                    known[frame] = (self.frames[frame].version, entry)
        return {frame: known[frame][1] for frame in self.frames}


def snapshot_of(document: DocumentView, object_id: int) -> ObjectSnapshot:
    """Take an object of a document as it is now, or raise UnknownObjectError; no mask is read."""
    return ObjectSnapshot(document.snapshot(), object_id)


def snapshots_of(document: DocumentView, object_ids: Iterable[int] | None = None) -> tuple[ObjectSnapshot, ...]:
    """Take several objects of a document, or all, at one moment; the document is looked at once."""
    view = document.snapshot()
    return tuple(ObjectSnapshot(view, number) for number in (view.objects if object_ids is None else object_ids))


def _runs(frames: list[int]) -> list[tuple[int, int]]:
    """Join frames to few spans that hold them all."""
    runs: list[tuple[int, int]] = []
    for start, stop in spans_of(frames):
        if runs and start - runs[-1][1] <= _FRAMES_BETWEEN:
            runs[-1] = (runs[-1][0], stop)
        else:
            runs.append((start, stop))
    return runs
