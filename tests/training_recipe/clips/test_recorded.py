"""Clips of data sets in any layout, and the mixture that takes them in."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2", reason="making clips needs the extra 'recipe'")

import tifffile
from PIL import Image

from src_model.datasets import open_dataset, pair
from src_model.errors import MovieError
from training_recipe.clips.finishing import Finish
from training_recipe.clips.framing import FramingSettings
from training_recipe.clips.mixture import MixtureSource, default_mixture
from training_recipe.clips.recorded import LabelledMovieSource, source_of, tracklet_source

SHAPE = (90, 120)


def _labels(frame: int) -> np.ndarray:
    labels = np.zeros(SHAPE, np.uint8)
    labels[20 : 40 + frame, 10 + frame : 35 + frame] = 1
    labels[50:80, 60 + frame : 90 + frame] = 2
    return labels


def _save(path, values) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


@pytest.fixture
def natural(tmp_path):
    """Two movies of two objects, brightly colored."""
    for name in ("a", "b"):
        for frame in range(6):
            colors = np.stack([40 + 90 * _labels(frame), 60 * _labels(frame), np.full(SHAPE, 30, np.uint8)], axis=2)
            _save(tmp_path / "natural" / "JPEGImages" / name / f"{frame}.jpg", colors)
            _save(tmp_path / "natural" / "Annotations" / name / f"{frame}.png", _labels(frame))
    return tmp_path / "natural"


@pytest.fixture
def cells(tmp_path):
    folder = tmp_path / "cells"
    folder.mkdir()
    labels = np.stack([_labels(frame) for frame in range(6)])
    tifffile.imwrite(folder / "cells.tif", 1000 * labels.astype(np.uint16) + 50, photometric="minisblack")
    tifffile.imwrite(folder / "cells_labels.tif", labels, photometric="minisblack")
    return folder


@pytest.fixture
def stills(tmp_path):
    for number in range(2):
        _save(tmp_path / "stills" / "images" / f"{number}.png", 100 * _labels(number))
        _save(tmp_path / "stills" / "labels" / f"{number}.png", _labels(number))
    return tmp_path / "stills"


def test_each_layout_becomes_the_kind_of_clip_that_suits_it(natural, cells, stills):
    found = {}
    for path in (natural, cells, stills):
        clip = source_of(path).sample(np.random.default_rng(0), frames=4, size=64)
        assert clip.images.shape == (4, 64, 64, 3)
        assert clip.masks[0].any()
        found[path.name] = clip.kind
    assert found == {"natural": "real-video", "cells": "cell-track", "stills": "warped-still"}
    assert tracklet_source(natural).kind == "tracklet"


def test_masks_lie_on_the_object_they_name(cells):
    plain = Finish(microscopy=True, framing=FramingSettings(leaving=0.0), occluded=0.0, varied=False)
    source = LabelledMovieSource(open_dataset(cells), kind="cell-track", longest_stride=2, finish=plain, longest=None)
    rng = np.random.default_rng(3)
    for _ in range(8):
        clip = source.sample(rng, frames=4, size=96)
        inside = clip.images[clip.masks]
        assert inside.min() > 60
        assert np.ptp(np.median(inside, axis=0)) == 0


def test_equal_seeds_give_equal_clips(natural):
    first, again, other = (
        source_of(natural).sample(np.random.default_rng(seed), frames=3, size=64) for seed in (1, 1, 2)
    )
    assert np.array_equal(first.images, again.images)
    assert not np.array_equal(first.images, other.images)


def test_only_frames_on_which_an_object_is_known_are_used():
    class Sparse:
        """Object 2 was annotated on the even frames alone."""

        def __init__(self):
            self.asked = set()
            self._whole = pair(np.stack([_labels(f) for f in range(6)]), np.stack([_labels(f) for f in range(6)]))

        def __getattr__(self, name):
            return getattr(self._whole, name)

        def known_frames(self, object_id):
            return range(6) if object_id == 1 else range(0, 6, 2)

        def mask(self, object_id, frame):
            self.asked.add((object_id, frame))
            return self._whole.mask(object_id, frame)

    movie = Sparse()
    source = LabelledMovieSource([movie], kind="cell-track", longest_stride=2, finish=Finish(microscopy=True))
    for seed in range(20):
        source.sample(np.random.default_rng(seed), frames=4, size=64)
    assert {frame for number, frame in movie.asked if number == 2} == {0, 2, 4}
    assert {frame for number, frame in movie.asked if number == 1} == set(range(6))


def test_a_movie_without_objects_gives_no_clip():
    empty = pair(np.zeros((3, *SHAPE), np.uint8), np.zeros((3, *SHAPE), np.uint8))
    source = LabelledMovieSource([empty], kind="cell-track", longest_stride=1, finish=Finish(microscopy=True))
    with pytest.raises(RuntimeError, match="no cell-track clip of 2 frames"):
        source.sample(np.random.default_rng(0), frames=2, size=32)


def test_the_mixture_takes_in_more_data_sets(tmp_path, natural, cells, stills):
    (tmp_path / "none").mkdir()
    mixture = default_mixture(tmp_path / "none", extra=[natural, cells, stills, cells])
    assert [source.kind for source in mixture.sources[:4]] == ["real-video", "cell-track", "warped-still", "cell-track"]
    assert mixture.shares[1] == mixture.shares[3] == pytest.approx(mixture.shares[0] / 0.17 * 0.08 / 2)
    with pytest.raises(MovieError, match="none' is no data set of a known layout"):
        default_mixture(tmp_path / "none", extra=[tmp_path / "none"])


def test_several_sources_of_a_kind_share_its_weight_evenly(natural, cells):
    sources = [source_of(natural), source_of(natural), source_of(cells)]
    assert MixtureSource(sources, {"real-video": 2.0, "cell-track": 1.0}).shares == pytest.approx([1 / 3] * 3)
