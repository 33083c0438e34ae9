"""Locks: no edit but unlocking changes what is locked, and the error says what to unlock."""

from __future__ import annotations

import pytest

from src_model.document import (
    AddPoints,
    AnswerPrompt,
    ClassifyObject,
    ClearFrames,
    ClearPrompts,
    DeleteObject,
    Group,
    LockFrames,
    LockObject,
    MergeObjects,
    MovePoint,
    RemovePoint,
    RenameObject,
    SetBox,
    SetMask,
    SetMaskPrompt,
    ShowObject,
    SplitObject,
    SwapIds,
)
from src_model.errors import LockedError
from tests.document.sample import document, square

ON_FRAME_4 = [
    SetMask(1, 4, square(8, 8)),
    AddPoints(1, 4, ((1, 1),), (1,)),
    SetBox(1, 4, (1, 1, 3, 3)),
    SetMaskPrompt(1, 4, square()),
    ClearFrames(1, 0),
    ClearFrames(1, 4, 5),
    DeleteObject(1),
    SplitObject(1, 3, 9),
    SplitObject(1, 4, 9),
    SwapIds(1, 2, 2),
    SwapIds(2, 1, 4),
    MergeObjects(2, 1),
]
OF_AN_OBJECT = [
    SetMask(1, 2, square(8, 8)),
    AddPoints(1, 2, ((1, 1),), (1,)),
    MovePoint(1, 0, 0, (1, 1)),
    RemovePoint(1, 0, 0),
    ClearPrompts(1, 0),
    AnswerPrompt(1, 0, square(9, 9), 1, 1),
    ClearFrames(1, 0, 1),
    LockFrames(1, (2,)),
    LockFrames(1, (4,), locked=False),
    DeleteObject(1),
    SplitObject(1, 5, 9),
    SwapIds(2, 1, 5),
    MergeObjects(1, 3),
    MergeObjects(3, 1),
]


@pytest.mark.parametrize("action", ON_FRAME_4, ids=lambda action: type(action).__name__)
def test_an_edit_of_a_locked_frame_is_refused(action):
    annotation = document()
    before = annotation.contents()
    with pytest.raises(LockedError, match="mother is locked on frame 4; unlock"):
        annotation.do(action)
    assert annotation.contents() == before


@pytest.mark.parametrize("action", OF_AN_OBJECT, ids=lambda action: type(action).__name__)
def test_an_edit_of_a_locked_object_is_refused(action):
    annotation = document()
    annotation.do(LockObject(1))
    before = annotation.contents()
    with pytest.raises(LockedError, match="mother is locked; unlock"):
        annotation.do(action)
    assert annotation.contents() == before


def test_frames_beside_a_locked_one_can_be_edited():
    annotation = document()
    annotation.do(SetMask(1, 3, square(8, 8)))
    annotation.do(ClearFrames(1, 0, 4))
    annotation.do(SplitObject(1, 5, 9))
    assert annotation.masklet(1).frames == (4,)


def test_merging_into_an_object_leaves_its_locked_frames_if_the_other_is_not_there():
    annotation = document()
    kept = annotation.frame(1, 4)
    annotation.do(MergeObjects(1, 3))
    assert annotation.frame(1, 4) == kept
    assert annotation.locked_frames(1) == (4,)


def test_merging_into_a_locked_frame_is_refused():
    annotation = document()
    annotation.do(LockFrames(2, (3,)))
    annotation.do(SetMask(4, 3, square()))
    with pytest.raises(LockedError, match="object 2 is locked on frame 3"):
        annotation.do(MergeObjects(2, 4))


def test_names_and_visibility_of_a_locked_object_may_change():
    annotation = document()
    annotation.do(LockObject(1))
    annotation.do(RenameObject(1, "still"))
    annotation.do(ClassifyObject(1, "cell"))
    annotation.do(ShowObject(1, visible=False))
    assert annotation.object(1).name == "still"


def test_unlocking_first_in_one_step_is_a_way():
    annotation = document()
    annotation.do(Group("Force", (LockFrames(1, (4,), locked=False), SetMask(1, 4, square(8, 8)))))
    assert annotation.mask_at(1, 4) == square(8, 8)
    annotation.undo()
    assert annotation.is_locked(1, 4)


def test_a_locked_object_keeps_the_locks_of_its_frames():
    annotation = document()
    annotation.do(LockObject(1))
    assert annotation.is_locked(1, 0)
    annotation.do(LockObject(1, locked=False))
    assert annotation.locked_frames(1) == (4,)
    assert not annotation.is_locked(1, 0)


def test_several_locked_frames_are_named_as_spans():
    annotation = document()
    annotation.do(LockFrames(1, (0, 2, 3)))
    with pytest.raises(LockedError, match=r"frames 0, 2-4"):
        annotation.do(DeleteObject(1))
