"""Labelling whole videos: scene by scene, going on where it was stopped."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("cv2", reason="labelling videos needs the extra 'recipe'")

from PIL import Image

from src_model.datasets import open_dataset
from training_recipe.pseudo_labels.labelling import LabellingOptions, label_videos
from training_recipe.pseudo_labels.segmenter import Answers

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
