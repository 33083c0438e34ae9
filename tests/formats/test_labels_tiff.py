"""Labels as TIFF files."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from src_model.document import MovieIdentity
from src_model.errors import FormatError
from src_model.formats import export, labels_tiff, read_labels
from tests.formats.documents import SHAPE, crowded, document, family, losses_of, masklet, masks_of, plain, square


@pytest.mark.parametrize("name", ["cells.tif", "cells.ome.tif"])
@pytest.mark.parametrize("make", [plain, family])
def test_what_is_written_is_read_as_the_same_objects(tmp_path, name, make):
    export(make(), tmp_path / name)
    back = read_labels(tmp_path / name).document()
    assert masks_of(back) == masks_of(make())


def test_imagej_finds_a_time_axis_and_the_pixel_size(tmp_path):
    export(plain(), tmp_path / "cells.tif")
    with tifffile.TiffFile(tmp_path / "cells.tif") as file:
        assert file.is_imagej
        assert file.series[0].axes == "TYX"
        assert file.series[0].dtype == np.uint16
        assert file.pages[0].compression == tifffile.COMPRESSION.ADOBE_DEFLATE
        across, along = file.pages[0].tags["XResolution"].value
        assert along / across == pytest.approx(0.65)
        assert file.imagej_metadata["unit"] == "micron"
        assert file.imagej_metadata["finterval"] == 30


def test_an_ome_tiff_tells_pixel_size_and_interval_with_their_units(tmp_path):
    export(plain(), tmp_path / "cells.ome.tif")
    with tifffile.TiffFile(tmp_path / "cells.ome.tif") as file:
        assert file.is_ome
        pixels = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]["Pixels"]
    assert (pixels["PhysicalSizeX"], pixels["PhysicalSizeXUnit"]) == (0.65, "µm")
    assert (pixels["PhysicalSizeY"], pixels["PhysicalSizeYUnit"]) == (0.65, "µm")
    assert (pixels["TimeIncrement"], pixels["TimeIncrementUnit"]) == (30, "s")
    assert (pixels["SizeT"], pixels["SizeY"], pixels["SizeX"]) == SHAPE


@pytest.mark.parametrize("name", ["cells.tif", "cells.ome.tif"])
def test_nothing_is_made_up_where_the_pixel_size_is_unknown(tmp_path, name):
    movie = MovieIdentity("cells", SHAPE, "uint8")
    export(document([masklet(1, {0: square(1, 1)})], movie=movie), tmp_path / name)
    with tifffile.TiffFile(tmp_path / name) as file:
        assert "PhysicalSize" not in (file.ome_metadata or "")
        assert "unit" not in (file.imagej_metadata or {})


@pytest.mark.parametrize("name", ["cells.tif", "cells.ome.tif"])
def test_large_numbers_make_32_bit_labels(tmp_path, name):
    annotation = document([masklet(70_000, {0: square(1, 1)})])
    report = export(annotation, tmp_path / name)
    assert tifffile.imread(tmp_path / name).dtype == np.uint32
    assert masks_of(read_labels(tmp_path / name).document()) == masks_of(annotation)
    assert ("hyperstack" in losses_of(report)) == (name == "cells.tif")


@pytest.mark.parametrize("name", ["cells.tif", "cells.ome.tif"])
def test_files_too_large_for_classic_tiff_become_bigtiff(tmp_path, monkeypatch, name):
    monkeypatch.setattr(labels_tiff, "CLASSIC_TIFF_BYTES", 1000)
    monkeypatch.setattr(labels_tiff, "HYPERSTACK_BYTES", 1000)
    export(plain(), tmp_path / name)
    with tifffile.TiffFile(tmp_path / name) as file:
        assert file.is_bigtiff
        assert file.series[0].axes == "TYX"
    assert masks_of(read_labels(tmp_path / name).document()) == masks_of(plain())


def test_a_hyperstack_that_grew_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(labels_tiff, "_FULL_TIFF_BYTES", 1000)
    with pytest.raises(FormatError, match="export them as ome-tiff"):
        export(plain(), tmp_path / "cells.tif")
    assert list(tmp_path.iterdir()) == []


def test_pixels_of_two_objects_go_by_the_documents_rule(tmp_path):
    export(crowded(), tmp_path / "cells.tif")
    assert tifffile.imread(tmp_path / "cells.tif")[0, 7, 7] == 1
