"""What changed, for those who show it: one signal a kind of thing, with just enough to redraw only that.

Signals are emitted after the whole change, on the thread that made it, once a step however large it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psygnal import Signal, SignalGroup

if TYPE_CHECKING:
    from pathlib import Path

    from src_model.document.touched import SpansById, Touched


@dataclass(frozen=True, slots=True)
class ObjectsChanged:
    """Objects came, went, or are described otherwise.

    Attributes
    ----------
    added, removed, edited
        Ids of objects that are new, gone, or described otherwise than before, ascending.
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

    ``project`` stands for movie, model, normalisation, settings and overlap policy.
    """

    objects = Signal(ObjectsChanged)
    frames = Signal(FramesChanged)
    prompts = Signal(PromptsChanged)
    locks = Signal(LocksChanged)
    divisions = Signal(DivisionsChanged)
    project = Signal()
    history = Signal(HistoryChanged)
    saved = Signal(SavedChanged)


def emit_touched(events: AnnotationEvents, touched: Touched, before: frozenset[int], after: frozenset[int]) -> None:
    """Tell what a change touched.

    Parameters
    ----------
    events
        The signals to emit.
    touched
        The cells that have another value now.
    before, after
        Ids of the objects that were there, and that are there now.
    """
    if touched.project:
        events.project.emit()
    if touched.objects:
        added, removed = touched.objects & (after - before), touched.objects & (before - after)
        edited = touched.objects & before & after
        if added or removed or edited:
            events.objects.emit(ObjectsChanged(*(tuple(sorted(ids)) for ids in (added, removed, edited))))
    if touched.masks:
        events.frames.emit(FramesChanged(touched.masks))
    if touched.prompts:
        events.prompts.emit(PromptsChanged(touched.prompts))
    if touched.locks:
        events.locks.emit(LocksChanged(touched.locks))
    if touched.parents:
        events.divisions.emit(DivisionsChanged(tuple(sorted(touched.parents))))
