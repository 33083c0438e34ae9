"""Small widgets that the sections are made of."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QEvent, QPoint, QSize, Qt
from qtpy.QtGui import QFont, QIcon, QKeyEvent, QPaintEvent, QResizeEvent
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QVBoxLayout,
    QWidget,
)

from napari_sam2v.panel.drawing import painting, theme_colors
from napari_sam2v.panel.icons import line_icon
from napari_sam2v.wording import key_text, with_key
from src_model.workflow.progress import RunProgress

GAP = 4
"""Space between neighbours, in device-independent pixels."""


def row(*widgets: QWidget, stretch: Sequence[int] = ()) -> QHBoxLayout:
    """Lay widgets side by side, tightly."""
    layout = QHBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(GAP)
    for index, widget in enumerate(widgets):
        layout.addWidget(widget, stretch[index] if stretch else 0)
    return layout


def column(widget: QWidget) -> QVBoxLayout:
    """Give a widget the layout that all sections have: one column, no margins."""
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(GAP)
    return layout


def scaled(font: QFont, factor: float) -> QFont:
    """Return a font of another size, whether its size is in points or in pixels."""
    result = QFont(font)
    if font.pointSizeF() > 0:
        result.setPointSizeF(font.pointSizeF() * factor)
    else:
        result.setPixelSize(max(1, round(font.pixelSize() * factor)))
    return result


class Wrapped(QLabel):
    """A sentence over as many lines as it needs.

    Qt's own labels trade width against height; one of those in a column that scrolls keeps everything else in it from
    shrinking. Here the height follows the width after the fact.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def setText(self, text: str | None) -> None:
        """Show a sentence."""
        super().setText(text)
        self.updateGeometry()

    def hasHeightForWidth(self) -> bool:
        """Keep out of Qt's trade."""
        return False

    def sizeHint(self) -> QSize:
        """Ask for the height that the text needs at the present width."""
        metrics, width = self.fontMetrics(), max(self.width(), 120) - 4
        needed = metrics.boundingRect(0, 0, width, 10_000, int(Qt.TextFlag.TextWordWrap), self.text()).height()
        return QSize(120, needed + 4)

    def minimumSizeHint(self) -> QSize:
        """Do not let the text be cut."""
        return QSize(60, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Ask for another height at another width."""
        super().resizeEvent(event)
        self.updateGeometry()


class Heading(QWidget):
    """The title of a section with a line beside it; what belongs to the whole section stands at its right end."""

    def __init__(self, title: str, right: QWidget | None = None) -> None:
        super().__init__()
        self._label = QLabel(title)
        font = self._label.font()
        font.setBold(True)
        self._label.setFont(font)
        self._right = right
        layout = row(self._label)
        layout.addStretch(1)
        if right is not None:
            layout.addWidget(right)
        self.setLayout(layout)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the line."""
        with painting(self) as painter:
            painter.setPen(theme_colors(self).primary)
            end = self.width()
            # a tag without text is a few pixels wide
            if self._right is not None and self._right.width() > 4 * GAP:
                end = self._right.x() - 7
            painter.drawLine(self._label.geometry().right() + 6, self.height() // 2, end, self.height() // 2)


class Tag(QLabel):
    """A short paler text at the end of a heading, cut where there is no room.

    superqt's eliding label asks for the width of its cut text, and would not grow again with the panel.
    """

    def setText(self, text: str | None) -> None:
        """Show a text; all of it is in the tooltip, until something else is said there."""
        super().setText(text or "")
        self.setToolTip(text or "")

    def minimumSizeHint(self) -> QSize:
        """Never keep the panel from being made narrow."""
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the text paler than a label's."""
        with painting(self) as painter:
            painter.setOpacity(0.75)
            painter.setPen(theme_colors(self).text)
            painter.setFont(scaled(self.font(), 0.92))
            text = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
            painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), text)


