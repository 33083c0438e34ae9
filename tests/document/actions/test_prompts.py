"""Prompts: clicks in their order, boxes, masks; and the masks that answered them."""

from __future__ import annotations

import pytest

from src_model.document import (
    AddPoints,
    AnswerPrompt,
    ClearPrompts,
    MovePoint,
    Prompt,
    RemovePoint,
    SetBox,
    SetMask,
    SetMaskPrompt,
    SetPrompt,
)
from src_model.errors import FrameRangeError, NoPromptError, PromptError, UnknownObjectError
from src_model.masks import Rle
from tests.document.sample import LENGTH, document, square


def test_clicks_keep_their_order():
    annotation = document()
    annotation.do(AddPoints(1, 0, ((1, 1),), (1,)))
    annotation.do(SetBox(1, 0, (0, 0, 9, 9)))
    annotation.do(AddPoints(1, 0, ((2, 2),), (0,)))
    annotation.do(MovePoint(1, 0, 0, (3, 3)))
    annotation.do(RemovePoint(1, 0, 1))
    assert annotation.prompt(1, 0) == Prompt(((3, 3), (1, 1), (2, 2)), (1, 1, 0), (0, 0, 9, 9))


def test_a_mask_prompt_takes_the_place_of_earlier_prompts_and_is_corrected_by_later_clicks():
    annotation = document()
    annotation.do(SetMaskPrompt(1, 0, square()))
    annotation.do(AddPoints(1, 0, ((2, 2),), (0,)))
    assert annotation.prompt(1, 0) == Prompt(((2, 2),), (0,), None, square())


def test_the_mask_that_answered_goes_with_the_last_prompt():
    annotation = document()
    annotation.do(RemovePoint(1, 0, 0))
    assert annotation.mask_at(1, 0) is not None
    annotation.do(RemovePoint(1, 0, 0))
    assert annotation.prompt(1, 0) is None
    assert annotation.mask_at(1, 0) is None
    annotation.undo()
    assert annotation.mask_at(1, 0) == square()


def test_a_painted_mask_stays_when_the_prompt_goes():
    annotation = document()
    annotation.do(ClearPrompts(2, 3))
    assert annotation.mask_at(2, 3) == square(10, 10)
    assert dict(annotation.prompts(2)) == {}


def test_an_answer_without_a_prompt_is_refused():
    annotation = document()
    annotation.do(ClearPrompts(1, 0))
    with pytest.raises(NoPromptError, match="no prompt on frame 0"):
        annotation.do(AnswerPrompt(1, 0, square(), 1, 1))


def test_painting_over_an_answer_makes_it_an_edit():
    annotation = document()
    annotation.do(SetMask(1, 0, square(9, 9)))
    annotation.do(ClearPrompts(1, 0))
    assert annotation.mask_at(1, 0) == square(9, 9)


def test_prompts_come_by_ascending_frame():
    annotation = document()
    for frame in (8, 2, 5):
        annotation.do(AddPoints(1, frame, ((1, 1),), (1,)))
    assert list(annotation.prompts(1)) == [0, 2, 5, 8]


@pytest.mark.parametrize(
    ("action", "error", "message"),
    [
        (AddPoints(9, 0, ((1, 1),), (1,)), UnknownObjectError, "no object 9"),
        (AddPoints(1, LENGTH, ((1, 1),), (1,)), FrameRangeError, f"frames are 0 to {LENGTH - 1}"),
        (AddPoints(1, 0, ((1, 99),), (1,)), PromptError, r"point \(y=1, x=99\) lies outside"),
        (AddPoints(1, 0, ((1, 1),), (1, 0)), PromptError, "labels"),
        (AddPoints(1, 0, ((1, 1),), (2,)), PromptError, "label 2 is neither"),
        (AddPoints(1, 0, ((1, float("nan")),), (1,)), PromptError, "finite"),
        (MovePoint(1, 0, 2, (1, 1)), PromptError, "no point 2"),
        (RemovePoint(1, 0, -1), PromptError, "no point -1"),
        (RemovePoint(1, 1, 0), PromptError, "no point 0"),
        (SetBox(1, 0, (3, 3, 3, 9)), PromptError, "no area"),
        (SetBox(1, 0, (50, 50, 60, 60)), PromptError, "outside"),
        (SetBox(1, 0, (1, 2, 3)), PromptError, "expected 4 finite numbers"),
        (SetMaskPrompt(1, 0, Rle.empty((2, 2))), PromptError, "shape"),
        (SetPrompt(1, 0, Prompt(((99, 1),), (1,))), PromptError, "outside"),
        (ClearPrompts(1, 3), PromptError, "no prompt on frame 3"),
    ],
)
def test_prompts_that_cannot_be_meant_are_refused(action, error, message):
    annotation = document()
    before = annotation.contents()
    with pytest.raises(error, match=message):
        annotation.do(action)
    assert annotation.contents() == before
