"""A progress bar that is drawn with the rest of the window."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QProgressBar

from src_model.workflow.progress import RunProgress


class ProgressBar(QProgressBar):
    """How far something is, and in words."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._line = ""
        self.setAccessibleName(name)

    def text(self) -> str:
        """Return as much of the words as fits, which the style draws into the bar; all of them are in the tooltip."""
        return self.fontMetrics().elidedText(self._line, Qt.TextElideMode.ElideRight, self.width() - 6)

    def show_progress(self, progress: RunProgress, text: str) -> None:
        """Show `done` of `total`, and the text in the bar; the bar runs to and fro where `total` is 0."""
        # Qt draws a bar at once when its value changes, and with it everything in the window that waits to be drawn:
        # the canvas too, in the middle of whatever goes on.
        self.setUpdatesEnabled(False)
        self.setRange(0, progress.total)
        self.setValue(progress.done)
        self._line = text
        self.setToolTip(text)
        self.setUpdatesEnabled(True)
