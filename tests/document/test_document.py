"""The document: actions done, undone and done again; what can be read of it."""

from __future__ import annotations

import gc

import pytest

from src_model.document import (
    AddObject,
    AddPoints,
    AnnotatedObject,
    Annotation,
    AnswerPrompt,
    Group,
    Origin,
    RenameObject,
    SetMask,
    SetSettings,
    Settings,
    ShowObject,
)
from src_model.document.working_copy import WorkingCopy
from src_model.errors import AnnotationError, AnnotationFileError, UnknownObjectError
from tests.document.sample import LENGTH, MOVIE, NOWHERE, document, empty_document, square


def test_a_new_document_is_empty_and_not_modified():
    annotation = Annotation(MOVIE)
    assert annotation.objects == {}
    assert annotation.movie == MOVIE
    assert annotation.next_id() == 1
    assert not annotation.is_modified
    assert annotation.undo() is None
    assert annotation.redo() is None


def test_undoing_everything_and_doing_it_again_passes_through_the_same_states():
    annotation = document()
    states = [annotation.contents()]
    while annotation.undo() is not None:
        states.append(annotation.contents())
    assert annotation.objects == {}
    for state in reversed(states[:-1]):
        assert annotation.redo() is not None
        assert annotation.contents() == state
    assert annotation.redo() is None


def test_an_answer_joins_the_click_it_belongs_to_and_both_are_undone_together():
    annotation = empty_document()
    annotation.do(AddObject(AnnotatedObject(1)))
    click = annotation.do(AddPoints(1, 0, ((4, 5),), (1,)))
    answer = annotation.do(AnswerPrompt(1, 0, square(), 0.5, 0.5), join=click.step)
    assert answer.step == click.step
    assert annotation.frame(1, 0).origin is Origin.PROMPTED
    annotation.undo()
    assert annotation.frame(1, 0) is None
    assert annotation.prompt(1, 0) is None
    annotation.redo()
    assert annotation.mask_at(1, 0) == square()


def test_an_answer_that_comes_after_another_edit_is_a_step_of_its_own():
    annotation = empty_document()
    annotation.do(AddObject(AnnotatedObject(1)))
    click = annotation.do(AddPoints(1, 0, ((4, 5),), (1,)))
    annotation.do(RenameObject(1, "cell"))
    answer = annotation.do(AnswerPrompt(1, 0, square(), 0.5, 0.5), join=click.step)
    assert answer.step not in (None, click.step)
    annotation.undo()
    assert annotation.object(1).name == "cell"
    assert annotation.mask_at(1, 0) is None


def test_nothing_joins_a_step_on_which_something_was_done_already():
    annotation = empty_document()
    first = annotation.do(AddObject(AnnotatedObject(1)))
    annotation.do(RenameObject(1, "a"))
    annotation.undo()
    later = annotation.do(RenameObject(1, "b"), join=first.step)
    assert later.step != first.step
    assert [step.label for step in annotation.branches()] == ["Rename object 1", "Rename object 1"]


def test_an_action_that_changes_nothing_makes_no_step():
    annotation = document()
    before = annotation.steps()
    done = annotation.do(SetMask(2, 3, square(10, 10)))
    assert done.step is None
    assert annotation.steps() == before


def test_an_action_that_fails_changes_nothing():
    annotation = document()
    before, steps = annotation.contents(), annotation.steps()
    with pytest.raises(UnknownObjectError, match="there is no object 9"):
        annotation.do(Group("both", (RenameObject(1, "x"), RenameObject(9, "y"))))
    assert annotation.contents() == before
    assert annotation.steps() == steps


def test_a_group_is_one_step():
    annotation = document()
    before = annotation.contents()
    annotation.do(Group("Paint", (SetMask(1, 9, square()), SetMask(2, 9, NOWHERE), RenameObject(2, "gone"))))
    assert annotation.undo_label == "Paint"
    annotation.undo()
    assert annotation.contents() == before


