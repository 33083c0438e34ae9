"""The line at the top of the panel that always says the next useful step."""

from __future__ import annotations

from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QLabel, QWidget

from napari_sam2v.panel.basics import Wrapped, row
from napari_sam2v.panel.colors import legible, theme_colors
from napari_sam2v.panel.icons import line_icon
from napari_sam2v.panel.view_state import StatusKind


class StatusLine(QWidget):
    """One or two lines with an icon: what to do next, what is going on, or what went wrong."""

    def __init__(self) -> None:
        super().__init__()
        self._kind: StatusKind = "hint"
        self._icon = QLabel()
        # room for two lines, so that the panel below stays where it is when sentences change
        self._text = Wrapped(lines=2)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setAccessibleName("Next step")
        layout = row(self._icon, self._text, stretch=(0, 1))
        layout.setSpacing(7)
        self.setLayout(layout)
        self.set_text("", "hint")

    def set_text(self, text: str, kind: StatusKind = "hint") -> None:
        """Show a sentence: a "hint" at the next step, "busy" with something, a "warning" or an "error"."""
        if (text, kind) == (self._text.text(), self._kind) and text:
            return
        self._kind = kind
        self._text.setText(text)
        self._text.setAccessibleDescription(f"{kind}: {text}")
        self._draw()

    def text(self) -> str:
        """Return the sentence that is shown."""
        return self._text.text()

    def kind(self) -> StatusKind:
        """Return what sort of sentence it is."""
        return self._kind

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the theme and the size of its type."""
        super().changeEvent(event)
        if event is not None and event.type() in {QEvent.Type.StyleChange, QEvent.Type.PaletteChange}:
            self._draw()

    def _draw(self) -> None:
        colors = theme_colors(self)
        color = {"warning": colors.warning, "error": colors.error}.get(self._kind, colors.text)
        line = self._text.fontMetrics().lineSpacing()
        self._icon.setPixmap(line_icon(self._kind, legible(color, colors)).pixmap(line + 4, line + 4))
