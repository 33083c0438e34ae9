"""A controller for each test, one small network for all."""

from __future__ import annotations

import pytest

from tests.napari_sam2v.controllers.headless_user import HeadlessUser
from tests.tracking import tiny


@pytest.fixture(scope="session")
def predictor():
    return tiny.predictor(tiny.build())


@pytest.fixture
def user(predictor):
    user = HeadlessUser(predictor)
    yield user
    user.controller.close()


@pytest.fixture
def clicked(user):
    """One object, clicked on frame 2."""
    user.click(tiny.CLICK, frame=2)
    return user
