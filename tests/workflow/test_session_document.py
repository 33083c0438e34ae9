"""Sessions of the command line as documents."""

from __future__ import annotations

import json

import pytest

from src_model.document import Origin
from src_model.errors import SessionFileError
from src_model.workflow.session_document import document_of_session
from tests.tracking import tiny


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A session with a click on frame 2, tracked both ways, with one locked frame; and its file."""
    session = tiny.predictor(tiny.build()).start(tiny.make_movie()[:5])
    session.prompt(2, 3, points=[tiny.CLICK], labels=[1])
    list(session.propagate(2))
    list(session.propagate(2, reverse=True))
    session.lock(1, 3)
    path = tmp_path_factory.mktemp("session") / "run.session.json"
    session.save(path)
    return session, path


def test_masks_scores_prompts_locks_and_directions_are_those_of_the_session(saved):
    session, path = saved
    annotation = document_of_session(path)
    assert list(annotation.objects) == [3]
    entries = session.masklets[3].entries()
    assert {frame: annotation.frame(3, frame).entry for frame in range(5)} == entries
    origins = [annotation.frame(3, frame).origin for frame in range(5)]
    assert origins == [Origin.TRACKED_BACK] * 2 + [Origin.PROMPTED] + [Origin.TRACKED] * 2
    assert annotation.prompt(3, 2).points == (tiny.CLICK,)
    assert annotation.locked_frames(3) == (1,)
    assert annotation.is_modified


def test_movie_model_and_normalisation_are_those_of_the_session(saved):
    session, path = saved
    project = document_of_session(path).project
    assert project.movie.shape == tuple(session.movie.shape)
    assert project.model.name == session.steps.checkpoint.name
    assert project.normalization == session.normalization


@pytest.mark.parametrize("frame", [5, -1])
def test_a_damaged_session_is_refused(saved, tmp_path, frame):
    data = json.loads(saved[1].read_text())
    data["objects"][0]["masklet"][0]["frame"] = frame
    (tmp_path / "bad.json").write_text(json.dumps(data))
    with pytest.raises(SessionFileError, match=r"bad\.json"):
        document_of_session(tmp_path / "bad.json")
