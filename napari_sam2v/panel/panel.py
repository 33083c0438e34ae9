"""The panel: all sections in one column."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from napari_sam2v.actions import ACTIONS, DEFAULT_KEYS
from napari_sam2v.panel.find_section import FindSection
from napari_sam2v.panel.image_section import ImageSection
from napari_sam2v.panel.model_section import ModelSection
from napari_sam2v.panel.object_table import ObjectTable
from napari_sam2v.panel.prompt_section import PromptSection
from napari_sam2v.panel.result_section import RestoreOffer, ResultSection
from napari_sam2v.panel.review_section import ReviewSection
from napari_sam2v.panel.status_line import StatusLine
from napari_sam2v.panel.time_strip import TimeStrip
from napari_sam2v.panel.track_section import TrackSection
from napari_sam2v.panel.widgets import IconButton, Popup, column, row
from napari_sam2v.wording import key_text


class Panel(QWidget):
    """One column: status, image with model, prompts, find, offer, objects, review, strip, track, result.

    The sections are attributes; whoever owns the panel fills them through their setters and listens to their signals.
    The panel itself only keeps the range of the strip and the range of the track section the same. Where there is less
    height than it needs, it scrolls; where there is more, the table of objects and the strip get it. Nothing that comes
    and goes by itself moves what is above the table.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # napari fills its docks up with empty space below widgets that do not ask for all of the height
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.status = StatusLine()
        self.offer = RestoreOffer()
        self.image = ImageSection()
        self.model = ModelSection()
        self.prompts = PromptSection()
        self.finding = FindSection()
        self.objects = ObjectTable()
        self.strip = TimeStrip()
        self.review = ReviewSection()
        self.track = TrackSection()
        self.result = ResultSection()
        self.lineage = IconButton("lineage", "Lineage: the tree of all tracks", name="Lineage")
        self.plots = IconButton("plots", "Plots: area, speed, intensity, score of the selected objects", name="Plots")
        self.help = IconButton("help", "All shortcuts", name="Shortcuts")
        self.shortcuts = ShortcutOverview(self)
        self._lay_out()
        self.help.clicked.connect(self.show_shortcuts)
        self.strip.range_changed.connect(self.track.set_range)
        self.track.range_changed.connect(self.strip.set_range)
        self.set_keys(DEFAULT_KEYS)

    def _lay_out(self) -> None:
        sections = QWidget()
        layout = QVBoxLayout(sections)
        layout.setContentsMargins(7, 2, 7, 1)
        layout.setSpacing(4)
        buttons = (self.lineage, self.plots, self.help)
        top = row(self.status, *buttons, stretch=(1, 0, 0, 0))
        for button in buttons:
            top.setAlignment(button, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(top)
        self.image.form.add(self.model, "Model")
        middle = _Middle(self.offer, self.objects, self.review)
        for section in (self.image, self.prompts, self.finding, middle, self.strip, self.track, self.result):
            layout.addWidget(section)
        layout.setStretchFactor(middle, 2)
        layout.setStretchFactor(self.strip, 1)
        column(self).addWidget(_UpDown(sections))

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """Name the keys, by action id, in tooltips, on tools, in menus and in the overview."""
        for section in (self.prompts, self.finding, self.objects, self.strip, self.review, self.track):
            section.set_keys(keys)
        self.shortcuts.set_keys(keys)

    def show_shortcuts(self) -> None:
        """Open the overview of all keys below its button."""
        self.shortcuts.open_below(self.help)


class _Middle(QWidget):
    """The table gives the offer and the review, which come and go, its height, so that nothing else has to move."""

    def __init__(self, offer: RestoreOffer, table: ObjectTable, review: ReviewSection) -> None:
        super().__init__()
        self._view = table.view
        inner = column(self)
        inner.addWidget(offer)
        inner.addWidget(table, 1)
        inner.addWidget(review)

    def minimumSizeHint(self) -> QSize:
        """Room for two objects: with less, the panel scrolls."""
        line = self._view.fontMetrics().height()
        return super().minimumSizeHint().expandedTo(QSize(0, round(7.5 * line)))


class _UpDown(QScrollArea):
    """Scrolls up and down where there is too little height; never narrower than what it holds."""

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._content = content
        self.setWidget(content)
        content.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Let the window know when the sections need another size."""
        if watched is self._content and event is not None and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)

    def sizeHint(self) -> QSize:
        """Ask for the height at which nothing scrolls."""
        return QSize(self._width(), self._content.sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Do with any height."""
        return QSize(self._width(), 240)

    def _width(self) -> int:
        bar = self.verticalScrollBar()
        # the style sheet puts a pixel around every widget, which no size hint of the bar contains
        return self._content.minimumSizeHint().width() + (bar.sizeHint().width() + 2 if bar is not None else 0)


_MORE = (
    ("Drag on the strip", "Go through the movie"),
    ("Space, F2, Enter, Del", "In the table: show or hide, rename, worst frame, delete"),
)


class ShortcutOverview(Popup):
    """A popup with all actions and their keys."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, "Shortcuts")
        self._lines = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(14, 10, 14, 12)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(2)

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """List these keys, by action id; actions without a key are left out."""
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        self._lines, group = 0, ""
        for action in ACTIONS:
            key = keys.get(action.id, "")
            if not key:
                continue
            if action.group != group:
                group = action.group
                self._add(_bold(group), QLabel())
            self._add(QLabel(key_text(key)), QLabel(action.title))
        self._add(_bold("Panel"), QLabel())
        for keys_text, title in _MORE:
            self._add(QLabel(keys_text), QLabel(title))

    def _add(self, left: QLabel, right: QLabel) -> None:
        self._grid.addWidget(left, self._lines, 0)
        self._grid.addWidget(right, self._lines, 1)
        self._lines += 1


def _bold(text: str) -> QLabel:
    label = QLabel(text)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label
