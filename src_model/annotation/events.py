"""What changed, for those who show it: one signal a kind of thing, with just enough to redraw only that.

Signals are emitted after the whole change, on the thread that made it, once a step however large it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from psygnal import Signal, SignalGroup

from src_model.annotation.patch import Patch
from src_model.annotation.spans import Span, spans_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SpansById: TypeAlias = "Mapping[int, tuple[Span, ...]]"


@dataclass(frozen=True, slots=True)
class ObjectsChanged:
    """Objects came, went, or are described otherwise.

    Attributes
    ----------
    added, removed, edited
        Object ids, ascending.
    """

    added: tuple[int, ...]
    removed: tuple[int, ...]
    edited: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FramesChanged:
    """Masks changed.

    Attributes
    ----------
    spans
        ``(start, stop)`` pairs, stop excluded, by object id.
    """

    spans: SpansById

    def objects_on(self, frame: int) -> tuple[int, ...]:
        """Return the ids of the objects whose mask on ``frame`` changed."""
        return tuple(
            object_id for object_id, spans in self.spans.items() if any(start <= frame < stop for start, stop in spans)
        )


@dataclass(frozen=True, slots=True)
class PromptsChanged:
    """Prompts changed; ``spans`` as in :class:`FramesChanged`."""

    spans: SpansById


@dataclass(frozen=True, slots=True)
class LocksChanged:
    """Frames were locked or unlocked; ``spans`` as in :class:`FramesChanged`. To lock a whole object is to edit it."""

    spans: SpansById


@dataclass(frozen=True, slots=True)
class DivisionsChanged:
    """Divisions changed.

    Attributes
    ----------
    parents
        Objects whose division was marked, changed or removed.
    """

    parents: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class HistoryChanged:
    """What undo and redo would do now; None where there is nothing to do.

    Attributes
    ----------
    undo_label, redo_label
        Labels of the steps.
    """

    undo_label: str | None
    redo_label: str | None


@dataclass(frozen=True, slots=True)
class SavedChanged:
    """Whether there is something to save.

    Attributes
    ----------
    modified
        Whether the document differs from its file.
    path
        The file; None if there is none yet.
    """

    modified: bool
    path: Path | None


class AnnotationEvents(SignalGroup):
    """The signals of an annotation; ``connect`` a function to the one that concerns it.

    ``project`` stands for movie, model, normalisation, settings and overlap policy. ``patched`` carries every change
    itself, for journals and mirrors.
    """

    objects = Signal(ObjectsChanged)
    frames = Signal(FramesChanged)
    prompts = Signal(PromptsChanged)
    locks = Signal(LocksChanged)
    divisions = Signal(DivisionsChanged)
    project = Signal()
    history = Signal(HistoryChanged)
    saved = Signal(SavedChanged)
    patched = Signal(Patch)


def emit_patch(events: AnnotationEvents, forward: Patch, inverse: Patch) -> None:
    """Tell what a patch changed; ``inverse`` tells what was there before."""
    if forward.is_empty:
        return
    events.patched.emit(forward)
    if forward.project is not None:
        events.project.emit()
    if forward.objects:
        added = tuple(sorted(key for key, value in inverse.objects.items() if value is None))
        removed = tuple(sorted(key for key, value in forward.objects.items() if value is None))
        edited = tuple(sorted(forward.objects.keys() - {*added, *removed}))
        events.objects.emit(ObjectsChanged(added, removed, edited))
    if forward.masks:
        events.frames.emit(FramesChanged(_spans(forward.masks)))
    if forward.prompts:
        events.prompts.emit(PromptsChanged(_spans(forward.prompts)))
    if forward.locks:
        events.locks.emit(LocksChanged(_spans(forward.locks)))
    if forward.divisions:
        events.divisions.emit(DivisionsChanged(tuple(sorted(forward.divisions))))


def _spans(table: Mapping[int, Mapping[int, object]]) -> dict[int, tuple[Span, ...]]:
    return {object_id: spans_of(values) for object_id, values in sorted(table.items())}
