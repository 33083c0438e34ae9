"""Folders of the Cell Tracking Challenge."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import tifffile

from src_model.document import Division
from src_model.errors import FormatError, StoppedError
from src_model.formats import ExportOptions, export, is_ctc, read_ctc
from tests.formats.documents import (
    SHAPE,
    crowded,
    document,
    dynasty,
    family,
    links_of,
    losses_of,
    masklet,
    masks_of,
    plain,
    square,
)


def table_of(folder):
    return [tuple(map(int, line.split())) for line in (folder / "res_track.txt").read_text().splitlines()]


def tampered(tmp_path, table=None):
    """A written folder with another table."""
    export(plain(), tmp_path / "res", "ctc")
    if table is not None:
        (tmp_path / "res" / "res_track.txt").write_text(table)
    return tmp_path / "res"


@pytest.mark.parametrize("make", [plain, family])
def test_what_is_written_is_read_as_the_same_objects_and_links(tmp_path, make):
    export(make(), tmp_path / "res", "ctc")
    imported = read_ctc(tmp_path / "res")
    assert masks_of(imported.document()) == masks_of(make())
    assert links_of(imported.document()) == links_of(make())
    assert imported.notes == ()
    assert imported.shape == SHAPE


@pytest.mark.parametrize("make", [plain, family, dynasty, crowded])
def test_the_validation_of_the_challenge_finds_nothing(tmp_path, make):
    validate = pytest.importorskip("ctc_metrics.scripts.validate", reason="the extra evaluate is not installed")
    export(make(), tmp_path / "res", "ctc")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Empty frame")  # which the challenge allows
        assert validate.validate_sequence(str(tmp_path / "res"), threads=1)["Valid"] == 1


def test_every_frame_is_a_16_bit_image_and_every_track_a_line(tmp_path):
    report = export(family(), tmp_path / "res", "ctc")
    names = sorted(path.name for path in (tmp_path / "res").iterdir())
    assert names == [*(f"mask00{frame}.tif" for frame in range(6)), "res_track.txt"]
    assert tifffile.imread(tmp_path / "res" / "mask000.tif").dtype == np.uint16
    assert table_of(tmp_path / "res") == [(2, 0, 1, 0), (3, 0, 2, 0), (5, 3, 5, 3), (8, 3, 5, 3), (9, 3, 5, 2)]
    assert "object 2 from frame 3" in losses_of(report)["gaps"].text


def test_an_object_that_others_cover_completely_is_not_in_the_table_there(tmp_path):
    annotation = crowded()
    report = export(annotation, tmp_path / "res", "ctc")
    assert (1, 0, 2, 0) in table_of(tmp_path / "res")
    assert "overlap" in losses_of(report)
    report = export(annotation, tmp_path / "res", "ctc", ExportOptions(overlap="score"))
    assert (1, 0, 1, 0) in table_of(tmp_path / "res")
    assert losses_of(report)["hidden"].count == 1


def test_a_parent_that_goes_on_is_told_and_read_as_one_more_daughter(tmp_path):
    annotation = document(
        [masklet(1, dict.fromkeys(range(4), square(2, 2))), masklet(2, dict.fromkeys(range(2, 4), square(12, 2)))],
        divisions=[Division(1, 2, (2,))],
    )
    report = export(annotation, tmp_path / "res", "ctc")
    assert table_of(tmp_path / "res") == [(1, 0, 1, 0), (2, 2, 3, 1), (3, 2, 3, 1)]
    assert losses_of(report)["continued"].count == 1
    assert links_of(read_ctc(tmp_path / "res").document()) == {2: 1, 3: 1}


def test_links_that_cannot_be_written_are_told(tmp_path):
    annotation = document(
        [masklet(1, {3: square(2, 2)}), masklet(2, {0: square(12, 2)}), masklet(4, {4: square(12, 12)})],
        divisions=[Division(1, 4, (2, 4))],
    )
    losses = losses_of(export(annotation, tmp_path / "res", "ctc"))
    assert "1 to 2" in losses["links"].text
    assert "1 to 4" in losses["only children"].text


def test_numbers_beyond_16_bits_are_replaced_and_told(tmp_path):
    report = export(document([masklet(70_000, {0: square(1, 1)})]), tmp_path / "res", "ctc")
    assert table_of(tmp_path / "res") == [(1, 0, 0, 0)]
    assert "object 70000 is label 1" in losses_of(report)["renumbered"].text


def test_truth_is_read_from_the_folder_above_its_markers(tmp_path):
    (tmp_path / "01_GT" / "TRA").mkdir(parents=True)
    for frame in range(2):
        tifffile.imwrite(tmp_path / "01_GT" / "TRA" / f"man_track{frame:03}.tif", square(2, 2).astype(np.uint16))
    (tmp_path / "01_GT" / "TRA" / "man_track.txt").write_text("1\t0\t1\t0\n")
    assert is_ctc(tmp_path / "01_GT")
    assert masks_of(read_ctc(tmp_path / "01_GT").document()).keys() == {(1, 0), (1, 1)}


def test_where_images_and_table_differ_the_images_count_and_that_is_told(tmp_path):
    imported = read_ctc(tampered(tmp_path, "1 0 5 0\n4 2 3 1\n"))
    assert masks_of(imported.document()) == masks_of(plain())
    assert any("4 on frame 2" in note for note in imported.notes)
    assert any(note.endswith(": 2.") for note in imported.notes)


def test_a_track_that_begins_before_its_parent_ends_is_a_daughter_and_told(tmp_path):
    imported = read_ctc(tampered(tmp_path, "1 0 5 0\n2 1 5 1\n"))
    assert links_of(imported.document()) == {2: 1}
    assert "before its parent" in imported.notes[0]


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ("1 0 5\n", "line 1 .* four whole numbers"),
        ("1 0 5 0\n2 one 5 0\n", "line 2"),
        ("1 0 5 -1\n", "four whole numbers"),
        ("0 0 5 0\n", "label from 1 on"),
        ("1 0 5 0\n1 0 5 0\n", "each once"),
        ("1 5 0 0\n", "not before the first"),
        ("1 0 5 7\n", "names 7 as the parent"),
        ("1 0 5 1\n", "other than itself"),
        ("1 0 5 2\n2 1 5 1\n", "descend from themselves"),
        ("1 3 4 2\n2 5 6 3\n3 7 8 1\n", "descend from themselves"),
        ("99999999999999999999 0 5 0\n", "four whole numbers"),
    ],
)
def test_a_broken_table_is_refused_with_its_line(tmp_path, table, fault):
    with pytest.raises(FormatError, match=fault):
        read_ctc(tampered(tmp_path, table))


def test_a_table_of_bytes_is_refused(tmp_path):
    (tampered(tmp_path) / "res_track.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FormatError, match="cannot be read"):
        read_ctc(tmp_path / "res")


def test_a_missing_frame_is_named(tmp_path):
    (tampered(tmp_path) / "mask002.tif").unlink()
    with pytest.raises(FormatError, match="no label image of frame 2"):
        read_ctc(tmp_path / "res")


def test_a_damaged_image_is_named(tmp_path):
    (tampered(tmp_path) / "mask002.tif").write_bytes(b"II*\x00 no more")
    with pytest.raises(FormatError, match=r"mask002\.tif"):
        read_ctc(tmp_path / "res")


@pytest.mark.parametrize(
    ("image", "fault"),
    [
        (np.zeros((3, 24, 32), np.uint16), "3 planes"),
        (np.zeros((5, 5), np.uint16), r"size \(5, 5\)"),
        (np.full((24, 32), -1, np.int16), "-1"),
        (np.full((24, 32), 0.5, np.float32), "fractions"),
    ],
)
def test_images_that_do_not_fit_are_refused(tmp_path, image, fault):
    tifffile.imwrite(tampered(tmp_path) / "mask002.tif", image, photometric="minisblack")
    with pytest.raises(FormatError, match=fault):
        read_ctc(tmp_path / "res")


def test_a_folder_without_table_or_images_is_refused(tmp_path):
    assert not is_ctc(tmp_path)
    with pytest.raises(FormatError, match=r"res_track\.txt"):
        read_ctc(tmp_path)
    (tmp_path / "res_track.txt").write_text("1 0 0 0\n")
    with pytest.raises(FormatError, match="no label images"):
        read_ctc(tmp_path)


def test_reading_can_be_stopped(tmp_path):
    seen = []
    with pytest.raises(StoppedError):
        read_ctc(tampered(tmp_path), progress=lambda *done: seen.append(done), cancelled=lambda: len(seen) == 2)
    assert seen == [(1, 6), (2, 6)]


def test_two_generations_come_back_and_of_a_fusion_one_parent_is_lost_and_that_is_told(tmp_path):
    report = export(dynasty(), tmp_path / "res", "ctc")
    again = read_ctc(tmp_path / "res").document()
    assert losses_of(report).keys() == {"fusions", "gaps", "only children", "names", "origins of masks"}
    assert links_of(again) == {2: 1, 3: 1, 4: 2, 5: 2}
    assert again.masklet(3).frames == (2, 4, 5), "6 looks as if 3 went on"
