"""Files: what is saved is what is loaded, and whatever else comes is refused with a reason."""

from __future__ import annotations

import io
import json
import os
import zipfile

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from src_model import __version__
from src_model.annotation import RenameObject, load, save, write
from src_model.errors import AnnotationFileError
from tests.annotation.sample import document, empty_document


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The parts of a saved document, by name."""
    path = write(document().snapshot(), tmp_path_factory.mktemp("saved") / "a.sam2v").path
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    """A folder for many tries."""
    return tmp_path_factory.mktemp("scratch")


def written(path, parts, **changes):
    """A file of ``parts``; those in ``changes`` (dots as underscores) are replaced, or left out if None."""
    named = {name.replace("__", "."): content for name, content in changes.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**parts, **named}.items():
            if content is not None:
                archive.writestr(name, content)
    return path


def head(parts, **changes):
    return json.dumps({**json.loads(parts["manifest.json"]), **changes})


def array(values, dtype):
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(values, dtype), allow_pickle=True)
    return buffer.getvalue()


def test_a_document_comes_back_as_it_was_saved(tmp_path):
    annotation = document()
    path = save(annotation, tmp_path / "a.sam2v")
    loaded = load(path)
    assert loaded.snapshot().state == annotation.snapshot().state
    assert loaded.project == annotation.project
    assert not loaded.is_modified
    assert loaded.path == path
    assert loaded.undo() is None


def test_an_empty_document_comes_back(tmp_path):
    annotation = empty_document()
    assert load(save(annotation, tmp_path / "a.sam2v")).snapshot().state == annotation.snapshot().state


def test_saving_a_loaded_document_gives_the_same_bytes(tmp_path, saved):
    annotation = load(written(tmp_path / "a.sam2v", saved))
    path = save(annotation, tmp_path / "b.sam2v")
    with zipfile.ZipFile(path) as archive:
        again = {name: archive.read(name) for name in archive.namelist()}
    again["manifest.json"] = json.loads(again["manifest.json"]) | {"saved_at": 0}
    assert again == {**saved, "manifest.json": json.loads(saved["manifest.json"]) | {"saved_at": 0}}


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
    (tmp_path / "text.sam2v").write_text("hello")
    with pytest.raises(AnnotationFileError, match="damaged, or no annotation"):
        load(tmp_path / "text.sam2v")
    with pytest.raises(AnnotationFileError, match=r"has no 'manifest.json'"):
        load(written(tmp_path / "zip.sam2v", {"other.txt": b"x"}))
    with pytest.raises(AnnotationFileError, match="is no annotation of sam2v"):
        load(written(tmp_path / "else.sam2v", saved, manifest__json=head(saved, format="something")))


def test_a_file_of_a_newer_version_says_what_to_do_whatever_else_it_holds(tmp_path, saved):
    newer = head(saved, version=3, program="7.1.0", extra={"new": 1})
    path = written(tmp_path / "a.sam2v", saved, manifest__json=newer, brand_new__npy=b"?")
    expected = (
        rf"made by a newer version of sam2v \(7.1.0\), format 3; this is sam2v {__version__} and reads up to 1. Update"
    )
    with pytest.raises(AnnotationFileError, match=expected):
        load(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"manifest__json": b"{"}, "no JSON"),
        ({"manifest__json": b"[]"}, "no annotation of sam2v"),
        ({"frames__npy": None}, "mask table"),
        ({"frames__npy": b"junk"}, "is no array"),
        ({"frames__npy": array([0] * 8, "<f4")}, "expected one row of <u4"),
        ({"frames__npy": array([[0] * 8], "<u4")}, "expected one row"),
        ({"frames__npy": array([{}] * 8, object)}, "expected one row"),
        ({"frames__npy": array([0] * 8, "<u4")[:-1]}, "expected one row"),
        ({"frames__npy": array([99] * 8, "<u4")}, "mask twice"),
        ({"frames__npy": array([0, 1, 2, 3, 4, 99, 3, 7], "<u4")}, "frame 99"),
        ({"objects__npy": array([1, 1, 1, 1, 1, 1, 9, 4], "<u4")}, "no object 9"),
        ({"origins__npy": array([77] * 8, "|u1")}, "mask table"),
        ({"scores__npy": array([np.nan] * 8, "<f8")}, "score is no number"),
        ({"runs__npy": array([1] * 8, "<u4")}, "packed masks are damaged"),
        ({"first__npy": array([2**32 - 1] * 8, "<u4")}, "packed masks are damaged"),
        ({"middle__npy": array([0] * 8, "<u2")}, "packed masks are damaged"),
        ({"prompt_runs__npy": None, "prompt_first__npy": None, "prompt_middle__npy": None}, "prompt masks"),
        ({"../../evil__npy": b"x"}, "which no annotation has"),
        ({"evil__py": b"x"}, "which no annotation has"),
    ],
)
def test_damaged_files_are_refused_with_a_reason(tmp_path, saved, changes, message):
    with pytest.raises(AnnotationFileError, match=message):
        load(written(tmp_path / "a.sam2v", saved, **changes))
    assert [path.name for path in tmp_path.iterdir()] == ["a.sam2v"]


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        (("objects", 0, "colour"), "red", "colour 'red'"),
        (("objects", 0, "object_id"), 0, "object_id"),
        (("objects", 0, "extra"), 1, "extra"),
        (("prompts", 0, "object_id"), 9, "no object 9"),
        (("prompts", 0, "points"), [[1e9, 0.0], [0.0, 0.0]], "outside the image"),
        (("prompts", 0, "labels"), [1], "labels"),
        (("locks", 0, "spans"), [[0, 2**31 - 1]], "leave the movie"),
        (("locks", 0, "object_id"), 9, "no object 9"),
        (("divisions", 0, "daughters"), [3, 99], "names 99"),
        (("divisions", 0, "daughters"), [1, 3], "other than itself"),
        (("project", "movie", "shape"), [12, 2**20, 2**20], "cannot be annotated"),
        (("project", "movie", "scale"), [1.0, 0.0, 1.0], "scale"),
        (("project", "settings"), {"x": [1]}, "settings"),
        (("project", "overlap"), "random", "overlap"),
        (("project", "normalization", "low"), [9e9], "range"),
        (("project",), None, "which movie"),
    ],
)
def test_heads_that_describe_no_document_are_refused(tmp_path, saved, where, value, message):
    changed = json.loads(saved["manifest.json"])
    place = changed["content"]
    for key in where[:-1]:
        place = place[key]
    place[where[-1]] = value
    with pytest.raises(AnnotationFileError, match=message):
        load(written(tmp_path / "a.sam2v", saved, manifest__json=json.dumps(changed)))


def test_sizes_are_checked_before_memory_is_taken(tmp_path, saved, monkeypatch):
    path = written(tmp_path / "a.sam2v", saved)
    for name, limit in [
        ("container.MAX_HEAD_BYTES", 100),
        ("container.MAX_HEAD_VALUES", 10),
        ("container.MAX_ARRAY_BYTES", 100),
        ("codec.MAX_MASKS", 3),
        ("file_format.MAX_FILE_BYTES", 100),
    ]:
        with monkeypatch.context() as patch:
            patch.setattr(f"src_model.annotation.{name}", limit)
            with pytest.raises(AnnotationFileError, match=r"at most|columns"):
                load(path)


def test_an_array_that_claims_to_be_huge_is_refused_unread(tmp_path, saved):
    claim = b"{'descr': '<u4', 'fortran_order': False, 'shape': (1000000000000,), }"
    huge = b"\x93NUMPY\x01\x00" + len(claim).to_bytes(2, "little") + claim
    with pytest.raises(AnnotationFileError, match="expected one row"):
        load(written(tmp_path / "a.sam2v", saved, frames__npy=huge))


def test_a_zip_bomb_is_refused_by_its_size(tmp_path, saved, monkeypatch):
    monkeypatch.setattr("src_model.annotation.container.MAX_ARRAY_BYTES", 2**20)
    with pytest.raises(AnnotationFileError, match="unpacks to"):
        load(written(tmp_path / "a.sam2v", saved, frames__npy=bytes(2**22)))


def test_a_part_given_twice_is_refused(tmp_path, saved):
    path = written(tmp_path / "a.sam2v", saved)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("frames.npy", saved["frames.npy"])
    with pytest.raises(AnnotationFileError, match="one twice"):
        load(path)


@given(position=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255), cut=st.booleans())
def test_whatever_happens_to_a_file_it_is_read_right_or_refused(saved, scratch, position, value, cut):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in saved.items():
            archive.writestr(name, content)
    content = bytearray(buffer.getvalue())
    at = int(position * len(content))
    if cut:
        del content[at:]
    else:
        content[at] = value
    path = scratch / "damaged.sam2v"
    path.write_bytes(content)
    try:
        loaded = load(path)
    except AnnotationFileError:
        return
    assert loaded.snapshot().state == document().snapshot().state
