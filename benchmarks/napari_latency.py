"""How quickly the napari panel answers: opening, the first click, clicks, a run of the tracker, many objects, memory.

    QT_API=pyqt6 xvfb-run -a -s "-screen 0 1600x1050x24" python benchmarks/napari_latency.py
    ... python benchmarks/napari_latency.py click run --frames 300 --objects 200
    ... python benchmarks/napari_latency.py first          # and: first --cold, the model not loaded when a movie opens

Clicks are answered by the checkpoint ``default``; the model's own time is taken off. Runs are fed by a stand-in that
gives a mask for every object and frame at a set pace, faster than any model would, so that what is measured is the
window. A heartbeat of the event loop tells how long it was kept: *wall* is what a person waits, on a busy machine other
programs included; *cpu* is what the window's thread computed meanwhile. Where it was kept longest is told by a second
thread that looks at the stack.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType

    from napari import Viewer

    from napari_sam2v.widget import Sam2vWidget
    from src_model.tracking.passes import Pass
    from src_model.workflow import FrameOutcome, ObjectSnapshot

BEAT = 0.005
GOAL = 0.05
PARTS = ("open", "first", "click", "run", "memory")


@dataclass
class Heartbeat:
    """Beats in the event loop, and notes how late each beat is.

    Attributes
    ----------
    wall, cpu
        Seconds between beats, beyond the pause meant, of the clock and of the thread.
    places
        What the thread did while a beat was late, by the innermost lines of this project and of napari.
    longest
        The same of the beat that took most computing.
    """

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    places: Counter[str] = field(default_factory=Counter)
    longest: Counter[str] = field(default_factory=Counter)
    _here: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Beat until the block ends."""
        from qtpy.QtCore import Qt, QTimer

        timer, done = QTimer(), threading.Event()
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._last = time.perf_counter(), time.thread_time()
        timer.timeout.connect(self._beat)
        watcher = threading.Thread(target=self._watch, args=(threading.get_ident(), done), daemon=True)
        timer.start(round(BEAT * 1000))
        watcher.start()
        try:
            yield
        finally:
            done.set()
            timer.stop()
            watcher.join()

    def _beat(self) -> None:
        now = time.perf_counter(), time.thread_time()
        self.wall.append(max(0.0, now[0] - self._last[0] - BEAT))
        self.cpu.append(now[1] - self._last[1])
        self._last = now
        here, self._here = self._here, Counter()
        self.places += here
        if self.cpu[-1] == max(self.cpu):
            self.longest = here

    def _watch(self, thread: int, done: threading.Event) -> None:
        while not done.wait(0.004):
            if time.perf_counter() - self._last[0] > GOAL / 2:
                self._here[_place(sys._current_frames().get(thread))] += 1

    def report(self, title: str) -> None:
        """Print the distribution."""
        if not self.wall:
            return
        print(f"{title}: {len(self.wall)} beats")
        for name, values in (("wall", self.wall), ("cpu", self.cpu)):
            p50, p95, p99, most = (1000 * value for value in np.percentile(values, (50, 95, 99, 100)))
            over = sum(value > GOAL for value in values)
            print(
                f"  kept, {name:4}: {p50:.0f} / {p95:.0f} / {p99:.0f} / {most:.0f} ms (p50/95/99/max), {over} > 50 ms"
            )
        for place, count in self.places.most_common(8):
            print(f"  {count:5} x {place}")
        print("  in the longest:", ", ".join(f"{count} x {place}" for place, count in self.longest.most_common(4)))


def _place(frame: FrameType | None) -> str:
    """Name where a thread is; nothing of the frame may be kept, or its painters live too long."""
    where: list[tuple[str, str]] = []
    while frame is not None:
        where.append((frame.f_code.co_filename, frame.f_code.co_name))
        frame = frame.f_back
    names = [f"{Path(file).name}:{name}" for file, name in where]
    ours = [name for name, (file, _) in zip(names, where, strict=True) if "/napari_sam2v/" in file][:3]
    return f"{' > '.join(reversed(ours)) or 'napari and Qt'} | {names[0] if names else '?'}"


