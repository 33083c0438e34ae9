"""The panel: all sections in one column."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from napari_sam2v.actions import DEFAULT_KEYS
from napari_sam2v.panel.basics import IconButton, column, row
from napari_sam2v.panel.image_section import ImageSection
from napari_sam2v.panel.model_section import ModelSection
from napari_sam2v.panel.object_table import ObjectTable
from napari_sam2v.panel.prompt_section import PromptSection
from napari_sam2v.panel.restore_offer import RestoreOffer
from napari_sam2v.panel.result_section import ResultSection
from napari_sam2v.panel.shortcut_overview import ShortcutOverview
from napari_sam2v.panel.status_line import StatusLine
from napari_sam2v.panel.time_strip import TimeStrip
from napari_sam2v.panel.track_section import TrackSection


class Panel(QWidget):
    """One column: status, image with model, prompts, offer, objects, strip, track, result.

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
        self.objects = ObjectTable()
        self.strip = TimeStrip()
        self.track = TrackSection()
        self.result = ResultSection()
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
        layout.setContentsMargins(7, 2, 7, 5)
        layout.setSpacing(6)
        top = row(self.status, self.help, stretch=(1, 0))
        top.setAlignment(self.help, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(top)
        self.image.form.add(self.model, "Model")
        middle = _OfferAndTable(self.offer, self.objects)
        for section in (self.image, self.prompts, middle, self.strip, self.track, self.result):
            layout.addWidget(section)
        layout.setStretchFactor(middle, 2)
        layout.setStretchFactor(self.strip, 1)
        column(self).addWidget(_UpDown(sections))

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """Name the keys, by action id, in tooltips, on tools, in menus and in the overview."""
        for section in (self.prompts, self.objects, self.strip, self.track):
            section.set_keys(keys)
        self.shortcuts.set_keys(keys)

    def show_shortcuts(self) -> None:
        """Open the overview of all keys below its button."""
        self.shortcuts.open_below(self.help)


class _OfferAndTable(QWidget):
    """The table gives the offer its height, so that nothing else has to move."""

    def __init__(self, offer: RestoreOffer, table: ObjectTable) -> None:
        super().__init__()
        self._view = table.view
        inner = column(self)
        inner.addWidget(offer)
        inner.addWidget(table, 1)

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
