"""Reading, writing and downloading on a thread of their own, with progress, while the user works on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from napari_sam2v.controllers.worker import End, Job, Post, Worker
from src_model.errors import BusyError, Sam2vError, StoppedError
from src_model.workflow.progress import RunProgress

ReportProgress: TypeAlias = Callable[[float, float], None]
"""Takes (done, total), in whatever is counted."""
IsStopped: TypeAlias = Callable[[], bool]
"""Returns whether to stop; work that is to stop raises StoppedError."""
Work: TypeAlias = Callable[[ReportProgress, IsStopped], Any]

_logger = logging.getLogger(__name__)
_PROGRESS_SECONDS = 0.1
"""Least time between two reports: drawing them must not slow the work down."""


@dataclass(slots=True, eq=False)
class _Task:
    """A task that has not ended yet.

    Attributes
    ----------
    progress
        What is shown of it; nothing where its text is empty.
    must_finish
        Whether closing waits for its end.
    on_dropped
        Called when it is cancelled or replaced.
    job
        The task, as the worker thread does it.
    outcome
        Hands over the result or the error, on the main thread; None as long as there is neither.
    has_outcome
        Set by the worker when there is nothing more to wait for.
    """

    progress: RunProgress
    must_finish: bool
    on_dropped: Callable[[], None]
    job: Job
    outcome: Callable[[], None] | None = None
    has_outcome: threading.Event = field(default_factory=threading.Event)


class BackgroundTasks:
    """Does tasks one after the other on a thread of its own.

    The workers of napari and superqt share the threads of all plugins, cannot be waited for one by one, and do not
    know that a newer task takes the place of an older one. Here no two tasks read the same movie at once, one that has
    been replaced does not hand over anything, and a file is complete before the window closes.

    Parameters
    ----------
    post
        Has functions called on the main thread, from any thread.
    on_progress
        Takes the progress of the task that is under way, on the main thread; None when there is none any more.
    on_error
        Takes an error for the user, on the main thread.
    name
        Name of the thread, for debuggers.
    """

    def __init__(
        self,
        post: Post,
        on_progress: Callable[[RunProgress | None], object],
        on_error: Callable[[Exception], None],
        *,
        name: str,
    ) -> None:
        self._post, self._on_progress, self._on_error = post, on_progress, on_error
        self._worker = Worker(post, name)
        self._tasks: dict[Hashable, _Task] = {}

    @property
    def is_running(self) -> bool:
        """Whether a task is under way or waits."""
        return bool(self._tasks)

    def run(self, text: str, work: Work, done: Callable[[Any], None], *, must_finish: bool = False) -> bool:
        """Begin a task if no other one is under way; otherwise the user is told so, and False is returned.

        Parameters
        ----------
        text
            What it does, in words, such as ``"Writing cells.tif"``.
        work
            Called on the thread; takes a function that reports progress, and one that says whether to stop.
        done
            Takes what ``work`` returns, on the main thread.
        must_finish
            Whether `close` waits for its end and hands its result over, however long that takes.
        """
        if self._tasks:
            under_way = next(iter(self._tasks.values())).progress.text
            self._on_error(BusyError(f"'{under_way}' is under way: wait for its end or stop it, then try again"))
            return False
        self.replace("task", text, work, done, must_finish=must_finish)
        return True

    def replace(
        self,
        kind: Hashable,
        text: str,
        work: Work,
        done: Callable[[Any], None],
        *,
        failed: Callable[[Exception], None] | None = None,
        dropped: Callable[[], None] = lambda: None,
        must_finish: bool = False,
    ) -> None:
        """Begin a task in place of an earlier one of the same kind.

        Parameters
        ----------
        kind
            Name of the kind of task.
        text
            What it does, in words; empty if nobody waits for it.
        work, done, must_finish
            As for `run`.
        failed
            Takes the error on the main thread; left out, the user is told.
        dropped
            Called when the task is cancelled or replaced.
        """
        self.cancel(kind)

        def attempt(_prepared: object) -> Iterator[Callable[[], None]]:
            try:
                task.outcome = partial(done, work(self._reporter(task), task.job.stop.is_set))
            except StoppedError:
                return
            except Exception as error:
                if not isinstance(error, Sam2vError):
                    _logger.exception("%s failed", text or kind)
                task.outcome = partial(failed or self._on_error, error)
            finally:
                task.has_outcome.set()
            yield task.outcome

        def end(_end: End) -> None:
            self._forget(kind, task)

        job = Job(kind, None, attempt, lambda _outcome: self._hand_over(kind, task), end)
        task = self._tasks[kind] = _Task(RunProgress(0, 0, text=text), must_finish, dropped, job)
        self._show()
        self._worker.submit(job)

    def stop(self) -> None:
        """Stop what is under way, except what must finish; nothing is left half done."""
        for task in self._tasks.values():
            if not task.must_finish:
                task.job.stop.set()

    def cancel(self, kind: Hashable) -> None:
        """Stop the task of a kind; nothing comes of it, even if it is done already."""
        task = self._tasks.get(kind)
        if task is not None:
            self._worker.stop(kind)
            self._forget(kind, task)
            task.on_dropped()

    def close(self, timeout: float = 10.0) -> None:
        """Stop all tasks, and wait for the thread: at most ``timeout`` seconds, and for what must finish."""
        self.stop()
        for kind, task in list(self._tasks.items()):
            if task.must_finish:
                task.has_outcome.wait()
                self._hand_over(kind, task)  # the main thread may not come to it any more
        self._tasks.clear()
        self._worker.close(timeout)

    def _reporter(self, task: _Task) -> ReportProgress:
        last = time.monotonic()

        def report(done: float, total: float) -> None:
            nonlocal last
            if time.monotonic() - last > _PROGRESS_SECONDS:
                last = time.monotonic()
                self._post(partial(show, RunProgress(round(done), round(total), text=task.progress.text)))

        def show(progress: RunProgress) -> None:
            if task in self._tasks.values():
                task.progress = progress
                self._show()

        return report

    def _hand_over(self, kind: Hashable, task: _Task) -> None:
        if self._forget(kind, task) and task.outcome is not None:
            task.outcome()

    def _forget(self, kind: Hashable, task: _Task) -> bool:
        """Take a task off the list, and return whether it was on it."""
        is_known = self._tasks.get(kind) is task
        if is_known:
            del self._tasks[kind]
            self._show()
        return is_known

    def _show(self) -> None:
        self._on_progress(next((task.progress for task in self._tasks.values() if task.progress.text), None))
