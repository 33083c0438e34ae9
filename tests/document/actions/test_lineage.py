"""Lineage: an object divides once, comes of others on one frame, and never descends from itself."""

from __future__ import annotations

import pytest

from src_model.document import Division, MarkDivision, RemoveDaughter, RemoveDivision, load, save
from src_model.errors import AnnotationError, FrameRangeError, UnknownObjectError
from tests.document.sample import LENGTH, document


def test_a_new_division_of_an_object_replaces_the_old_one():
    annotation = document()
    annotation.do(MarkDivision(Division(1, 7, (2, 4))))
    assert annotation.divisions == {1: Division(1, 7, (2, 4))}


def test_divisions_come_by_ascending_parent():
    annotation = document()
    annotation.do(MarkDivision(Division(3, 8, (2,))))
    annotation.do(RemoveDivision(1))
    annotation.undo()
    assert list(annotation.divisions) == [1, 3]


@pytest.mark.parametrize(
    ("parent", "frame", "daughters", "error", "message"),
    [
        (1, 6, (), AnnotationError, "cannot divide into"),
        (1, 6, (1, 2), AnnotationError, "other than itself"),
        (1, 6, (2, 2), AnnotationError, "each once"),
        (1, -1, (2,), FrameRangeError, "frame -1"),
        (1, LENGTH, (2,), FrameRangeError, "outside the movie"),
        (1, 6, (9,), UnknownObjectError, "no object 9"),
        (9, 6, (2,), UnknownObjectError, "no object 9"),
        (2, 7, (3,), AnnotationError, "it comes of object 1 on frame 6"),
        (3, 8, (1,), AnnotationError, "descend from themselves"),
    ],
)
def test_divisions_that_cannot_be_are_refused(parent, frame, daughters, error, message):
    annotation = document()
    with pytest.raises(error, match=message):
        annotation.do(MarkDivision(Division(parent, frame, daughters)))


def test_two_objects_can_fuse_on_one_frame(tmp_path):
    annotation = document()
    annotation.do(MarkDivision(Division(2, 6, (3,))))
    assert annotation.divisions == {1: Division(1, 6, (3, 4)), 2: Division(2, 6, (3,))}
    loaded = load(save(annotation, tmp_path / "a.sam2v"))
    assert loaded.divisions == annotation.divisions
    loaded.do(RemoveDivision(1))
    assert loaded.divisions == {2: Division(2, 6, (3,))}


def test_a_division_that_is_not_there_cannot_be_removed():
    with pytest.raises(AnnotationError, match="object 2 is not marked"):
        document().do(RemoveDivision(2))


def test_a_daughter_is_cut_off_alone_and_the_division_goes_with_the_last_one():
    annotation = document()
    masks = annotation.contents().masks
    annotation.do(RemoveDaughter(1, 3))
    assert annotation.divisions == {1: Division(1, 6, (4,))}
    annotation.do(RemoveDaughter(1, 4))
    assert annotation.divisions == {}
    assert annotation.contents().masks == masks
    annotation.undo()
    annotation.undo()
    assert annotation.divisions == {1: Division(1, 6, (3, 4))}


@pytest.mark.parametrize(("parent", "daughter"), [(1, 2), (3, 1)])
def test_what_is_no_daughter_cannot_be_cut_off(parent, daughter):
    with pytest.raises(AnnotationError, match=r"is no daughter of .* choose two objects that an edge joins"):
        document().do(RemoveDaughter(parent, daughter))
