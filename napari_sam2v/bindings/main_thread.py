"""The host's thread: how the worker and timers reach Qt's event loop."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QObject, Qt, QTimer, Signal


class MainThread(QObject):
    """Calls functions on the thread it was made on.

    Parameters
    ----------
    parent
        Owner; with it the host goes away, and what was posted and not called yet is dropped.
    """

    _posted = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._is_closed = False
        self._posted.connect(self._call, Qt.ConnectionType.QueuedConnection)

    def post(self, call: Callable[[], None]) -> None:
        """Have a function called soon on the host's thread; may be called from any thread."""
        try:
            self._posted.emit(call)
        except RuntimeError:  # the window is gone, and Qt's object with it
            return

    def call_later(self, seconds: float, call: Callable[[], None]) -> None:
        """Have a function called on the host's thread after so many seconds; only from the host's thread."""
        if self._is_closed:
            return
        timer = QTimer(self)  # a child, so that it goes when the host goes
        timer.setSingleShot(True)
        timer.timeout.connect(call)
        timer.timeout.connect(timer.deleteLater)
        timer.start(round(seconds * 1000))

    def close(self) -> None:
        """Call nothing any more, neither what was posted nor what waits."""
        self._is_closed = True
        for timer in self.findChildren(QTimer):
            timer.stop()
            timer.deleteLater()

    def _call(self, call: Callable[[], None]) -> None:
        if not self._is_closed:
            call()
