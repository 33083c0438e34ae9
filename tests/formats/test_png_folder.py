"""Folders of PNG label images."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from src_model.errors import FormatError
from src_model.formats import export, read_labels
from tests.formats.documents import described, document, family, losses_of, masklet, masks_of, square


def picture(folder, frame=0):
    with Image.open(folder / f"{frame:05}.png") as image:
        return image.mode, np.asarray(image), image.getpalette()


def test_each_frame_is_a_palette_image_whose_numbers_are_the_objects(tmp_path):
    export(family(), tmp_path / "masks", "png")
    assert sorted(path.name for path in (tmp_path / "masks").iterdir()) == [f"{frame:05}.png" for frame in range(6)]
    mode, values, _ = picture(tmp_path / "masks")
    assert mode == "P"
    assert set(np.unique(values)) == {0, 2, 3}


def test_colors_of_the_palette_are_those_of_the_objects(tmp_path):
    export(described(), tmp_path / "masks", "png")
    _, _, palette = picture(tmp_path / "masks")
    assert palette[:3] == [0, 0, 0]
    assert palette[12:15] == [16, 32, 48]


@pytest.mark.parametrize("number", [255, 65_535])
def test_numbers_that_no_palette_has_make_16_bit_gray_images_and_that_is_told(tmp_path, number):
    annotation = document([masklet(number, {0: square(2, 2), 5: square(4, 4)})])
    report = export(annotation, tmp_path / "masks", "png")
    assert picture(tmp_path / "masks")[0].startswith("I")
    assert masks_of(read_labels(tmp_path / "masks").document()) == masks_of(annotation)
    assert "palette" in losses_of(report)


def test_larger_numbers_are_replaced_and_that_is_told(tmp_path):
    report = export(document([masklet(65_536, {0: square(2, 2)})]), tmp_path / "masks", "png")
    assert set(np.unique(picture(tmp_path / "masks")[1])) == {0, 1}
    assert losses_of(report)["renumbered"].count == 1


def test_more_objects_than_numbers_are_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("src_model.formats.png_folder._MAX_GRAY", 1)
    with pytest.raises(FormatError, match="objects do not fit"):
        export(family(), tmp_path / "masks", "png")
