"""A worker thread with a queue of jobs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from src_model.errors import Sam2vError

Post: TypeAlias = Callable[[Callable[[], None]], None]
"""Has a function called soon on the main thread, in the order of the calls; may be called from any thread."""

_logger = logging.getLogger(__name__)
_UNHANDLED_RESULTS = 2
"""How far the worker may run ahead of a window that is busy drawing."""


@dataclass(frozen=True, slots=True)
class End:
    """How a job ended.

    Attributes
    ----------
    stopped
        Whether it was stopped before it was finished.
    error
        What went wrong, or None.
    """

    stopped: bool = False
    error: Exception | None = None


@dataclass(slots=True)
class Job:
    """Something for the worker to do.

    Attributes
    ----------
    key
        A waiting job is replaced by a newer one with the same key.
    prepare
        Called on the main thread just before the job starts, when all earlier results have been handled there; returns
        what the work needs. None if there is nothing to prepare.
    work
        Called on the worker with what was prepared; yields the results.
    on_result, on_end
        Called on the main thread.
    is_brief
        Whether it takes a moment only, so that it is done between two results of a long job that is running.
    """

    key: Hashable
    prepare: Callable[[], Any] | None
    work: Callable[[Any], Iterator[Any]]
    on_result: Callable[[Any], None]
    on_end: Callable[[End], None] = field(default=lambda end: None)
    is_brief: bool = False
    stop: threading.Event = field(default_factory=threading.Event)


class Worker:
    """A thread that does one job after the other; it starts with the first one.

    Workers of napari and superqt know no queue. Here a brief job is done between two results of a long one, so that a
    click is answered while tracking runs, a newer job takes the place of a waiting one of the same kind, and a job is
    prepared on the main thread when the results of all earlier ones have arrived there.

    Parameters
    ----------
    post
        Has functions called on the main thread, from any thread.
    name
        Name of the thread, for debuggers.
    """

    def __init__(self, post: Post, name: str = "sam2v worker") -> None:
        self._post = post
        self._name = name
        self._waiting: list[Job] = []
        self._running: Job | None = None
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def submit(self, job: Job) -> None:
        """Put a job in the queue, in place of a waiting one with the same key."""
        with self._changed:
            if self._is_closed:
                return
            self._waiting = [*(other for other in self._waiting if other.key != job.key), job]
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def stop(self, key: Hashable) -> None:
        """Stop the job with this key after the result it is working on, or drop it if it is waiting."""
        with self._changed:
            dropped = [job for job in self._waiting if job.key == key]
            self._waiting = [job for job in self._waiting if job.key != key]
            if self._running is not None and self._running.key == key:
                self._running.stop.set()
        for job in dropped:
            self._post(lambda job=job: job.on_end(End(stopped=True)))  # type: ignore[misc]

    def is_busy(self) -> bool:
        """Whether a job runs or waits."""
        with self._changed:
            return self._running is not None or bool(self._waiting)

    def close(self, timeout: float = 10.0) -> None:
        """Stop everything and wait for the worker, which finishes the frame it is in."""
        with self._changed:
            self._is_closed = True
            self._waiting.clear()
            if self._running is not None:
                self._running.stop.set()
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _serve(self) -> None:
        while True:
            with self._changed:
                self._running = None
                self._changed.notify_all()
                while not self._waiting and not self._is_closed:
                    self._changed.wait()
                if self._is_closed:
                    return
                job = self._running = self._waiting.pop(0)
            end = self._do(job)
            self._post(lambda job=job, end=end: job.on_end(end))  # type: ignore[misc]

    def _do(self, job: Job) -> End:
        handled = threading.Semaphore(_UNHANDLED_RESULTS)
        try:
            request = None if job.prepare is None else self._ask(job.prepare, job)
            if job.stop.is_set():
                return End(stopped=True)
            results = job.work(request)
            for result in results:
                self._hand_over(job, result, handled)
                if not job.is_brief:
                    self.do_brief_ones()
                if job.stop.is_set():
                    _close(results)
                    return End(stopped=True)
        except Sam2vError as error:
            return End(error=error)  # said on purpose, to the user
        except Exception as error:
            _logger.exception("a job failed")
            return End(error=error)
        return End()

    def do_brief_ones(self) -> None:
        """Do the brief jobs that wait, in order: between two results of a long one, or called by it, on the worker."""
        while True:
            with self._changed:
                job = next((job for job in self._waiting if job.is_brief), None)
                if job is None:
                    return
                self._waiting.remove(job)
            end = self._do(job)
            self._post(lambda job=job, end=end: job.on_end(end))  # type: ignore[misc]

    def _ask(self, make_request: Callable[[], Any], job: Job) -> Any:
        """Have the job prepared on the main thread, and wait for it."""
        answer: list[Any] = []
        failure: list[Exception] = []
        ready = threading.Event()

        def prepare() -> None:
            try:
                answer.append(None if job.stop.is_set() else make_request())
            except Exception as error:
                failure.append(error)
            ready.set()

        self._post(prepare)
        # A window that is being closed may never come to it.
        while not ready.wait(0.1):
            if job.stop.is_set() or self._is_closed:
                job.stop.set()
                return None
        if failure:
            raise failure[0]
        return answer[0]

    def _hand_over(self, job: Job, result: Any, handled: threading.Semaphore) -> None:
        while not handled.acquire(timeout=0.1):
            if self._is_closed:
                return

        def handle() -> None:
            try:
                job.on_result(result)
            finally:
                handled.release()

        self._post(handle)


def _close(results: Iterator[Any]) -> None:
    close = getattr(results, "close", None)
    if close is not None:
        close()
