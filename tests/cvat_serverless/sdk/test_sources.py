"""What was drawn of an object, by frame."""

from __future__ import annotations

import pytest

from cvat_serverless.sdk.schemas import ShapeData
from cvat_serverless.sdk.sources import TrackingSource


@pytest.mark.parametrize(("frame", "expected"), [(0, 3), (3, 3), (7, 3), (8, 8), (100, 8)])
def test_a_frame_goes_by_what_was_drawn_last_before_it_or_else_first_after_it(frame, expected):
    drawn = {number: ShapeData(type="rectangle", frame=number) for number in (8, 3)}
    assert TrackingSource(1, 0, (), (), drawn).drawn_before(frame).frame == expected
