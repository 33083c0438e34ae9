"""A workbench for each test, one small network for all."""

from __future__ import annotations

import pytest

from tests.napari_sam2v.workbench.bench import Seat
from tests.tracking import tiny


@pytest.fixture(scope="session")
def predictor():
    return tiny.predictor(tiny.build())


@pytest.fixture
def seat(predictor):
    seat = Seat(predictor)
    yield seat
    seat.workbench.close()


@pytest.fixture
def clicked(seat):
    """One object, clicked on frame 2."""
    seat.click(tiny.CLICK, frame=2)
    return seat
