"""Takes pictures of the real window, while a script works in it.

Those of docs/napari.md, and with --screens the window on three sizes of screen in both themes, to be judged by eye:

QT_API=pyqt6 xvfb-run -a -s "-screen 0 1600x1050x24" python tools/napari_screenshots.py [folder]
QT_API=pyqt6 xvfb-run -a -s "-screen 0 3840x2160x24" python tools/napari_screenshots.py --screens folder
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import napari
from PIL import Image
from qtpy.QtWidgets import QApplication

from napari_sam2v.preferences import Preferences
from napari_sam2v.sample_data import epithelium
from napari_sam2v.view_state import TrackOptions
from napari_sam2v.widget import Sam2vWidget

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW = (1400, 940)
SCREENS = ((1280, 720), (1920, 1080), (3840, 2160))
THEMES = ("dark", "light")
CELLS = ((75, 64), (100, 150), (45, 190), (120, 90))
MOST_BYTES = 250_000


class Photographer:
    """A viewer with the panel, and a camera."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.viewer = napari.Viewer()
        self.viewer.window.resize(*WINDOW)
        for data, options, _ in epithelium():
            self.viewer.add_image(data, **options)
        with mock.patch("napari_sam2v.widget.load_preferences", Preferences):  # not those of the user
            self.widget = Sam2vWidget(self.viewer, recovery_folder=Path(tempfile.mkdtemp()))
        self.viewer.window.add_dock_widget(self.widget, name="sam2v", area="right")
        self.spin(60, lambda: self.widget.controller.document is not None)
        self.widget.movie.show_frame(0)
        self.spin(1.0)

    def spin(self, seconds: float, until: Callable[[], bool] | None = None) -> None:
        """Let the window work for so long, or until something holds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not (until is not None and until()):
            QApplication.processEvents()
            time.sleep(0.005)

    def wait(self) -> None:
        """Wait for the model."""
        controller = self.widget.controller
        self.spin(0.2)
        self.spin(300, lambda: not controller.worker.is_busy() and not controller.tracking.is_tracking)
        self.spin(0.5)

    def click(self, y: float, x: float) -> None:
        """Click in the image with the tool in hand."""
        points = next(layer for layer in self.viewer.layers if layer.name == "sam2v points")
        points.add([self.widget.controller.frame, y, x])
        self.wait()

    def take(self, name: str, *, most: int | None = MOST_BYTES) -> None:
        """Take a picture of the window, of at most so many bytes."""
        self.spin(0.5)
        path = self.folder / f"napari-{name}.png"
        Image.fromarray(self.viewer.window.screenshot(flash=False)[..., :3]).save(path, optimize=True)
        if most is not None and path.stat().st_size > most:
            raise SystemExit(f"{path} has {path.stat().st_size:,} bytes: expected {MOST_BYTES:,} at most")
        print(path, f"{path.stat().st_size / 1000:.0f} kB")  # noqa: T201


def tutorial(camera: Photographer) -> None:
    """Work through the tutorial and take its pictures."""
    widget = camera.widget
    camera.take("empty")
    widget.tools.activate("point_positive")
    camera.click(*CELLS[0])
    camera.take("clicked")
    for cell in CELLS[1:]:
        widget.work.next_object()
        camera.click(*cell)
    widget.work.track(TrackOptions("forward", objects="all"))
    camera.spin(120, lambda: (progress := widget.controller.tracking.progress) is not None and progress.done >= 5)
    camera.take("tracking")
    camera.wait()
    widget.controller.select(1)
    widget.objects.jump_to_worst()
    camera.take("review")
    plots(camera)


def plots(camera: Photographer) -> None:
    """Show the curves of all objects."""
    widget = camera.widget
    widget.open_plots()
    objects = widget.panel.objects
    for number in set(widget.controller.annotation.objects) - set(objects.selection()):
        objects.toggle(number)
    widget.movie.show_frame(6)
    camera.spin(2.0)
    camera.take("plots")


def screens(camera: Photographer) -> None:
    """Track some cells, then show them on every size of screen in both themes."""
    widget = camera.widget
    widget.tools.activate("point_positive")
    for cell in CELLS:
        widget.work.next_object()
        camera.click(*cell)
    widget.work.track(TrackOptions("forward", objects="all"))
    camera.wait()
    for theme in THEMES:
        camera.viewer.theme = theme
        for width, height in SCREENS:
            camera.viewer.window.resize(width, height)
            camera.spin(1.0)
            camera.take(f"{width}x{height}-{theme}", most=None)


def main() -> None:
    """Take the pictures that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parents[1] / "docs" / "images")
    parser.add_argument("--screens", action="store_true", help="the window on three sizes of screen, in both themes")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    camera = Photographer(options.folder)
    (screens if options.screens else tutorial)(camera)
    camera.widget.close_all()
    camera.viewer.close()


if __name__ == "__main__":
    main()
