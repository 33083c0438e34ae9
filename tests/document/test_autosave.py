"""Autosave: what was done is recoverable a moment later, whatever becomes of the process."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from src_model.document import (
    AddObject,
    AnnotatedObject,
    Autosave,
    DeleteObject,
    NoteObject,
    RenameObject,
    discard,
    find_recoverable,
    load,
    recover,
    save,
)
from src_model.document import autosave as autosave_module
from src_model.errors import AnnotationFileError
from tests.document.sample import document, empty_document, entry

QUICK = 0.01


def abandoned(annotation, folder, *edits, **options):
    """Do edits under autosave, and end as a killed process does: with the work kept."""
    saving = Autosave(annotation, folder=folder, delay=QUICK, **options)
    for edit in edits:
        annotation.do(edit)
        assert saving.flush()
    saving.close(keep=True)
    return annotation.contents()


def test_edits_are_recovered_with_everything_before_them(tmp_path):
    state = abandoned(document(), tmp_path, RenameObject(2, "x"), DeleteObject(3), AddObject(AnnotatedObject(8)))
    (item,) = find_recoverable(tmp_path)
    assert (item.movie, item.file, item.objects, item.masks) == ("cells", None, 4, 8)
    assert abs(item.time - time.time()) < 3600
    recovered = recover(item)
    assert recovered.contents() == state
    assert recovered.is_modified
    assert recovered.path is None


def test_propagations_and_undo_are_recovered_as_they_were_left(tmp_path):
    annotation = document()
    saving = Autosave(annotation, folder=tmp_path, delay=QUICK)
    with annotation.propagation() as tracking:
        for frame in range(6, 12):
            tracking.add(frame, {2: entry(x=frame)})
    annotation.do(RenameObject(2, "gone"))
    annotation.undo()
    saving.close(keep=True)
    (item,) = find_recoverable(tmp_path)
    assert recover(item).contents() == annotation.contents()


def test_what_has_arrived_of_an_open_propagation_is_recovered(tmp_path):
    annotation = document()
    saving = Autosave(annotation, folder=tmp_path, delay=QUICK)
    tracking = annotation.propagation()
    tracking.add(6, {2: entry()})
    assert saving.flush()
    saving.close(keep=True)
    assert recover(find_recoverable(tmp_path)[0]).masklet(2).frames == (3, 6)


def test_closing_in_order_leaves_nothing(tmp_path):
    with Autosave(document(), folder=tmp_path, delay=QUICK) as saving:
        assert saving.flush()
        assert list(tmp_path.iterdir()) != []
    assert list(tmp_path.iterdir()) == []
    saving.close()


def test_an_error_in_its_block_keeps_the_work(tmp_path):
    def work():
        with Autosave(document(), folder=tmp_path, delay=QUICK):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert len(find_recoverable(tmp_path)) == 1


def test_what_was_saved_is_not_offered_and_its_leftovers_go(tmp_path):
    annotation = document()
    saving = Autosave(annotation, folder=tmp_path / "recovery", delay=QUICK)
    annotation.do(RenameObject(2, "x"))
    save(annotation, tmp_path / "a.sam2v")
    assert saving.flush()
    saving.close(keep=True)
    assert find_recoverable(tmp_path / "recovery") == ()
    assert list((tmp_path / "recovery").iterdir()) == []


def test_what_changed_after_saving_is_offered_with_the_name_of_the_file(tmp_path):
    annotation = document()
    path = save(annotation, tmp_path / "a.sam2v")
    abandoned(annotation, tmp_path / "recovery", RenameObject(2, "after"))
    (item,) = find_recoverable(tmp_path / "recovery")
    assert item.file == path
    recovered = recover(item)
    assert recovered.object(2).name == "after"
    save(recovered)
    assert load(path).object(2).name == "after"


def test_a_recovered_document_does_not_replace_a_file_that_changed_meanwhile(tmp_path):
    annotation = document()
    path = save(annotation, tmp_path / "a.sam2v")
    abandoned(annotation, tmp_path / "recovery", RenameObject(2, "mine"))
    os.utime(path, ns=(1, 1))
    with pytest.raises(AnnotationFileError, match="changed by another program"):
        save(recover(find_recoverable(tmp_path / "recovery")[0]))


def test_the_work_of_a_living_process_is_left_alone(tmp_path):
    with Autosave(document(), folder=tmp_path, delay=QUICK) as first, Autosave(document(), folder=tmp_path) as second:
        assert first.flush()
        assert first.folder != second.folder
        assert find_recoverable(tmp_path) == ()


def test_a_folder_of_something_else_is_neither_offered_nor_removed(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    (tmp_path / "file").write_text("x")
    assert find_recoverable(tmp_path) == ()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "mine"]
    assert (tmp_path / "mine" / "thesis.txt").exists()
    assert find_recoverable(tmp_path / "missing") == ()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(AnnotationFileError, match="cannot be kept"):
        Autosave(empty_document(), folder=tmp_path / "file")


def test_work_stays_until_it_is_discarded(tmp_path):
    abandoned(document(), tmp_path)
    (item,) = find_recoverable(tmp_path)
    recover(item).close()
    assert find_recoverable(tmp_path) == (item,)
    discard(item)
    assert find_recoverable(tmp_path) == ()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(AnnotationFileError, match="no unsaved work"):
        recover(item)


def test_a_recovered_document_goes_on_where_it_lies(tmp_path):
    abandoned(document(), tmp_path)
    (first,) = find_recoverable(tmp_path)
    recovered = recover(first)
    with pytest.raises(AnnotationFileError, match="in use by another process"):
        recover(first)
    assert recovered.undo() == "Lock object 1, frame 4"
    saving = Autosave(recovered, folder=tmp_path, delay=QUICK)
    assert saving.folder == first.folder
    state = recovered.contents()
    saving.close(keep=True)
    (second,) = find_recoverable(tmp_path)
    assert recover(second).contents() == state


def test_what_was_killed_before_it_held_anything_is_removed(tmp_path):
    abandoned(document(), tmp_path)
    (item,) = find_recoverable(tmp_path)
    (item.folder / "document.sam2v").unlink()
    assert find_recoverable(tmp_path) == ()
    assert not item.folder.exists()


def test_damaged_work_says_so_and_stays(tmp_path):
    abandoned(document(), tmp_path)
    (item,) = find_recoverable(tmp_path)
    (item.folder / "document.sam2v").write_bytes(b"damaged")
    assert find_recoverable(tmp_path) == ()
    with pytest.raises(AnnotationFileError, match="cannot be recovered"):
        recover(item)
    assert item.folder.exists()


def test_a_disk_that_is_not_reached_is_told_and_tried_again(tmp_path, monkeypatch):
    annotation = document()
    saving = Autosave(annotation, folder=tmp_path, delay=QUICK)
    assert saving.flush()
    assert saving.error is None
    with monkeypatch.context() as broken:
        broken.setattr(
            autosave_module, "checkpoint", lambda _: (_ for _ in ()).throw(sqlite3.OperationalError("disk full"))
        )
        annotation.do(RenameObject(2, "kept"))
        assert saving.flush()
        assert "disk full" in str(saving.error)
    annotation.do(RenameObject(2, "kept too"))
    assert saving.flush()
    assert saving.error is None
    saving.close(keep=True)
    assert recover(find_recoverable(tmp_path)[0]).object(2).name == "kept too"


def test_a_change_that_cannot_be_kept_is_no_change(tmp_path):
    annotation = document()
    before = annotation.contents()
    pages = annotation._state.store.connection.execute("PRAGMA page_count").fetchone()[0]
    annotation._state.store.connection.execute(f"PRAGMA max_page_count = {pages}")
    with annotation.propagation() as tracking:
        with pytest.raises(AnnotationFileError, match="cannot be kept in"):
            annotation.do(NoteObject(2, "x" * 9999))
        assert tracking.is_open
    annotation._state.store.connection.execute("PRAGMA max_page_count = 100000")
    assert annotation.contents() == before


KILLED = """
import sys, time
from pathlib import Path
from src_model.document import AddObject, AnnotatedObject, Autosave, RenameObject
from tests.document.sample import document, entry

annotation = document()
saving = Autosave(annotation, folder=Path(sys.argv[1]))
with annotation.propagation() as tracking:
    for frame in range(6, 12):
        tracking.add(frame, {2: entry(x=frame)})
annotation.do(RenameObject(2, "before the last second"))
assert saving.flush()
print("safe", flush=True)
number = 0
while True:
    number += 1
    annotation.do(RenameObject(1, f"edit {number}"))
    time.sleep(0.001)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_process_loses_at_most_the_last_moment(tmp_path, repository):
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], cwd=repository, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "safe\n"
        assert find_recoverable(tmp_path) == ()
        time.sleep(0.5)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    (item,) = find_recoverable(tmp_path)
    recovered = recover(item)
    assert item.masks == recovered.mask_count == 14
    assert recovered.object(2).name == "before the last second"
    assert recovered.masklet(2).frames == (3, 6, 7, 8, 9, 10, 11)
    recovered.close()
    discard(item)
    assert list(tmp_path.iterdir()) == []
