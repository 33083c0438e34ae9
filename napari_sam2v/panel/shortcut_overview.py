"""All keys at a glance."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtWidgets import QGridLayout, QLabel, QWidget

from napari_sam2v.actions import ACTIONS
from napari_sam2v.panel.popup import Popup
from napari_sam2v.panel.wording import key_text

_MORE = (
    ("Drag on the strip", "Scrub through the movie"),
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
