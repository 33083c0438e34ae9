"""What a person means by a selection of tracks, as actions that can be undone."""

from __future__ import annotations

import pytest

from napari_sam2v.controllers.lineage_editing import connected, cut, divided, fused, joined, uncoupled
from src_model.document import (
    AddObject,
    AddPoints,
    AnnotatedObject,
    Annotation,
    Division,
    LockFrames,
    MarkDivision,
    SetMask,
)
from src_model.errors import AnnotationError, LockedError
from tests.document.sample import MOVIE, NOWHERE, square


def document(**lives):
    """Objects with masks from a first to a last frame: ``document(o1=(0, 3))``."""
    annotation = Annotation(MOVIE)
    for name, (first, last) in lives.items():
        number = int(name[1:])
        annotation.do(AddObject(AnnotatedObject(number)))
        for frame in range(first, last + 1):
            annotation.do(SetMask(number, frame, square(number, frame)))
    return annotation


def masks(annotation, object_id):
    return {frame: entry.mask for frame, entry in annotation.masklet(object_id).entries().items()}


def done_and_undone(annotation, action):
    """Do an action as one step, find that undo takes all of it back, and do it again."""
    before = annotation.contents()
    annotation.do(action)
    annotation.undo()
    assert annotation.contents() == before
    annotation.redo()
    return annotation


def test_the_object_that_begins_first_is_the_mother_in_whatever_order_they_were_selected():
    annotation = document(o3=(0, 4), o1=(5, 9), o2=(6, 9))
    done_and_undone(annotation, divided(annotation, [1, 3, 2]))
    assert annotation.divisions == {3: Division(3, 5, (1, 2))}


def test_a_mother_that_went_on_as_one_daughter_is_split_with_prompts_and_later_divisions():
    annotation = document(o1=(0, 8), o2=(5, 9), o3=(9, 11), o4=(9, 11))
    annotation.do(AddPoints(1, 6, ((1, 1),), (1,)))
    annotation.do(MarkDivision(Division(1, 9, (3, 4))))
    before = masks(annotation, 1)
    done_and_undone(annotation, divided(annotation, [1, 2]))
    assert annotation.divisions == {1: Division(1, 5, (2, 5)), 5: Division(5, 9, (3, 4))}
    assert {**masks(annotation, 1), **masks(annotation, 5)} == before
    assert list(masks(annotation, 5)) == [5, 6, 7, 8]
    assert list(annotation.prompts(5)) == [6]


def test_what_is_locked_is_not_split():
    annotation = document(o1=(0, 8), o2=(5, 9))
    annotation.do(LockFrames(1, (7,)))
    with pytest.raises(LockedError, match="locked on frame 7"):
        annotation.do(divided(annotation, [1, 2]))
    annotation.do(LockFrames(1, (7,), locked=False))
    annotation.do(LockFrames(1, (2,)))
    annotation.do(divided(annotation, [1, 2]))
    assert annotation.locked_frames(1) == (2,), "locks of what stays, stay"


def test_another_daughter_joins_those_that_there_are_and_leaves_another_mother():
    annotation = document(o1=(0, 4), o2=(5, 9), o3=(6, 9), o4=(0, 4))
    annotation.do(MarkDivision(Division(1, 5, (2,))))
    annotation.do(MarkDivision(Division(4, 6, (3,))))
    done_and_undone(annotation, connected(annotation, 1, [3]))
    assert annotation.divisions == {1: Division(1, 5, (2, 3))}


def test_two_objects_and_what_they_became_fuse():
    annotation = document(o1=(0, 4), o2=(2, 4), o3=(5, 9))
    done_and_undone(annotation, fused(annotation, [3, 1, 2]))
    assert annotation.divisions == {1: Division(1, 5, (3,)), 2: Division(2, 5, (3,))}


def test_of_two_objects_the_one_that_goes_on_is_split_where_the_other_ends():
    annotation = document(o1=(0, 4), o2=(2, 8), o3=(9, 11), o4=(9, 11))
    annotation.do(MarkDivision(Division(2, 9, (3, 4))))
    done_and_undone(annotation, fused(annotation, [1, 2]))
    assert annotation.divisions == {1: Division(1, 5, (5,)), 2: Division(2, 5, (5,)), 5: Division(5, 9, (3, 4))}
    assert list(masks(annotation, 5)) == [5, 6, 7, 8]


