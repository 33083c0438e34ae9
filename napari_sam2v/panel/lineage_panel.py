"""The dock of the lineage: the tree, what is under the pointer in words, and what can be done with the selection."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_sam2v.panel.lineage_canvas import LineageCanvas
from napari_sam2v.panel.widgets import IconButton, Tag, column, row

_BUTTONS = (
    ("mark_division", "Division", "Division: select the mother and her daughters, or her and the one that was found"),
    ("mark_fusion", "Fusion", "Fusion: select two objects and what they became, or the two alone"),
    ("join_tracks", "Join", "Join: tracks that follow one another are one object"),
    ("cut_track", "Cut", "Cut: the selected track before the shown frame, the clicked edge, or the edge between two"),
)
_LEGEND = (
    "<b>Wide</b>: a good score; <b>narrow</b>: worth a look; <b>dotted</b>: no mask<br>"
    "Click a track to go there; with Ctrl or Shift, select it too<br>"
    "Drag from the end of a track to the beginning of another to connect them<br>"
    "Drag an edge, or the beginning of a daughter, away to cut it<br>"
    "Wheel: zoom, with Ctrl time alone, with Shift pan; drag: pan; Home: show all"
)


class LineagePanel(QWidget):
    """The lineage of the open document.

    Signals
    -------
    action_requested(str)
        Id of the action that is to be done with the selection.
    """

    action_requested = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.canvas = LineageCanvas()
        self.line = Tag()
        self.buttons = {name: IconButton(name, tip, text) for name, text, tip in _BUTTONS}
        self.all = IconButton("show_all", "Show all tracks (Home)", name="Show all")
        self.legend = IconButton("help", _LEGEND, name="Legend")
        layout = column(self)
        layout.setContentsMargins(7, 2, 7, 5)
        layout.addLayout(row(*self.buttons.values(), self.all, self.legend, self.line, stretch=(0, 0, 0, 0, 0, 0, 1)))
        layout.addWidget(self.canvas, 1)
        for name, button in self.buttons.items():
            button.clicked.connect(lambda _checked=False, name=name: self.action_requested.emit(name))
        self.all.clicked.connect(lambda: self.canvas.show_all())

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """Name the keys, by action id, in the tooltips."""
        for name, button in self.buttons.items():
            button.set_key(keys.get(name, ""))

    def set_line(self, text: str) -> None:
        """Say what is under the pointer, beside the buttons and as a tooltip."""
        self.line.setText(text)
        self.canvas.setToolTip(text)

    def set_enabled_reason(self, reason: str | None) -> None:
        """Disable the buttons and say why, or enable them (None)."""
        for button in (*self.buttons.values(), self.all):
            button.set_reason(reason)
