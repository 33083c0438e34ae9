"""Settings that few people change, folded away."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QEvent, Signal
from qtpy.QtWidgets import QCheckBox, QLabel, QWidget
from superqt import QCollapsible

from napari_sam2v.panel.basics import GAP, ChoiceBox, column, row
from napari_sam2v.panel.colors import theme_colors
from napari_sam2v.panel.icons import line_icon
from napari_sam2v.panel.view_state import Choice, TrackSettings


class AdvancedSettings(QWidget):
    """Overlap policy, repair by itself, follow the run; closed until it is opened.

    Signals
    -------
    settings_changed(object)
        All of them, as `TrackSettings`, after the user changed one.
    """

    settings_changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.overlap = ChoiceBox(
            "Overlap", "Which object keeps pixels that two objects claim", missing="Open a movie first"
        )
        self.repair = QCheckBox("Repair by itself after a correction")
        self.repair.setToolTip("Track again around each corrected frame, without being asked")
        self.follow = QCheckBox("Show each frame while it is tracked")
        self.follow.setToolTip("Move the viewer along with the run; off, it stays where it is")
        self.fold = QCollapsible("Advanced")
        self._lay_out()
        self.set_settings(TrackSettings())
        self.overlap.chosen.connect(self._report)
        self.repair.clicked.connect(self._report)
        self.follow.clicked.connect(self._report)

    def _lay_out(self) -> None:
        content = QWidget()
        inner = column(content)
        inner.addLayout(row(QLabel("Overlap"), self.overlap, stretch=(0, 1)))
        inner.addWidget(self.repair)
        inner.addWidget(self.follow)
        self.fold.setContent(content)
        self.fold.setDuration(0)
        self.fold.collapse(animate=False)
        # folded away, the settings must not be on the way of the Tab key either
        content.hide()
        self.fold.toggled.connect(content.setVisible)
        # a fold is no button that stays pressed: without this it takes the theme's colour of a chosen tool
        self.fold.toggleButton().setStyleSheet("text-align: left; border: none; background: none; padding: 2px 0px;")
        self.fold.toggleButton().setToolTip("Settings that are seldom changed")
        layout = self.fold.layout()
        if layout is not None:
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(GAP)
        column(self).addWidget(self.fold)
        self._draw_icons()

    def set_overlap(self, options: Sequence[Choice | str], selected: str) -> None:
        """Offer these policies."""
        self.overlap.set_choices(options, selected)

    def set_settings(self, settings: TrackSettings) -> None:
        """Show these settings."""
        self.overlap.select(settings.overlap)
        self.repair.setChecked(settings.repair_after_correction)
        self.follow.setChecked(settings.follow)

    def settings(self) -> TrackSettings:
        """Return what is shown."""
        return TrackSettings(self.overlap.selected() or "", self.repair.isChecked(), self.follow.isChecked())

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event is not None and event.type() in {QEvent.Type.StyleChange, QEvent.Type.PaletteChange}:
            self._draw_icons()

    def _draw_icons(self) -> None:
        color = theme_colors(self).text
        self.fold.setExpandedIcon(line_icon("unfolded", color))
        self.fold.setCollapsedIcon(line_icon("folded", color))

    def _report(self) -> None:
        self.settings_changed.emit(self.settings())
