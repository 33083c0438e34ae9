"""What was read, on its way into a document."""

from __future__ import annotations

import pytest

from src_model.document import AnnotatedObject, Annotation, Division, MovieIdentity, Origin
from src_model.errors import FormatError
from src_model.formats import Imported
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
