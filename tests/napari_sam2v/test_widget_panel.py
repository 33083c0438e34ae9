"""Mouse and keys in a real window: what a click, a drag and a key of the panel do to the work."""

from __future__ import annotations

import threading

import numpy as np
import pytest

pytest.importorskip("qtpy", reason="no Qt")

from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_sam2v.preferences import load_preferences
from napari_sam2v.view_state import TrackOptions
from src_model.document import LockObject, Origin
from src_model.masks import MaskletFrame, Rle
from tests.napari_sam2v.person import FORWARD, Person
from tests.tracking import tiny

pytestmark = pytest.mark.gui
SQUARE = (slice(10, 25), slice(12, 30))
SEEN, SEEN_AT = Rle.from_box((10, 12, 21, 27), tiny.SHAPE), (15.0, 19.0)


class Hand(Person):
    """Someone with a mouse."""

    def __init__(self, viewer, qtbot, recovery):
        super().__init__(viewer, qtbot, recovery)
        self.widget.movie.show_frame(0)
        viewer.reset_view()
        qtbot.wait(50)
        self.canvas = viewer.window._qt_viewer.canvas

    def at(self, y, x):
        """Where a place of the shown frame is on the canvas."""
        world = self.widget.movie.geometry.image.data_to_world(
            self.widget.movie.geometry.to_data(self.controller.frame, [(y, x)])[0]
        )[-2:]
        camera = getattr(self.viewer, "scene", self.viewer).camera
        height, width = self.canvas.size
        pixel = np.array([height, width]) / 2 + (world - np.array(camera.center[-2:])) * camera.zoom
        return QPoint(round(pixel[1]), round(pixel[0]))

    def press(self, y, x):
        QTest.mouseMove(self.canvas.native, self.at(y, x))
        QTest.mousePress(self.canvas.native, Qt.MouseButton.LeftButton, pos=self.at(y, x))

    def move(self, y, x):
        QTest.mouseMove(self.canvas.native, self.at(y, x))
        QTest.qWait(20)

    def release(self, y, x):
        QTest.mouseRelease(self.canvas.native, Qt.MouseButton.LeftButton, pos=self.at(y, x))
        QTest.qWait(80)

    def drag(self, *places):
        self.press(*places[0])
        for place in places[1:]:
            self.move(*place)
        self.release(*places[-1])

    def key(self, key, modifiers=Qt.KeyboardModifier.NoModifier):
        QTest.keyClick(self.canvas.native, key, modifiers)


@pytest.fixture
def hand(make_napari_viewer, qtbot, predictor, tmp_path):
    viewer = make_napari_viewer(show=True)
    viewer.add_image(tiny.make_movie(), name="movie")
    hand = Hand(viewer, qtbot, tmp_path / "recovery")
    yield hand
    hand.widget.close_all()


@pytest.fixture
def labels(hand):
    """Two objects of another segmentation, of which the first is taken as a prompt."""
    image = np.zeros(tiny.SHAPE, np.int32)
    image[SQUARE] = 1
    image[5:9, 35:48] = 2
    layer = hand.viewer.add_labels(image, name="cellpose")
    hand.viewer.layers.selection.active = layer
    hand.widget.panel.prompts.labels_imported.emit("cellpose")
    hand.wait_for_files()
    return layer


def test_labels_taken_as_prompts_go_with_one_press_of_control_z(hand, labels):
    assert list(hand.document.objects) == [1, 2]
    hand.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not hand.document.objects
    hand.wait_for_worker()
    assert not hand.document.objects
    assert labels.data.any()


class Slow:
    """A label movie that is read when somebody lets it, and notes on which thread."""

    ndim, dtype = 3, np.dtype(np.int32)
    shape = (tiny.LENGTH, *tiny.SHAPE)

    def __init__(self, image):
        self._image, self.may_go, self.threads = image, threading.Event(), set()

    def __getitem__(self, key):
        self.threads.add(threading.current_thread())
        if threading.current_thread() is not threading.main_thread():
            assert self.may_go.wait(60)
        return np.broadcast_to(self._image, self.shape)[key]


@pytest.fixture
def slow(hand, labels):
    layer = hand.viewer.add_labels(Slow(labels.data), name="lazy")
    layer.data.threads.clear()
    layer.visible = False  # the viewer reads what it shows
    return layer


