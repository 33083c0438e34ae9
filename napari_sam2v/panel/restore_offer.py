"""The offer to bring back work that was not saved."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtGui import QPaintEvent
from qtpy.QtWidgets import QWidget

from napari_sam2v.panel.basics import IconButton, Wrapped, column, row
from napari_sam2v.panel.colors import theme_colors
from napari_sam2v.panel.painting import painting


class RestoreOffer(QWidget):
    """A message with three answers inside the panel, hidden unless there is something to offer.

    Signals
    -------
    restore_requested(), discard_requested(), later_requested()
        The three answers. The offer hides itself after any of them.
    """

    restore_requested = Signal()
    discard_requested = Signal()
    later_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._text = Wrapped()
        self.restore = IconButton("open", "Go on where that work ended", "Restore")
        self.discard = IconButton("cancel", "Delete that work for good", "Discard")
        self.later = IconButton("busy", "Keep that work and ask again next time", "Later")
        layout = column(self)
        layout.setContentsMargins(12, 2, 0, 2)
        layout.addWidget(self._text)
        layout.addLayout(row(self.restore, self.later, self.discard, stretch=(1, 1, 1)))
        answers = ((self.restore, self.restore_requested), (self.discard, self.discard_requested))
        for button, signal in (*answers, (self.later, self.later_requested)):
            button.clicked.connect(self.hide)
            button.clicked.connect(lambda _checked=False, signal=signal: signal.emit())
        self.set_offer(None)

    def set_offer(self, text: str | None) -> None:
        """Show the offer with a sentence on what can be restored, or hide it (None)."""
        self._text.setText(text or "")
        self.setVisible(text is not None)

    def text(self) -> str:
        """Return the sentence that is shown."""
        return self._text.text()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the bar that sets the message off."""
        with painting(self) as painter:
            painter.fillRect(0, 2, 4, self.height() - 4, theme_colors(self).warning)
