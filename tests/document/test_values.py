"""The values a document is made of: objects, prompts, settings, projects."""

from __future__ import annotations

import pytest

from src_model.document import (
    MAX_OBJECT_ID,
    AnnotatedObject,
    Division,
    MovieIdentity,
    Project,
    Settings,
    default_color,
)
from src_model.document.lineage import check_lineage
from src_model.document.spans import described, spans_of
from src_model.errors import AnnotationError
from tests.document.sample import MOVIE


def test_an_object_gets_a_color_of_its_own_and_a_title():
    colors = {AnnotatedObject(number).color for number in range(1, 200)}
    assert len(colors) > 190
    assert AnnotatedObject(7).color == default_color(7)
    assert AnnotatedObject(7).title == "object 7"
    assert AnnotatedObject(7, "mother").title == "mother"
    assert AnnotatedObject(7, color="#FFaa00").color == "#ffaa00"


@pytest.mark.parametrize("object_id", [0, -1, MAX_OBJECT_ID + 1, 1.5, "1", True, None])
def test_ids_are_whole_numbers_from_one(object_id):
    with pytest.raises(AnnotationError, match="object id"):
        AnnotatedObject(object_id)


@pytest.mark.parametrize("values", [{"color": "red"}, {"color": "#12345"}, {"name": "x" * 10_001}])
def test_colors_and_texts_have_a_form(values):
    with pytest.raises(AnnotationError):
        AnnotatedObject(1, **values)


def test_settings_are_plain_sorted_and_tell_numbers_from_truth():
    settings = Settings({"b": 1, "a": None})
    assert list(settings) == ["a", "b"]
    assert settings == Settings({"a": None, "b": 1})
    assert settings != Settings({"a": None, "b": True})
    assert hash(settings) == hash(Settings({"a": None, "b": 1}))


@pytest.mark.parametrize("values", [{"a": [1]}, {"a": float("nan")}, {"": 1}, {1: 1}, {"a": 2**60}, {"a": "x" * 2000}])
def test_other_settings_are_refused(values):
    with pytest.raises(AnnotationError, match="setting"):
        Settings(values)


def test_too_many_settings_are_refused():
    with pytest.raises(AnnotationError, match="too many"):
        Settings({str(number): 1 for number in range(1000)})


def test_an_unknown_overlap_policy_is_refused():
    with pytest.raises(AnnotationError, match="'random' is unknown"):
        Project(MOVIE, overlap="random")


@pytest.mark.parametrize("shape", [(5, 5), (1, 2, 3, 4), (1, 0, 5), (1, 2**20, 2**20), (-1, 5, 5)])
def test_shapes_of_no_movie_are_refused(shape):
    with pytest.raises(AnnotationError, match="cannot be annotated"):
        MovieIdentity("m", shape, "uint8")


@pytest.mark.parametrize("values", [{"scale": (1, 1)}, {"scale": (1, 0, 1)}, {"units": ("um",)}])
def test_scales_and_units_are_three(values):
    with pytest.raises(AnnotationError):
        MovieIdentity("m", (1, 5, 5), "uint8", **values)


def test_long_lineages_are_checked_and_circles_found():
    line = {number: Division(number, number, (number + 1,)) for number in range(1, 3000)}
    check_lineage(line)
    with pytest.raises(AnnotationError, match="descend from themselves"):
        check_lineage({**line, 3000: Division(3000, 1, (1,))})


def test_frames_are_told_as_spans():
    assert spans_of([5, 3, 4, 9]) == ((3, 6), (9, 10))
    assert described([4]) == "frame 4"
    assert described([4, 8, 7]) == "frames 4, 7-8"
    assert described(range(0, 100, 2)).endswith("14, ...")
