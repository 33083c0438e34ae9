"""SA-V: videos with run-length masks, and frames with a mask image for each object."""

from __future__ import annotations

import json

import numpy as np
import pytest

from src_model.datasets import open_dataset
from src_model.errors import MovieError
from src_model.masks import Rle
from tests.datasets.samples import SHAPE, picture, save_picture

WHOLE, HAND = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
WHOLE[2:15, 4:20] = True
HAND[10:15, 4:8] = True


def write_frames(root):
    for frame in range(9):
        save_picture(root / "JPEGImages_24fps" / "sav_1" / f"{frame:05d}.jpg", picture(frame))
    for frame in (0, 4, 8):
        for number, mask in enumerate((WHOLE, HAND)):
            if (number, frame) != (1, 8):
                path = root / "Annotations_6fps" / "sav_1" / f"{number:03d}" / f"{frame:05d}.png"
                save_picture(path, mask.astype(np.uint8) * 255)
    return root


def write_video(folder, *, masklets=None, part="manual", video="sav_000001"):
    av = pytest.importorskip("av", reason="reading videos needs the extra 'video'")
    folder.mkdir(parents=True, exist_ok=True)
    with av.open(str(folder / f"{video}.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=24)
        stream.height, stream.width, stream.pix_fmt = *SHAPE, "yuv420p"
        for frame in range(9):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(frame), format="rgb24")))
        container.mux(stream.encode())
    if masklets is None:
        coco = [Rle.encode(mask).to_coco() for mask in (WHOLE, HAND)]
        masklets = {"video_id": video, "masklet": [coco, [coco[0], None], coco], "masklet_id": [0, 3]}
    (folder / f"{video}_{part}.json").write_text(json.dumps(masklets))
    return folder


def check(movie, absent, ids):
    assert movie.object_ids() == ids
    assert tuple(movie.labelled_frames) == (0, 4, 8)
    assert len(movie.movie) == 9
    np.testing.assert_array_equal(movie.mask(ids[0], 4), WHOLE)
    np.testing.assert_array_equal(movie.mask(ids[1], 0), HAND)
    assert not movie.mask(ids[1], absent).any()
    assert not movie.mask(99, 0).any()
    with pytest.raises(MovieError, match=r"frame 3 of '.*' has no labels"):
        movie.mask(1, 3)


def test_each_object_of_the_validation_set_has_its_own_masks(tmp_path):
    data = open_dataset(write_frames(tmp_path))
    assert data.layout == "sa-v"
    check(data[0], absent=8, ids=(1, 2))


def test_videos_of_the_training_set_have_run_length_masks(tmp_path):
    data = open_dataset(write_video(tmp_path))
    assert data.names == ("sav_000001",)
    check(data[0], absent=4, ids=(1, 4))
    assert data[0].movie.shape == (9, *SHAPE, 3)


def test_labels_show_the_smaller_of_two_overlapping_objects(tmp_path):
    movie = open_dataset(write_frames(tmp_path))[0]
    expected = WHOLE.astype(int)
    expected[HAND] = 2
    np.testing.assert_array_equal(movie.labels(0), expected)
    assert movie.labels(0).dtype == np.int32


def test_videos_may_lie_one_folder_down_and_drawn_masklets_go_before_automatic_ones(tmp_path):
    write_video(tmp_path / "sav_000")
    write_video(tmp_path / "sav_000", part="auto")
    write_video(tmp_path / "sav_001", part="auto", video="sav_000002")
    data = open_dataset(tmp_path)
    assert [movie.masklets.name for movie in data] == ["sav_000001_manual.json", "sav_000002_auto.json"]


COCO = Rle.encode(WHOLE).to_coco()


@pytest.mark.parametrize(
    ("masklets", "message"),
    [
        ({"masklet": [[COCO]]}, r"_manual\.json' holds no masklets of SA-V: Field required at 'masklet_id'"),
        ({"masklet": [[COCO], [COCO, COCO]], "masklet_id": [0]}, "row 1 has another number of masks"),
        ({"masklet": [[COCO, COCO]], "masklet_id": [0, 0]}, "an id comes twice"),
        ({"masklet": [[{"size": [2, 2]}]], "masklet_id": [0]}, "Field required at 'masklet.0.0.counts'"),
        ({"masklet": [[{"size": [20, 30], "counts": "0"}]], "masklet_id": [0]}, "damaged mask of object 0"),
        ({"masklet": [[{**COCO, "size": [30, 20]}]], "masklet_id": [0]}, r"have the size \(30, 20\)"),
    ],
)
def test_masklets_that_make_no_sense_are_refused(tmp_path, masklets, message):
    movie = open_dataset(write_video(tmp_path, masklets=masklets))[0]
    with pytest.raises(MovieError, match=message):
        movie.mask(1, 0)


def test_a_file_that_is_no_json_is_refused(tmp_path):
    movie = open_dataset(write_video(tmp_path))[0]
    movie.masklets.write_text("{")
    with pytest.raises(MovieError, match="holds no masklets of SA-V: Invalid JSON"):
        movie.labels(0)


def test_a_movie_without_frames_and_a_folder_that_is_no_object_are_named(tmp_path):
    write_frames(tmp_path)
    (tmp_path / "Annotations_6fps" / "sav_1" / "left").mkdir()
    with pytest.raises(MovieError, match="left' is no object: expected a number"):
        open_dataset(tmp_path)[0].object_ids()
    (tmp_path / "Annotations_6fps" / "sav_2").mkdir()
    with pytest.raises(MovieError, match="sav_2' has no frames"):
        open_dataset(tmp_path)


def test_opening_reads_neither_pixels_nor_masklets(tmp_path, no_pixels):
    for number in range(50):
        (tmp_path / f"{number:02d}.mp4").touch()
        (tmp_path / f"{number:02d}_manual.json").touch()
    assert len(open_dataset(tmp_path)) == 50
