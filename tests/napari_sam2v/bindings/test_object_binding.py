"""The table and the strip of a document: at once, and without keeping the window."""

from __future__ import annotations

from itertools import count, pairwise
from types import SimpleNamespace

import pytest

pytest.importorskip("qtpy", reason="no Qt")

from qtpy.QtWidgets import QWidget

from napari_sam2v.bindings.object_binding import ObjectBinding
from napari_sam2v.controllers import AnnotationController
from napari_sam2v.panel.panel import Panel
from src_model.document import AddObject, AnnotatedObject, Annotation, MovieIdentity, RenameObject
from src_model.frames import open_movie
from src_model.masks import MaskletFrame, Rle
from tests.tracking import tiny

pytestmark = pytest.mark.gui
OBJECTS = 5


@pytest.fixture
def turns():
    """How many objects have their scores after each turn of the binding."""
    return []


@pytest.fixture
def source():
    return open_movie(tiny.make_movie())


@pytest.fixture
def controller(qtbot):
    controller = AnnotationController(lambda call: call())
    controller.use_model(lambda: pytest.fail("no model is needed"))
    yield controller
    controller.close()


@pytest.fixture
def panel(qtbot, controller, turns):
    parent = QWidget()
    qtbot.addWidget(parent)
    panel = Panel(parent)
    clock = count(step=10.0)  # so slow a machine that there is time for one object a turn
    binding = ObjectBinding(
        panel, controller, SimpleNamespace(show_frame=lambda frame: None), clock=lambda: next(clock)
    )
    binding._turns.timer.timeout.connect(lambda: turns.append(scored(panel)))
    yield panel
    binding.close()
    del binding, parent  # which hold what is shown until then


@pytest.fixture
def document(source):
    """Objects with a good mask on frame 0 and a bad one on frame 1."""
    document = Annotation(MovieIdentity.of(source))
    mask = Rle.from_box((3, 4, 10, 12), tiny.SHAPE)
    for number in range(1, OBJECTS + 1):
        document.do(AddObject(AnnotatedObject(number)))
    with document.propagation() as opened:
        for frame, score in enumerate((0.9, 0.3)):
            opened.add(frame, {number: MaskletFrame(mask, score, 1.0) for number in document.objects})
    return document


def scored(panel):
    return [row.worst_frame for row in panel.objects.model.rows()].count(1)


def test_objects_are_listed_at_once_and_get_their_scores_a_turn_after_the_other(
    panel, controller, document, source, turns, qtbot
):
    controller.open(document, source)
    assert [row.frames_done for row in panel.objects.model.rows()] == [2] * OBJECTS
    first = scored(panel)
    assert first <= 1, "the selected object alone, whose marks the strip shows"
    qtbot.waitUntil(lambda: scored(panel) == OBJECTS)
    assert [after - before for before, after in pairwise([first, *turns])].count(1) >= OBJECTS - 1
    assert [row.doubtful for row in panel.objects.model.rows()] == [1] * OBJECTS


def test_what_changes_meanwhile_is_shown_and_another_document_takes_its_place(
    panel, controller, document, source, turns, qtbot
):
    controller.open(document, source)
    qtbot.waitUntil(lambda: bool(turns))
    controller.do(RenameObject(OBJECTS, "mother"))
    qtbot.waitUntil(lambda: scored(panel) == OBJECTS and panel.objects.model.rows()[-1].name == "mother")
    controller.open(document, source)
    controller.close_document()
    qtbot.wait(300)
    assert panel.objects.model.rows() == ()
