"""Pictures of the panel in all its states: ``python -m tests.napari_sam2v.panel.gallery OUT.png``.

Each state is drawn in the dark and in the light theme, side by side; ``OUT-<state>-<theme>.png`` are the single ones.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtGui import QPainter, QPixmap
from qtpy.QtWidgets import QApplication

from napari_sam2v.panel.panel import Panel
from napari_sam2v.view_state import Choice, ModelEntry, ObjectRow, TimeMarks
from src_model.workflow.progress import RunProgress

if TYPE_CHECKING:
    from collections.abc import Callable

PALETTE = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167))
MODELS = (
    ModelEntry("default", "sam2v small", True, 41, "made for cells; quick on any computer"),
    ModelEntry("large", "SAM 2.1 large", False, 898, "most exact; wants a graphics card"),
)
FORMATS = (
    Choice("labels", "Labels TIFF\u2026", "One number an object, one file"),
    Choice("ctc", "Cell Tracking Challenge folder\u2026"),
    Choice("coco", "COCO JSON\u2026"),
    Choice("csv", "Table of measurements (CSV)\u2026"),
)


def marks(length: int, seed: int = 3) -> TimeMarks:
    """Make up the marks of an object that is prompted twice, leaves once and has one weak stretch."""
    rng = np.random.default_rng(seed)
    frames = np.arange(length) / length
    scores = 0.93 - 0.45 * np.exp(-(((frames - 0.58) / 0.03) ** 2)) + rng.normal(0, 0.015, length)
    absent = (frames > 0.74) & (frames < 0.8)
    tracked = (frames < 0.86) & ~absent
    scores[~tracked] = np.nan
    states = {name: np.zeros(length, dtype=bool) for name in ("prompted", "locked", "edited", "imported")}
    states["prompted"][[0, length // 3]] = True
    states["edited"][length // 2] = True
    states["locked"] = (frames > 0.12) & (frames < 0.24)
    return TimeMarks(length, tracked=tracked, absent=absent, scores=scores.astype(np.float32), **states)


def rows(count: int, length: int, seed: int = 1) -> tuple[ObjectRow, ...]:
    """Make up objects, most of them tracked, some with a low score, one locked, one hidden."""
    rng = np.random.default_rng(seed)
    scores = np.clip(rng.normal(0.84, 0.12, count), 0.1, 0.99)
    done = np.where(np.arange(count) < 0.8 * count, length, rng.integers(0, length, count))
    return tuple(
        ObjectRow(
            object_id=i + 1,
            name=f"cell {i + 1}" if i != 4 else "dividing, upper left",
            color=PALETTE[i % len(PALETTE)],
            frames_done=int(done[i]),
            frames_total=length,
            worst_score=float(scores[i]) if done[i] else None,
            worst_frame=int(rng.integers(length)) if done[i] else None,
            doubtful=int(max(0.0, 0.7 - scores[i]) * length) if done[i] else 0,
            locked=i == 1,
            visible=i != 3,
        )
        for i in range(count)
    )


def preview() -> np.ndarray:
    """Make up a frame with a few blobs: (64, 96, 3) uint8."""
    y, x = np.mgrid[:64, :96]
    blobs = ((20, 25, 9), (40, 60, 12), (15, 75, 7), (50, 20, 8))
    grey = sum(np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * r * r)) for cy, cx, r in blobs)
    return np.repeat((np.clip(grey, 0, 1) * 220 + 20).astype(np.uint8)[..., None], 3, axis=2)


def fill(panel: Panel, count: int, length: int) -> None:
    """Bring a panel to the middle of work."""
    panel.image.set_layers(["embryo 3"], "embryo 3")
    panel.image.set_preview(preview(), "frame 0")
    panel.image.set_summary(f"{length:,} frames, 512 \u00d7 768")
    panel.model.set_models(MODELS, "default")
    panel.model.set_device("CPU")
    panel.prompts.set_tool("point_positive")
    panel.prompts.set_candidates(3, 1)
    panel.prompts.set_history("prompt on cell 3", None)
    panel.prompts.set_labels_layers(["cellpose masks"])
    panel.objects.set_rows(rows(count, length))
    panel.objects.set_selected(3)
    panel.prompts.set_object("cell 3", PALETTE[2])
    panel.strip.set_marks(marks(length), PALETTE[2])
    panel.strip.set_frame(length // 3)
    panel.track.set_length(length)
    panel.result.set_formats(FORMATS)
    panel.result.set_autosave("saved 11:32")


def empty(panel: Panel) -> None:
    """No movie is open."""
    panel.status.set_text("Open a movie, or try File > Open Sample > sam2v.")
    panel.model.set_models(MODELS, "default")
    panel.model.set_device("CPU")
    reason = "Open a movie first"
    panel.prompts.set_enabled_reason(reason)
    panel.finding.set_enabled_reason(reason)
    panel.track.set_enabled_reason(reason)
    panel.result.set_enabled_reason(reason)


def working(panel: Panel) -> None:
    """Twelve objects, one of them selected."""
    fill(panel, 12, 120)
    panel.status.set_text("Cell 3 is uncertain on frame 69: press W to look, then correct it with a click.")
    panel.finding.set_found(22, 30, 0.71, None)
    panel.track.set_repair("frames 41 to 69")


def running(panel: Panel) -> None:
    """Track a range while a model is being fetched."""
    fill(panel, 12, 120)
    panel.model.set_download(RunProgress(310, 898, seconds_left=95.0))
    panel.track.set_range(20, 100)
    panel.strip.set_range(20, 100)
    panel.track.set_running(RunProgress(34, 80, 54, 41.0))
    panel.strip.set_frame(54)
    panel.finding.set_enabled_reason("Tracking is under way")
    panel.status.set_text("Tracking cell 3. You can look around; Stop keeps what is done.", "busy")


def warning(panel: Panel) -> None:
    """Something went wrong, and there is work to restore."""
    fill(panel, 3, 120)
    panel.image.set_choices("axes", [Choice("t", "t (120)"), Choice("z", "z (14)")], "t")
    panel.image.set_choices("channel", [Choice(0, "DAPI"), Choice(1, "GFP")], 1)
    panel.image.set_choices("plane", [Choice(number, f"plane {number}") for number in range(14)], 6)
    panel.model.set_models(MODELS, "large")
    panel.offer.set_offer("sam2v closed at 10:48 with unsaved work on embryo 3: 11 objects, 96 frames.")
    panel.status.set_text("The disk is full, so this work is not saved. Free some space, then press Save.", "error")
    panel.result.set_autosave("not saved since 11:32")
    panel.track.set_enabled_reason("Prompt the object first")


def crowded(panel: Panel) -> None:
    """Three hundred objects over ten thousand frames."""
    fill(panel, 300, 10_000)
    panel.status.set_text("Track all objects, or press N to add the next one.")


STATES: dict[str, Callable[[Panel], None]] = {f.__name__: f for f in (empty, working, running, warning, crowded)}


def draw(state: str, theme: str, *, width: int = 340, height: int = 870, ratio: float = 1.0) -> QPixmap:
    """Draw one state in one of napari's themes."""
    from napari.qt import get_stylesheet

    panel = Panel()
    panel.setStyleSheet(get_stylesheet(theme))
    STATES[state](panel)
    panel.resize(width, height)
    panel.show()
    QApplication.processEvents()
    picture = QPixmap(round(width * ratio), round(height * ratio))
    picture.setDevicePixelRatio(ratio)
    panel.render(picture)
    panel.close()
    panel.deleteLater()
    return picture


def main(out: str) -> None:
    """Draw all states in both themes into one picture, and each into its own."""
    from napari.qt import get_qapp

    app = get_qapp()
    path, gap = Path(out), 12
    themes = ("dark", "light")
    pictures = {(state, theme): draw(state, theme) for theme in themes for state in STATES}
    first = next(iter(pictures.values()))
    sheet = QPixmap((first.width() + gap) * len(STATES), (first.height() + gap) * len(themes))
    sheet.fill()
    painter = QPainter(sheet)
    for (state, theme), picture in pictures.items():
        place = list(STATES).index(state), themes.index(theme)
        painter.drawPixmap(place[0] * (first.width() + gap), place[1] * (first.height() + gap), picture)
        picture.save(str(path.with_name(f"{path.stem}-{state}-{theme}{path.suffix}")))
    painter.end()
    sheet.save(str(path))
    app.processEvents()


if __name__ == "__main__":
    main(sys.argv[1])
