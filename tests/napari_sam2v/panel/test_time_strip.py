from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QObject, QPoint, Qt

from napari_sam2v.panel import time_canvas
from napari_sam2v.panel.time_painting import tick_step
from napari_sam2v.panel.time_strip import TimeStrip

pytestmark = pytest.mark.gui
CLICK = Qt.MouseButton.LeftButton
COLOR = (0, 158, 115)


@pytest.fixture
def strip(qtbot, styled):
    strip = TimeStrip()
    qtbot.addWidget(strip)
    styled(strip)
    strip.resize(360, strip.sizeHint().height())
    strip.show()
    qtbot.waitExposed(strip)
    return strip


@pytest.fixture
def canvas(strip):
    return strip.canvas


def at(canvas, frame, y=None):
    return QPoint(round(canvas.x_of(frame)), round(canvas.height() / 2) if y is None else y)


def pixels(canvas):
    image = canvas.grab().toImage()
    format_ = image.Format.Format_RGB32
    image = image.convertToFormat(format_)
    raw = image.constBits()
    data = bytes(raw) if isinstance(raw, memoryview) else raw.asstring(image.sizeInBytes())
    return np.frombuffer(data, dtype=np.uint8).reshape(image.height(), image.width(), 4)[..., :3]


class PaintRegions(QObject):
    """Notes how wide a region each paint event asks for."""

    def __init__(self, widget):
        super().__init__(widget)
        self.widths = []
        widget.installEventFilter(self)

    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint:
            self.widths.append(sum(event.region().contains(QPoint(x, 20)) for x in range(watched.width())))
        return False


@pytest.mark.parametrize("state", ["prompted", "edited", "locked", "absent", "tracked"])
def test_one_marked_frame_among_ten_thousand_is_visible(canvas, marks_of, state):
    canvas.set_marks(marks_of(10_000), COLOR)
    blank = pixels(canvas)
    canvas.set_marks(marks_of(10_000, **{state: [6_321]}), COLOR)
    changed = np.flatnonzero((pixels(canvas) != blank).any(axis=(0, 2)))
    assert changed.size >= 1
    assert abs(changed.mean() - canvas.x_of(6_321)) < 8


def test_one_bad_frame_among_ten_thousand_good_ones_is_visible(canvas, marks_of):
    scores = np.full(10_000, 0.95)
    canvas.set_marks(marks_of(10_000, scores, tracked=slice(None)), COLOR)
    good = pixels(canvas)
    scores[2_000] = 0.1
    canvas.set_marks(marks_of(10_000, scores, tracked=slice(None)), COLOR)
    rows = np.flatnonzero((pixels(canvas) != good).any(axis=(1, 2)))
    assert rows.max() - rows.min() > 15


def test_states_differ_in_shape_and_not_only_in_color(canvas, marks_of):
    outlines = set()
    for state in ("prompted", "edited", "locked", "absent", "tracked"):
        canvas.set_marks(marks_of(40), COLOR)
        blank = pixels(canvas)
        canvas.set_marks(marks_of(40, **{state: [20]}), COLOR)
        outlines.add((pixels(canvas) != blank).any(axis=2).tobytes())
    assert len(outlines) == 5


def test_a_new_frame_redraws_the_playhead_alone(qtbot, canvas, marks_of, monkeypatch):
    painted = []
    real = time_canvas.StripPainter.paint
    monkeypatch.setattr(time_canvas.StripPainter, "paint", lambda *args: (painted.append(1), real(*args)))
    canvas.set_marks(marks_of(10_000, prompted=[5]), COLOR)
    regions = PaintRegions(canvas)
    qtbot.waitUntil(lambda: bool(regions.widths))
    regions.widths.clear()
    canvas.set_frame(4_000)
    qtbot.waitUntil(lambda: bool(regions.widths))
    assert painted == [1]
    assert max(regions.widths) < 60


def test_the_strip_paints_anew_when_theme_or_size_change(canvas, strip, styled, marks_of):
    canvas.set_marks(marks_of(100, prompted=[5]), COLOR)
    dark = pixels(canvas)
    styled(strip, "light")
    assert pixels(canvas).mean() > dark.mean() + 80
    before = canvas.height()
    styled(strip, "light", font_size="18pt")
    assert canvas.sizeHint().height() > 1.5 * before


@pytest.mark.parametrize("length", [1, 2, 11, 120, 10_000])
def test_clicking_a_frame_jumps_there(canvas, qtbot, emissions, marks_of, length):
    clicked = emissions(canvas.frame_clicked)
    canvas.set_marks(marks_of(length), COLOR)
    frame = length // 2
    qtbot.mouseClick(canvas, CLICK, pos=at(canvas, frame))
    if length == 1:
        assert clicked == [], "the only frame is shown already"
    else:
        assert abs(clicked[-1][0] - frame) <= length // 250


