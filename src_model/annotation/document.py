"""The document a user edits, undoes, saves: objects, prompts, masks through time, locks, divisions."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from src_model.annotation.events import AnnotationEvents, HistoryChanged, SavedChanged, emit_patch
from src_model.annotation.history import History, Move, Step
from src_model.annotation.patch import Patch, in_order
from src_model.annotation.project import Project
from src_model.annotation.propagation import OpenPropagation
from src_model.annotation.provenance import AnnotatedFrame, FrameState
from src_model.annotation.state import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from src_model.annotation.actions import Action, PropagateSpan, Skipped
    from src_model.annotation.lineage import Division
    from src_model.annotation.movie import MovieIdentity
    from src_model.annotation.objects import AnnotatedObject
    from src_model.annotation.prompts import Prompt
    from src_model.masks import Masklet, Rle


@dataclass(frozen=True, slots=True)
class Done:
    """What an action did.

    Attributes
    ----------
    step
        Number of the step it became or joined; None if it changed nothing.
    skipped
        Frames left as they were because they are locked or painted by hand.
    """

    step: int | None
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The document at one time, quick to take and safe to read on another thread.

    Attributes
    ----------
    state
        All its cells.
    revision
        Tells states of one document apart.
    """

    state: State
    revision: tuple[int, int]


@dataclass(frozen=True, slots=True)
class SavedFile:
    """The file of a document as it was last read or written.

    Attributes
    ----------
    path
        Where it lies.
    stamp
        Time of its last change in nanoseconds, and its size: they tell whether another program changed it since.
    """

    path: Path
    stamp: tuple[int, int]


