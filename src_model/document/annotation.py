"""The document a user edits, undoes, saves: objects, prompts, masks through time, locks, divisions."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from src_model.document.actions.base import Done
from src_model.document.event_log import EventLog
from src_model.document.events import AnnotationEvents, HistoryChanged, SavedChanged, emit_touched
from src_model.document.history import ROOT, History, Step
from src_model.document.project import Project
from src_model.document.propagation import OpenPropagation
from src_model.document.spans import SpanSet
from src_model.document.state import State
from src_model.document.store import CellStore, Moment
from src_model.document.sweep import Sweep
from src_model.document.view import DocumentView
from src_model.document.working_copy import SavedFile, WorkingCopy
from src_model.errors import AnnotationFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from src_model.document.actions.base import Action, Skipped
    from src_model.document.actions.propagation import PropagateSpan
    from src_model.document.event_log import Event, EventKind
    from src_model.document.movie import MovieIdentity
    from src_model.document.patch import Patch

HISTORY_LIMIT: Final = 256 * 2**20
"""Bytes that are kept so that steps can be undone and redone."""

_STEPS_BETWEEN_TIDYING: Final = 32
_STEPS_FORGOTTEN_AT_ONCE: Final = 64
_BEGINNING: Final = Moment(SpanSet([(ROOT, ROOT + 1)]), 0)


class Annotation(DocumentView):
    """The document. It is edited on one thread; :meth:`snapshot` gives what may be read on any.

    Parameters
    ----------
    movie
        The movie that is annotated, or a whole project.
    contents
        What it holds to begin with, which nothing undoes.
    copy
        Where it lies while it is open; a folder that goes with the process if left out.

    Raises
    ------
    AnnotationFileError
        If there is no room for it.
    Sam2vError
        If the contents do not fit the movie.
    """

    def __init__(
        self, movie: MovieIdentity | Project, contents: Patch | None = None, *, copy: WorkingCopy | None = None
    ) -> None:
        copy = copy or WorkingCopy()
        project = movie if isinstance(movie, Project) else Project(movie)
        store = CellStore(copy.create, project.movie.name, _BEGINNING)
        try:
            store.put_project(ROOT, project)
            if contents is not None:
                store.put_fact("begun_with_contents", 1)
        except (OSError, sqlite3.Error) as error:
            raise AnnotationFileError(f"a document cannot be begun in '{copy.folder}': {error}") from error
        super().__init__(State(store), copy)
        self._begin()
        with self._changing(ROOT):
            if contents is not None:
                self._state.check(contents)
                self._state.apply(contents, ROOT)

    @classmethod
    def opened(cls, copy: WorkingCopy, name: str) -> Annotation:
        """Go on with what a working copy holds, whose tables were checked; ``name`` is for errors.

        Raises
        ------
        AnnotationFileError
            If its cells or its history contradict themselves.
        """
        annotation = cls.__new__(cls)
        store = CellStore(copy.writer, name, _BEGINNING)
        try:
            version = store.fact("version")
            if not isinstance(version, int):
                raise AnnotationFileError(f"'{name}' is damaged: nothing says which of its values is the latest")
            store.moment = Moment(History(store).line, version)
            DocumentView.__init__(annotation, State(store), copy)
            annotation._state.check_divisions()
            annotation._begin()
        except BaseException:
            store.close()
            raise
        return annotation

    def _begin(self) -> None:
        store = self._state.store
        self._history, self._log, self._sweep = History(store), EventLog(store), Sweep(store)
        self._views: WeakSet[DocumentView] = WeakSet()
        self._open: OpenPropagation | None = None
        self._saved_revision: int | None = None if store.fact("begun_with_contents") else ROOT
        self._file: SavedFile | None = None
        saved = store.fact("saved")
        if isinstance(saved, str):
            self._file = SavedFile.from_json(saved)
            self._saved_revision = self._file.revision
        self.events = AnnotationEvents()

    def snapshot(self) -> DocumentView:
        """Return the document as it is now, for any thread; what arrived of an open propagation is in it."""
        store = CellStore(self._copy.reader, self._state.store.name, self._state.store.moment)
        view = DocumentView(self._state.snapshot(store), self._copy, self.path, self._history.position)
        self._views.add(view)
        return view

    @property
    def revision(self) -> int:
        """A number that is the same whenever the document is in the same state of its history."""
        return self._history.revision

    def logged(self) -> tuple[Event, ...]:
        """Return what happened so far, the earliest first."""
        with self._state.store.lock:
            return tuple(self._log)

    def do(self, action: Action, *, join: int | None = None) -> Done:
        """Do an action as one step, and tell who listens.

        Parameters
        ----------
        action
            What to do, such as ``AddObject(...)``: an instance of a class in :mod:`src_model.document.actions`.
        join
            Number of a step to make it part of, so that both are undone together: the model's answer belongs to the
            click. It becomes a step of its own where something else was done since.

        Raises
        ------
        Sam2vError
            If it cannot be done; nothing has changed then. LockedError if something locked would change,
            AnnotationFileError if it cannot be kept, as on a full disk.
        """
        plan = action.plan(self._state)
        event: EventKind = getattr(action, "event", "edit") if plan.event is None else plan.event
        step = self._apply(plan.patch, action.label, event, join)
        if step is None:
            return Done(None, plan.skipped)
        self._tell_history()
        # How much the history takes is added up step by step, so that is looked at now and then only.
        if step % _STEPS_BETWEEN_TIDYING == 0 or not self._sweep.is_done:
            self.tidy()
        return Done(step, plan.skipped)

    def propagation(self, label: str = "Track", *, reverse: bool = False, keep_edited: bool = True) -> OpenPropagation:
        """Open a propagation: frames given to it are seen and kept at once, and are one step.

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
        label, target = self._history.undo_label, self._history.undo_target()
        if target is not None:
            self._move_to(target, "undo", label or "")
        return label

    def redo(self) -> str | None:
        """Do the step undone last on this branch again; return its label, or None if there is none."""
        self._end_open()
        label, target = self._history.redo_label, self._history.redo_target()
        if target is not None:
            self._move_to(target, "redo", label or "")
        return label

    def go_to(self, step: int) -> None:
        """Bring the document to the state after any step, on any branch; 0 is the beginning.

        Raises
        ------
        AnnotationError
            If there is no such step, or it was forgotten.
        """
        self._end_open()
        if step != self._history.current:
            self._move_to(step, "undo", f"Go to step {step}")

    def forget_history(self) -> None:
        """Make everything done so far impossible to undo, and remove what is kept for undo alone."""
        self._end_open()
        with self._transaction():
            while self._forget_oldest() is not None:
                pass
            self._sweep.run(None)
        self._tell_history()

    def tidy(self, history_limit: int | None = None, cells: int = 1000) -> bool:
        """Drop some of the oldest history where it takes more than ``history_limit`` bytes, 256 MiB if left out.

        A little at a time, which every few edits do by themselves; nothing while a snapshot is in use.

        Returns
        -------
        bool
            Whether there is more to be done.
        """
        limit = HISTORY_LIMIT if history_limit is None else history_limit
        if len(self._views):
            return False
        excess = self._history.bytes - limit
        if excess <= 0 and self._sweep.is_done:
            return False
        with self._transaction():
            for _ in range(_STEPS_FORGOTTEN_AT_ONCE):
                freed = self._forget_oldest() if excess > 0 else None
                if freed is None:
                    break
                excess -= freed
            self._sweep.run(cells)
        return excess > 0 or not self._sweep.is_done

    def note_event(self, kind: EventKind, detail: str, object_id: int | None = None, frame: int | None = None) -> None:
        """Log what is no change of the document: a candidate that was taken, a verdict."""
        with self._transaction():
            self._log.add(kind, detail, object_id, frame)

    @property
    def undo_label(self) -> str | None:
        """What :meth:`undo` would take back; None if nothing."""
        return self._history.undo_label

    @property
    def redo_label(self) -> str | None:
        """What :meth:`redo` would do again; None if nothing."""
        return self._history.redo_label

    def steps(self) -> tuple[Step, ...]:
        """Return all steps in the order they were made, undone ones and other branches too."""
        return self._history.steps()

    def branches(self) -> tuple[Step, ...]:
        """Return the last step of every branch, the latest first; :meth:`go_to` brings each of them back."""
        return self._history.branches()

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
        return self._history.revision != self._saved_revision

    def mark_saved(self, file: SavedFile) -> None:
        """Note that a file now holds this document as it was when it was written."""
        self._saved_revision = file.revision
        self._file = file
        with self._transaction():
            self._state.store.put_fact("saved", file.to_json())
        self._tell_saved()

    def close(self) -> None:
        """Let go of the file; the document is not used again. In a recovery folder it can be recovered."""
        self._state.store.close()
        if self._copy.recovery is not None:
            self._copy.recovery.release()

    def work_in(self, copy: WorkingCopy) -> None:
        """Go on in another working copy, which must be empty, in the place of the one so far."""
        store = self._state.store
        with store.lock:
            store.move(copy)
            self._copy = copy

    def _apply(self, patch: Patch, label: str, event: EventKind, join: int | None) -> int | None:
        """Change cells as a new step or as part of one, and tell whom it concerns; None if nothing changed."""
        self._state.check(patch)
        amends = join is not None and self._history.can_amend(join)
        step = self._history.current if amends else self._history.next_number
        before = frozenset(self._state.tracks)
        with self._changing(step):
            applied = self._state.apply(patch, step)
            if not applied.touched.is_empty:
                step = self._history.amend(applied) if amends else self._history.record(label, applied)
                if event != "track" or not amends:  # a run is one event, not one a frame
                    self._log.add(event, label, *applied.touched.concerned())
        if applied.touched.is_empty:
            self._state.store.moment = replace(self._state.store.moment, steps=self._history.line)
            return None
        emit_touched(self.events, applied.touched, before, frozenset(self._state.tracks))
        return step

    def _take_tracked(self, action: PropagateSpan) -> tuple[Skipped, ...]:
        opened = self._open
        assert opened is not None, "only an open propagation takes frames"
        plan = action.plan(self._state)
        step = self._apply(plan.patch, opened.label, "track", opened.step)
        if step is not None and step != opened.step:
            opened.step = step
            self._tell_history()
        return plan.skipped

    def _forget_oldest(self) -> int | None:
        """Make the oldest step one that nothing undoes; return how many bytes that frees, None if there is none."""
        oldest = self._history.oldest()
        if oldest is None:
            return None
        self._history.forget(oldest.step, oldest.beside)
        self._sweep.add(oldest)
        return oldest.bytes

    def _end_open(self) -> None:
        opened, self._open = self._open, None  # before closing it, which comes back here
        if opened is not None:
            opened.close()
            if opened.step is not None:
                self._tell_history()

    def _move_to(self, target: int, event: EventKind, label: str) -> None:
        store = self._state.store
        before = frozenset(self._state.tracks)
        with self._transaction():
            touched = self._history.move_to(target)
            store.moment = Moment(self._history.line, store.moment.version)
            self._log.add(event, label)
        if not touched.only_masks:
            self._state.reload()
        emit_touched(self.events, touched, before, frozenset(self._state.tracks))
        self._tell_history()

    @contextmanager
    def _changing(self, step: int) -> Iterator[None]:
        """Give a new version for the values of a step; all of the block takes effect or nothing."""
        store = self._state.store
        with self._transaction():
            store.moment = Moment(store.moment.steps.with_number(step), store.moment.version + 1)
            yield
            store.put_fact("version", store.moment.version)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        store = self._state.store
        moment = store.moment
        with store.lock:
            try:
                store.connection.execute("BEGIN IMMEDIATE")
                yield
                store.connection.execute("COMMIT")
            except BaseException as error:
                store.rolled_back(moment)
                with suppress(sqlite3.Error):
                    store.connection.execute("ROLLBACK")
                self._history.reload()
                self._state.reload()
                if isinstance(error, sqlite3.Error):
                    raise AnnotationFileError(f"the change cannot be kept in '{self._copy.folder}': {error}") from error
                raise

    def _tell_history(self) -> None:
        self.events.history.emit(HistoryChanged(self.undo_label, self.redo_label))
        self._tell_saved()

    def _tell_saved(self) -> None:
        self.events.saved.emit(SavedChanged(self.is_modified, self.path))
