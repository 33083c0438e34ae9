"""Events: what changed, so that only that is redrawn; one of a kind for each step."""

from __future__ import annotations

import pytest

from src_model.document import (
    ClearFrames,
    DeleteObject,
    DivisionsChanged,
    FramesChanged,
    HistoryChanged,
    LockFrames,
    LocksChanged,
    ObjectsChanged,
    PromptsChanged,
    RemoveDivision,
    RenameObject,
    SavedChanged,
    SetOverlap,
    SplitObject,
    save,
)
from src_model.errors import UnknownObjectError
from tests.document.sample import document, entry


def recorded(annotation):
    """All payloads emitted from now on."""
    heard = []
    annotation.events.connect(lambda info: heard.append(info.args))
    return heard


def test_a_rename_tells_the_object_and_the_history():
    annotation = document()
    heard = recorded(annotation)
    annotation.do(RenameObject(2, "x"))
    assert heard == [
        (ObjectsChanged((), (), (2,)),),
        (HistoryChanged("Rename object 2", None),),
        (SavedChanged(modified=True, path=None),),
    ]


def test_a_deletion_tells_all_that_goes():
    annotation = document()
    heard = recorded(annotation)
    annotation.do(DeleteObject(3))
    assert heard[:3] == [
        (ObjectsChanged((), (3,), ()),),
        (PromptsChanged({3: ((6, 7),)}),),
        (DivisionsChanged((1,)),),
    ]
    heard.clear()
    annotation.undo()
    assert heard[0] == (ObjectsChanged((3,), (), ()),)


def test_frames_come_as_spans():
    annotation = document()
    annotation.do(LockFrames(1, (4,), locked=False))
    heard = recorded(annotation)
    annotation.do(SplitObject(1, 2, 9))
    assert heard[1][0] == FramesChanged({1: ((2, 6),), 9: ((2, 6),)})


def test_locks_divisions_and_project_have_signals_of_their_own():
    annotation = document()
    heard = recorded(annotation)
    annotation.do(LockFrames(1, (0, 1, 5)))
    annotation.do(RemoveDivision(1))
    annotation.do(SetOverlap("last"))
    assert (LocksChanged({1: ((0, 2), (5, 6))}),) in heard
    assert (DivisionsChanged((1,)),) in heard
    assert () in heard


def test_a_way_through_the_history_is_told_once():
    annotation = document()
    last = annotation.steps()[-1].number
    annotation.go_to(0)
    heard = recorded(annotation)
    annotation.go_to(last)
    assert [type(args[0]) for args in heard if args] == [
        ObjectsChanged, FramesChanged, PromptsChanged, LocksChanged, DivisionsChanged, HistoryChanged, SavedChanged,
    ]  # fmt: skip
    assert heard[0][0].added == (1, 2, 3, 4)


def test_a_propagation_tells_each_frame_and_the_history_once_at_each_end():
    annotation = document()
    heard = recorded(annotation)
    with annotation.propagation("Track", keep_edited=False) as tracking:
        for frame in (6, 7, 8):
            tracking.add(frame, {2: entry(), 4: entry()})
    assert [args[0].spans for args in heard if isinstance(args[0], FramesChanged)] == [
        {2: ((frame, frame + 1),), 4: ((frame, frame + 1),)} for frame in (6, 7, 8)
    ]
    assert [args[0] for args in heard if isinstance(args[0], HistoryChanged)] == [HistoryChanged("Track", None)] * 2


def test_what_changes_nothing_or_fails_tells_nothing():
    annotation = document()
    heard = recorded(annotation)
    annotation.do(ClearFrames(2, 8))
    with pytest.raises(UnknownObjectError):
        annotation.do(RenameObject(99, "x"))
    assert heard == []


def test_saving_tells_the_file(tmp_path):
    annotation = document()
    heard = recorded(annotation)
    path = save(annotation, tmp_path / "a.sam2v")
    assert heard == [(SavedChanged(modified=False, path=path),)]
