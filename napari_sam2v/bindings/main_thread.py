"""How other threads reach the main thread, which alone may touch widgets, layers and the document."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QObject, Qt, Signal


class MainThread(QObject):
    """Calls functions on the thread it was made on.

    Unlike superqt's ``ensure_main_thread`` it queues calls from the main thread too, so that all are made in the order
    in which they were posted, and makes none after it was closed.

    Parameters
    ----------
    parent
        Owner; it takes this object, and what was posted and not called yet, with it.
    """

    _posted = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._is_closed = False
        self._posted.connect(self._call, Qt.ConnectionType.QueuedConnection)

    def post(self, call: Callable[[], None]) -> None:
        """Have a function called soon on the main thread; may be called from any thread."""
        try:
            self._posted.emit(call)
        except RuntimeError:  # the window is gone, and Qt's object with it
            return

    def close(self) -> None:
        """Call nothing any more, not even what was posted before."""
        self._is_closed = True

    def _call(self, call: Callable[[], None]) -> None:
        if not self._is_closed:
            call()
