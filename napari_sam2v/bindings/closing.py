"""The end of a window: napari asks before it closes one while tracking runs, and a panel notices that it is gone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QCoreApplication, QEvent, QObject, QTimer
from qtpy.QtWidgets import QMainWindow, QWidget

if TYPE_CHECKING:
    from napari_sam2v.controllers import AnnotationController
    from src_model.workflow.progress import RunProgress

_PAUSE_SECONDS = 0.1
_PATIENCE_MILLISECONDS = 1000


class CloseQuestion:
    """Has napari ask before it closes a window while tracking runs.

    napari knows of its own workers only, so one of them waits for the end of each run.

    Parameters
    ----------
    controller
        Its runs are what napari gets to know of.
    """

    def __init__(self, controller: AnnotationController) -> None:
        self._controller = controller
        self._ended: threading.Event | None = None
        self._worker: Any = None
        controller.events.run.connect(self._on_run)

    def close(self) -> None:
        """Let napari know that nothing runs any more."""
        self._controller.events.run.disconnect(self._on_run, missing_ok=True)
        self._on_run(None)
        if self._worker is not None:
            self._worker.await_workers(_PATIENCE_MILLISECONDS)  # it must not end after Qt's objects have gone
            self._worker = None

    def _on_run(self, progress: RunProgress | None) -> None:
        if progress is not None and self._ended is None:
            self._ended = threading.Event()
            self._wait_for(self._ended)
        elif progress is None and self._ended is not None:
            self._ended.set()
            self._ended = None

    def _wait_for(self, ended: threading.Event) -> None:
        from napari.qt.threading import thread_worker

        def sam2v_tracking() -> Iterator[None]:
            while not ended.wait(_PAUSE_SECONDS):
                yield

        sam2v_tracking.__qualname__ = "sam2v tracking; finished frames are kept"  # what napari's question shows
        worker: Any = thread_worker(sam2v_tracking)()
        worker.aborted.connect(self._controller.tracking.stop)
        worker.start()
        self._worker = worker


class CloseWatcher(QObject):
    """Watches the widgets around a panel.

    The panel is gone when it was taken out of its dock (the cross), when the dock or the window goes, when the window
    was asked to close and is hidden then, and when the program ends. It is not gone when its dock is hidden (the eye),
    floats or is put behind another, nor when the window refuses to close.

    Parameters
    ----------
    panel
        The panel. It is deleted after its dock's cross was pressed: Python might do that on another thread.
    on_gone
        Called once, when the panel is gone.
    """

    def __init__(self, panel: QWidget, on_gone: Callable[[], None]) -> None:
        super().__init__(panel)
        self._panel, self._on_gone = panel, on_gone
        self._parents: list[QWidget] = []
        self._window_closes = False
        panel.installEventFilter(self)
        self._application = QCoreApplication.instance()
        if self._application is not None:
            self._application.aboutToQuit.connect(self._end)
        self._watch_parents()

    def close(self) -> None:
        """Stop watching."""
        self._on_gone = _nothing
        self._forget()
        self._panel.removeEventFilter(self)
        if self._application is not None:
            self._application.aboutToQuit.disconnect(self._end)
            self._application = None

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Notice what happens to the panel and around it; nothing is kept from anybody."""
        if event is None or self._on_gone is _nothing:
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
        if watched is self._panel and self._parents and self._panel.parentWidget() is None:
            self._end()
            self._panel.deleteLater()
        else:
            self._watch_parents()

    def _on_window(self, kind: QEvent.Type) -> None:
        if kind == QEvent.Type.Close:
            self._window_closes = True
            QTimer.singleShot(0, self._note_refusal)  # it has closed by then, or refused
        elif kind == QEvent.Type.Hide and self._window_closes:
            self._end()

    def _note_refusal(self) -> None:
        self._window_closes = False

    def _watch_parents(self) -> None:
        """Watch the widgets that the panel is in now, up to the main window."""
        self._forget()
        widget = self._panel.parentWidget()
        while widget is not None:
            widget.installEventFilter(self)
            self._parents.append(widget)
            widget = None if isinstance(widget, QMainWindow) else widget.parentWidget()

    def _forget(self) -> None:
        for widget in self._parents:
            with suppress(RuntimeError):  # gone already
                widget.removeEventFilter(self)
        self._parents = []

    def _end(self) -> None:
        on_gone, self._on_gone = self._on_gone, _nothing
        on_gone()


def _nothing() -> None:
    return None
