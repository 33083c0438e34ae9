"""Crowds: one image, many objects."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

pytest.importorskip("cv2", reason="making clips needs the extra 'recipe'")

from training_recipe.clips.crowds import CrowdSource
from training_recipe.clips.recorded import CellTrackSource
from training_recipe.clips.simulated import SimulatedSource

SIZE = 96


class Blocks:
    """Color movies of four blocks, each as bright as its number; the last one moves out of its place."""

    def scene(self, rng: np.random.Generator, frames: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.zeros((frames, 120, 160), np.uint16)
        for number in range(1, 5):
            y, x = 20 + 40 * (number // 3), 20 + 60 * (number % 2)
            labels[:, y : y + 25, x : x + 30] = number
        return np.repeat((labels * 50).astype(np.uint8)[..., None], 3, axis=-1), labels


def _still() -> tuple[np.ndarray, np.ndarray]:
    images, labels = Blocks().scene(np.random.default_rng(0), 1)
    return images[0], labels[0]


def _cells() -> tuple[np.ndarray, np.ndarray]:
    images, labels = Blocks().scene(np.random.default_rng(0), 8)
    labels[3:, labels[0] == 2] = 0
    return images[..., 0], labels


def _check(source: CrowdSource, frames: int) -> None:
    rng = np.random.default_rng(0)
    for _ in range(8):
        crowd = source.sample(rng, frames=frames, size=SIZE, objects=5)
        assert crowd.images.shape == (frames, SIZE, SIZE, 3)
        assert crowd.masks.shape == (5, frames, SIZE, SIZE)
        assert crowd.masks[:, 0].any(axis=(1, 2)).all()
        assert len({mask.tobytes() for mask in crowd.masks}) >= 2


@pytest.mark.parametrize("frames", [1, 4])
def test_crowds_come_from_simulated_recorded_and_natural_movies(frames: int) -> None:
    simulated = SimulatedSource("sheet", pool_size=1)
    _check(CrowdSource([simulated], [_still]), frames)
    _check(CrowdSource([CellTrackSource([_cells])], []), frames)
    _check(CrowdSource([simulated], [_still], natural=Blocks(), natural_share=1.0), frames)


def test_natural_scenes_are_hardly_ever_upside_down_and_never_on_their_side() -> None:
    source = CrowdSource([], [], natural=Blocks(), natural_share=1.0)
    heights = []
    for seed in range(40):
        crowd = source.sample(np.random.default_rng(seed), frames=1, size=SIZE, objects=8)
        brightness = [crowd.images[0][mask[0]].mean() for mask in crowd.masks]
        brightest, darkest = (crowd.masks[pick(brightness), 0] for pick in (np.argmax, np.argmin))
        heights.append(np.nonzero(brightest)[0].mean() - np.nonzero(darkest)[0].mean())
    assert np.mean(np.array(heights) >= -2) > 0.85


def test_cells_whose_track_breaks_are_not_in_a_scene() -> None:
    source = CellTrackSource([_cells])
    for seed in range(6):
        images, labels = source.scene(np.random.default_rng(seed), 5)
        assert images.shape == labels.shape
        assert {1, 3, 4} <= set(np.unique(labels[0]).tolist())
        broken = (labels == 2).any(axis=(1, 2))
        assert broken.all() or not broken.any()


def test_equal_seeds_give_equal_crowds() -> None:
    source = CrowdSource([CellTrackSource([_cells])], [_still], natural=Blocks(), natural_share=0.5)
    draw = partial(source.sample, frames=3, size=SIZE, objects=3)
    first, again = (draw(np.random.default_rng(4)) for _ in range(2))
    assert np.array_equal(first.images, again.images)
    assert np.array_equal(first.masks, again.masks)


def test_a_scene_without_two_objects_gives_up_with_a_reason() -> None:
    class Empty:
        def scene(self, rng, frames):
            return np.zeros((frames, 60, 60), np.uint8), np.zeros((frames, 60, 60), np.uint16)

    with pytest.raises(RuntimeError, match="no crowd of 2 frames at 96 pixels"):
        CrowdSource([Empty()], []).sample(np.random.default_rng(0), frames=2, size=SIZE, objects=3)
