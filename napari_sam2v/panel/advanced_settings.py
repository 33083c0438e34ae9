"""Settings that few people change, behind a button."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QLabel, QVBoxLayout, QWidget

from napari_sam2v.panel.basics import GAP, ChoiceBox, row
from napari_sam2v.panel.popup import Popup
from napari_sam2v.panel.view_state import Choice, TrackSettings


class AdvancedSettings(Popup):
    """Overlap policy, repair by itself, prompts that wait, follow the run.

    Signals
    -------
    settings_changed(object)
        All of them, as `TrackSettings`, after the user changed one.
    """

    settings_changed = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, "Advanced settings")
        self.overlap = ChoiceBox(
            "Overlap", "Which object keeps pixels that two objects claim", missing="Open a movie first"
        )
        self.repair = QCheckBox("Repair by itself after a correction")
        self.repair.setToolTip("Track again around each corrected frame, without being asked")
        self.collect = QCheckBox("Collect prompts before the model answers")
        self.collect.setToolTip("Clicks, lines and boxes wait until you press Answer, or track")
        self.follow = QCheckBox("Show each frame while it is tracked")
        self.follow.setToolTip("Move the viewer along with the run; off, it stays where it is")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 10, 14, 12)
        layout.setSpacing(GAP)
        layout.addLayout(row(QLabel("Overlap"), self.overlap, stretch=(0, 1)))
        for box in (self.repair, self.collect, self.follow):
            layout.addWidget(box)
            box.clicked.connect(self._report)
        self.set_settings(TrackSettings())
        self.overlap.chosen.connect(self._report)

    def set_overlap(self, options: Sequence[Choice | str], selected: str) -> None:
        """Offer these policies."""
        self.overlap.set_choices(options, selected)

    def set_settings(self, settings: TrackSettings) -> None:
        """Show these settings."""
        self.overlap.select(settings.overlap)
        self.repair.setChecked(settings.repair_after_correction)
        self.collect.setChecked(settings.collect_prompts)
        self.follow.setChecked(settings.follow)

    def settings(self) -> TrackSettings:
        """Return what is shown."""
        return TrackSettings(
            self.overlap.selected() or "", self.repair.isChecked(), self.collect.isChecked(), self.follow.isChecked()
        )

    def _report(self) -> None:
        self.settings_changed.emit(self.settings())