@dataclass
class PanelWindow:
    """A viewer with a movie and the panel.

    Attributes
    ----------
    seconds, cpu
        To open the panel.
    """

    viewer: Viewer
    widget: Sam2vWidget
    seconds: float
    cpu: float

    @classmethod
    def open(cls, movie: Any, load_early: bool = True, **options: Any) -> PanelWindow:
        """Open a movie, then the panel."""
        import napari

        from napari_sam2v.preferences import Preferences
        from napari_sam2v.widget import Sam2vWidget

        viewer = napari.Viewer()
        viewer.window.resize(1500, 980)
        viewer.add_image(movie, name="movie", **options)
        spin(0.5)
        began, computed = time.perf_counter(), time.thread_time()
        preferences = Preferences(load_early=load_early)  # not those of the user
        with mock.patch("napari_sam2v.widget.load_preferences", return_value=preferences):
            widget = Sam2vWidget(viewer, recovery_folder=Path(tempfile.mkdtemp()))
        viewer.window.add_dock_widget(widget, name="sam2v")
        spin(60, until=lambda: widget.controller.document is not None)
        return cls(viewer, widget, time.perf_counter() - began, time.thread_time() - computed)

    def close(self) -> None:
        """Close the panel and the viewer."""
        self.widget.close_all()
        self.viewer.close()
        spin(0.2)

    def click(self, y: float, x: float, frame: int = 0) -> None:
        """Add a point as a click on the canvas does."""
        points = next(layer for layer in self.viewer.layers if layer.name == "sam2v points")
        points.add([frame, y, x])

    def mask_shown(self, object_id: int, frame: int) -> bool:
        """Tell whether an object's mask is in what the viewer shows."""
        layers = [layer for layer in self.viewer.layers if layer.name == "sam2v masks"]
        document = self.widget.controller.annotation
        known = object_id in document.objects and document.mask_at(object_id, frame) is not None
        if not known or not layers:
            return False
        return bool(document.mask_at(object_id, frame).is_empty or object_id in layers[0]._slice.image.raw)


def spin(seconds: float = 0.0, until: Callable[[], bool] | None = None) -> None:
    """Let the event loop run for so long, or until something holds."""
    from qtpy.QtWidgets import QApplication

    end = time.perf_counter() + seconds
    while True:
        QApplication.processEvents()
        if (until is None or until()) and (until is not None or time.perf_counter() >= end):
            return
        if until is not None and time.perf_counter() > end:
            raise TimeoutError("the window did not get there")
        time.sleep(0.001)


class StandIn:
    """In place of the tracker: discs that drift, one for each object, at a set pace."""

    def __init__(self, shape: tuple[int, int], pace: float) -> None:
        self.pace, self.shape = pace, shape
        self._discs: dict[tuple[int, int], Any] = {}

    def prepare(self, _frame: int) -> None:
        """Load nothing."""

    def propagate(self, _known: Iterable[ObjectSnapshot], passes: Iterable[Pass]) -> Iterator[FrameOutcome]:
        """Give a frame after the other."""
        from src_model.masks import MaskletFrame
        from src_model.workflow import FrameOutcome

        for each in passes:
            for frame in each.frames:
                began = time.perf_counter()
                masks = {number: MaskletFrame(self.disc(number, frame), 0.9, 5.0) for number in each.objects}
                time.sleep(max(0.0, self.pace - (time.perf_counter() - began)))
                yield FrameOutcome(frame, masks, each.reverse)

    def disc(self, object_id: int, frame: int) -> Any:
        """Make the mask of an object on a frame."""
        from src_model.masks import Rle

        height, width = self.shape
        key = object_id, frame % 40
        if key not in self._discs:
            y = (object_id * 37) % height
            x = (object_id * 91 + frame % 40) % width
            rows, columns = np.ogrid[:height, :width]
            self._discs[key] = Rle.encode((rows - y) ** 2 + (columns - x) ** 2 < 12**2)
        return self._discs[key]


def make_movie(frames: int, side: int) -> Any:
    """Noise that is made when it is read, (T, Y, X) uint8."""
    import dask.array as da

    still = np.random.default_rng(0).integers(0, 200, (side, side), np.uint8)

    def read(block_info: Any = None) -> np.ndarray:
        frame = block_info[None]["array-location"][0][0]
        return np.roll(still, frame, 1)[np.newaxis]

    return da.map_blocks(read, chunks=((1,) * frames, (side,), (side,)), dtype=np.uint8)


def add_objects(window: PanelWindow, stand_in: StandIn, count: int) -> None:
    """Put prompted objects with masks on frame 0."""
    from src_model.document import AddObject, AnnotatedObject, AnswerPrompt, Group, Prompt, SetPrompt

    actions: list[Any] = []
    for number in range(1, count + 1):
        prompt = Prompt(points=((5.0, 5.0),), labels=(1,))
        answer = AnswerPrompt(number, 0, stand_in.disc(number, 0), 0.9, 5.0)
        actions += [AddObject(AnnotatedObject(number)), SetPrompt(number, 0, prompt), answer]
    window.widget.controller.do(Group("Objects", tuple(actions)))
    window.widget.controller.select(1)
    spin(0.5)


def measure_open(_: argparse.Namespace) -> None:
    """Time the opening of the panel, the first in this process and the next."""
    for which in ("first", "second"):
        window = PanelWindow.open(make_movie(100, 512), contrast_limits=(0, 255))
        print(
            f"open, {which} time: {window.seconds:.2f} s wall, {window.cpu:.2f} s cpu; torch: {'torch' in sys.modules}"
        )
        window.close()


