"""The history: a tree in which no step is ever lost."""

from __future__ import annotations

from src_model.annotation import AddObject, AnnotatedObject, RenameObject
from tests.annotation.sample import document, empty_document


def named(annotation, *names):
    for name in names:
        annotation.do(RenameObject(1, name))


def one_object():
    annotation = empty_document()
    annotation.do(AddObject(AnnotatedObject(1)))
    return annotation


def test_a_new_edit_after_undo_keeps_what_was_undone_on_a_branch():
    annotation = one_object()
    named(annotation, "a", "b")
    lost = annotation.steps()[-1]
    annotation.undo()
    annotation.undo()
    named(annotation, "c")
    assert annotation.redo() is None
    assert [step.number for step in annotation.branches()] == [4, lost.number]
    annotation.go_to(lost.number)
    assert annotation.object(1).name == "b"
    annotation.go_to(4)
    assert annotation.object(1).name == "c"


def test_redo_follows_the_branch_visited_last():
    annotation = one_object()
    named(annotation, "a")
    annotation.undo()
    named(annotation, "b")
    annotation.undo()
    annotation.redo()
    assert annotation.object(1).name == "b"
    annotation.go_to(2)
    annotation.undo()
    annotation.redo()
    assert annotation.object(1).name == "a"


def test_every_state_of_every_branch_can_be_gone_to():
    annotation = one_object()
    states = {1: "", 0: None}
    for name in "abcdefgh":
        annotation.go_to(ord(name) % 3 + (name > "c"))
        annotation.do(RenameObject(1, name) if 1 in annotation.objects else AddObject(AnnotatedObject(1, name)))
        states[annotation.steps()[-1].number] = name
    for number in (5, 0, 8, 3, 1, 7, 2, 6, 4):
        annotation.go_to(number)
        assert (annotation.object(1).name if annotation.objects else None) == states[number]


def test_steps_tell_which_of_them_count():
    annotation = one_object()
    named(annotation, "a", "b")
    annotation.undo()
    steps = annotation.steps()
    assert [step.number for step in steps] == [1, 2, 3]
    assert [step.parent for step in steps] == [0, 1, 2]
    assert [step.done for step in steps] == [True, True, False]
    assert [step.current for step in steps] == [False, True, False]
    assert annotation.undo_label == "Rename object 1"
    assert annotation.redo_label == "Rename object 1"


def test_going_back_to_the_beginning_and_forth_restores_the_whole_document():
    annotation = document()
    state, last = annotation.snapshot().state, annotation.steps()[-1].number
    annotation.go_to(0)
    assert annotation.objects == {}
    annotation.go_to(last)
    assert annotation.snapshot().state == state
