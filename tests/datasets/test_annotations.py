"""Annotation documents as labelled movies."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from src_model.datasets import open_dataset
from src_model.document import (
    AddObject,
    AnnotatedObject,
    Annotation,
    Division,
    LockFrames,
    MarkDivision,
    MovieIdentity,
    Origin,
    SetMask,
    save,
)
from src_model.errors import AnnotationFileError, MovieError
from src_model.frames import open_movie
from src_model.masks import Rle
from tests.datasets.samples import SHAPE, save_tiff, squares

MOVIE = (100 * np.arange(6)[:, None, None] + np.arange(600).reshape(SHAPE)).astype(np.uint16)


@pytest.fixture
def movie_path(tmp_path):
    save_tiff(tmp_path / "cells.tif", MOVIE)
    return tmp_path / "cells.tif"


@pytest.fixture
def document(movie_path):
    """Object 1 is painted on frame 0, tracked up to 3, of which 2 is locked; object 2 answered a prompt on frame 1."""
    annotation = Annotation(MovieIdentity.of(open_movie(movie_path), path=str(movie_path)))
    for number in (1, 2):
        annotation.do(AddObject(AnnotatedObject(number)))
    for frame in range(4):
        origin = Origin.TRACKED if frame else Origin.EDITED
        annotation.do(SetMask(1, frame, Rle.encode(squares(frame) == 1), origin=origin))
    annotation.do(LockFrames(1, (2,)))
    annotation.do(SetMask(2, 1, Rle.encode(squares(1) == 2), origin=Origin.PROMPTED))
    return annotation


def test_what_was_confirmed_is_truth_object_by_object(document, movie_path):
    save(document, movie_path.with_suffix(".sam2v"))
    data = open_dataset(movie_path.parent)
    movie = data[0]
    assert (data.layout, data.names) == ("annotation", ("cells",))
    assert tuple(movie.labelled_frames) == (0, 1, 2)
    assert [tuple(movie.known_frames(number)) for number in (1, 2, 3)] == [(0, 2), (1,), ()]
    assert movie.object_ids() == (1, 2)
    np.testing.assert_array_equal(movie.mask(1, 2), squares(2) == 1)
    np.testing.assert_array_equal(movie.labels(1), 2 * (squares(1) == 2))
    np.testing.assert_array_equal(movie.movie.read(5), MOVIE[5])
    assert movie.kind == "microscopy"
    with pytest.raises(MovieError, match="frame 3 of 'cells' has no labels"):
        movie.mask(1, 3)


def test_tracked_frames_can_be_trusted_too(document, movie_path):
    path = save(document, movie_path.with_suffix(".sam2v"))
    movie = open_dataset(path, truth="all")[0]
    assert tuple(movie.known_frames(1)) == (0, 1, 2, 3)
    with pytest.raises(MovieError, match="truth='gold' cannot be taken from annotations"):
        open_dataset(path, truth="gold")


def test_an_empty_mask_that_was_confirmed_is_known_absence(document, movie_path):
    document.do(SetMask(2, 4, Rle.empty(SHAPE)))
    movie = open_dataset(save(document, movie_path.with_suffix(".sam2v")))[0]
    assert tuple(movie.known_frames(2)) == (1, 4)
    assert not movie.mask(2, 4).any()


def test_divisions_are_parents(document, movie_path):
    for number in (3, 4):
        document.do(AddObject(AnnotatedObject(number)))
    document.do(MarkDivision(Division(1, 4, (3, 4))))
    assert open_dataset(save(document, movie_path.with_suffix(".sam2v")))[0].parents == {3: 1, 4: 1}


def test_a_document_saved_again_is_read_again(document, movie_path):
    path = save(document, movie_path.with_suffix(".sam2v"))
    assert tuple(open_dataset(path)[0].known_frames(2)) == (1,)
    document.do(SetMask(2, 5, Rle.encode(squares(5) == 2)))
    save(document)
    assert tuple(open_dataset(path)[0].known_frames(2)) == (1, 5)


def test_the_movie_is_found_beside_the_document_where_both_were_moved(document, movie_path, tmp_path):
    path = save(document, movie_path.with_suffix(".sam2v"))
    (tmp_path / "elsewhere").mkdir()
    for file in (path, movie_path):
        file.rename(tmp_path / "elsewhere" / file.name)
    assert open_dataset(tmp_path / "elsewhere")[0].movie.shape == MOVIE.shape


def test_a_missing_or_changed_movie_is_named(document, movie_path):
    path = save(document, movie_path.with_suffix(".sam2v"))
    tifffile.imwrite(movie_path, MOVIE + 1, photometric="minisblack")
    with pytest.raises(MovieError, match=r"cells\.tif' is not the movie that '.*' annotates: its images are others"):
        open_dataset(path)[0].labels(0)
    movie_path.unlink()
    with pytest.raises(MovieError, match=r"cells\.tif' that '.*' annotates is not there"):
        _ = open_dataset(path)[0].movie


def test_a_document_in_which_nothing_is_confirmed_is_refused(movie_path):
    annotation = Annotation(MovieIdentity.of(open_movie(movie_path), path=str(movie_path)))
    annotation.do(AddObject(AnnotatedObject(1)))
    annotation.do(SetMask(1, 0, Rle.encode(squares(0) == 1), origin=Origin.TRACKED))
    path = save(annotation, movie_path.with_suffix(".sam2v"))
    with pytest.raises(MovieError, match="confirms no mask: lock frames that are right"):
        open_dataset(path)[0].object_ids()


def test_a_damaged_document_is_refused_when_it_is_read(tmp_path):
    (tmp_path / "cells.sam2v").write_bytes(b"nothing")
    data = open_dataset(tmp_path)
    with pytest.raises(AnnotationFileError, match="cells"):
        data[0].object_ids()
