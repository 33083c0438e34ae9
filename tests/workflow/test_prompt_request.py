"""A first click is asked about in the light of the document's other objects."""

from __future__ import annotations

import pytest

from src_model.document import AddObject, AnnotatedObject, AnswerPrompt, ClassifyObject, DeleteObject, Prompt, SetPrompt
from src_model.frames import open_movie
from src_model.masks import Rle
from src_model.workflow import DocumentTracker, prompt_request
from tests.tracking import tiny
from tests.workflow.document import click, new_document, take_answer

CLICKED = 50
"""Id of the object that is clicked."""


@pytest.fixture(scope="module")
def predictor():
    return tiny.predictor(tiny.build())


@pytest.fixture
def tracker(predictor):
    return DocumentTracker(open_movie(tiny.make_movie()), lambda: predictor)


@pytest.fixture
def document():
    document = new_document(CLICKED)
    click(document, 0, tiny.OTHER_CLICK, object_id=CLICKED)
    return document


def add_square(document, object_id, area=100, class_name=""):
    """Add an object that was painted as a prompt."""
    side = round(area**0.5)
    mask = Rle.from_box((2, 2, 2 + side, 2 + side), tiny.SHAPE)
    document.do(AddObject(AnnotatedObject(object_id, class_name=class_name)))
    document.do(SetPrompt(object_id, 0, Prompt(mask=mask)))
    document.do(AnswerPrompt(object_id, 0, mask, 1.0, 1.0))


def alike(document):
    return [each.object_id for each in prompt_request(document, CLICKED, 0).alike]


def test_other_objects_are_alike_unless_their_class_is_another(document):
    add_square(document, 2, class_name="nucleus")
    add_square(document, 3)
    add_square(document, 60, class_name="cell")
    assert alike(document) == [2, 3, 60]
    document.do(ClassifyObject(CLICKED, "cell"))
    assert alike(document) == [3, 60]


def test_of_many_objects_the_last_ones_are_looked_at(document):
    for number in range(100, 140):
        document.do(AddObject(AnnotatedObject(number)))
    assert alike(document) == list(range(108, 140))


def candidates(tracker, document):
    return tracker.answer(prompt_request(document, CLICKED, 0))


def test_the_size_of_the_documents_objects_counts_with_the_first_click(tracker, document):
    before = candidates(tracker, document)
    taken = before.mask.mask.area
    other = max((each.mask.area for each in before.candidates), key=lambda area: abs(area - taken))
    for object_id in (2, 3, 4):
        add_square(document, object_id, other)
    assert candidates(tracker, document).mask.mask.area != taken
    for object_id in (2, 3, 4):
        document.do(DeleteObject(object_id))
    assert candidates(tracker, document).mask.mask.area == taken


def test_a_reading_that_a_person_took_in_its_place_teaches(tracker, document):
    before = candidates(tracker, document)
    taken = before.mask.mask.area
    other = max(range(3), key=lambda number: abs(before.candidates[number].mask.area - taken))
    for object_id in (2, 3, 4):
        document.do(AddObject(AnnotatedObject(object_id)))
        click(document, 0, tiny.OTHER_CLICK, object_id=object_id)
        take_answer(document, tracker.answer(prompt_request(document, object_id, 0)), other)
    assert candidates(tracker, document).mask.mask.area != taken
