"""Overlap: one pixel, one object, by a stated policy; the document loses nothing."""

from __future__ import annotations

import numpy as np
import pytest

from src_model.document import (
    AddObject,
    AnnotatedObject,
    OverlapPair,
    SetMask,
    SetOverlap,
    ShowObject,
    label_image,
    overlap_report,
)
from src_model.errors import MaskError
from tests.document.sample import NOWHERE, SHAPE, empty_document, square


@pytest.fixture
def annotation():
    """Objects 1 and 2 share 4 pixels, 3 is alone, 4 is absent; 2 is scored best."""
    document = empty_document()
    masks = {1: (square(0, 0, 4), 0.5), 2: (square(2, 2, 4), 0.75), 3: (square(10, 10, 3), 0.25), 4: (NOWHERE, 1.0)}
    for object_id, (mask, score) in masks.items():
        document.do(AddObject(AnnotatedObject(object_id)))
        document.do(SetMask(object_id, 0, mask, score))
    return document


@pytest.mark.parametrize(("policy", "winner"), [("first", 1), ("last", 2), ("score", 2)])
def test_a_shared_pixel_goes_to_one_object_by_policy(annotation, policy, winner):
    labels = label_image(annotation, 0, policy=policy)
    assert labels.dtype == np.int32
    assert labels[3, 3] == winner
    assert (labels[0, 0], labels[5, 5], labels[11, 11], labels[20, 20]) == (1, 2, 3, 0)


def test_equal_scores_leave_the_pixel_to_the_smaller_id(annotation):
    annotation.do(SetMask(2, 0, square(2, 2, 4), 0.5))
    assert label_image(annotation, 0, policy="score")[3, 3] == 1


def test_the_report_names_pairs_and_counts_what_is_hidden(annotation):
    report = overlap_report(annotation, 0, policy="last")
    assert report.pairs == (OverlapPair(1, 2, 4),)
    assert report.hidden == {1: 4}
    assert overlap_report(annotation, 0, policy="first").hidden == {2: 4}
    assert overlap_report(annotation, 0, objects=(1, 3)).pairs == ()


def test_the_policy_of_the_document_holds_where_none_is_given(annotation):
    assert label_image(annotation, 0)[3, 3] == 1
    annotation.do(SetOverlap("last"))
    assert label_image(annotation, 0)[3, 3] == 2
    assert overlap_report(annotation, 0).policy == "last"
    annotation.undo()
    assert label_image(annotation, 0)[3, 3] == 1


def test_flattening_leaves_the_document_as_it_is(annotation):
    before = annotation.contents()
    label_image(annotation, 0, policy="last")
    assert annotation.contents() == before


def test_hidden_objects_and_those_not_asked_for_are_left_out(annotation):
    annotation.do(ShowObject(1, visible=False))
    assert label_image(annotation, 0, visible_only=True)[3, 3] == 2
    assert set(np.unique(label_image(annotation, 0, objects=[3, 4])).tolist()) == {0, 3}
    assert overlap_report(annotation, 0, visible_only=True).hidden == {}


def test_a_frame_without_masks_is_background(annotation):
    assert not label_image(annotation, 5, dtype=np.uint8).any()
    assert label_image(annotation, 5).shape == SHAPE


def test_ids_that_do_not_fit_and_unknown_policies_are_refused(annotation):
    annotation.do(AddObject(AnnotatedObject(300)))
    annotation.do(SetMask(300, 0, square()))
    with pytest.raises(MaskError, match="300 does not fit a uint8"):
        label_image(annotation, 0, dtype=np.uint8)
    with pytest.raises(MaskError, match="'best' is unknown"):
        label_image(annotation, 0, policy="best")
