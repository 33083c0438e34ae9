from __future__ import annotations

from xml.etree import ElementTree

from src_model.evaluation.report.curves import Axis, Line
from src_model.evaluation.report.figure import figure

SVG = "{http://www.w3.org/2000/svg}"


def test_a_figure_is_a_whole_file_with_a_colour_and_a_name_for_each_line():
    lines = [Line("J & F", [(0, 0.1), (5, 0.5)], 0), Line("J < F", [(0, 0.2), (5, 0.3)], 1)]
    root = ElementTree.fromstring(figure(lines, Axis("minutes", 0, 5), Axis("J", 0, 1), title="two lines"))
    assert root.tag == f"{SVG}svg"
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert {"J & F", "J < F", "minutes", "J"} <= set(texts)
    style = root.find(f"{SVG}style").text
    assert ".s0{stroke:#" in style
    assert ".s1{stroke:#" in style
    assert len(root.findall(f"{SVG}polyline")) == 2
