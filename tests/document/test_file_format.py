"""Files: what is saved is what is loaded, history and all, and whatever else comes is refused with a reason."""

from __future__ import annotations

import os
import shutil
import sqlite3
import struct
from contextlib import closing

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from src_model import __version__
from src_model.document import RenameObject, load, save, write
from src_model.errors import AnnotationFileError
from tests.document.sample import document, empty_document, entry


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A saved document."""
    return write(document(), tmp_path_factory.mktemp("saved") / "a.sam2v").path


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    """A folder for many tries."""
    return tmp_path_factory.mktemp("scratch")


def tampered(saved, folder, *statements):
    """A copy of a file, in which something was changed by another program."""
    path = shutil.copyfile(saved, folder / "tampered.sam2v")
    with closing(sqlite3.connect(path)) as connection:
        for statement, *values in statements:
            connection.execute(statement, *values)
        connection.commit()
    return path


def test_a_document_comes_back_as_it_was_saved(tmp_path):
    annotation = document()
    path = save(annotation, tmp_path / "a.sam2v")
    loaded = load(path)
    assert loaded.contents() == annotation.contents()
    assert loaded.project == annotation.project
    assert not loaded.is_modified
    assert loaded.path == path


def test_its_history_comes_back_too(tmp_path):
    annotation = document()
    annotation.do(RenameObject(2, "left"))
    annotation.undo()
    annotation.do(RenameObject(2, "right"))
    loaded = load(save(annotation, tmp_path / "a.sam2v"))
    assert loaded.steps() == annotation.steps()
    assert loaded.branches() == annotation.branches()
    assert loaded.undo() == "Rename object 2"
    assert loaded.is_modified
    assert loaded.redo() == "Rename object 2"
    assert not loaded.is_modified
    loaded.go_to(0)
    assert loaded.objects == {}


def test_a_snapshot_is_written_as_it_was_taken_whatever_is_done_meanwhile(tmp_path):
    annotation = document()
    annotation.do(RenameObject(2, "undone"))
    annotation.undo()
    before, steps, view = annotation.contents(), annotation.steps(), annotation.snapshot()
    annotation.do(RenameObject(2, "later"))
    with annotation.propagation() as tracking:
        tracking.add(7, {2: entry()})
    saved = write(view, tmp_path / "a.sam2v")
    loaded = load(saved.path)
    assert loaded.contents() == before
    assert loaded.steps() == steps
    assert loaded.redo() == "Rename object 2"
    annotation.mark_saved(saved)
    assert annotation.is_modified
    annotation.go_to(steps[-2].number)
    assert not annotation.is_modified


def test_an_empty_document_comes_back(tmp_path):
    annotation = empty_document()
    assert load(save(annotation, tmp_path / "a.sam2v")).contents() == annotation.contents()


def test_a_saved_file_is_one_file_that_network_drives_bear(tmp_path):
    path = save(document(), tmp_path / "a.sam2v")
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes()[18:20] == b"\x01\x01", "the header says that there is no write-ahead log"


def test_a_file_does_not_change_while_the_document_is_edited(tmp_path):
    path = save(document(), tmp_path / "a.sam2v")
    before, loaded = path.read_bytes(), load(path)
    loaded.do(RenameObject(2, "x"))
    with loaded.propagation() as tracking:
        tracking.add(6, {2: entry()})
    assert path.read_bytes() == before


def test_the_file_does_not_tell_where_the_document_lay_before(tmp_path):
    annotation = document()
    save(annotation, tmp_path / "secret-place.sam2v")
    path = save(annotation, tmp_path / "b.sam2v")
    assert b"secret-place" not in path.read_bytes()


def test_an_edit_costs_its_own_size_not_that_of_the_document(tmp_path):
    annotation = document()
    first = save(annotation, tmp_path / "a.sam2v").stat().st_size
    for number in range(20):
        annotation.do(RenameObject(2, f"name {number}"))
    assert save(annotation).stat().st_size < 2 * first


def test_a_document_saved_once_is_saved_to_the_same_file_again(tmp_path):
    annotation = document()
    with pytest.raises(AnnotationFileError, match="never saved"):
        save(annotation)
    path = save(annotation, tmp_path / "a.sam2v")
    annotation.do(RenameObject(2, "renamed"))
    assert save(annotation) == path
    assert load(path).object(2).name == "renamed"


def test_a_file_changed_by_another_program_is_not_replaced_unless_wished(tmp_path):
    path = save(document(), tmp_path / "a.sam2v")
    mine, theirs = load(path), load(path)
    theirs.do(RenameObject(2, "theirs"))
    save(theirs)
    os.utime(path, ns=(1, 1))
    mine.do(RenameObject(2, "mine"))
    with pytest.raises(AnnotationFileError, match="changed by another program"):
        save(mine)
    assert load(path).object(2).name == "theirs"
    save(mine, force=True)
    assert load(path).object(2).name == "mine"


def test_a_failed_save_leaves_the_file_and_no_leftovers(tmp_path, monkeypatch):
    path = save(document(), tmp_path / "a.sam2v")
    before = path.read_bytes()
    annotation = document()
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(AnnotationFileError, match="disk full"):
        save(annotation, path)
    assert annotation.is_modified
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_only_sam2v_files_are_written(tmp_path):
    with pytest.raises(AnnotationFileError, match=r"as a .sam2v file, not as 'a.json'"):
        save(document(), tmp_path / "a.json")
    with pytest.raises(AnnotationFileError, match="cannot be saved"):
        save(document(), tmp_path / "missing" / "a.sam2v")


def test_what_is_no_annotation_is_refused(tmp_path, saved):
    with pytest.raises(AnnotationFileError, match="there is no annotation file"):
        load(tmp_path / "none.sam2v")
    for content in (b"", b"hello", b"PK\x03\x04" + bytes(200)):
        (tmp_path / "text.sam2v").write_bytes(content)
        with pytest.raises(AnnotationFileError, match="no annotation of sam2v, or damaged"):
            load(tmp_path / "text.sam2v")
    with closing(sqlite3.connect(tmp_path / "other.sam2v")) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(AnnotationFileError, match="a database of another program"):
        load(tmp_path / "other.sam2v")


@pytest.mark.parametrize(("version", "which"), [(3, "newer"), (0, "other")])
def test_a_file_of_another_version_says_what_to_do_whatever_else_it_holds(tmp_path, saved, version, which):
    path = tampered(saved, tmp_path, (f"PRAGMA user_version = {version}",), ("CREATE TABLE new (x)",))
    expected = rf"made by a {which} version of sam2v, format {version}; this is sam2v {__version__} and reads 1. Update"
    with pytest.raises(AnnotationFileError, match=expected):
        load(path)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE evil (x)",
        "CREATE VIEW evil AS SELECT * FROM masks",
        "CREATE TRIGGER evil AFTER INSERT ON masks BEGIN DELETE FROM objects; END",
        "CREATE INDEX evil ON masks (score)",
        "DROP TABLE events",
        "DROP INDEX masks_by_frame",
        "ALTER TABLE masks ADD COLUMN evil TEXT",
    ],
)
def test_a_file_with_other_tables_is_refused_before_anything_is_read(tmp_path, saved, statement):
    with pytest.raises(AnnotationFileError, match="its tables are others"):
        load(tampered(saved, tmp_path, (statement,)))


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("DELETE FROM project", "which movie"),
        ("DELETE FROM facts", "which of its values is the latest"),
        ("UPDATE facts SET value = 'x' WHERE name = 'version'", "which of its values is the latest"),
        ("UPDATE facts SET value = 99 WHERE name = 'current'", "current step"),
        ("UPDATE facts SET value = 'x' WHERE name = 'current'", "no number"),
        ("UPDATE steps SET parent = 9 WHERE number = 2", "stands on no earlier one"),
        ("UPDATE steps SET touched = '{\"evil\":1}' WHERE number = 2", "a step of the history is damaged"),
        ("UPDATE steps SET latest_child = 1 WHERE number = 4", "leads nowhere"),
        ("UPDATE objects SET value = replace(value, '#ffa500', 'red') WHERE object = 1", "color 'red'"),
        ("UPDATE objects SET value = '{}'", "object_id"),
        ("UPDATE objects SET value = 'x'", "JSON"),
        ("UPDATE objects SET object = 9 WHERE object = 2", "under the number of another"),
        ("UPDATE prompts SET value = replace(value, '4.0', '1e9')", "outside the image"),
        ('UPDATE prompts SET value = \'{"points":[[1.0,1.0]],"labels":[]}\'', "labels"),
        ("UPDATE prompts SET value = '{}', mask = NULL", "says nothing"),
        ("UPDATE prompts SET mask = x'07' WHERE mask IS NOT NULL", "a mask of 1 bytes"),
        ("UPDATE locks SET spans = '[[0,2147483646]]'", "none of 12 frames"),
        ("UPDATE locks SET spans = '[[4,2]]'", "none of 12 frames"),
        ("UPDATE edges SET child = 99 WHERE child = 3", "names 99"),
        ("UPDATE edges SET child = 1 WHERE child = 3", "other than itself"),
        ("UPDATE edges SET t = 7 WHERE child = 3", "several frames"),
        ("UPDATE project SET value = replace(value, '[12,24,32]', '[12,1048576,1048576]')", "cannot be annotated"),
        ("UPDATE project SET value = replace(value, '\"score\"', '\"random\"')", "overlap"),
        ("UPDATE project SET value = 'x'", "JSON"),
    ],
)
def test_files_that_describe_no_document_are_refused(tmp_path, saved, statement, message):
    with pytest.raises(AnnotationFileError, match=message):
        load(tampered(saved, tmp_path, (statement,)))


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE masks SET origin = 77 WHERE object = 1 AND t = 1", "unknown origin"),
        ("UPDATE masks SET origin = NULL WHERE object = 1 AND t = 1", "unknown origin"),
        ("UPDATE masks SET score = NULL WHERE object = 1 AND t = 1", "without scores"),
        ("UPDATE masks SET object_score = 9e999 WHERE object = 1 AND t = 1", "without scores"),
        ("UPDATE masks SET runs = x'' WHERE object = 1 AND t = 1", "damaged"),
        ("UPDATE masks SET runs = x'02010000' WHERE object = 1 AND t = 1", "damaged"),
        ("UPDATE masks SET runs = x'02ffffffffffff' WHERE object = 1 AND t = 1", "damaged"),
        ("UPDATE masks SET runs = zeroblob(1000001) WHERE object = 1 AND t = 1", "damaged"),
    ],
)
def test_a_damaged_mask_is_an_error_where_it_is_read(tmp_path, saved, statement, message):
    loaded = load(tampered(saved, tmp_path, (statement,)))
    with pytest.raises(AnnotationFileError, match=message):
        loaded.masks_at(1)
    assert loaded.masks_at(3)[2].mask.area, "others can be read"


def test_a_file_too_large_is_refused_unread(saved, monkeypatch):
    monkeypatch.setattr("src_model.document.database.MAX_FILE_BYTES", 100)
    with pytest.raises(AnnotationFileError, match="at most"):
        load(saved)


@example(position=0.0859375, value=128, cut=False)  # within the name of a table
@given(position=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255), cut=st.booleans())
def test_whatever_happens_to_a_file_it_is_read_or_refused(saved, scratch, position, value, cut):
    content = bytearray(saved.read_bytes())
    at = int(position * len(content))
    if cut:
        del content[at:]
    else:
        content[at] = value
    path = scratch / "damaged.sam2v"
    path.write_bytes(content)
    try:
        load(path).contents()
    except AnnotationFileError:
        return


@given(claimed=st.integers(0, 2**32 - 1))
def test_a_header_that_claims_other_sizes_is_read_or_refused(saved, scratch, claimed):
    content = bytearray(saved.read_bytes())
    content[28:32] = struct.pack(">I", claimed)
    path = scratch / "claims.sam2v"
    path.write_bytes(content)
    try:
        load(path).contents()
    except AnnotationFileError:
        return
