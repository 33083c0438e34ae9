"""Videos in, pseudo-labels out."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("cv2", reason="labelling videos needs the extra 'recipe'")

from src_model.datasets import open_dataset
from training_recipe.pseudo_labels.labelling import LabellingOptions, label_videos, object_sets, write_scene
from training_recipe.pseudo_labels.segmenter import Answers
from training_recipe.pseudo_labels.tracklets import FollowedObject

FRAMES, SHAPE = 24, (60, 96)


def _truth(frame: int) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[20:40, 10 + 2 * frame : 34 + 2 * frame] = True
    return mask


class Oracle:
    """Sees the one bright block of a frame and nothing else."""

    def __init__(self) -> None:
        self.encoded = 0

    def encode(self, image: np.ndarray, shape: tuple[int, int]) -> SimpleNamespace:
        self.encoded += 1
        return SimpleNamespace(shape=shape, mask=image[..., 0] > 150)

    def click(self, frame: SimpleNamespace, points: np.ndarray) -> Answers:
        hit = [frame.mask[int(y), int(x)] for y, x in points]
        return self._answer(frame, np.array(hit), readings=3)

    def redraw(self, frame: SimpleNamespace, masks: np.ndarray) -> Answers:
        return self._answer(frame, np.ones(len(masks), bool), readings=1)

    def _answer(self, frame: SimpleNamespace, hit: np.ndarray, *, readings: int) -> Answers:
        drawn = np.where(frame.mask & hit[:, None, None, None], 5.0, -5.0)
        scores = np.full((len(hit), readings), 0.97, np.float32)
        return Answers(np.repeat(drawn, readings, axis=1).astype(np.float32), scores, scores)


@pytest.fixture
def video(tmp_path):
    """A textured block that moves over a textured floor, as a folder of frames."""
    rng = np.random.default_rng(0)
    floor = np.kron(rng.integers(0, 110, (SHAPE[0] // 4, SHAPE[1] // 4, 3)), np.ones((4, 4, 1)))
    block = np.kron(rng.integers(180, 255, (5, 6, 3)), np.ones((4, 4, 1)))
    folder = tmp_path / "walk"
    folder.mkdir()
    for frame in range(FRAMES):
        image = floor.copy()
        image[_truth(frame)] = block.reshape(-1, 3)
        Image.fromarray(image.astype(np.uint8)).save(folder / f"{frame:03d}.png")
    return folder


def test_what_moves_through_a_video_is_labelled_in_every_frame_of_its_folder(video, tmp_path, capsys) -> None:
    label_videos(Oracle(), [video], tmp_path / "out", LabellingOptions(scenes=1, frames=6), minutes=5)
    (movie,) = open_dataset(tmp_path / "out", layout="davis")
    assert movie.name == "walk-0-a"
    assert len(movie.labelled_frames) == 6
    starts = [int(np.flatnonzero(movie.mask(1, frame).any(axis=0))[0]) for frame in range(6)]
    assert len(set(np.diff(starts))) == 1
    assert movie.mask(1, 0).sum() == _truth(0).sum()
    assert "1 tracklets in 1 sets" in capsys.readouterr().out


def test_scenes_that_are_done_are_not_done_again(video, tmp_path) -> None:
    options = LabellingOptions(scenes=1, frames=6)
    label_videos(Oracle(), [video], tmp_path / "out", options, minutes=5)
    again = Oracle()
    label_videos(again, [video], tmp_path / "out", options, minutes=5)
    assert again.encoded == 0


def test_nothing_is_begun_when_the_time_is_over(video, tmp_path) -> None:
    oracle = Oracle()
    label_videos(oracle, [video], tmp_path / "out", LabellingOptions(scenes=1, frames=6), minutes=0)
    assert oracle.encoded == 0


SCENE_SHAPE = (40, 60)


def _tracklet(y: int, x: int, frames: int, side: int = 12) -> FollowedObject:
    masks = np.zeros((frames, *SCENE_SHAPE), bool)
    masks[:, y : y + side, x : x + side] = True
    return FollowedObject(masks, 0.9, 1.0)


def test_objects_followed_for_about_as_long_share_a_set_cut_to_the_shortest() -> None:
    long, shorter, short = _tracklet(2, 2, 10), _tracklet(2, 30, 8), _tracklet(24, 2, 5)
    assert list(object_sets([short, shorter, long])) == [(8, [long, shorter]), (5, [short])]


def test_a_part_of_an_object_comes_into_another_set() -> None:
    whole, part = _tracklet(2, 2, 6, side=20), _tracklet(6, 6, 6, side=8)
    assert [chosen for _, chosen in object_sets([whole, part])] == [[whole], [part]]


def test_what_is_written_is_read_as_a_data_set(tmp_path) -> None:
    images = [np.full((*SCENE_SHAPE, 3), 20 * frame, np.uint8) for frame in range(7)]
    first, second, part = _tracklet(2, 2, 7), _tracklet(20, 30, 7), _tracklet(4, 4, 6, side=6)
    assert write_scene(tmp_path, "dog-0", images, [first, second, part]) == {"dog-0-a": 2, "dog-0-b": 1}
    dataset = open_dataset(tmp_path, layout="davis")
    assert [movie.name for movie in dataset] == ["dog-0-a", "dog-0-b"]
    movie = dataset[0]
    assert len(movie.labelled_frames) == 7
    assert len(dataset[1].labelled_frames) == 6
    assert movie.object_ids() == (1, 2)
    assert np.array_equal(movie.labels(3), first.masks[3] + 2 * second.masks[3])
    assert abs(int(movie.movie.read(4)[0, 0, 0]) - 80) <= 2


def test_a_scene_without_tracklets_leaves_no_folder(tmp_path) -> None:
    assert write_scene(tmp_path, "dog-0", [np.zeros((*SCENE_SHAPE, 3), np.uint8)], []) == {}
    assert list(tmp_path.iterdir()) == []
