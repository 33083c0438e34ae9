"""GEFF graphs."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from src_model.document import Division
from src_model.errors import MissingExtraError
from src_model.formats import export
from tests.formats.documents import described, document, family, losses_of, masklet, plain, square


@pytest.fixture
def geff():
    return pytest.importorskip("geff", reason="the extra geff is not installed")


def read(geff, tmp_path, annotation):
    report = export(annotation, tmp_path / "cells.geff")
    reader = geff.GeffReader(str(tmp_path / "cells.geff"), validate=True)
    reader.read_node_props()
    reader.read_edge_props()
    return reader.build(), report


def values(graph, name):
    return graph["node_props"][name]["values"]


def links(graph):
    """Edges as pairs of (object, frame)."""
    names = list(zip(values(graph, "object").tolist(), values(graph, "t").tolist(), strict=True))
    return {(names[first], names[second]) for first, second in graph["edge_ids"].tolist()}


def test_nodes_are_centroids_and_edges_bridge_gaps_and_divisions(geff, tmp_path):
    graph, _ = read(geff, tmp_path, family())
    assert len(graph["node_ids"]) == 14
    edges = links(graph)
    assert ((2, 1), (2, 3)) in edges
    assert {((3, 2), (5, 3)), ((3, 2), (8, 3))} <= edges
    assert len(edges) == 4 + 2 + 2 + 2 + 2
    node = np.flatnonzero((values(graph, "object") == 3) & (values(graph, "t") == 0))[0]
    assert (values(graph, "y")[node], values(graph, "x")[node], values(graph, "area")[node]) == (13.5, 13.5, 64)


@pytest.mark.parametrize("make", [plain, family])
def test_tracklets_and_lineages_are_valid(geff, tmp_path, make):
    from geff.validate.data import ValidationConfig, validate_data

    graph, _ = read(geff, tmp_path, make())
    validate_data(graph, ValidationConfig(graph=True, tracklet=True, lineage=True))


def test_an_only_daughter_is_part_of_its_parents_tracklet(geff, tmp_path):
    from geff.validate.data import ValidationConfig, validate_data

    annotation = document(
        [masklet(1, {0: square(1, 1), 1: square(1, 1)}), masklet(2, {2: square(1, 1)})],
        divisions=[Division(1, 2, (2,))],
    )
    graph, _ = read(geff, tmp_path, annotation)
    validate_data(graph, ValidationConfig(tracklet=True, lineage=True))


def test_axes_count_frames_and_pixels_and_carry_the_scale(geff, tmp_path):
    graph, _ = read(geff, tmp_path, plain())
    axes = [(axis.name, axis.unit, axis.scale, axis.scaled_unit) for axis in graph["metadata"].axes]
    assert axes == [
        ("t", "frame", 30, "second"),
        ("y", "pixel", 0.65, "micrometer"),
        ("x", "pixel", 0.65, "micrometer"),
    ]


def test_names_classes_and_scores_are_at_the_nodes(geff, tmp_path):
    graph, report = read(geff, tmp_path, described())
    assert values(graph, "name").tolist() == ["Zelle Ä", "Zelle Ä"]
    assert values(graph, "class").tolist() == ["neuron", "neuron"]
    assert values(graph, "score").tolist() == [0.5, 1.0]
    assert losses_of(report)["masks"].matters


def test_links_that_cannot_be_written_are_told(geff, tmp_path):
    annotation = document(
        [masklet(1, {3: square(2, 2)}), masklet(2, {0: square(12, 2)})], divisions=[Division(1, 4, (2,))]
    )
    _, report = read(geff, tmp_path, annotation)
    assert "1 to 2" in losses_of(report)["links"].text


def test_without_geff_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "geff", None)
    with pytest.raises(MissingExtraError, match=r"napari-sam2v\[geff\]"):
        export(plain(), tmp_path / "cells.geff")
