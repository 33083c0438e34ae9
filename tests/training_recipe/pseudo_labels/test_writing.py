"""Folders of pseudo-labels: every object of a folder is labelled in all of its frames."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2", reason="labelling videos needs the extra 'recipe'")

from src_model.datasets import open_dataset
from training_recipe.pseudo_labels.tracklets import FollowedObject
from training_recipe.pseudo_labels.writing import object_sets, write_scene

SHAPE = (40, 60)


def _tracklet(y: int, x: int, frames: int, side: int = 12) -> FollowedObject:
    masks = np.zeros((frames, *SHAPE), bool)
    masks[:, y : y + side, x : x + side] = True
    return FollowedObject(masks, 0.9, 1.0)


def test_objects_followed_for_about_as_long_share_a_set_cut_to_the_shortest() -> None:
    long, shorter, short = _tracklet(2, 2, 10), _tracklet(2, 30, 8), _tracklet(24, 2, 5)
    assert list(object_sets([short, shorter, long])) == [(8, [long, shorter]), (5, [short])]


def test_a_part_of_an_object_comes_into_another_set() -> None:
    whole, part = _tracklet(2, 2, 6, side=20), _tracklet(6, 6, 6, side=8)
    assert [chosen for _, chosen in object_sets([whole, part])] == [[whole], [part]]


def test_what_is_written_is_read_as_a_data_set(tmp_path) -> None:
    images = [np.full((*SHAPE, 3), 20 * frame, np.uint8) for frame in range(7)]
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
    assert write_scene(tmp_path, "dog-0", [np.zeros((*SHAPE, 3), np.uint8)], []) == {}
    assert list(tmp_path.iterdir()) == []
