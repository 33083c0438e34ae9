"""A run as a task of napari's, which asks before it closes a window where one is under way."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_sam2v.controllers import AnnotationController
    from src_model.workflow.progress import RunProgress

_PAUSE = 0.1
_PATIENCE = 1000
"""Milliseconds."""


class CloseQuestion:
    """Tells napari while tracking runs.

    napari knows of its own workers only, so one of them waits for the end of each run.

    Parameters
    ----------
    controller
        That tracks.
    """

    def __init__(self, controller: AnnotationController) -> None:
        self._controller = controller
        self._ended: threading.Event | None = None
        self._worker: Any = None
        controller.events.run.connect(self._on_run)

    @property
    def is_waiting(self) -> bool:
        """Whether napari knows of a run."""
        return self._ended is not None

    def close(self) -> None:
        """Let go of the controller."""
        self._controller.events.run.disconnect(self._on_run, missing_ok=True)
        self._on_run(None)
        if self._worker is not None:
            self._worker.await_workers(_PATIENCE)  # it must not end after Qt's objects have gone
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
            while not ended.wait(_PAUSE):
                yield

        sam2v_tracking.__qualname__ = "sam2v tracking; finished frames are kept"  # what napari's question shows
        worker: Any = thread_worker(sam2v_tracking)()
        worker.aborted.connect(self._controller.tracking.stop)
        worker.start()
        self._worker = worker
