"""What a track says of its latest masks: hand-made ones stand for cells."""

from __future__ import annotations

import numpy as np
import pytest

from src_model.masks import Rle
from src_model.workflow.followed_track import FollowedTrack

SHAPE = (60, 120)
ROWS, COLUMNS = np.mgrid[: SHAPE[0], : SHAPE[1]]


def ellipse(x: float, height: float, width: float) -> Rle:
    return Rle.encode(((ROWS - 30) / height) ** 2 + ((COLUMNS - x) / width) ** 2 <= 1)


def followed(*masks: Rle) -> FollowedTrack:
    return FollowedTrack(1, recent=dict(enumerate(masks)))


@pytest.mark.parametrize(
    ("masks", "changed"),
    [
        ([ellipse(30 + 20 * t, 10, 10) for t in range(4)], False),
        ([*[ellipse(40, 10, 10)] * 3, ellipse(40, 10, 15)], True),
        ([*[ellipse(40, 8, 14)] * 3, ellipse(40, 14, 8)], True),
        ([ellipse(40, 10, 10 + t) for t in range(4)], False),
        ([ellipse(40, 10, 10)], False),
        ([*[ellipse(40, 10, 10)] * 3, Rle.empty(SHAPE)], False),
    ],
    ids=["moves fast", "grows at once", "turns at once", "grows slowly", "begins", "is not seen"],
)
def test_an_outline_changes_at_once_wherever_the_object_moves(masks, changed):
    assert followed(*masks).has_changed(len(masks) - 1) is changed


def test_an_object_that_lost_half_of_itself_has_shrunk_and_one_that_was_just_lost_may_have():
    whole, half = ellipse(40, 10, 20), ellipse(30, 10, 10)
    assert followed(whole, whole, half).has_shrunk(2)
    assert not followed(whole, whole, whole).has_shrunk(2)
    track = followed(whole, whole)
    for frame in (2, 3):
        track.see(frame, Rle.empty(SHAPE), kept=10)
        assert track.has_shrunk(frame) is (frame == 2)


def test_the_usual_area_is_that_before_a_cell_condensed():
    large, small = ellipse(40, 12, 12), ellipse(40, 7, 7)
    track = followed(*[large] * 6, *[small] * 5)
    assert track.usual_area(11) == large.area
    assert followed().usual_area(3) == 0
