"""The history: a tree in which no step is ever lost."""

from __future__ import annotations

from src_model.document import AddObject, AnnotatedObject, DeleteObject, RenameObject, SetMask, load, save
from tests.document.sample import document, empty_document, entry, square


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
    state, last = annotation.contents(), annotation.steps()[-1].number
    annotation.go_to(0)
    assert annotation.objects == {}
    annotation.go_to(last)
    assert annotation.contents() == state


# --- forgetting -------------------------------------------------------------------------------------------------------


def rows(annotation, table):
    return annotation._state.store.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_all_that_was_done_can_be_forgotten(tmp_path):
    annotation = document()
    annotation.do(RenameObject(2, "secret"))
    annotation.undo()
    annotation.do(DeleteObject(3))
    before = annotation.contents()
    annotation.forget_history()
    assert annotation.contents() == before
    assert annotation.undo() is None
    assert annotation.steps() == annotation.branches() == ()
    assert rows(annotation, "masks") == annotation.mask_count
    path = save(annotation, tmp_path / "a.sam2v")
    assert load(path).contents() == before
    assert b"secret" not in path.read_bytes()
    annotation.do(RenameObject(2, "later"))
    assert annotation.undo() == "Rename object 2"
    assert annotation.contents() == before


def test_the_oldest_history_goes_where_it_takes_too_much_room():
    annotation = document()
    for turn in range(20):
        with annotation.propagation(f"run {turn}") as tracking:
            for frame in range(6, 12):
                tracking.add(frame, {2: entry(y=turn % 9, x=frame)})
    before, rows_before = annotation.contents(), rows(annotation, "masks")
    room = annotation._history.bytes // 2
    while annotation.tidy(room, cells=3):
        assert annotation.contents() == before
    assert annotation._history.bytes <= room
    assert rows(annotation, "masks") < rows_before
    assert annotation.undo() == "run 19"
    undone = 1
    while annotation.undo():
        undone += 1
    assert 5 < undone < 20
    while annotation.redo():
        pass
    assert annotation.contents() == before


def test_editing_drops_old_history_by_itself(monkeypatch):
    annotation = document()
    monkeypatch.setattr("src_model.document.annotation.HISTORY_LIMIT", 20_000)
    for turn in range(500):
        annotation.do(SetMask(2, turn % 12, square(turn % 9, turn % 11, 9)))
    assert annotation._history.bytes < 40_000
    assert rows(annotation, "masks") < 500
    assert len(annotation.steps()) < 500
    annotation.undo()
    assert annotation.mask_at(2, 499 % 12) is not None


def test_history_stays_while_a_snapshot_is_in_use():
    annotation = document()
    annotation.do(DeleteObject(2))
    view = annotation.snapshot()
    before = view.contents()
    assert not annotation.tidy(0)
    assert view.contents() == before
    del view
    while annotation.tidy(0):
        pass
    assert annotation.undo() is None


def test_what_is_to_be_removed_is_remembered_when_the_document_is_closed(tmp_path):
    annotation = document()
    annotation.do(DeleteObject(2))
    while annotation.tidy(0, cells=0) and annotation._history.bytes:
        pass
    left = rows(annotation, "masks")
    loaded = load(save(annotation, tmp_path / "a.sam2v"))
    while loaded.tidy(0):
        pass
    assert rows(loaded, "masks") < left
    assert loaded.contents() == annotation.contents()