class IconButton(QPushButton):
    """A button with an icon in the color of the theme, and a tooltip that names its key.

    Clicks leave the keyboard where it is, mostly on the image, so that shortcuts go on working; Tab still reaches it.
    """

    def __init__(self, icon: str, tip: str, text: str = "", *, name: str = "") -> None:
        super().__init__(text)
        self._icon_name, self._tip, self._key = icon, tip, ""
        self._reason: str | None = None
        self.setAccessibleName(name or text or tip)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        # as high as the row, whatever edges the theme draws around some of its buttons
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        self._show_tip()
        self._draw_icon()

    @property
    def key(self) -> str:
        """The key of napari ("Shift-N") that does the same, "" for none."""
        return self._key

    def set_key(self, key: str) -> None:
        """Name another key in the tooltip."""
        self._key = key
        self._show_tip()

    def set_tip(self, tip: str) -> None:
        """Say something else in the tooltip."""
        self._tip = tip
        self._show_tip()

    def set_icon(self, icon: str) -> None:
        """Show another icon."""
        if icon != self._icon_name:
            self._icon_name = icon
            self._draw_icon()

    def set_reason(self, reason: str | None) -> None:
        """Disable the button and say why in its tooltip, or enable it (None)."""
        self._reason = reason
        self.setEnabled(reason is None)
        # themes draw disabled buttons with an edge, which changes their size
        self.updateGeometry()
        self._show_tip()

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event is not None and event.type() in {QEvent.Type.StyleChange, QEvent.Type.PaletteChange}:
            self._draw_icon()

    def _show_tip(self) -> None:
        tip = with_key(self._tip, self._key)
        self.setToolTip(f"{tip}\n{self._reason}" if self._reason else tip)
        self.setAccessibleDescription(self.toolTip())

    def _draw_icon(self) -> None:
        side = round(self.fontMetrics().height() * 1.05)
        # wider than the drawing, which leaves a gap before the text
        self.setIconSize(QSize(side + (6 if self.text() else 0), side))
        self.setIcon(line_icon(self._icon_name, theme_colors(self).text))


class ToolButton(IconButton):
    """A prompt tool: icon above its name, its key in the corner; stays pressed while the tool is active."""

    def __init__(self, icon: str, tip: str, text: str) -> None:
        super().__init__(icon, tip, text)
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Leave room for two lines."""
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self.text()) + 14, round(metrics.height() * 2.7))

    def minimumSizeHint(self) -> QSize:
        """Never so narrow that the icon is cut."""
        return QSize(self.fontMetrics().height() * 2, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the button of the style, then icon, name and key."""
        with painting(self) as painter:
            option = QStyleOptionButton()
            self.initStyleOption(option)
            option.text, option.icon, icon = "", QIcon(), self.icon()
            self.style().drawControl(QStyle.ControlElement.CE_PushButton, option, painter, self)
            metrics = self.fontMetrics()
            side = round(metrics.height() * 1.3)
            mode = QIcon.Mode.Normal if self.isEnabled() else QIcon.Mode.Disabled
            letter = key_text(self.key).replace("Shift+", "\u21e7")
            aside = 5 if len(letter) > 1 else 0  # two letters in the corner need a little of the icon's place
            left = (self.width() - side) // 2 - aside
            icon.paint(painter, left, 4, side, side, Qt.AlignmentFlag.AlignCenter, mode)
            painter.setPen(theme_colors(self).text)
            painter.setOpacity(1.0 if self.isEnabled() else 0.4)
            painter.setFont(scaled(self.font(), 0.92))
            below = self.rect().adjusted(0, 4 + side, 0, -2)
            painter.drawText(below, int(Qt.AlignmentFlag.AlignCenter), self.text())
            painter.setOpacity(0.8 if self.isEnabled() else 0.3)
            painter.setFont(scaled(self.font(), 0.8))
            corner = self.rect().adjusted(0, 2, -4, 0)
            painter.drawText(corner, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop), letter)


class Popup(QFrame):
    """A popup that looks like the panel; a click elsewhere, or Escape, closes it."""

    def __init__(self, parent: QWidget, name: str) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAccessibleName(name)

    def open_below(self, widget: QWidget) -> None:
        """Open with the top right corner below that of a widget, or as near as the screen allows."""
        point = widget.mapToGlobal(QPoint(widget.width(), widget.height() + 2))
        self.adjustSize()
        screen = self.screen().availableGeometry()
        x = min(max(point.x() - self.width(), screen.left()), screen.right() - self.width())
        y = min(max(point.y(), screen.top()), screen.bottom() - self.height())
        self.move(x, y)
        self.show()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw an edge, since the panel behind has the same color."""
        with painting(self) as painter:
            painter.setPen(theme_colors(self).highlight)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Close on Escape; letters do nothing here."""
        if event is not None and event.key() == Qt.Key.Key_Escape:
            self.hide()


class ProgressBar(QProgressBar):
    """A bar with a text, which says how far something is."""

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
