"""Import: masklets from elsewhere become objects of the document."""

from __future__ import annotations

import pytest

from src_model.document import AnnotatedObject, Division, ImportMasklets, Origin, renumbered
from src_model.errors import AnnotationError, FrameRangeError, MaskError, UnknownObjectError
from src_model.masks import Masklet
from tests.document.sample import LENGTH, SHAPE, document, square


def masklet(object_id, *frames, shape=SHAPE):
    made = Masklet(object_id, shape)
    for frame in frames:
        made.set(frame, square().decode()[: shape[0], : shape[1]], score=0.5)
    return made


def test_imported_masks_keep_their_scores_and_say_where_they_came_from():
    annotation = document()
    annotation.do(ImportMasklets((masklet(8, 0, 3), masklet(7)), (AnnotatedObject(8, "eight"),)))
    assert annotation.object(8).name == "eight"
    assert annotation.masklet(8).frames == (0, 3)
    assert annotation.frame(8, 3).origin is Origin.IMPORTED
    assert annotation.frame(8, 3).score == 0.5
    assert annotation.object(7) == AnnotatedObject(7)


def test_what_was_imported_does_not_change_with_the_masklet_it_came_from():
    annotation, source = document(), masklet(8, 0)
    annotation.do(ImportMasklets((source,)))
    source.delete(0)
    assert annotation.masklet(8).frames == (0,)


def test_ids_that_are_taken_can_be_renumbered():
    annotation = document()
    masklets, divisions = renumbered(
        (masklet(1, 0), masklet(2, 1), masklet(3, 1)), (Division(1, 1, (2, 3)),), first_id=annotation.next_id()
    )
    annotation.do(ImportMasklets(masklets, (), divisions))
    assert list(annotation.objects) == [1, 2, 3, 4, 5, 6, 7]
    assert annotation.divisions[5] == Division(5, 1, (6, 7))
    assert annotation.masklet(6).frames == (1,)


@pytest.mark.parametrize(
    ("masklets", "divisions", "error", "message"),
    [
        ((masklet(1, 0),), (), AnnotationError, "renumber"),
        ((masklet(8, 0), masklet(8, 1)), (), AnnotationError, "given twice"),
        ((masklet(8, LENGTH),), (), FrameRangeError, "outside the movie"),
        ((masklet(8, 0, shape=(5, 9)),), (), MaskError, "shape"),
        ((masklet(8, 0),), (Division(8, 1, (99,)),), UnknownObjectError, "no object 99"),
        ((masklet(8, 0),), (Division(1, 1, (8,)),), AnnotationError, "divide twice"),
        ((masklet(8, 0),), (Division(8, 1, (3,)),), AnnotationError, "it comes of object 1 on frame 6"),
    ],
)
def test_what_does_not_fit_the_document_is_refused(masklets, divisions, error, message):
    annotation = document()
    before = annotation.contents()
    with pytest.raises(error, match=message):
        annotation.do(ImportMasklets(masklets, (), divisions))
    assert annotation.contents() == before
