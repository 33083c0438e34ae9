"""Natural movies with several tracked objects, as sources of scenes, cut-outs and stills."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2", reason="making clips needs the extra 'recipe'")

from PIL import Image

from src_model.datasets import open_dataset
from training_recipe.clips.mixture import default_mixture
from training_recipe.clips.tracklets import TrackletScenes, cutout_footages, natural_stills

SHAPE = (90, 120)


def _labels(frame: int) -> np.ndarray:
    """A large object inside, one on the border, and a small one."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[30:60, 40 + frame : 70 + frame] = 1
    labels[60:90, 0:30] = 2
    labels[10:16, 100:106] = 3
    return labels


@pytest.fixture
def folder(tmp_path):
    for name in ("dog-0-a", "cat-0-a"):
        for frame in range(6):
            labels = _labels(frame)
            image = Image.fromarray(np.repeat((60 + 60 * labels)[..., None], 3, axis=-1).astype(np.uint8))
            truth = Image.fromarray(labels).convert("P")
            for kind, picture, ending in (("JPEGImages", image, "jpg"), ("Annotations", truth, "png")):
                path = tmp_path / kind / name / f"{frame:05d}.{ending}"
                path.parent.mkdir(parents=True, exist_ok=True)
                picture.save(path)
    return tmp_path


def test_scenes_are_some_frames_with_all_their_objects(folder) -> None:
    scenes = TrackletScenes(open_dataset(folder, layout="davis"))
    for seed in range(5):
        images, labels = scenes.scene(np.random.default_rng(seed), 4)
        assert images.shape == (4, *SHAPE, 3)
        assert labels.shape == (4, *SHAPE)
        assert set(np.unique(labels)) == {0, 1, 2, 3}
        assert images[0][labels[0] == 1].mean() == pytest.approx(120, abs=4)


def test_a_scene_may_be_longer_than_its_movie(folder) -> None:
    images, _ = TrackletScenes(open_dataset(folder, layout="davis")).scene(np.random.default_rng(0), 9)
    assert len(images) == 9


def test_only_whole_objects_of_some_size_are_cut_out(folder) -> None:
    footages = cutout_footages(open_dataset(folder, layout="davis"))
    assert len(footages) == 2, "one of each movie"
    footage = footages[0]()
    assert footage.images.shape == (6, *SHAPE, 3)
    assert np.array_equal(footage.masks[3], _labels(3) == 1)


def test_stills_are_first_frames(folder) -> None:
    image, labels = natural_stills(open_dataset(folder, layout="davis"))[0]()
    assert image.shape == (*SHAPE, 3)
    assert np.array_equal(labels, _labels(0))


def test_several_stills_of_a_movie_are_evenly_spaced(folder) -> None:
    stills = natural_stills(open_dataset(folder, layout="davis"), 3)
    assert len(stills) == 6
    assert [int(np.flatnonzero(still()[1] == 1)[0] % SHAPE[1]) for still in stills[:3]] == [40, 42, 44]


def test_the_mixture_takes_pseudo_labels_from_its_folder_or_from_elsewhere(folder, tmp_path_factory) -> None:
    empty = tmp_path_factory.mktemp("data")
    given = default_mixture(empty, pseudo=folder, weights={"tracklet": 1.0, "warped-scene": 1.0})
    assert {source.kind for source in given.sources} == {"tracklet", "warped-scene"}
    rng = np.random.default_rng(0)
    kinds = {given.sample(rng, frames=3, size=64).kind for _ in range(12)}
    assert kinds == {"tracklet", "warped-scene"}
    assert given.crowds is not None
    folder.rename(empty / "pseudo")
    found = default_mixture(empty, weights={"tracklet": 1.0})
    assert {source.kind for source in found.sources} == {"tracklet"}
