"""Slots hear of the document that is open, and of no other."""

from __future__ import annotations

import pytest
from psygnal import Signal, SignalGroup

from napari_sam2v.controllers.document_listener import DocumentListener


class Events(SignalGroup):
    objects = Signal(int)
    frames = Signal(int)


class Document:
    def __init__(self):
        self.events = Events()


@pytest.fixture
def heard():
    return []


@pytest.fixture
def listener(heard):
    return DocumentListener({"objects": heard.append, "frames": lambda value: heard.append(-value)})


def test_each_slot_hears_its_own_signal(listener, heard):
    document = Document()
    listener.listen(document)
    document.events.objects.emit(1)
    document.events.frames.emit(2)
    assert heard == [1, -2]
    assert listener.document is document


def test_the_document_before_is_not_heard_any_more(listener, heard):
    first, second = Document(), Document()
    for document in (first, second, second):
        listener.listen(document)
    first.events.objects.emit(1)
    second.events.objects.emit(2)
    assert heard == [2]
    listener.listen(None)
    second.events.objects.emit(3)
    assert heard == [2]
    assert listener.document is None