def measure_first(options: argparse.Namespace) -> None:
    """Time the first click of a process until its mask is in view, the model loaded before it or by it."""
    from napari_sam2v.sample_data import epithelium

    (movie, *_), *_ = epithelium()
    window = PanelWindow.open(movie, load_early=not options.cold)
    window.widget.movie.show_frame(0)
    window.widget.tools.activate("point_positive")
    spin(0.5)
    waited = time.perf_counter()
    spin(120, lambda: not window.widget.controller.worker.is_busy())
    began = time.perf_counter()
    window.click(60, 128)
    spin(120, lambda: window.mask_shown(1, 0))
    how = "cold" if options.cold else f"the model loaded early, {began - waited:.1f} s more than half a second"
    print(f"first click: {time.perf_counter() - began:.2f} s from click to mask, {how}")
    window.close()


def measure_click(options: argparse.Namespace) -> None:
    """Time clicks from the event to the mask in view, without the model's own time."""
    from src_model.workflow import DocumentTracker

    model: list[float] = []
    answer = DocumentTracker.answer

    def timed(tracker: DocumentTracker, request: Any) -> Any:
        began = time.perf_counter()
        try:
            return answer(tracker, request)
        finally:
            model.append(time.perf_counter() - began)

    from napari_sam2v.sample_data import epithelium

    (movie, *_), *_ = epithelium()
    window = PanelWindow.open(movie)
    window.widget.movie.show_frame(0)
    window.widget.tools.activate("point_positive")
    total, cpu = [], []
    with mock.patch.object(DocumentTracker, "answer", timed):
        for number in range(options.clicks + 1):
            window.widget.work.next_object()
            spin(0.3)
            began, computed = time.perf_counter(), time.thread_time()
            window.click(20 + 12 * number, 128)
            spin(120, lambda number=number: window.mask_shown(number + 1, 0))
            total.append(time.perf_counter() - began)
            cpu.append(time.thread_time() - computed)
    beyond = np.array(total[1:]) - np.array(model[1:])  # the first one loads the network and reads the frame
    print(f"click: {1000 * np.median(total[1:]):.0f} ms, of it model {1000 * np.median(model[1:]):.0f} ms")
    print(f"  beyond the model: {1000 * np.median(beyond):.0f} ms median, {1000 * beyond.max():.0f} ms most")
    print(
        f"  the window's thread computed {1000 * np.median(cpu[1:]):.0f} ms median, {1000 * max(cpu[1:]):.0f} ms most"
    )
    window.close()


def run_stand_in(frames: int, objects: int, side: int, pace: float, title: str) -> None:
    """Run the stand-in through a movie under the heartbeat."""
    stand_in = StandIn((side, side), pace)
    with mock.patch("napari_sam2v.controllers.annotation_controller.DocumentTracker", return_value=stand_in):
        window = PanelWindow.open(make_movie(frames, side), contrast_limits=(0, 255))
    add_objects(window, stand_in, objects)
    from napari_sam2v.view_state import TrackOptions

    heart, before, began = Heartbeat(), resident(), time.perf_counter()
    with heart.beating():
        window.widget.work.track(TrackOptions("forward", objects="all"))
        spin(1800, lambda: not window.widget.controller.tracking.is_tracking)
        spin(0.3)
    seconds = time.perf_counter() - began
    print(
        f"{title}: {frames - 1} frames of {objects} objects in {seconds:.1f} s, memory +{resident() - before:.0f} MiB"
    )
    heart.report("  heartbeat")
    window.close()


def measure_run(options: argparse.Namespace) -> None:
    """Follow a run with one object, then with many."""
    for objects in (1, options.objects):
        run_stand_in(options.frames, objects, options.side, options.pace, "run")


def measure_memory(_: argparse.Namespace) -> None:
    """Compare the memory that a short and a long run take."""
    for frames in (200, 2000):
        run_stand_in(frames, 5, 512, 0.0, "memory")


def resident() -> float:
    """MiB that the process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    """Parse the command line and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=PARTS)
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--objects", type=int, default=200)
    parser.add_argument("--side", type=int, default=512, help="of a frame, in pixels")
    parser.add_argument("--pace", type=float, default=0.1, help="seconds a frame")
    parser.add_argument("--clicks", type=int, default=8)
    parser.add_argument("--cold", action="store_true", help="first: do not load the model when the movie opens")
    options = parser.parse_args()
    measures = {"open": measure_open, "first": measure_first, "click": measure_click}
    measures |= {"run": measure_run, "memory": measure_memory}
    for part in options.parts or PARTS:
        measures[part](options)


if __name__ == "__main__":
    main()
