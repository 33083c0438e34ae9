"""Drawing batches ahead of time, in processes of low priority or in this one."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
from collections import deque
from typing import TYPE_CHECKING, Protocol

from src_model.training.clip_batch import BatchRequest, ClipBatch, Sampler, draw_batch

if TYPE_CHECKING:
    from collections.abc import Callable

_PATIENCE = 5.0


class BatchMaker(Protocol):
    """Takes requests and gives the batches in the same order."""

    def request(self, request: BatchRequest) -> None:
        """Ask for a batch."""
        ...

    def receive(self) -> ClipBatch:
        """Wait for the next batch."""
        ...

    def close(self) -> None:
        """Stop."""
        ...


class InlineBatches:
    """Draws each batch when it is received."""

    def __init__(self, source: Sampler) -> None:
        self._source = source
        self._requests: deque[BatchRequest] = deque()

    def request(self, request: BatchRequest) -> None:
        """Ask for a batch."""
        self._requests.append(request)

    def receive(self) -> ClipBatch:
        """Draw the next batch."""
        return draw_batch(self._source, self._requests.popleft())

    def close(self) -> None:
        """Forget what was asked for."""
        self._requests.clear()


class BatchWorkers:
    """Processes that take turns in drawing batches, which arrive in the order in which they were requested.

    Parameters
    ----------
    make_source
        Called in each process; must be picklable.
    count
        Number of processes.
    niceness
        Added to their priority.
    """

    def __init__(self, make_source: Callable[[], Sampler], count: int = 1, *, niceness: int = 5) -> None:
        self._workers = [_Worker(make_source, niceness) for _ in range(count)]
        self._requested = self._received = 0

    def request(self, request: BatchRequest) -> None:
        """Ask for a batch."""
        self._workers[self._requested % len(self._workers)].requests.put(request)
        self._requested += 1

    def receive(self) -> ClipBatch:
        """Wait for the next batch; RuntimeError with the worker's message if it failed."""
        worker = self._workers[self._received % len(self._workers)]
        self._received += 1
        return worker.receive()

    def close(self) -> None:
        """Stop the processes."""
        for worker in self._workers:
            worker.close()


class _Worker:
    def __init__(self, make_source: Callable[[], Sampler], niceness: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.requests: multiprocessing.Queue[BatchRequest | None] = context.Queue()
        self._batches: multiprocessing.Queue[ClipBatch | str] = context.Queue()
        given = (make_source, self.requests, self._batches, niceness)
        self._process = context.Process(target=_serve, args=given, daemon=True)
        self._process.start()

    def receive(self) -> ClipBatch:
        while True:
            try:
                batch = self._batches.get(timeout=_PATIENCE)
            except queue.Empty:
                if self._process.is_alive():
                    continue
                raise RuntimeError(f"the clip worker ended with exit code {self._process.exitcode}") from None
            if isinstance(batch, str):
                raise RuntimeError(f"the clip worker failed: {batch}")
            return batch

    def close(self) -> None:
        self.requests.put(None)
        # It may be waiting to hand over batches that nobody will receive.
        self._process.join(timeout=0.5)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()
        for channel in (self.requests, self._batches):
            channel.cancel_join_thread()
            channel.close()


def _serve(
    make_source: Callable[[], Sampler],
    requests: multiprocessing.Queue[BatchRequest | None],
    batches: multiprocessing.Queue[ClipBatch | str],
    niceness: int,
) -> None:
    # Ctrl-C in a terminal reaches every process of the group; only the trainer decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(niceness)
    try:
        source = make_source()
        while (request := requests.get()) is not None:
            batches.put(draw_batch(source, request))
    except Exception as error:
        batches.put(f"{type(error).__name__}: {error}")
        raise
