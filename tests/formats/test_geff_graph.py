"""GEFF graphs."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from src_model.document import Division
from src_model.errors import FormatError, MissingExtraError
from src_model.formats import export, is_geff, read_geff
from tests.formats.documents import SHAPE, described, document, dynasty, family, losses_of, masklet, plain, square


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


@pytest.mark.parametrize("make", [plain, family, dynasty])
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


def test_lineages_are_named_by_their_root_and_a_fusion_has_an_edge_from_each_parent(geff, tmp_path):
    graph, report = read(geff, tmp_path, dynasty())
    assert graph["metadata"].track_node_props == {"lineage": "lineage_id", "tracklet": "tracklet_id"}
    assert set(values(graph, "lineage_id").tolist()) == {1}
    generations = zip(values(graph, "object").tolist(), values(graph, "generation").tolist(), strict=True)
    assert dict(generations) == {1: 0, 2: 1, 3: 1, 4: 2, 5: 2, 6: 2}
    assert {((3, 4), (6, 5)), ((5, 4), (6, 5)), ((3, 2), (3, 4))} <= links(graph)
    assert losses_of(report).keys() == {"masks"}


@pytest.mark.usefixtures("geff")
@pytest.mark.parametrize("make", [plain, family, dynasty])
def test_what_is_written_is_read_with_its_lineage_as_discs(tmp_path, make):
    export(make(), tmp_path / "cells.geff")
    assert is_geff(tmp_path / "cells.geff")
    imported = read_geff(tmp_path / "cells.geff")
    again = imported.document()
    assert imported.shape == SHAPE
    assert again.divisions == make().divisions
    assert {number: again.masklet(number).frames for number in again.objects} == {
        number: make().masklet(number).frames for number in make().objects
    }
    first = min(again.objects)
    frame = again.masklet(first).frames[0]
    assert again.mask_at(first, frame).area == pytest.approx(make().mask_at(first, frame).area, rel=0.3)
    assert [info.name for info in again.objects.values()] == [info.name for info in make().objects.values()]


def foreign(geff, path, *, unit=None, axes="tyx", t=(0, 1), **properties):
    """A graph of two nodes as another program writes it."""
    from geff.core_io import write_arrays

    columns = {name: np.array(t if name == "t" else [5.0, 6.0]) for name in axes} | properties
    metadata = geff.GeffMetadata(
        directed=True,
        axes=[{"name": n, "type": "time" if n == "t" else "space", "unit": None if n == "t" else unit} for n in axes],
        node_props_metadata={},
        edge_props_metadata={},
    )
    props = {name: {"values": values, "missing": None} for name, values in columns.items()}
    write_arrays(str(path), np.arange(2, dtype=np.uint64), props, np.array([[0, 1]], np.uint64), {}, metadata)
    return path


def test_a_graph_of_another_program_is_as_large_as_the_movie_or_as_its_nodes_need(geff, tmp_path):
    path = foreign(geff, tmp_path / "a.geff", radius=np.array([1.0, 2.0]))
    assert read_geff(path).shape == (2, 9, 9)
    imported = read_geff(path, shape=(3, 20, 30))
    assert imported.shape == (3, 20, 30)
    assert [imported.masklets[0].mask_at(frame).area for frame in (0, 1)] == [5, 13]
    assert "Nothing tells how large" in read_geff(foreign(geff, tmp_path / "b.geff")).notes[0]


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"axes": "tzyx"}, "axes t, z, y, x"),
        ({"unit": "micrometer"}, "expected positions in pixels"),
        ({"t": (0, 0.5)}, "whole frame numbers"),
        ({"t": (0, 0)}, "both on frame 0"),
    ],
)
def test_graphs_that_do_not_fit_a_flat_movie_are_refused(geff, tmp_path, options, fault):
    with pytest.raises(FormatError, match=fault):
        read_geff(foreign(geff, tmp_path / "a.geff", **options))


def test_damaged_and_too_large_graphs_are_refused(geff, tmp_path, monkeypatch):
    path = foreign(geff, tmp_path / "a.geff")
    monkeypatch.setattr("src_model.formats.geff_reader.MAX_SPOTS", 1)
    with pytest.raises(FormatError, match="2 nodes: expected 1 at most"):
        read_geff(path)
    (tmp_path / "b.geff" / "nodes").mkdir(parents=True)
    with pytest.raises(FormatError, match="cannot be read as a GEFF"):
        read_geff(tmp_path / "b.geff")
