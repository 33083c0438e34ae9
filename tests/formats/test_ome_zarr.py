"""Labels as OME-Zarr."""

from __future__ import annotations

import sys

import pytest

from src_model.errors import MissingExtraError
from src_model.formats import export, read_labels
from tests.formats.documents import described, family, masks_of, plain

zarr = pytest.importorskip("zarr", reason="the extra zarr is not installed")


@pytest.mark.parametrize("name", ["ome-zarr", "ome-zarr-0.4"])
@pytest.mark.parametrize("make", [plain, family])
def test_what_is_written_is_read_as_the_same_objects(tmp_path, name, make):
    export(make(), tmp_path / "cells.zarr", name)
    assert masks_of(read_labels(tmp_path / "cells.zarr").document()) == masks_of(make())


def metadata(path, version):
    attributes = zarr.open_group(store=str(path), mode="r").attrs.asdict()
    return attributes["ome"] if version == "0.5" else attributes


@pytest.mark.parametrize(("name", "version", "zarr_format"), [("ome-zarr", "0.5", 3), ("ome-zarr-0.4", "0.4", 2)])
def test_axes_scale_and_units_are_where_the_version_has_them(tmp_path, name, version, zarr_format):
    export(plain(), tmp_path / "cells.zarr", name)
    found = metadata(tmp_path / "cells.zarr", version)
    image = found["multiscales"][0]
    assert (found if version == "0.5" else image)["version"] == version
    assert [(axis["name"], axis["unit"]) for axis in image["axes"]] == [
        ("t", "second"),
        ("y", "micrometer"),
        ("x", "micrometer"),
    ]
    assert image["datasets"][0]["coordinateTransformations"] == [{"type": "scale", "scale": [30.0, 0.65, 0.65]}]
    assert zarr.open_group(store=str(tmp_path / "cells.zarr"), mode="r").metadata.zarr_format == zarr_format


def test_names_colors_and_parents_are_beside_the_labels(tmp_path):
    export(described(), tmp_path / "a.zarr")
    label = metadata(tmp_path / "a.zarr", "0.5")["image-label"]
    assert label["colors"] == [{"label-value": 4, "rgba": [16, 32, 48, 255]}]
    assert label["properties"] == [{"label-value": 4, "name": "Zelle Ä", "class": "neuron", "note": "see, lab book"}]
    export(family(), tmp_path / "b.zarr")
    properties = metadata(tmp_path / "b.zarr", "0.5")["image-label"]["properties"]
    assert {row["label-value"]: row["parent"] for row in properties if "parent" in row} == {5: 3, 8: 3}


def test_the_older_version_separates_chunks_by_slashes(tmp_path):
    export(plain(), tmp_path / "cells.zarr", "ome-zarr-0.4")
    assert (tmp_path / "cells.zarr" / "0" / "0" / "0" / "0").is_file()


def test_without_zarr_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(MissingExtraError, match=r"napari-sam2v\[zarr\]"):
        export(plain(), tmp_path / "cells.zarr")
    assert list(tmp_path.iterdir()) == []
