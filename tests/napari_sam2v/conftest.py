from __future__ import annotations

import numpy as np
import pytest

from napari_sam2v import preferences
from napari_sam2v.view_state import TimeMarks
from tests.napari_sam2v.person import Person
from tests.tracking import tiny


@pytest.fixture(autouse=True)
def preferences_file(monkeypatch, tmp_path_factory):
    """Where preferences are kept, so that tests neither follow those of the user nor change them."""
    path = tmp_path_factory.mktemp("config") / "preferences.json"
    monkeypatch.setattr(preferences, "_napari_settings", lambda: None)
    monkeypatch.setattr(preferences, "preferences_path", lambda: path)
    return path


@pytest.fixture
def predictor(monkeypatch):
    """The small network in place of the default checkpoint."""
    small = tiny.predictor(tiny.build())
    monkeypatch.setattr("src_model.tracking.predictor.StreamingPredictor.load", lambda *_args, **_options: small)
    return small


@pytest.fixture
def open_panel(make_napari_viewer, qtbot, predictor, tmp_path):
    people = []

    def make(movie=None, **options):
        viewer = make_napari_viewer()
        viewer.add_image(tiny.make_movie() if movie is None else movie, name="movie", **options)
        person = Person(viewer, qtbot, tmp_path / "recovery")
        people.append(person)
        return person

    yield make
    for person in people:
        person.widget.close_all()


@pytest.fixture
def person(open_panel):
    return open_panel()


@pytest.fixture
def marks_of():
    """Makes marks of so many frames from the frames that have each state."""

    def make(length, scores=None, **frames):
        marks = TimeMarks.blank(length)
        for name, chosen in frames.items():
            getattr(marks, name)[chosen] = True
        if scores is not None:
            marks.scores[:] = np.asarray(scores, dtype=np.float32)
        return marks

    return make
