"""The status line says what is really the case, and what to do about it."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from napari_sam2v.actions import DEFAULT_KEYS
from napari_sam2v.controllers.status import next_step
from napari_sam2v.layers.painted_labels import MaskEdit
from napari_sam2v.view_state import TrackOptions
from src_model.document import Annotation, AnswerPrompt, ImportMasklets, LockObject, SetMask
from src_model.masks import Masklet, Rle
from tests.napari_sam2v.controllers.headless_user import HeadlessUser
from tests.tracking import tiny

FORWARD = TrackOptions("forward")
SQUARE = np.zeros(tiny.SHAPE, bool)
SQUARE[10:25, 12:30] = True
MASK = Rle.encode(SQUARE)
EMPTY = Rle.empty(tiny.SHAPE)


@pytest.fixture
def still(predictor):
    user = HeadlessUser(predictor, tiny.make_movie()[:1])
    yield user
    user.controller.close()


def said(user, **options):
    return next_step(user.controller, DEFAULT_KEYS, **options)


def answer(user, score, mask=MASK, frame=2):
    user.controller.do(AnswerPrompt(1, frame, mask, score, 1.0))


def tracked(user, score=0.9):
    """Track the object, with the same score everywhere."""
    user.controller.tracking.track(FORWARD)
    user.wait()
    opened = user.document.propagation()
    for frame in user.frames()[1:]:
        entry = user.document.frame(1, frame)
        opened.add(frame, {1: type(entry.entry)(MASK, score, 1.0)})
    opened.close()


def test_a_good_mask_on_a_movie_is_to_be_tracked(clicked):
    answer(clicked, 0.9)
    assert said(clicked).text.startswith("Is the mask right? G tracks it")


def test_on_a_still_image_the_next_object_is_next(still):
    still.click(tiny.CLICK)
    answer(still, 0.9, frame=0)
    assert said(still).text.startswith("Is the mask right? N starts the next object")


def test_a_low_score_says_how_to_better_the_mask(clicked):
    answer(clicked, 0.11)
    text, kind = said(clicked)
    assert text.startswith("The model is not sure of this mask (0.11)")
    assert "click what is missing or too much" in text
    assert kind == "warning"


def test_a_prompt_of_which_no_mask_comes_says_so(clicked):
    answer(clicked, 0.9, EMPTY)
    text, kind = said(clicked)
    assert text.startswith("This prompt gives no mask")
    assert kind == "warning"


def test_on_another_frame_than_the_prompted_one_it_names_that_one(clicked):
    answer(clicked, 0.9)
    clicked.controller.show_frame(5)
    assert said(clicked).text.startswith("Is the mask on frame 2 right?")


def test_imported_masks_are_called_imported(user):
    masklet = Masklet(1, tiny.SHAPE)
    for frame in range(3):
        masklet.set(frame, MASK)
    user.controller.do(ImportMasklets((masklet,)))
    user.controller.select(1)
    assert said(user).text == f"Object 1 is imported on 3 of {tiny.LENGTH} frames; click it once to let it be tracked"
    for frame in range(3, tiny.LENGTH):
        user.controller.do(SetMask(1, frame, MASK))
    assert said(user).text.startswith("Object 1 is imported on every frame; N")


def test_a_prompt_made_before_tracking_is_no_correction(clicked):
    clicked.click(tiny.CLICK, frame=5)
    answer(clicked, 0.9, frame=5)
    tracked(clicked)
    clicked.controller.show_frame(5)
    assert not said(clicked).text.startswith("Corrected")


def test_a_correction_waits_until_it_is_repaired_and_again_when_that_is_undone(clicked):
    tracked(clicked)
    clicked.controller.show_frame(5)
    clicked.controller.prompts.paint(MaskEdit(1, 5, Rle.encode(SQUARE[::-1])))
    assert said(clicked).text.startswith("Corrected. U tracks again")
    clicked.controller.show_frame(6)
    assert not said(clicked).text.startswith("Corrected")
    clicked.controller.show_frame(5)
    clicked.controller.tracking.repair()
    clicked.wait()
    assert not said(clicked).text.startswith("Corrected")
    clicked.controller.undo()
    clicked.controller.show_frame(5)
    assert said(clicked).text.startswith("Corrected. U tracks again")
    while clicked.document.undo_label.startswith(("Mask", "Paint")):
        clicked.controller.undo()
    assert not said(clicked).text.startswith("Corrected")


def test_a_correction_waits_where_the_document_reads_its_masks_anew(clicked, monkeypatch):
    tracked(clicked)
    clicked.controller.show_frame(5)
    clicked.controller.prompts.paint(MaskEdit(1, 5, Rle.encode(SQUARE[::-1])))
    for name in ("frame", "mask_at"):
        held = getattr(Annotation, name)
        anew = lambda self, *where, held=held: copy.deepcopy(held(self, *where))  # noqa: E731
        monkeypatch.setattr(Annotation, name, anew)
    assert said(clicked).text.startswith("Corrected. U tracks again")
    clicked.controller.tracking.repair()
    clicked.wait()
    clicked.controller.show_frame(5)
    assert not said(clicked).text.startswith("Corrected")


def test_doubt_is_told_with_its_keys_and_ends_with_it(clicked):
    tracked(clicked, 0.5)
    clicked.controller.show_frame(4)
    assert said(clicked) == ("7 frames of object 1 may be wrong: W shows the worst, 9 goes through all", "warning")
    tracked(clicked, 0.9)
    assert "may be wrong" not in said(clicked).text


def test_without_keys_it_names_buttons(clicked):
    answer(clicked, 0.9)
    assert next_step(clicked.controller, {}).text.startswith("Is the mask right? 'Forward' tracks it")


def test_a_locked_object_and_no_object(clicked):
    clicked.controller.do(LockObject(1, True))
    assert said(clicked).text.startswith("Object 1 is locked")
    clicked.controller.select(None)
    assert said(clicked, tool="scribble").text.startswith("Draw a line through an object")
    assert said(clicked, tool="").text.startswith("Choose Include (J)")
    clicked.controller.close_document()
    assert said(clicked).text.startswith("Open a movie")


def test_prompts_that_wait_are_counted(clicked):
    clicked.controller.prompts.collects = True
    clicked.click((20, 21), frame=4)
    assert said(clicked).text == "Prompts on 1 frame of object 1 wait: 8 has the model answer"
