"""Pictures of the kinds of clips."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2", reason="making clips needs the extra 'recipe'")

from PIL import Image

from training_recipe.clips.clip import Footage
from training_recipe.clips.gallery import gallery, outlined, save, strip
from training_recipe.clips.mixture import MixtureSource
from training_recipe.clips.recorded import RealVideoSource


def _footage() -> Footage:
    rng = np.random.default_rng(0)
    masks = np.zeros((6, 60, 80), bool)
    masks[:, 20:45, 20:50] = True
    return Footage((rng.integers(0, 60, (6, 60, 80, 1)) + 120 * masks[..., None]).astype(np.uint8).repeat(3, -1), masks)


def test_objects_are_outlined_each_in_a_color_of_its_own() -> None:
    masks = np.zeros((2, 20, 20), bool)
    masks[0, 2:8, 2:8] = masks[1, 10:18, 10:18] = True
    picture = outlined(np.zeros((20, 20, 3), np.uint8), masks)
    assert picture[2, 2].any()
    assert picture[10, 10].any()
    assert not np.array_equal(picture[2, 2], picture[10, 10])
    assert not picture[5, 5].any()


def test_frames_lie_side_by_side() -> None:
    assert strip(np.zeros((3, 20, 20, 3), np.uint8), np.zeros((1, 3, 20, 20), bool)).shape == (22, 66, 3)


def test_there_is_a_picture_of_every_kind_that_is_small_as_a_file(tmp_path) -> None:
    pictures = gallery(MixtureSource([RealVideoSource([_footage])], {"real-video": 1.0}), 0)
    assert list(pictures) == ["real-video"]
    save(pictures["real-video"], tmp_path / "clips-real-video.png")
    assert (tmp_path / "clips-real-video.png").stat().st_size < 250_000
    with Image.open(tmp_path / "clips-real-video.png") as picture:
        assert picture.size == pictures["real-video"].shape[1::-1]


def test_equal_seeds_give_equal_pictures() -> None:
    first, again = (gallery(MixtureSource([RealVideoSource([_footage])], {"real-video": 1.0}), 1) for _ in range(2))
    assert np.array_equal(first["real-video"], again["real-video"])
