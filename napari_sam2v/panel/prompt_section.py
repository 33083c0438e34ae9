"""The tools that make prompts, the next object, the masks for an ambiguous click, undo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qtpy.QtCore import Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QHBoxLayout, QLabel, QMenu, QWidget

from napari_sam2v.panel.icons import swatch_icon
from napari_sam2v.panel.widgets import Heading, IconButton, Tag, ToolButton, column, row
from napari_sam2v.view_state import TOOLS, Color

_TOOL_TEXTS = {
    "point_positive": ("Include", "Click what belongs to the object"),
    "point_negative": ("Exclude", "Click what does not belong to the object"),
    "scribble": ("Scribble", "Draw a line through the object; with Ctrl, through what does not belong to it"),
    "box": ("Box", "Draw a box around the object"),
    "lasso": ("Outline", "Draw the outline of the object: a lasso, or a polygon click by click"),
    "paint": ("Paint", "Paint the object, or correct its mask with brush and eraser"),
}


class PromptSection(QWidget):
    """Tools, the next object, the masks for an ambiguous click, undo.

    Signals
    -------
    tool_chosen(str)
        One of `TOOLS`, or "" where the user put the tool away.
    next_object()
        Let the next prompt start a new object.
    answer_requested()
        Let the model answer the waiting prompts.
    next_mask_requested()
        Show the next mask of an ambiguous click.
    prompt_cleared()
        Remove the prompts of this object on this frame.
    undo(), redo()
        One step back or forth.
    labels_imported(str)
        Take every object of a labels layer's shown frame as mask prompts; the name of the layer.
    label_imported(str)
        Take the label that is selected in a labels layer as mask prompt of the selected object; the name of the layer.
    """

    tool_chosen = Signal(str)
    next_object = Signal()
    answer_requested = Signal()
    next_mask_requested = Signal()
    prompt_cleared = Signal()
    undo = Signal()
    redo = Signal()
    labels_imported = Signal(str)
    label_imported = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._object: tuple[str | None, Color | None] | None = None
        self._make_buttons()
        self.object_dot = QLabel()
        self.object_name = Tag()
        target = QWidget()
        target.setLayout(row(self.object_dot, self.object_name))
        layout = column(self)
        layout.addWidget(Heading("Prompts", target))
        layout.addLayout(row(*self.tools.values(), stretch=(1,) * len(TOOLS)))
        layout.addLayout(self._second_row())
        self._connect()
        self.set_candidates(0, 0)
        self.set_history(None, None)
        self.set_labels_layers(())
        self.set_object(None)
        self.set_collecting(False)

    def _make_buttons(self) -> None:
        self.tools = {tool: ToolButton(tool, tip, text) for tool, (text, tip) in _TOOL_TEXTS.items()}
        self.next_button = IconButton("next_object", "Start the next object", "Next object")
        self.answer_button = IconButton("answer", "Let the model answer the waiting prompts", "Answer")
        self.mask_button = IconButton("next_mask", "", name="Next mask")
        self.labels_button = IconButton("labels", "", name="Prompts from labels")
        self.labels_menu = QMenu(self)
        self.labels_button.setMenu(self.labels_menu)
        self.clear_button = IconButton(
            "clear_frame", "Remove this object's prompts from this frame", name="Clear frame"
        )
        self.undo_button = IconButton("undo", "Undo", name="Undo")
        self.redo_button = IconButton("redo", "Redo", name="Redo")

    def _second_row(self) -> QHBoxLayout:
        layout = row(self.next_button, self.answer_button, stretch=(1, 1))
        for button in (self.mask_button, self.labels_button, self.clear_button):
            layout.addWidget(button)
        layout.addSpacing(6)
        layout.addWidget(self.undo_button)
        layout.addWidget(self.redo_button)
        return layout

    def _connect(self) -> None:
        for tool, button in self.tools.items():
            button.clicked.connect(lambda checked, tool=tool: self._on_tool(tool if checked else ""))
        self.next_button.clicked.connect(lambda: self.next_object.emit())
        self.answer_button.clicked.connect(lambda: self.answer_requested.emit())
        self.mask_button.clicked.connect(lambda: self.next_mask_requested.emit())
        self.clear_button.clicked.connect(lambda: self.prompt_cleared.emit())
        self.undo_button.clicked.connect(lambda: self.undo.emit())
        self.redo_button.clicked.connect(lambda: self.redo.emit())

    def set_tool(self, tool: str | None) -> None:
        """Show which of `TOOLS` is active, None for none."""
        for name, button in self.tools.items():
            button.setChecked(name == tool)

    def set_object(self, name: str | None, color: Color | None = None) -> None:
        """Show whom prompts go to: the selected object, or a new one (None)."""
        if (name, color) == self._object:
            return
        self._object = (name, color)
        self.object_name.setText(name or "a new object")
        self.object_name.setToolTip(f"Prompts go to: {name}" if name else "The next prompt starts a new object")
        self.object_dot.setVisible(color is not None)
        if color is not None:
            side = self.object_name.fontMetrics().height()
            self.object_dot.setPixmap(swatch_icon(QColor(*color)).pixmap(side, side))

    def set_collecting(self, collecting: bool) -> None:
        """Offer to have waiting prompts answered, where prompts wait for that."""
        self.answer_button.setVisible(collecting)

    def set_candidates(self, count: int, chosen: int) -> None:
        """Show which of `count` masks for a click is taken, counted from 0; below two there is nothing to cycle."""
        several = count > 1
        self.mask_button.setText(f"{chosen + 1}/{count}" if several else "")
        self.mask_button.set_tip("Next mask for this click: part, whole or more")
        self.mask_button.set_reason(None if several else "This click has one mask")

    def set_history(self, can_undo: str | None, can_redo: str | None) -> None:
        """Name the steps that undo and redo would make, None where there is none."""
        self.undo_button.set_tip(f"Undo: {can_undo}" if can_undo else "Undo")
        self.undo_button.set_reason(None if can_undo else "Nothing to undo")
        self.redo_button.set_tip(f"Redo: {can_redo}" if can_redo else "Redo")
        self.redo_button.set_reason(None if can_redo else "Nothing to redo")

    def set_labels_layers(self, names: Sequence[str]) -> None:
        """Offer these labels layers as prompts."""
        for old in self.labels_menu.findChildren(QMenu):
            old.deleteLater()
        self.labels_menu.clear()
        for name in names:
            submenu = self.labels_menu.addMenu(name)
            each = submenu.addAction("Every label of this frame, one object for each")
            each.triggered.connect(lambda _checked=False, name=name: self.labels_imported.emit(name))
            one = submenu.addAction("The selected label, as the mask of this object")
            one.triggered.connect(lambda _checked=False, name=name: self.label_imported.emit(name))
        self.labels_button.set_tip("Take masks from a Labels layer, for instance of another segmentation, as prompts")
        self.labels_button.set_reason(None if names else "No Labels layer yet: open one, or let another plugin make it")

    def set_enabled_reason(self, reason: str | None) -> None:
        """Disable the tools and say why, or enable them (None)."""
        for button in (*self.tools.values(), self.next_button, self.answer_button, self.clear_button):
            button.set_reason(reason)

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """Name the keys, by action id, in the tooltips and on the tools."""
        buttons: dict[str, IconButton] = {**self.tools, "next_object": self.next_button, "undo": self.undo_button}
        buttons |= {
            "answer": self.answer_button,
            "next_mask": self.mask_button,
            "redo": self.redo_button,
            "clear_frame": self.clear_button,
        }
        for action, button in buttons.items():
            button.set_key(keys.get(action, ""))
            button.update()

    def _on_tool(self, tool: str) -> None:
        self.set_tool(tool)
        self.tool_chosen.emit(tool)
