"""Stopping on Ctrl-C without losing a frame."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from src_model.cli.terminal import warn

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_MESSAGE = "Stopping after this frame; what is done is kept (again to stop at once)."


class StopRequest:
    """Turns the first Ctrl-C into a request to stop after the frame at hand; the second one stops at once.

    A context manager. Termination signals, as sent by job schedulers, count like Ctrl-C.

    Parameters
    ----------
    message
        What is said at the first Ctrl-C.
    """

    def __init__(self, message: str = _MESSAGE) -> None:
        self.requested = False
        self._message = message
        self._earlier: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopRequest:
        """Start listening; only a main thread can, others are stopped as always."""
        if threading.current_thread() is threading.main_thread():
            self._earlier = {number: signal.signal(number, self._stop) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave signals to whoever had them before."""
        for number, handler in self._earlier.items():
            signal.signal(number, handler)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        warn(self._message)
