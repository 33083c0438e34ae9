"""The line at the top of the panel that always says the next useful step."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QSize, Qt
from qtpy.QtGui import QMouseEvent, QResizeEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget
from superqt import QElidingLabel

from napari_sam2v.panel.drawing import legible, theme_colors
from napari_sam2v.panel.icons import line_icon
from napari_sam2v.panel.widgets import Popup, row
from napari_sam2v.view_state import StatusKind

_POPUP_WIDTH = 360


class StatusLine(QWidget):
    """Two lines with an icon: what to do next, what is going on, or what went wrong.

    The place is always as high as two lines, so that the panel below stays where it is under the pointer. A longer text
    is cut; a click, or the tooltip, shows all of it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._kind: StatusKind = "hint"
        self._icon = QLabel()
        self._text = _TwoLines()
        self._text.setAccessibleName("Next step")
        self._whole = _WholeText(self)
        layout = row(self._icon, self._text, stretch=(0, 1))
        layout.setSpacing(7)
        self.setLayout(layout)
        self.set_text("", "hint")

    def set_text(self, text: str, kind: StatusKind = "hint") -> None:
        """Show a sentence: a "hint" at the next step, "busy" with something, a "warning" or an "error"."""
        if (text, kind) == (self._text.whole, self._kind) and text:
            return
        self._kind = kind
        self._text.show_text(text)
        self._text.setAccessibleDescription(f"{kind}: {text}")
        self._draw()

    def text(self) -> str:
        """Return the whole sentence, cut or not."""
        return self._text.whole

    def kind(self) -> StatusKind:
        """Return what sort of sentence it is."""
        return self._kind

    def is_cut(self) -> bool:
        """Whether the sentence is too long for its place."""
        return self._text.is_cut

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Show all of a sentence that is cut."""
        if event is not None and self._text.is_cut:
            self._whole.open_with(self._text.whole, self)

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


class _TwoLines(QLabel):
    """A sentence on two lines; the second one is cut where there is more.

    superqt's eliding label would take as many lines as it needs, and then trade its width against its height, which
    moves the panel below.
    """

    def __init__(self) -> None:
        super().__init__()
        self.whole = ""
        self.is_cut = False
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_text(self, text: str) -> None:
        self.whole = text
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(120, 2 * self.fontMetrics().lineSpacing() + 4)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event is not None and event.type() in {QEvent.Type.StyleChange, QEvent.Type.FontChange}:
            self.updateGeometry()
            self._fit()

    def _fit(self) -> None:
        width = max(self.width(), 60) - 4
        first, *others = QElidingLabel.wrapText(" ".join(self.whole.split()), width, self.font()) or [""]
        rest = "".join(others)
        shown = self.fontMetrics().elidedText(rest, Qt.TextElideMode.ElideRight, width)
        self.is_cut = shown != rest
        self.setText(f"{first.rstrip()}\n{shown}" if rest else first)
        self.setToolTip(self.whole if self.is_cut else "")
        self.setCursor(Qt.CursorShape.PointingHandCursor if self.is_cut else Qt.CursorShape.ArrowCursor)


class _WholeText(Popup):
    """All of a sentence, to be read and copied."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, "Message")
        self._label = QLabel()
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setWordWrap(True)
        self._label.setFixedWidth(_POPUP_WIDTH)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 10, 14, 12)
        layout.addWidget(self._label)

    def open_with(self, text: str, widget: QWidget) -> None:
        self._label.setText(text)
        self.open_below(widget)
