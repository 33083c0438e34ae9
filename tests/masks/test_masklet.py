from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src_model.errors import FrameRangeError, MaskError
from src_model.masks import Masklet, MaskletFrame, Rle

SHAPE = (4, 5)


def mask_of(*pixels: int) -> Rle:
    flat = np.zeros(SHAPE[0] * SHAPE[1], bool)
    flat[list(pixels)] = True
    return Rle.encode(flat.reshape(SHAPE))


def test_a_stored_frame_gives_back_its_mask_and_scores() -> None:
    masklet = Masklet(3, SHAPE)
    masklet.set(7, mask_of(1), score=0.75, object_score=0.25)
    assert masklet.get(7) == MaskletFrame(mask_of(1), 0.75, 0.25)
    assert masklet.mask_at(7) == mask_of(1)


def test_where_nothing_is_stored_there_is_nothing() -> None:
    masklet = Masklet(3, SHAPE)
    assert masklet.get(0) is None
    assert masklet.mask_at(0) is None
    assert 0 not in masklet
    assert len(masklet) == 0


def test_a_bool_array_is_stored_as_run_lengths_and_later_edits_of_it_do_not_matter() -> None:
    mask = np.zeros(SHAPE, bool)
    masklet = Masklet(1, SHAPE)
    masklet.set(0, mask)
    mask[:] = True
    stored = masklet.mask_at(0)
    assert isinstance(stored, Rle)
    assert stored.is_empty


def test_setting_a_frame_replaces_that_frame_only() -> None:
    masklet = Masklet(1, SHAPE)
    for frame in range(3):
        masklet.set(frame, mask_of(frame), score=0.5)
    others = masklet.get(0), masklet.get(2)
    masklet.set(1, mask_of(9), score=0.9)
    assert masklet.mask_at(1) == mask_of(9)
    assert (masklet.get(0), masklet.get(2)) == others
    assert masklet.frames == (0, 1, 2)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 12))))
@settings(deadline=None)
def test_frames_are_sorted_and_spans_are_contiguous_after_any_edits(edits: list[tuple[bool, int]]) -> None:
    masklet, expected = Masklet(1, SHAPE), set[int]()
    for stored, frame in edits:
        if stored:
            masklet.set(frame, mask_of())
            expected.add(frame)
        else:
            masklet.delete(frame)
            expected.discard(frame)
    assert masklet.frames == tuple(masklet) == tuple(sorted(expected))
    assert len(masklet) == len(expected)
    spans = masklet.spans()
    assert [frame for start, stop in spans for frame in range(start, stop)] == sorted(expected)
    assert all(stop < start for (_, stop), (start, _) in pairwise(spans))


def test_a_frame_is_forgotten_without_touching_the_rest() -> None:
    masklet = Masklet(1, SHAPE)
    for frame in (0, 2, 4, 6):
        masklet.set(frame, mask_of(frame))
    masklet.delete(2)
    assert masklet.frames == (0, 4, 6)
    masklet.delete(100)
    assert masklet.frames == (0, 4, 6)


def test_what_frames_held_can_be_put_back() -> None:
    masklet = Masklet(1, SHAPE)
    for frame in range(5):
        masklet.set(frame, mask_of(frame), score=frame / 10)
    before, kept = masklet.copy(), masklet.entries(1, 4)
    assert list(kept) == [1, 2, 3]
    assert list(masklet.entries(3)) == [3, 4]
    for frame in kept:
        masklet.delete(frame)
    assert masklet != before
    for frame, entry in kept.items():
        masklet.restore(frame, entry)
    assert masklet == before


def test_a_copy_is_edited_alone() -> None:
    masklet = Masklet(1, SHAPE)
    masklet.set(0, mask_of(0))
    other = masklet.copy()
    other.set(0, mask_of(5))
    other.set(1, mask_of(6))
    assert masklet.mask_at(0) == mask_of(0)
    assert masklet.frames == (0,)


def test_whole_numbers_of_numpy_are_frames_too() -> None:
    masklet = Masklet(int(np.int32(1)), SHAPE)
    masklet.set(np.int64(3), mask_of(0))  # type: ignore[arg-type]
    assert type(masklet.frames[0]) is int
    assert 3 in masklet


def test_a_masklet_says_what_it_holds_in_one_line() -> None:
    masklet = Masklet(2, SHAPE)
    for frame in (0, 1, 5):
        masklet.set(frame, mask_of())
    assert repr(masklet) == "Masklet(object_id=2, shape=(4, 5), spans=[(0, 2), (5, 6)])"


def test_masklets_of_other_objects_or_kinds_are_not_equal() -> None:
    assert Masklet(1, SHAPE) == Masklet(1, SHAPE)
    assert Masklet(1, SHAPE) != Masklet(2, SHAPE)
    assert Masklet(1, SHAPE) != 1
    with pytest.raises(TypeError):
        hash(Masklet(1, SHAPE))


@pytest.mark.parametrize("object_id", [0, -1])
def test_an_object_id_below_one_is_refused(object_id: int) -> None:
    with pytest.raises(MaskError, match=str(object_id)):
        Masklet(object_id, SHAPE)


def test_a_negative_frame_is_refused() -> None:
    with pytest.raises(FrameRangeError, match="-1"):
        Masklet(1, SHAPE).set(-1, mask_of())


def test_a_mask_of_another_shape_is_refused_and_nothing_is_stored() -> None:
    masklet = Masklet(1, SHAPE)
    with pytest.raises(MaskError, match=r"object 1 on frame 2 has shape \(5, 4\), expected \(4, 5\)"):
        masklet.set(2, Rle.empty((5, 4)))
    assert len(masklet) == 0


@pytest.mark.parametrize("scores", [{"score": math.nan}, {"object_score": math.nan}])
def test_a_score_that_is_no_number_is_refused(scores: dict[str, float]) -> None:
    with pytest.raises(MaskError, match="NaN"):
        Masklet(1, SHAPE).set(0, mask_of(), **scores)
