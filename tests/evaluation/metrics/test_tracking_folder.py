from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile

from src_model.errors import MovieError
from src_model.evaluation.metrics.tracking_folder import TrackingFolder, read_labels

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, value: int = 1, **options: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, np.full((4, 5), value, np.uint16), **options)


def test_frames_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (10, 2, 100):
        write(tmp_path / f"mask{number}.tif", number)
    folder = TrackingFolder.open(tmp_path)
    assert [int(labels[0, 0]) for labels in folder.frames()] == [2, 10, 100]
    assert folder.parents == {}
    assert folder.outlines is None


def test_the_table_tells_the_mothers_of_daughters(tmp_path: Path) -> None:
    write(tmp_path / "mask000.tif")
    (tmp_path / "res_track.txt").write_text("1 0 3 0\n2 4 6 1\n\n3\t4\t5\t1\n")
    assert TrackingFolder.open(tmp_path).parents == {2: 1, 3: 1}


def test_a_truth_folder_has_markers_and_outlines_of_some_frames(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path / "TRA" / f"man_track{number:03d}.tif", number)
    write(tmp_path / "SEG" / "man_seg002.tif", 9)
    (tmp_path / "TRA" / "man_track.txt").write_text("2 2 2 1\n")
    folder = TrackingFolder.open(tmp_path)
    assert len(folder.files) == 3
    assert folder.parents == {2: 1}
    assert {frame: int(read_labels(file)[0, 0]) for frame, file in folder.outlines.items()} == {2: 9}


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MovieError, match=r"holds no \.tif files"):
        TrackingFolder.open(tmp_path)


def test_a_file_without_a_number_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "labels.tif")
    with pytest.raises(MovieError, match="has no frame number"):
        TrackingFolder.open(tmp_path)


def test_a_malformed_table_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "mask000.tif")
    (tmp_path / "res_track.txt").write_text("1 0 3\n")
    with pytest.raises(MovieError, match="'1 0 3'"):
        TrackingFolder.open(tmp_path)


def test_damaged_files_and_pictures_that_are_no_labels_are_refused(tmp_path: Path) -> None:
    (tmp_path / "0.tif").write_bytes(b"no TIFF")
    with pytest.raises(MovieError, match="cannot be read as TIFF"):
        read_labels(tmp_path / "0.tif")
    tifffile.imwrite(tmp_path / "1.tif", np.zeros((2, 4, 5), np.uint16), photometric="minisblack")
    with pytest.raises(MovieError, match="integer labels"):
        read_labels(tmp_path / "1.tif")