class Annotation:
    """The document. It is edited on one thread; snapshots may be read on any.

    Parameters
    ----------
    movie
        The movie that is annotated, or a whole project.
    """

    def __init__(self, movie: MovieIdentity | Project) -> None:
        self._state = State(movie if isinstance(movie, Project) else Project(movie))
        self._history = History()
        self._open: OpenPropagation | None = None
        self._saved_revision: tuple[int, int] | None = self._revision()
        self._file: SavedFile | None = None
        self.events = AnnotationEvents()

    @classmethod
    def of_state(cls, state: State, *, file: SavedFile | None = None, modified: bool = False) -> Annotation:
        """Make a document of what was read: from its ``file``, or ``modified`` if that is not up to date."""
        annotation = cls(state.project)
        annotation._state = state
        annotation._file = file
        if modified:
            annotation._saved_revision = None
        return annotation

    # Reading ---------------------------------------------------------------------------------------------------------

    @property
    def project(self) -> Project:
        """Movie, model, normalisation, settings and overlap policy."""
        return self._state.project

    @property
    def movie(self) -> MovieIdentity:
        """The movie that is annotated."""
        return self._state.project.movie

    @property
    def objects(self) -> dict[int, AnnotatedObject]:
        """The objects by ascending id."""
        return {object_id: track.info for object_id, track in self._state.tracks.items()}

    @property
    def divisions(self) -> Mapping[int, Division]:
        """The divisions by ascending parent."""
        return MappingProxyType(self._state.divisions)

    @property
    def mask_count(self) -> int:
        """How many masks there are, over all objects and frames."""
        return sum(len(track.masklet) for track in self._state.tracks.values())

    def next_id(self) -> int:
        """Return a free object id, larger than all in use."""
        return max(self._state.tracks, default=0) + 1

    def object(self, object_id: int) -> AnnotatedObject:
        """Return what a person says about an object, or raise UnknownObjectError."""
        return self._state.track(object_id).info

    def masklet(self, object_id: int) -> Masklet:
        """Return a copy of an object's masks, which shares the masks themselves; or raise UnknownObjectError."""
        return self._state.track(object_id).masklet.copy()

    def frame(self, object_id: int, frame: int) -> AnnotatedFrame | None:
        """Return an object's mask, scores and origin on a frame; None where it has no mask; or UnknownObjectError."""
        return self._state.track(object_id).frame(frame)

    def mask_at(self, object_id: int, frame: int) -> Rle | None:
        """Return an object's mask on a frame, None where it has none; or raise UnknownObjectError."""
        return self._state.track(object_id).masklet.mask_at(frame)

    def masks_at(self, frame: int, *, visible_only: bool = False) -> dict[int, AnnotatedFrame]:
        """Return all masks of a frame with scores and origins, by ascending object id; or those of shown objects."""
        entries = {
            object_id: track.frame(frame)
            for object_id, track in self._state.tracks.items()
            if track.info.visible or not visible_only
        }
        return {object_id: entry for object_id, entry in entries.items() if entry is not None}

    def prompt(self, object_id: int, frame: int) -> Prompt | None:
        """Return what was said about an object on a frame, or None; or raise UnknownObjectError."""
        return self._state.track(object_id).prompts.get(frame)

    def prompts(self, object_id: int) -> Mapping[int, Prompt]:
        """Return an object's prompts by ascending frame; or raise UnknownObjectError."""
        return MappingProxyType(self._state.track(object_id).prompts)

    def locked_frames(self, object_id: int) -> tuple[int, ...]:
        """Return the frames that are locked one by one, ascending; or raise UnknownObjectError."""
        return tuple(sorted(self._state.track(object_id).locked))

    def is_locked(self, object_id: int, frame: int) -> bool:
        """Tell whether a frame is locked, alone or with the whole object; or raise UnknownObjectError."""
        track = self._state.track(object_id)
        return track.info.locked or frame in track.locked

    def frame_states(self, object_id: int) -> tuple[FrameState, ...]:
        """Return all frames of which something is known, ascending, for a time strip; or raise UnknownObjectError."""
        track = self._state.track(object_id)
        entries = track.frames()
        states = []
        for number in sorted({*entries, *track.prompts, *track.locked}):
            entry = entries.get(number)
            states.append(
                FrameState(
                    frame=number,
                    origin=None if entry is None else entry.origin,
                    prompted=number in track.prompts,
                    locked=track.info.locked or number in track.locked,
                    absent=entry is not None and entry.mask.is_empty,
                    score=None if entry is None else entry.score,
                    object_score=None if entry is None else entry.object_score,
                )
            )
        return tuple(states)

    def snapshot(self) -> Snapshot:
        """Return the document as it is now, for another thread; what arrived of an open propagation is in it."""
        return Snapshot(self._state.copy(), self._revision())

    # Changing --------------------------------------------------------------------------------------------------------

    def do(self, action: Action, *, join: int | None = None) -> Done:
        """Do an action as one step, and tell who listens.

        Parameters
        ----------
        action
            One of :mod:`src_model.annotation.actions`.
        join
            Number of a step to make it part of, so that both are undone together: the model's answer belongs to the
            click. It becomes a step of its own where something else was done since.

        Raises
        ------
        Sam2vError
            If it cannot be done; nothing has changed then. LockedError if something locked would change.
        """
        plan = action.plan(self._state)
        self._commit_open()
        applied = self._state.apply(plan.patch)
        if applied.forward.is_empty:
            return Done(None, plan.skipped)
        if join is not None and self._history.can_amend(join):
            step = self._history.amend(applied.inverse)
        else:
            step = self._history.record(action.label, applied.inverse)
        self._tell(applied.forward, applied.inverse)
        return Done(step, plan.skipped)

    def propagation(self, label: str = "Track", *, reverse: bool = False, keep_edited: bool = True) -> OpenPropagation:
        """Open a propagation: frames given to it are seen at once, and are one step when it closes.

        Parameters
        ----------
        label
            What the step is called.
        reverse
            Whether tracking runs towards earlier frames.
        keep_edited
            Leave frames painted by hand as they are. Locked frames and objects are always left.
        """
        self._end_open()
        self._open = OpenPropagation(
            self._take_tracked, self._end_open, label, reverse=reverse, keep_edited=keep_edited
        )
        return self._open

    def undo(self) -> str | None:
        """Take the current step back; return its label, or None if there is none."""
        self._end_open()
        label, move = self._history.undo_label, self._history.undo_move()
        self._move([] if move is None else [move])
        return label

    def redo(self) -> str | None:
        """Do the step undone last on this branch again; return its label, or None if there is none."""
        self._end_open()
        label, move = self._history.redo_label, self._history.redo_move()
        self._move([] if move is None else [move])
        return label

    def go_to(self, step: int) -> None:
        """Bring the document to the state after any step, on any branch; 0 is the beginning.

        Raises
        ------
        AnnotationError
            If there is no such step.
        """
        self._end_open()
        self._move(self._history.way_to(step))

    @property
    def undo_label(self) -> str | None:
        """What :meth:`undo` would take back; None if nothing."""
        if self._open is not None and self._open.has_changes:
            return self._open.label
        return self._history.undo_label

    @property
    def redo_label(self) -> str | None:
        """What :meth:`redo` would do again; None if nothing."""
        if self._open is not None and self._open.has_changes:
            return None
        return self._history.redo_label

    def steps(self) -> tuple[Step, ...]:
        """Return all steps in the order they were made, undone ones and other branches too."""
        return self._history.steps()

    def branches(self) -> tuple[Step, ...]:
        """Return the last step of every branch, the latest first; :meth:`go_to` brings each of them back."""
        return self._history.branches()

    # Saving ----------------------------------------------------------------------------------------------------------

    @property
    def file(self) -> SavedFile | None:
        """The file of the document; None if it was never saved."""
        return self._file

    @property
    def path(self) -> Path | None:
        """Where that file lies; None if it was never saved."""
        return None if self._file is None else self._file.path

    @property
    def is_modified(self) -> bool:
        """Whether the document differs from its file, or from the beginning if it has none."""
        return self._revision() != self._saved_revision

    def mark_saved(self, snapshot: Snapshot, file: SavedFile) -> None:
        """Note that a file now holds a snapshot of this document."""
        self._saved_revision = snapshot.revision
        self._file = file
        self._tell_saved()

    # Inside ----------------------------------------------------------------------------------------------------------

    def _revision(self) -> tuple[int, int]:
        return self._history.revision, 0 if self._open is None else self._open.changes

    def _take_tracked(self, action: PropagateSpan) -> tuple[Skipped, ...]:
        opened = self._open
        assert opened is not None, "only an open propagation takes frames"
        plan = action.plan(self._state)
        applied = self._state.apply(plan.patch)
        if not applied.forward.is_empty:
            first = not opened.has_changes
            opened.note(applied.inverse)
            emit_patch(self.events, applied.forward, applied.inverse)
            if first:
                self._tell_history()
        return plan.skipped

    def _commit_open(self) -> None:
        """Make a step of what arrived so far."""
        if self._open is not None and self._open.has_changes:
            self._history.record(self._open.label, self._open.take_inverse())

    def _end_open(self) -> None:
        opened = self._open
        if opened is None:
            return
        changed = opened.has_changes
        self._commit_open()
        self._open = None  # before closing it, which comes back here
        opened.close()
        if changed:
            self._tell_history()

    def _move(self, moves: Sequence[Move]) -> None:
        forwards, inverses = [], []
        for move in moves:
            applied = self._state.apply(self._history.patch_of(move))
            self._history.moved(move, applied.inverse)
            forwards.append(applied.forward)
            inverses.append(applied.inverse)
        if moves:
            self._tell(in_order(forwards), in_order(inverses[::-1]))

    def _tell(self, forward: Patch, inverse: Patch) -> None:
        emit_patch(self.events, forward, inverse)
        self._tell_history()

    def _tell_history(self) -> None:
        self.events.history.emit(HistoryChanged(self.undo_label, self.redo_label))
        self._tell_saved()

    def _tell_saved(self) -> None:
        self.events.saved.emit(SavedChanged(self.is_modified, self.path))
