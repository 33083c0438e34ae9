"""Downloads of models: one at a time, the newest counts."""

from __future__ import annotations

import threading

import pytest

from src_model.errors import CheckpointError
from src_model.weights import download

pytestmark = pytest.mark.gui


def is_downloading(person):
    return person.widget.panel.model.progress.isVisibleTo(person.widget)


@pytest.fixture
def downloads(monkeypatch):
    """Downloads that go on until they are let go; by model, with what became of them."""
    running, ended = {}, {}

    def fetch(name, progress):
        running[name] = threading.Event()
        try:
            while not running[name].wait(0.01):
                progress(1, 2)
        except BaseException:
            ended[name] = "cancelled"
            raise
        ended[name] = "arrived"

    monkeypatch.setattr(download, "get_checkpoint", fetch)
    return running, ended


def test_a_second_download_leaves_the_first_one_cancelled(person, downloads):
    running, ended = downloads
    person.widget.model.download("first")
    person.wait(lambda: "first" in running)
    person.widget.panel.model.cancel.click()
    person.widget.model.download("second")
    person.wait(lambda: ended.get("first") == "cancelled" and "second" in running)
    assert is_downloading(person), "the end of the first does not hide the second"
    person.widget.model.close()
    person.wait(lambda: ended.get("second") == "cancelled")


@pytest.mark.parametrize(
    ("error", "is_logged"), [(CheckpointError("the disk is full; make room"), False), (TypeError("None"), True)]
)
def test_what_should_not_have_happened_to_a_download_is_logged_too(person, monkeypatch, caplog, error, is_logged):
    def fetch(name, progress):
        raise error

    monkeypatch.setattr(download, "get_checkpoint", fetch)
    person.widget.model.download("first")
    person.wait(lambda: not is_downloading(person))
    assert len(person.problems) == 1
    assert ("Downloading first failed" in caplog.text) is is_logged


def test_a_model_that_arrives_late_does_not_replace_one_that_was_chosen_meanwhile(person, downloads):
    running, ended = downloads
    used = []
    person.widget.controller.use_model = used.append
    person.widget.model.download("first")
    person.wait(lambda: "first" in running)
    person.widget.model._on_model("default.other")
    used.clear()
    running["first"].set()
    person.wait(lambda: ended.get("first") == "arrived" and not is_downloading(person))
    assert used == []