def test_tracks_that_follow_one_another_become_one_with_the_later_daughters():
    annotation = document(o1=(0, 3), o2=(5, 7), o3=(8, 9), o4=(8, 9), o5=(0, 4))
    annotation.do(MarkDivision(Division(2, 8, (3, 4))))
    annotation.do(MarkDivision(Division(5, 5, (2,))))
    before = masks(annotation, 1) | masks(annotation, 2)
    done_and_undone(annotation, joined(annotation, [2, 1]))
    assert masks(annotation, 1) == before
    assert annotation.divisions == {1: Division(1, 8, (3, 4))}


def test_a_mother_joined_with_a_daughter_divides_no_more():
    annotation = document(o1=(0, 3), o2=(4, 7), o3=(4, 9))
    annotation.do(MarkDivision(Division(1, 4, (2, 3))))
    annotation.do(joined(annotation, [1, 2]))
    assert annotation.divisions == {}
    assert list(annotation.objects) == [1, 3]


def test_a_track_is_cut_before_a_frame_and_its_edges_where_it_begins_and_ends():
    annotation = document(o1=(0, 3), o2=(4, 7), o3=(8, 9))
    annotation.do(MarkDivision(Division(1, 4, (2,))))
    annotation.do(MarkDivision(Division(2, 8, (3,))))
    annotation.do(cut(annotation, [2], 4))
    assert annotation.divisions == {2: Division(2, 8, (3,))}
    annotation.undo()
    annotation.do(cut(annotation, [2], 8))
    assert annotation.divisions == {1: Division(1, 4, (2,))}
    annotation.undo()
    done_and_undone(annotation, cut(annotation, [2], 6))
    assert (list(masks(annotation, 2)), list(masks(annotation, 4))) == ([4, 5], [6, 7])
    assert annotation.divisions == {1: Division(1, 4, (2,)), 4: Division(4, 8, (3,))}


def test_the_edge_between_two_is_cut_in_whatever_order_and_several_at_once():
    annotation = document(o1=(0, 3), o2=(0, 3), o3=(4, 9))
    annotation.do(fused(annotation, [1, 2, 3]))
    for order in ([1, 3], [3, 1]):
        annotation.do(cut(annotation, order, 0))
        assert annotation.divisions == {2: Division(2, 4, (3,))}
        annotation.undo()
    done_and_undone(annotation, uncoupled([(1, 3), (2, 3)]))
    assert annotation.divisions == {}


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda a: divided(a, [1]), "two objects or more"),
        (lambda a: divided(a, [1, 2]), "object 1 begins on frame 0 and cannot divide on frame 0"),
        (lambda a: divided(a, [1, 5]), "object 5 has no mask on any frame"),
        (lambda a: connected(a, 4, [3]), "a mother begins before her daughters"),
        (lambda a: fused(a, [1]), "takes two objects"),
        (lambda a: fused(a, [1, 2]), "both objects end on frame 3"),
        (lambda a: fused(a, [3, 1, 6]), "object 3 divides on frame 8: cut its daughters off"),
        (lambda a: fused(a, [1, 2, 4, 6]), "object 4 begins on frame 8 and cannot fuse on frame 8"),
        (lambda a: joined(a, [1]), "select the two tracks"),
        (lambda a: joined(a, [1, 2]), "up to frame 3 and object 2 from frame 0 on"),
        (lambda a: joined(a, [3, 6]), "object 3 divides on frame 8 and cannot go on as object 6"),
        (lambda a: cut(a, [], 3), "select one track"),
        (lambda a: cut(a, [1], 0), "is there on frames 0 to 3: go to the frame"),
        (lambda a: cut(a, [1], 9), "is there on frames 0 to 3: go to the frame"),
        (lambda a: a.do(cut(a, [1, 2], 3)), "object 1 is no daughter of object 2"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_do(edit, message):
    annotation = document(o1=(0, 3), o2=(0, 3), o3=(4, 7), o4=(8, 9), o6=(8, 9))
    annotation.do(AddObject(AnnotatedObject(5)))
    annotation.do(SetMask(5, 1, NOWHERE))
    annotation.do(MarkDivision(Division(3, 8, (4,))))
    before = annotation.contents()
    with pytest.raises(AnnotationError, match=message):
        edit(annotation)
    assert annotation.contents() == before