def test_labels_are_read_in_the_background_and_taken_on_the_frame_they_were_asked_for_on(hand, slow):
    hand.widget.panel.prompts.labels_imported.emit("lazy")
    hand.wait(lambda: bool(slow.data.threads))
    hand.widget.movie.show_frame(4)
    slow.data.may_go.set()
    hand.wait_for_files()
    assert threading.main_thread() not in slow.data.threads
    assert [list(hand.document.prompts(i)) for i in hand.document.objects] == [[0]] * 4


def test_labels_go_into_no_other_document_and_a_locked_object_takes_none(hand, slow):
    hand.controller.do(LockObject(1, True))
    hand.controller.select(1)
    slow.data.may_go.set()
    hand.widget.panel.prompts.label_imported.emit("lazy")
    hand.wait_for_files()
    assert "locked" in hand.status
    slow.data.may_go.clear()
    slow.data.threads.clear()
    hand.widget.panel.prompts.labels_imported.emit("lazy")
    hand.wait(lambda: bool(slow.data.threads))
    hand.viewer.add_image(tiny.make_movie(), name="other")
    hand.choose("other")
    slow.data.may_go.set()
    hand.wait_for_files()
    assert not hand.document.objects


def test_a_click_on_a_mask_without_a_tool_selects_its_object_and_prompts_nothing(hand, labels):
    hand.controller.select(None)
    hand.drag((17, 20))
    assert hand.controller.selected == 1
    hand.drag((7, 40))
    assert hand.controller.selected == 2
    hand.drag((35, 5))  # nothing is there
    hand.drag((17, 20), (20, 30), (25, 40))  # the camera moves
    assert hand.controller.selected == 2
    assert [dict(hand.document.prompts(i))[0].points for i in (1, 2)] == [(), ()]


def test_with_a_tool_a_click_prompts_the_selected_object(hand, labels):
    hand.controller.select(2)
    hand.widget.tools.activate("point_positive")
    hand.drag((17, 20))
    hand.wait_for_worker()
    assert hand.controller.selected == 2
    assert len(hand.document.prompt(2, 0).points) == 1


def test_while_space_is_held_a_click_selects_and_the_tool_comes_back(hand, labels):
    hand.controller.select(2)
    hand.widget.tools.activate("point_positive")
    QTest.keyPress(hand.canvas.native, Qt.Key.Key_Space)
    hand.drag((17, 20))
    QTest.keyRelease(hand.canvas.native, Qt.Key.Key_Space)
    assert hand.controller.selected == 1
    assert len(hand.layer("sam2v points").data) == 0
    hand.wait(lambda: hand.widget.tools.active_tool == "point_positive")


@pytest.mark.parametrize("places", [[(10, 10)], [(10, 10), (10.6, 10.7)], [(10, 10), (30, 10.5)]])
def test_a_box_that_is_too_small_to_be_meant_makes_no_object(hand, places):
    hand.widget.tools.activate("box")
    hand.drag(*places)
    hand.wait_for_worker()
    assert not hand.document.objects
    assert "smaller than 2 pixels" in hand.problems[-1]
    assert hand.layer("sam2v boxes").nshapes == 0


def test_a_change_of_the_document_does_not_break_off_a_drag(hand):
    hand.click(*tiny.CLICK)
    hand.widget.tools.activate("box")
    hand.press(5, 30)
    hand.move(6, 31)
    hand.widget.work.undo()  # as an answer that arrives would, it changes what is to be shown
    hand.move(12, 40)
    hand.move(17, 47)
    hand.release(17, 47)
    hand.wait_for_worker()
    (number,) = hand.document.objects
    assert hand.document.prompt(number, 0).box == pytest.approx((5.5, 30.5, 17.5, 47.5), abs=1)
    assert hand.problems == []


def test_a_line_through_an_object_prompts_it_with_a_few_clicks(hand):
    hand.widget.tools.activate("scribble")
    hand.drag((15, 14), (16, 18), (18, 22), (20, 28))
    hand.wait_for_worker()
    prompt = hand.document.prompt(1, 0)
    assert 2 <= len(prompt.points) <= 5
    assert set(prompt.labels) == {1}
    assert hand.document.mask_at(1, 0) is not None
    assert hand.layer("sam2v boxes").nshapes == 0
    assert len(hand.layer("sam2v points").data) == len(prompt.points)


