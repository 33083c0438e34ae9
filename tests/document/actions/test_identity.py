"""Who is who: deleting, merging, splitting and swapping."""

from __future__ import annotations

import pytest

from src_model.document import (
    AddPoints,
    DeleteObject,
    Division,
    LockFrames,
    MarkDivision,
    MergeObjects,
    Origin,
    RemoveDivision,
    SetMask,
    SplitObject,
    SwapIds,
)
from src_model.errors import AnnotationError, FrameRangeError
from tests.document.sample import LENGTH, NOWHERE, document, square


def unlocked():
    annotation = document()
    annotation.do(LockFrames(1, (4,), locked=False))
    return annotation


def test_a_deleted_object_leaves_divisions():
    annotation = document()
    annotation.do(DeleteObject(3))
    assert annotation.divisions == {1: Division(1, 6, (4,))}
    annotation.do(DeleteObject(4))
    assert annotation.divisions == {}
    assert list(annotation.objects) == [1, 2]


def test_a_deleted_parent_takes_its_division_along():
    annotation = unlocked()
    annotation.do(DeleteObject(1))
    assert annotation.divisions == {}
    assert list(annotation.objects) == [2, 3, 4]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("union", None), ("keep", square(10, 10)), ("replace", square(2, 6)), ("score", square(10, 10))],
)
def test_where_both_have_a_mask_the_rule_decides(rule, expected):
    annotation = unlocked()
    mine, theirs = annotation.frame(2, 3), annotation.frame(1, 3)
    annotation.do(MergeObjects(2, 1, rule))
    merged = annotation.frame(2, 3)
    if rule == "union":
        assert (merged.mask.decode() == mine.mask.decode() | theirs.mask.decode()).all()
        assert (merged.score, merged.object_score) == (0.75, 1.0)
    else:
        assert merged.mask == expected
    assert annotation.masklet(2).frames == (0, 1, 2, 3, 4, 5)
    assert 1 not in annotation.objects


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        (Origin.TRACKED, Origin.TRACKED, Origin.TRACKED),
        (Origin.TRACKED_BACK, Origin.TRACKED_BACK, Origin.TRACKED_BACK),
        (Origin.TRACKED, Origin.EDITED, Origin.EDITED),
        (Origin.PROMPTED, Origin.TRACKED, Origin.PROMPTED),
        (Origin.IMPORTED, Origin.TRACKED, Origin.TRACKED),
        (Origin.IMPORTED, Origin.IMPORTED, Origin.IMPORTED),
    ],
)
def test_a_union_is_made_by_hand_only_where_one_of_its_masks_was(mine, theirs, expected):
    annotation = unlocked()
    annotation.do(SetMask(2, 3, square(2, 6), 0.5, 0.5, mine))
    annotation.do(SetMask(1, 3, square(10, 10), 0.5, 0.5, theirs))
    annotation.do(MergeObjects(2, 1))
    assert annotation.frame(2, 3).origin is expected


def test_an_empty_mask_gives_way_to_one_that_is_not():
    annotation = document()
    annotation.do(SetMask(2, 7, square(1, 1)))
    annotation.do(MergeObjects(4, 2, "keep"))
    assert annotation.mask_at(4, 7) == square(1, 1)
    annotation.undo()
    annotation.do(MergeObjects(2, 4, "replace"))
    assert annotation.mask_at(2, 7) == square(1, 1)


def test_empty_masks_merge_to_an_empty_mask():
    annotation = document()
    annotation.do(SetMask(2, 7, NOWHERE))
    annotation.do(MergeObjects(2, 4))
    assert annotation.mask_at(2, 7) == NOWHERE


def test_prompts_merge_and_the_first_object_keeps_its_own():
    annotation = document()
    annotation.do(AddPoints(3, 3, ((1, 1),), (1,)))
    kept, moved = annotation.prompt(2, 3), annotation.prompt(3, 6)
    annotation.do(MergeObjects(2, 3))
    assert dict(annotation.prompts(2)) == {3: kept, 6: moved}


def test_merging_a_daughter_back_into_its_mother_takes_it_from_the_division():
    annotation = document()
    annotation.do(MergeObjects(1, 3))
    assert annotation.divisions == {1: Division(1, 6, (4,))}
    annotation.do(MergeObjects(1, 4))
    assert annotation.divisions == {}


def test_merging_passes_divisions_on():
    annotation = unlocked()
    annotation.do(MergeObjects(2, 1))
    assert annotation.divisions == {2: Division(2, 6, (3, 4))}


