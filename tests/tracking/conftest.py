"""Fixtures of the tracking tests: one tiny network for all, a movie, and a session to start from."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from src_model.tracking import PRESETS
from tests.tracking import tiny


@pytest.fixture(scope="session")
def network():
    """Shared by all tests, which leave it as it is (``tiny.sees`` undoes what it does)."""
    return tiny.build()


@pytest.fixture(scope="session")
def predictor(network):
    return tiny.predictor(network)


@pytest.fixture(scope="session")
def official(network):
    """Behaves as the reference predictor does."""
    return tiny.predictor(network, settings=PRESETS["official"])


@pytest.fixture(scope="session")
def movie():
    frames = tiny.make_movie()
    frames.flags.writeable = False
    return frames


@pytest.fixture
def session(predictor, movie):
    return predictor.start(movie)


@pytest.fixture
def clicked(session):
    """A session with a click on frame 0."""
    session.prompt(0, 1, points=[tiny.CLICK])
    return session


@pytest.fixture
def tracked(clicked):
    """A session whose object is tracked through the whole movie from a click on frame 0."""
    tiny.finish(clicked.propagate())
    return clicked


@pytest.fixture(scope="session")
def square():
    """A mask prompt."""
    mask = np.zeros(tiny.SHAPE, bool)
    mask[10:25, 12:30] = True
    return mask


@pytest.fixture(scope="session")
def saved(predictor, movie, tmp_path_factory):
    """A session in which everything was done, and its file."""
    session = predictor.start(movie)
    tiny.work(session)
    path = session.save(tmp_path_factory.mktemp("saved") / "session.sam2v")
    return SimpleNamespace(session=session, path=path, masklets=tiny.copies(session))
