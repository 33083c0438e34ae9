"""A tiny network and its movie."""

from __future__ import annotations

import pytest

from tests.tracking import tiny


@pytest.fixture(scope="session")
def predictor():
    return tiny.predictor(tiny.build())


@pytest.fixture(scope="session")
def movie():
    return tiny.make_movie()
