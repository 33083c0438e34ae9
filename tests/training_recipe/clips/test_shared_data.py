"""The default mixture and the held-out clips, on the shared recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2", reason="making clips needs the extra 'recipe'")
pytest.importorskip("av", reason="reading videos needs the extra 'recipe'")

from src_model.datasets import open_dataset
from src_model.errors import MovieError
from src_model.simulation import SIMULATED_KINDS
from training_recipe.clips import DEFAULT_WEIGHTS, default_mixture
from training_recipe.clips.files import read_footage, read_still, read_tracked
from training_recipe.clips.mixture import davis_movies, recorded_sources, still_movies

SHARED = Path(__file__).parents[4] / "shared" / "data"
needs_shared = pytest.mark.skipif(not (SHARED / "davis2016").is_dir(), reason="the shared recordings are not here")


@needs_shared
def test_what_is_held_out_is_not_trained_on() -> None:
    train, held_out = (
        {movie.name for movie in davis_movies(SHARED / "davis2016_train", held_out=flag)} for flag in (False, True)
    )
    assert len(train) == 23
    assert held_out == {"surf", "swing", "tennis", "train"}
    assert not train & held_out
    assert not train & {movie.name for movie in open_dataset(SHARED / "davis2016")}
    stills = [[movie.name for movie in still_movies(SHARED / "dsb2018", held_out=flag)] for flag in (False, True)]
    assert len(stills[1]) == 60
    assert max(stills[0]) < min(stills[1])


@needs_shared
def test_the_default_mixture_has_every_kind_it_weighs() -> None:
    kinds = {source.kind for source in default_mixture(SHARED).sources}
    assert kinds | {"tracklet"} == set(DEFAULT_WEIGHTS)


@needs_shared
def test_recordings_are_read_with_masks_of_their_size() -> None:
    footage = read_footage(open_dataset(SHARED / "davis2016").named("car-shadow"), 320)
    assert footage.images.shape[:3] == footage.masks.shape
    assert max(footage.shape) == 320
    assert 0 < footage.masks.mean() < 0.5
    image, labels = read_still(still_movies(SHARED / "dsb2018", held_out=True)[0])
    assert image.shape == (*labels.shape, 3)
    assert labels.max() > 0
    images, tracks = read_tracked(open_dataset(SHARED / "t98g")[0])
    assert images.shape == tracks.shape == (37, 512, 512)


@needs_shared
def test_held_out_recordings_give_clips() -> None:
    for source in recorded_sources(SHARED, held_out=True):
        if source.kind == "warped-still":
            clip = source.sample(np.random.default_rng(0), frames=3, size=64)
            assert clip.masks[0].any()


def test_without_recordings_the_mixture_is_simulated(tmp_path: Path) -> None:
    assert {source.kind for source in default_mixture(tmp_path).sources} == set(SIMULATED_KINDS)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "holiday.txt").touch()
    with pytest.raises(MovieError, match="none of the folders davis2016_train"):
        default_mixture(tmp_path)
