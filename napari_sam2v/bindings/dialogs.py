"""Questions to the user: which file, and what to do with work that would be lost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog, QMessageBox, QWidget

from src_model.document import SUFFIX

if TYPE_CHECKING:
    from src_model.formats import Format

MOVIES = ("*.tif", "*.tiff", "*.npy", "zarr.json", ".zattrs", ".zgroup", "mask*.tif", "*.png")
_OPEN = ";;".join(
    (
        f"All files that can be opened (*{SUFFIX} *_track.txt *.xml *.json {' '.join(MOVIES)})",
        f"sam2v annotation (*{SUFFIX})",
        f"Labels movie: one number an object ({' '.join(MOVIES)})",
        "Tracking folder: pick the table in it (*_track.txt)",
        "TrackMate file (*.xml)",
        "COCO JSON (*.json)",
        "GEFF graph: pick the metadata in it (zarr.json .zattrs)",
    )
)


def may_replace(path: Path, parent: QWidget | None = None) -> bool:
    """Ask whether a file that sam2v did not write may be replaced."""
    kind = QMessageBox.StandardButton
    text = f"'{path.name}' was not written by sam2v, or not in this format. Replace it? Its content will be lost."
    answer = QMessageBox.question(parent, "sam2v", text, kind.Yes | kind.Cancel, kind.Cancel)
    return answer == kind.Yes


class Dialogs:
    """Asks with the system's dialogs, which start where the last one ended.

    Parameters
    ----------
    parent
        Widget over which the dialogs open.
    """

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent
        self._folder = ""

    def may_replace(self, path: Path) -> bool:
        """Ask whether a file that sam2v did not write may be replaced."""
        return may_replace(path, self._parent)

    def to_save(self, name: str) -> Path | None:
        """Ask where an annotation goes."""
        given, _ = QFileDialog.getSaveFileName(
            self._parent, "Save annotation", self._start(name + SUFFIX), f"sam2v annotation (*{SUFFIX})"
        )
        return self._ended(given, (SUFFIX,))

    def to_open(self) -> Path | None:
        """Ask for an annotation or masks."""
        given, _ = QFileDialog.getOpenFileName(self._parent, "Open annotation or masks", self._start(), _OPEN)
        return self._ended(given)

    def to_export(self, chosen: Format, name: str) -> Path | None:
        """Ask where the file or folder of a format goes."""
        suffix = chosen.suffixes[0] if chosen.suffixes else ""
        pattern = f"{chosen.title} ({' '.join(f'*{each}' for each in chosen.suffixes)})" if suffix else "New folder (*)"
        start = self._start(name + suffix if suffix else f"{name}_{chosen.name}")
        given, _ = QFileDialog.getSaveFileName(self._parent, f"Export as {chosen.title}", start, pattern)
        return self._ended(given, chosen.suffixes)

    def may_lose(self, text: str) -> bool:
        """Ask whether work may be given up."""
        kind = QMessageBox.StandardButton
        answer = QMessageBox.question(self._parent, "sam2v", text, kind.Discard | kind.Cancel, kind.Cancel)
        return answer == kind.Discard

    def may_stop(self, text: str) -> bool:
        """Ask whether a run may be ended."""
        kind = QMessageBox.StandardButton
        return QMessageBox.question(self._parent, "sam2v", text, kind.Yes | kind.No, kind.No) == kind.Yes

    def _start(self, name: str = "") -> str:
        return str(Path(self._folder) / name) if self._folder else name

    def _ended(self, given: str, suffixes: tuple[str, ...] = ()) -> Path | None:
        if not given:
            return None
        path = Path(given)
        self._folder = str(path.parent)
        if suffixes and not path.name.lower().endswith(suffixes):
            path = path.with_name(path.name + suffixes[0])
        return path
