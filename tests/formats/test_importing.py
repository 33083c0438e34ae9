"""Masks of other programs, on their way into a document; labels movies read as objects."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from src_model.document import AnnotatedObject, Annotation, Division, MovieIdentity, Origin
from src_model.errors import FormatError, StoppedError
from src_model.formats import Imported, importing, read_labels
from tests.formats.documents import MOVIE, SHAPE, described, family, links_of, masklet, masks_of, plain, square


def imported(shape=SHAPE):
    return Imported(
        "cells",
        shape,
        (masklet(1, {0: square(2, 2)}), masklet(2, {1: square(9, 9)})),
        (AnnotatedObject(2, name="bud"),),
        (Division(1, 1, (2,)),),
    )


def test_a_new_document_holds_the_objects_and_nothing_to_undo():
    annotation = imported().document()
    assert annotation.movie.shape == SHAPE
    assert links_of(annotation) == {2: 1}
    assert annotation.object(2).name == "bud"
    assert annotation.frame(1, 0).origin is Origin.IMPORTED
    assert annotation.undo_label is None
    assert annotation.is_modified


def test_a_new_document_can_be_of_the_users_movie():
    assert imported().document(MOVIE).movie == MOVIE


def test_the_action_adds_them_in_one_step():
    annotation = Annotation(MOVIE)
    annotation.do(imported().action(annotation))
    assert set(annotation.objects) == {1, 2}
    annotation.undo()
    assert not annotation.objects


def test_objects_of_another_document_are_taken_with_names_scores_and_links():
    annotation = Annotation(MOVIE)
    annotation.do(Imported.of(described()).action(annotation))
    annotation.do(Imported.of(family()).action(annotation))
    assert annotation.object(4) == described().object(4)
    assert annotation.frame(4, 0).score == 0.5
    assert links_of(annotation) == {5: 3, 8: 3}


def test_where_an_id_is_taken_all_get_new_ones_and_keep_their_names_and_links():
    annotation = family()
    before = masks_of(annotation)
    annotation.do(imported().action(annotation))
    assert set(annotation.objects) == {2, 3, 5, 8, 9, 10}
    assert annotation.object(10).name == "bud"
    assert links_of(annotation)[10] == 9
    assert before.items() <= masks_of(annotation).items()


@pytest.mark.parametrize("shape", [(7, 24, 32), (6, 24, 31)])
def test_objects_of_another_movie_are_refused(shape):
    with pytest.raises(FormatError, match="does not fit the movie"):
        imported(shape).action(plain())


def test_objects_of_the_start_of_a_movie_fit():
    longer = Annotation(MovieIdentity("long", (60, *SHAPE[1:]), "uint8"))
    assert longer.do(imported().action(longer)).step is not None


def movie(dtype=np.uint16):
    labels = np.zeros(SHAPE, dtype)
    labels[:3, 2:6, 2:6] = 7
    labels[1:, 10:15, 10:15] = 9
    return labels


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "uint64", "float32"])
def test_each_number_is_an_object_of_that_id(dtype):
    imported = read_labels(movie(dtype))
    assert [masklet.object_id for masklet in imported.masklets] == [7, 9]
    assert imported.masklets[0].frames == (0, 1, 2)
    np.testing.assert_array_equal(imported.masklets[0].mask_at(0).decode(), square(2, 2))
    assert imported.shape == SHAPE


def test_a_mask_is_object_1():
    assert masks_of(read_labels(movie() == 7).document()).keys() == {(1, 0), (1, 1), (1, 2)}


def test_a_file_is_read_as_an_array_is(tmp_path):
    tifffile.imwrite(tmp_path / "labels.tif", movie(), metadata={"axes": "TYX"}, photometric="minisblack")
    imported = read_labels(tmp_path / "labels.tif")
    assert imported.name == "labels.tif"
    assert masks_of(imported.document()) == masks_of(read_labels(movie()).document())


@pytest.mark.parametrize(
    ("labels", "fault"),
    [
        (movie(np.int16) - 1, "-1"),
        (movie(np.float32) + np.float32(0.5), "fractions"),
        (np.full(SHAPE, np.nan), "nan"),
        (np.full(SHAPE, 2**31, np.uint32), "2147483648"),
        (np.zeros((*SHAPE, 3), np.uint8), r"\(24, 32, 3\)"),
        (np.zeros(5, np.uint8), "array"),
    ],
)
def test_what_is_no_labels_movie_is_refused(labels, fault):
    with pytest.raises(FormatError, match=fault):
        read_labels(labels)


def test_an_image_is_not_taken_for_labels(monkeypatch):
    monkeypatch.setattr(importing, "_MOST_OBJECTS", 50)
    with pytest.raises(FormatError, match="is it an image"):
        read_labels(np.arange(np.prod(SHAPE)).reshape(SHAPE))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FormatError, match=r"missing\.tif"):
        read_labels(tmp_path / "missing.tif")


def test_a_truncated_file_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", movie(), metadata={"axes": "TYX"}, photometric="minisblack")
    content = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(content[: len(content) // 2])
    with pytest.raises(FormatError, match=r"a\.tif"):
        read_labels(tmp_path / "a.tif")


def test_reading_can_be_stopped():
    seen = []
    with pytest.raises(StoppedError):
        read_labels(movie(), progress=lambda *done: seen.append(done), cancelled=lambda: len(seen) == 2)
    assert seen == [(1, 6), (2, 6)]
