"""Folders of the Cell Tracking Challenge."""

from __future__ import annotations

import numpy as np
import pytest

from src_model.datasets import open_dataset
from src_model.datasets.ctc import named_by_markers
from src_model.errors import MovieError
from tests.datasets.samples import SHAPE, save_tiff, squares

TRACKS = "7 0 2 0\n9 0 1 0\n12 2 3 9\n"
IDS = (7, 9)


def markers(frame):
    """The middle of each cell, under the id of its track."""
    labels = squares(frame, IDS).astype(np.uint16)
    for row in (2, 10):
        labels[row, :] = labels[row + 3, :] = 0
    return labels


def write(root, *, frames=4, gold=(), silver=(), sequence="01", tracks=TRACKS):
    for frame in range(frames):
        save_tiff(root / sequence / f"t{frame:03d}.tif", np.full(SHAPE, 100 * frame, np.uint16))
        save_tiff(root / f"{sequence}_GT" / "TRA" / f"man_track{frame:03d}.tif", markers(frame))
    (root / f"{sequence}_GT" / "TRA" / "man_track.txt").write_text(tracks)
    for frame in gold:  # ids of gold truth are its own
        save_tiff(root / f"{sequence}_GT" / "SEG" / f"man_seg{frame:03d}.tif", squares(frame, (2, 1)).astype(np.uint16))
    for frame in silver:
        labels = squares(frame, IDS).astype(np.uint16)
        labels[:, 3 + frame] = 0  # a little too small
        save_tiff(root / f"{sequence}_ST" / "SEG" / f"man_seg{frame:03d}.tif", labels)
    return root


def test_frames_with_gold_truth_count_as_labelled_and_cells_carry_the_ids_of_their_tracks(tmp_path):
    data = open_dataset(write(tmp_path / "Fluo-N2DH-SIM+", gold=(1, 3)))
    movie = data[0]
    assert (data.layout, data.names) == ("ctc", ("Fluo-N2DH-SIM+/01",))
    assert tuple(movie.labelled_frames) == (1, 3)
    assert movie.object_ids() == IDS
    assert movie.kind == "microscopy"
    np.testing.assert_array_equal(movie.labels(3), squares(3, IDS))
    np.testing.assert_array_equal(movie.mask(9, 1), squares(1, IDS) == 9)
    assert movie.movie.shape == (4, *SHAPE)
    assert movie.movie.read(2)[0, 0] == 200
    with pytest.raises(MovieError, match=r"frame 0 of 'Fluo-N2DH-SIM\+/01' has no labels"):
        movie.labels(0)


def test_parents_come_from_the_table_of_tracks(tmp_path):
    assert dict(open_dataset(write(tmp_path, gold=(0,)))[0].parents) == {12: 9}


def test_gold_goes_before_silver_cell_by_cell(tmp_path):
    root = write(tmp_path, gold=(1,), silver=(0, 1, 2))
    only_one = squares(1, (2, 0)).astype(np.uint16)
    save_tiff(root / "01_GT" / "SEG" / "man_seg001.tif", only_one)
    movie = open_dataset(root)[0]
    assert tuple(movie.labelled_frames) == (0, 1, 2)
    labels = movie.labels(1)
    assert (labels == 7).sum() == 16
    assert (labels == 9).sum() == 12
    assert (movie.labels(0) == 7).sum() == 12


@pytest.mark.parametrize(
    ("truth", "frames", "area"), [("gold", (1,), 16), ("silver", (0, 1), 12), ("markers", (0, 1, 2, 3), 8)]
)
def test_one_truth_can_be_asked_for(tmp_path, truth, frames, area):
    movie = open_dataset(write(tmp_path, gold=(1,), silver=(0, 1)), truth=truth)[0]
    assert tuple(movie.labelled_frames) == frames
    assert movie.mask(7, 1).sum() == area


def test_markers_are_the_labels_where_nothing_is_segmented(tmp_path):
    movie = open_dataset(write(tmp_path))[0]
    assert tuple(movie.labelled_frames) == (0, 1, 2, 3)
    np.testing.assert_array_equal(movie.labels(2), markers(2))
    with pytest.raises(MovieError, match="01' has no gold truth: expected label images in '01_GT/SEG'"):
        _ = open_dataset(tmp_path, truth="gold")[0].labelled_frames


def test_truth_without_tracks_keeps_its_own_ids(tmp_path):
    write(tmp_path, silver=(0,))
    for path in (tmp_path / "01_GT" / "TRA").iterdir():
        path.unlink()
    movie = open_dataset(tmp_path)[0]
    assert movie.object_ids() == IDS
    assert movie.parents == {}