def test_dragging_scrubs_and_reports_each_frame_once(canvas, qtbot, emissions, marks_of):
    canvas.set_marks(marks_of(20), COLOR)
    clicked = emissions(canvas.frame_clicked)
    qtbot.mousePress(canvas, CLICK, pos=at(canvas, 4))
    for frame in (4, 5, 5, 9):
        qtbot.mouseMove(canvas, at(canvas, frame))
    qtbot.mouseRelease(canvas, CLICK, pos=at(canvas, 9))
    frames = [frame for (frame,) in clicked]
    assert frames[0] == 4
    assert frames == sorted(set(frames))


def test_keys_step_and_leap_within_the_movie(canvas, qtbot, emissions, marks_of):
    canvas.set_marks(marks_of(100), COLOR)
    clicked = emissions(canvas.frame_clicked)
    for key in ("Left", "Right", "PageDown", "End", "Right", "Home"):
        qtbot.keyClick(canvas, getattr(Qt.Key, f"Key_{key}"))
    assert [frame for (frame,) in clicked] == [1, 6, 99, 0]


def test_the_line_tells_of_the_shown_frame_and_of_the_one_under_the_pointer(strip, marks_of):
    strip.set_marks(marks_of(10, np.linspace(0.9, 0.45, 10), tracked=slice(None), prompted=[0]), COLOR)
    strip.set_frame(0)
    assert strip.line.text() == "frame 0 · prompted · score 0.90"
    strip.canvas.hovered.emit(9)
    assert strip.line.text() == "frame 9 · tracked · score 0.45"
    strip.canvas.hovered.emit(None)
    assert strip.line.text().startswith("frame 0")


def test_without_an_object_the_strip_says_so_and_its_buttons_why(strip):
    assert strip.line.text() == "no object selected"
    assert not strip.lock.isEnabled()
    assert "No tracked frame" in strip.worst.toolTip()


def test_the_lock_button_shows_and_toggles_the_lock_of_the_frame(strip, qtbot, marks_of):
    strip.set_marks(marks_of(10, locked=[3]), COLOR)
    strip.set_frame(3)
    assert "Unlock frame" in strip.lock.toolTip()
    strip.set_frame(4)
    assert "Lock frame" in strip.lock.toolTip()
    with qtbot.waitSignal(strip.lock_toggled):
        qtbot.mouseClick(strip.lock, CLICK)


def test_the_worst_frame_can_be_asked_for_once_there_are_scores(strip, qtbot, marks_of):
    strip.set_marks(marks_of(3, [0.5, 0.9, 0.8], edited=slice(None)), COLOR)
    assert not strip.worst.isEnabled()
    strip.set_marks(marks_of(3, [0.5, 0.9, 0.8], tracked=slice(None)), COLOR)
    with qtbot.waitSignal(strip.worst_requested):
        qtbot.mouseClick(strip.worst, CLICK)


def test_handles_drag_the_range_and_never_cross(canvas, qtbot, emissions, marks_of):
    canvas.set_marks(marks_of(100), COLOR)
    canvas.set_range(20, 60)
    changed, clicked = emissions(canvas.range_changed), emissions(canvas.frame_clicked)
    start = QPoint(round(canvas._range_ends()[0]), 4)
    qtbot.mousePress(canvas, CLICK, pos=start)
    canvas._drag_handle(30)
    assert changed[-1] == (30, 60)
    canvas._drag_handle(90)
    assert changed[-1] == (60, 60)
    qtbot.mouseRelease(canvas, CLICK, pos=start)
    assert clicked == []


def test_open_ends_of_a_range_are_the_ends_of_the_movie(canvas, marks_of):
    canvas.set_marks(marks_of(100), COLOR)
    canvas.set_range(None, 40)
    assert canvas.range == (0, 40)
    canvas.set_range(30, None)
    assert canvas.range == (30, 99)
    canvas.set_range(None, None)
    assert canvas.range is None


def test_a_range_may_come_before_the_marks(canvas, marks_of):
    canvas.set_range(20, None)
    assert canvas.range is None
    canvas.set_marks(marks_of(50), COLOR)
    assert canvas.range == (20, 49)


def test_the_menu_begins_and_ends_a_range_at_a_frame(strip, emissions, marks_of):
    strip.set_marks(marks_of(100), COLOR)
    changed = emissions(strip.range_changed)
    for entry in range(3):
        strip.menu(40).actions()[entry].trigger()
    assert changed == [(40, 99), (40, 40), (None, None)]


@pytest.mark.parametrize(("length", "most", "step"), [(1, 4, 1), (11, 5, 5), (120, 7, 20), (10_000, 4, 5000)])
def test_ticks_are_round_numbers(length, most, step):
    assert tick_step(length, most) == step
