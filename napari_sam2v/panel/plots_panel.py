"""The dock of the plots: the curves, which of them are shown, and the values on the shown frame in words."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPushButton, QSizePolicy, QWidget

from napari_sam2v.panel.plots_canvas import PlotsCanvas
from napari_sam2v.panel.widgets import IconButton, Tag, column, row
from src_model.measures import QUANTITIES

_LEGEND = (
    "Curves of the selected objects, in their colors; the line is the frame that is shown<br>"
    "Click: go to a frame; wheel: zoom in time; drag: pan; double-click: show all<br>"
    "<b>Area</b>, <b>speed</b> of the centroid since the frame before, mean <b>intensity</b> of the movie's own values "
    "under the mask, <b>score</b>: predicted IoU times the probability that the object is there"
)


class PlotsPanel(QWidget):
    """Plots of the selected objects.

    Signals
    -------
    table_requested
        The numbers are to be written into a file.
    """

    table_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.canvas = PlotsCanvas()
        self.line = Tag()
        self.shown = {name: _switch(name) for name in QUANTITIES}
        self.all = IconButton("show_all", "Show the whole movie (double-click)", name="Show all")
        self.table = IconButton("export", "Write these numbers of the selected objects as a CSV table", "Table")
        self.legend = IconButton("help", _LEGEND, name="Legend")
        layout = column(self)
        layout.setContentsMargins(7, 2, 7, 5)
        buttons = (*self.shown.values(), self.all, self.table, self.legend)
        layout.addLayout(row(*buttons, self.line, stretch=(*(0 for _ in buttons), 1)))
        layout.addWidget(self.canvas, 1)
        for switch in self.shown.values():
            switch.toggled.connect(lambda _on: self._show_quantities())
        self.all.clicked.connect(lambda: self.canvas.show_all())
        self.table.clicked.connect(lambda: self.table_requested.emit())

    def set_line(self, text: str) -> None:
        """Say what is to be said of the curves."""
        self.line.setText(text)

    def set_enabled_reason(self, reason: str | None) -> None:
        """Disable the buttons that need curves and say why, or enable them (None)."""
        self.table.set_reason(reason)

    def _show_quantities(self) -> None:
        self.canvas.show_quantities([name for name, switch in self.shown.items() if switch.isChecked()])


def _switch(name: str) -> QPushButton:
    switch = QPushButton(name.capitalize())
    switch.setCheckable(True)
    switch.setChecked(True)
    switch.setToolTip(f"Show or hide the plot of the {name}")
    switch.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
    return switch
