"""Line charts."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from src_model.evaluation.report.curves import Axis, Line, chart, figure


def drawn(*lines: Line) -> ElementTree.Element:
    return ElementTree.fromstring(chart(lines, Axis("frames", 0, 8), Axis("J", 0, 1), title="J & more"))


def test_higher_values_are_drawn_higher():
    svg = drawn(Line("a", [(0, 0.2), (8, 0.9)], 0))
    heights = [float(dot.get("cy")) for dot in svg.iter("circle")]
    assert heights[0] > heights[1]


def test_the_ends_of_the_axes_are_the_ends_of_the_drawing():
    [line] = drawn(Line("a", [(0, 0), (8, 1)], 0)).iter("polyline")
    (left, bottom), (right, top) = (map(float, place.split(",")) for place in line.get("points").split())
    assert left < right <= 460
    assert 0 <= top < bottom <= 280


def test_every_point_tells_its_value_and_the_text_is_escaped():
    svg = drawn(Line("a <b>", [(1, 0.25)], 3))
    assert svg.get("aria-label") == "J & more"
    assert [tip.text for tip in svg.iter("title")] == ["a <b>: 0.250 at 1"]


def test_lines_of_one_color_can_be_dashed():
    solid, dashed = drawn(Line("a", [(0, 0), (1, 1)], 2), Line("b", [(0, 0), (1, 1)], 2, dashed=True)).iter("polyline")
    assert solid.get("stroke-dasharray") is None
    assert dashed.get("stroke-dasharray")
    assert solid.get("class") == dashed.get("class") == "s2"


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (1, 8, [2, 4, 6, 8]),
        (1, 3, [1, 1.5, 2, 2.5, 3]),
        (0.8, 1, [0.8, 0.85, 0.9, 0.95, 1]),
    ],
)
def test_ticks_are_round_numbers(low, high, ticks):
    assert Axis("", low, high).ticks() == pytest.approx(ticks)


SVG = "{http://www.w3.org/2000/svg}"


def test_a_figure_is_a_whole_file_with_a_color_and_a_name_for_each_line():
    lines = [Line("J & F", [(0, 0.1), (5, 0.5)], 0), Line("J < F", [(0, 0.2), (5, 0.3)], 1)]
    root = ElementTree.fromstring(figure(lines, Axis("minutes", 0, 5), Axis("J", 0, 1), title="two lines"))
    assert root.tag == f"{SVG}svg"
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert {"J & F", "J < F", "minutes", "J"} <= set(texts)
    style = root.find(f"{SVG}style").text
    assert ".s0{stroke:#" in style
    assert ".s1{stroke:#" in style
    assert len(root.findall(f"{SVG}polyline")) == 2