def test_a_cell_takes_the_marker_of_which_it_covers_more_than_half():
    spots = np.zeros((4, 8), np.int32)
    spots[0, :4], spots[2, :2] = 5, 6
    half, most, both = np.zeros_like(spots), np.zeros_like(spots), np.zeros_like(spots)
    half[0, :2], most[0, :3], both[:3] = 1, 1, 1
    assert set(np.unique(named_by_markers(half, spots, "x"))) == {0}
    assert set(np.unique(named_by_markers(most, spots, "x"))) == {0, 5}
    assert set(np.unique(named_by_markers(both, spots, "x"))) == {0, 5}


def test_both_sequences_of_a_data_set_are_movies(tmp_path):
    write(tmp_path)
    write(tmp_path, sequence="02")
    assert open_dataset(tmp_path).names == (f"{tmp_path.name}/01", f"{tmp_path.name}/02")


def write_volumes(root):
    for frame in range(2):
        volume = np.zeros((5, *SHAPE), np.uint16)
        volume[2] = 100 + frame
        save_tiff(root / "01" / f"t{frame:03d}.tif", volume)
        labels = np.zeros_like(volume)
        labels[2] = squares(frame, IDS)
        save_tiff(root / "01_GT" / "TRA" / f"man_track{frame:03d}.tif", labels)
    (root / "01_GT" / "TRA" / "man_track.txt").write_text(TRACKS)
    return root


def test_volumes_are_refused_without_a_plane(tmp_path):
    movie = open_dataset(write_volumes(tmp_path))[0]
    with pytest.raises(MovieError, match=r"01' holds volumes of 5 planes: pass plane=0 to 4"):
        movie.labels(0)


def test_a_plane_of_volumes_is_a_movie(tmp_path):
    movie = open_dataset(write_volumes(tmp_path), plane=2)[0]
    assert movie.movie.shape == (2, *SHAPE)
    assert movie.movie.read(1).max() == 101
    np.testing.assert_array_equal(movie.labels(1), squares(1, IDS))
    with pytest.raises(MovieError, match="volumes of 5 planes"):
        open_dataset(tmp_path, plane=7)[0].labels(1)


def test_gold_truth_of_single_planes_counts_in_its_plane_alone(tmp_path):
    root = write_volumes(tmp_path)
    save_tiff(root / "01_GT" / "SEG" / "man_seg_001_002.tif", squares(1, (3, 4)).astype(np.uint16))
    assert tuple(open_dataset(root, plane=2)[0].labelled_frames) == (1,)
    assert tuple(open_dataset(root, plane=3)[0].labelled_frames) == (0, 1)  # markers


def test_a_plane_of_flat_images_is_refused(tmp_path):
    with pytest.raises(MovieError, match=r"plane=0 cannot be chosen in .* its images are flat"):
        open_dataset(write(tmp_path), plane=0)[0].labels(0)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("01_GT/SEG/man_seg009.tif", r"man_seg009\.tif' belongs to no frame: expected 't009\.tif'"),
        ("01_GT/SEG/seg1.tif", r"seg1\.tif' is not named as labels are"),
        ("01/notes.tif", "01' is no sequence: expected frames t000.tif"),
    ],
)
def test_files_that_do_not_belong_are_named(tmp_path, name, message):
    write(tmp_path, gold=(0,))
    save_tiff(tmp_path / name, squares(0))
    with pytest.raises(MovieError, match=message):
        open_dataset(tmp_path)[0].labels(0)


def test_a_sequence_without_frames_is_refused(tmp_path):
    for name in ("01", "01_GT"):
        (tmp_path / name).mkdir()
    with pytest.raises(MovieError, match="01' is no sequence"):
        _ = open_dataset(tmp_path)[0].movie


def test_a_damaged_table_of_tracks_is_refused(tmp_path):
    with pytest.raises(MovieError, match=r"man_track\.txt' is damaged: expected four whole numbers a line"):
        _ = open_dataset(write(tmp_path, tracks="1 0 x 0\n"))[0].parents


def test_opening_reads_no_pixel(tmp_path, no_pixels):
    for name in ("01", "01_GT"):
        (tmp_path / name).mkdir()
    assert len(open_dataset(tmp_path)) == 1


def test_cells_that_the_experts_left_out_are_unknown_and_not_absent(tmp_path):
    root = write(tmp_path, gold=(0, 1))
    save_tiff(root / "01_GT" / "SEG" / "man_seg001.tif", squares(1, (2, 0)).astype(np.uint16))
    movie = open_dataset(root)[0]
    assert not movie.mask(9, 1).any()
    assert [tuple(movie.known_frames(number)) for number in IDS] == [(0, 1), (0,)]