def test_a_group_may_use_what_it_makes_and_what_it_makes_may_go_again():
    from src_model.document import DeleteObject

    annotation = document()
    before = annotation.contents()
    add = AddObject(AnnotatedObject(8))
    annotation.do(Group("in and out", (add, SetMask(8, 0, square()), DeleteObject(8), DeleteObject(2), add)))
    assert list(annotation.objects) == [1, 3, 4, 8]
    assert annotation.frame(8, 0) is None
    annotation.undo()
    assert annotation.contents() == before


def test_the_document_differs_from_its_file_only_away_from_the_saved_state(tmp_path):
    from src_model.document import save

    annotation = document()
    assert annotation.is_modified
    save(annotation, tmp_path / "a.sam2v")
    assert not annotation.is_modified
    annotation.undo()
    assert annotation.is_modified
    annotation.redo()
    assert not annotation.is_modified
    step = annotation.do(ShowObject(1, visible=False)).step
    annotation.do(RenameObject(1, "x"), join=step)
    annotation.undo()
    assert not annotation.is_modified


def test_what_is_read_cannot_be_used_to_change_the_document():
    annotation = document()
    before = annotation.contents()
    annotation.masklet(1).delete(0)
    annotation.objects.clear()
    annotation.masks_at(3).clear()
    with pytest.raises(TypeError):
        annotation.prompts(1)[0] = None
    with pytest.raises(TypeError):
        annotation.divisions[1] = None
    assert annotation.contents() == before


def test_a_snapshot_does_not_change_with_the_document():
    annotation = document()
    snapshot = annotation.snapshot()
    while annotation.undo():
        pass
    assert list(snapshot.objects) == [1, 2, 3, 4]
    assert snapshot.masklet(1).frames == (0, 1, 2, 3, 4, 5)


def test_frame_states_tell_a_time_strip_what_each_frame_is():
    annotation = document()
    states = {state.frame: state for state in annotation.frame_states(1)}
    assert list(states) == [0, 1, 2, 3, 4, 5]
    assert states[0].prompted
    assert states[0].origin is Origin.PROMPTED
    assert states[1].origin is Origin.TRACKED
    assert states[1].origin.is_tracked
    assert states[4].locked
    assert not states[5].locked
    assert states[5].score == 0.75
    assert states[5].object_score == 0.875
    (absent,) = annotation.frame_states(4)
    assert absent.absent
    assert absent.origin is Origin.EDITED


def test_a_frame_without_a_mask_can_be_prompted_or_locked():
    (state,) = document().frame_states(3)
    assert (state.frame, state.prompted, state.origin, state.score) == (6, True, None, None)


def test_masks_of_a_frame_come_by_ascending_id_and_without_hidden_objects_if_wished():
    annotation = document()
    annotation.do(ShowObject(1, visible=False))
    assert list(annotation.masks_at(3)) == [1, 2]
    assert list(annotation.masks_at(3, visible_only=True)) == [2]
    assert annotation.masks_at(LENGTH) == {}
    assert annotation.mask_count == 8


def test_settings_are_part_of_the_history():
    annotation = document()
    before = annotation.project.settings
    annotation.do(SetSettings(Settings({"preset": "official"})))
    assert annotation.project.settings["preset"] == "official"
    annotation.undo()
    assert annotation.project.settings == before


def test_a_step_that_is_not_there_cannot_be_gone_to():
    with pytest.raises(AnnotationError, match="there is no step 99"):
        document().go_to(99)


def test_a_python_with_an_old_sqlite_says_what_to_do(monkeypatch):
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 34, 1))
    with pytest.raises(AnnotationFileError, match=r"need SQLite 3.38.0 or later.*python.org"):
        Annotation(MOVIE)


def test_a_document_that_has_no_room_is_an_error():
    copy = WorkingCopy()
    copy.folder.rmdir()
    with pytest.raises(AnnotationFileError, match="cannot be begun in"):
        Annotation(MOVIE, copy=copy)


def test_a_document_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    annotation = document()
    view = annotation.snapshot()
    assert len(list(tmp_path.iterdir())) == 1
    del annotation
    gc.collect()
    assert view.mask_count == 8, "who looks at it keeps it there"
    del view
    gc.collect()
    assert list(tmp_path.iterdir()) == []