def test_after_a_repair_the_corrected_frame_is_in_view(hand):
    hand.click(*tiny.CLICK)
    hand.track()
    hand.click(25, 25, frame=5, tool="point_negative")
    assert hand.status.startswith(("Corrected", "The model is not sure"))
    hand.widget.work.repair()
    hand.wait_for_worker()
    assert hand.document.frame(1, 6).origin is Origin.TRACKED
    assert hand.controller.frame == 5


def test_what_is_tracked_is_remembered_for_the_next_panel(hand):
    objects = hand.widget.panel.track.options.widgets["objects"].native
    objects.setFocus()
    QTest.keyClick(objects, Qt.Key.Key_Down)
    assert load_preferences().track_objects == "all"
    hand.widget.panel.track.advanced.form.widgets["collect_prompts"].native.click()
    assert (load_preferences().collect_prompts, load_preferences().follow) == (True, True)
    hand.widget.close_all()
    again = Person(hand.viewer, hand.qtbot, hand.recovery)
    assert again.widget.panel.track.request("forward").objects == "all"
    assert again.widget.panel.prompts.answer_button.isVisibleTo(again.widget.panel)
    again.widget.close_all()


def test_collected_prompts_are_answered_by_the_key_and_before_tracking(hand):
    hand.widget.panel.track.advanced.form.widgets["collect_prompts"].native.click()
    hand.click(*tiny.CLICK)
    assert hand.document.mask_at(1, 0) is None
    hand.key(Qt.Key.Key_8)
    hand.wait_for_worker()
    assert hand.document.mask_at(1, 0) is not None
    hand.widget.work.next_object()
    hand.click(*tiny.OTHER_CLICK)
    hand.track(FORWARD)
    assert hand.frames(2) == list(range(tiny.LENGTH))


def test_the_keys_go_through_what_is_doubtful_and_accept_it(hand):
    hand.click(*tiny.CLICK)
    hand.track(TrackOptions("forward", "count", count=3))
    mask = hand.document.mask_at(1, 0)
    with hand.document.propagation() as opened:
        for frame, score in ((1, 0.9), (2, 0.2), (3, 0.9)):
            opened.add(frame, {1: MaskletFrame(mask, score, 1.0)})
    hand.controller.select(None)
    hand.widget.movie.show_frame(0)
    rows = hand.widget.panel.review.model.rows
    hand.wait(lambda: any(row.hint.startswith("score 0.20") for row in rows()))
    hand.key(Qt.Key.Key_9)
    hand.wait(lambda: hand.controller.frame == 2)
    assert hand.controller.selected == 1
    assert hand.status.startswith("Low score: score 0.20")
    assert rows()[0].text == "object 1, frame 2: low score"
    hand.key(Qt.Key.Key_Y, Qt.KeyboardModifier.AltModifier)
    hand.wait(lambda: hand.document.locked_frames(1) == (2,))
    hand.wait(lambda: all("low score" not in row.text for row in rows()))


def test_a_click_on_a_doubt_brings_its_place_and_frame_into_view(hand):
    hand.click(*tiny.CLICK)
    with hand.document.propagation() as opened:
        for frame in (1, 2):
            opened.add(frame, {1: MaskletFrame(SEEN, 0.2 if frame == 2 else 0.9, 1.0)})
    section = hand.widget.panel.review
    hand.wait(lambda: section.model.rowCount() > 0)
    place = [row.text for row in section.model.rows()].index("object 1, frame 2: low score")
    section.chosen.emit(place)
    assert hand.controller.frame == 2
    assert section.list.currentIndex().row() == place
    camera = getattr(hand.viewer, "scene", hand.viewer).camera
    world = hand.widget.movie.geometry.image.data_to_world((2, *SEEN_AT))
    assert camera.center[-2:] == pytest.approx(tuple(world[-2:]))


def test_work_that_belongs_to_another_movie_stays_on_offer_and_names_it(hand, make_napari_viewer, qtbot, tmp_path):
    hand.click(*tiny.CLICK)
    hand.widget.close_all()
    viewer = make_napari_viewer()
    viewer.add_image(np.zeros((4, 30, 30), np.uint8), name="another")
    other = Person(viewer, qtbot, tmp_path / "recovery")
    offer = other.widget.panel.offer
    offer.restore.click()
    other.wait_for_files()
    assert not offer.isHidden()
    assert "Open the movie 'movie', then press Restore" in offer.text()
    other.viewer.add_image(tiny.make_movie(), name="movie")
    other.choose("movie")
    offer.restore.click()
    other.wait_for_files()
    assert list(other.document.objects) == [1]
    assert offer.isHidden()
    other.widget.close_all()