def test_two_divisions_of_what_would_be_one_object_are_refused():
    annotation = unlocked()
    annotation.do(RemoveDivision(1))
    annotation.do(MarkDivision(Division(2, 4, (1,))))
    annotation.do(MarkDivision(Division(3, 8, (4,))))
    with pytest.raises(AnnotationError, match="object 2 would divide twice, on frames 4 and 8"):
        annotation.do(MergeObjects(2, 3))


@pytest.mark.parametrize("frame", [6, 7])
def test_merging_objects_of_two_parents_is_a_fusion_where_they_began_together(frame):
    annotation = document()
    annotation.do(RemoveDivision(1))
    annotation.do(MarkDivision(Division(1, 6, (3,))))
    annotation.do(MarkDivision(Division(2, frame, (4,))))
    if frame == 6:
        annotation.do(MergeObjects(3, 4))
        assert annotation.divisions == {1: Division(1, 6, (3,)), 2: Division(2, 6, (3,))}
        return
    with pytest.raises(AnnotationError, match="it comes of object 1 on frame 6"):
        annotation.do(MergeObjects(3, 4))


def test_a_split_moves_masks_prompts_and_the_division_to_the_new_object():
    annotation = unlocked()
    annotation.do(AddPoints(1, 3, ((1, 1),), (1,)))
    annotation.do(SplitObject(1, 2, 9))
    assert annotation.masklet(1).frames == (0, 1)
    assert annotation.masklet(9).frames == (2, 3, 4, 5)
    assert list(annotation.prompts(9)) == [3]
    assert annotation.divisions == {9: Division(9, 6, (3, 4))}
    new = annotation.object(9)
    assert (new.class_name, new.note, new.name) == ("cell", "big\nand round", "")
    assert new.color != annotation.object(1).color


def test_a_daughter_that_moves_as_a_whole_is_a_daughter_under_its_new_id():
    annotation = document()
    annotation.do(SplitObject(4, 6, 9))
    assert annotation.divisions == {1: Division(1, 6, (3, 9))}
    annotation.undo()
    annotation.do(SplitObject(4, 7, 9))
    assert annotation.divisions == {1: Division(1, 6, (3, 4))}


def test_a_swap_exchanges_what_lies_at_and_after_the_frame():
    annotation = unlocked()
    first, second = annotation.masklet(1), annotation.masklet(2)
    annotation.do(SwapIds(1, 2, 3))
    assert annotation.masklet(1).frames == (0, 1, 2, 3)
    assert annotation.masklet(2).frames == (3, 4, 5)
    assert annotation.mask_at(1, 3) == second.mask_at(3)
    assert annotation.mask_at(2, 3) == first.mask_at(3)
    assert list(annotation.prompts(1)) == [0, 3]
    assert annotation.divisions == {2: Division(2, 6, (3, 4))}


def test_swapping_twice_is_as_if_nothing_happened():
    annotation = unlocked()
    before = annotation.contents()
    annotation.do(SwapIds(1, 2, 2))
    annotation.do(SwapIds(2, 1, 2))
    assert annotation.contents() == before


def test_swapped_daughters_swap_places():
    annotation = document()
    annotation.do(RemoveDivision(1))
    annotation.do(MarkDivision(Division(2, 5, (4,))))
    annotation.do(SwapIds(3, 4, 5))
    assert annotation.divisions == {2: Division(2, 5, (3,))}


@pytest.mark.parametrize(
    ("action", "error", "message"),
    [
        (MergeObjects(1, 1), AnnotationError, "with itself"),
        (MergeObjects(2, 4, "best"), AnnotationError, "'best' is unknown"),
        (SwapIds(2, 2, 0), AnnotationError, "with itself"),
        (SwapIds(2, 3, 8), AnnotationError, "nothing from frame 8"),
        (SplitObject(2, 4, 9), AnnotationError, "nothing from frame 4"),
        (SplitObject(2, 3, 1), AnnotationError, "id 1 is taken by mother"),
        (SplitObject(2, LENGTH, 9), FrameRangeError, "outside the movie"),
        (SplitObject(2, 3, 0), AnnotationError, "object id 0"),
    ],
)
def test_what_makes_no_sense_is_refused(action, error, message):
    annotation = document()
    before = annotation.contents()
    with pytest.raises(error, match=message):
        annotation.do(action)
    assert annotation.contents() == before
