"""Whether the panel is still there: napari says neither that its cross was pressed nor that the window closes."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from qtpy.QtCore import QCoreApplication, QEvent, QObject, QTimer
from qtpy.QtWidgets import QMainWindow, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable


class CloseWatcher(QObject):
    """Watches the widgets around a panel.

    The panel is gone when it was taken out of its dock (the cross), when the dock or the window goes, when the window
    was asked to close and is hidden then, and when the program ends. It is not gone when its dock is hidden (the eye),
    floats or is put behind another, nor when the window refuses to close.

    Parameters
    ----------
    panel
        The panel; it is deleted after the cross, so that no other thread happens to do that.
    gone
        Called once.
    """

    def __init__(self, panel: QWidget, gone: Callable[[], None]) -> None:
        super().__init__(panel)
        self._panel, self._gone = panel, gone
        self._around: list[QWidget] = []
        self._window_closes = False
        panel.installEventFilter(self)
        self._application = QCoreApplication.instance()
        if self._application is not None:
            self._application.aboutToQuit.connect(self._end)
        self._look_around()

    def close(self) -> None:
        """Watch no longer."""
        self._gone = _nothing
        self._forget()
        self._panel.removeEventFilter(self)
        if self._application is not None:
            self._application.aboutToQuit.disconnect(self._end)
            self._application = None

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Notice what happens to the panel and around it; nothing is kept from anybody."""
        if event is None or self._gone is _nothing:
            return False
        kind = event.type()
        if kind == QEvent.Type.ParentChange:
            self._on_parent(watched)
        elif watched is self._panel:
            return False
        elif kind == QEvent.Type.DeferredDelete:
            self._end()
        elif isinstance(watched, QMainWindow):
            self._on_window(kind)
        return False

    def _on_parent(self, watched: QObject | None) -> None:
        if watched is self._panel and self._around and self._panel.parentWidget() is None:
            self._end()
            self._panel.deleteLater()
        else:
            self._look_around()

    def _on_window(self, kind: QEvent.Type) -> None:
        if kind == QEvent.Type.Close:
            self._window_closes = True
            QTimer.singleShot(0, self._stay)  # it has closed by then, or refused
        elif kind == QEvent.Type.Hide and self._window_closes:
            self._end()

    def _stay(self) -> None:
        self._window_closes = False

    def _look_around(self) -> None:
        """Watch the widgets that the panel is in now, up to the main window."""
        self._forget()
        widget = self._panel.parentWidget()
        while widget is not None:
            widget.installEventFilter(self)
            self._around.append(widget)
            widget = None if isinstance(widget, QMainWindow) else widget.parentWidget()

    def _forget(self) -> None:
        for widget in self._around:
            with suppress(RuntimeError):  # gone already
                widget.removeEventFilter(self)
        self._around = []

    def _end(self) -> None:
        gone, self._gone = self._gone, _nothing
        gone()


def _nothing() -> None:
    return None
