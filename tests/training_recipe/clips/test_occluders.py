from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2", reason="making clips needs the extra 'recipe'")

from training_recipe.clips.occluders import occlude


def _clip(frames: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (frames, 96, 96, 3)).astype(np.uint8)
    masks = np.zeros((frames, 96, 96), bool)
    masks[:, 35:60, 35:60] = True
    return images, masks


def test_the_first_frame_keeps_most_of_the_object_and_a_later_one_loses_much() -> None:
    lost = 0
    for seed in range(30):
        images, masks = _clip()
        _, left = occlude(images, masks, np.random.default_rng(seed))
        areas = left.sum(axis=(1, 2)) / masks.sum(axis=(1, 2))
        assert areas[0] >= 0.69
        lost += bool(areas[1:].min() < 0.5)
    assert lost >= 25


def test_masks_only_shrink_and_pixels_left_in_the_mask_are_unchanged() -> None:
    images, masks = _clip()
    covered, left = occlude(images, masks, np.random.default_rng(3))
    assert not (left & ~masks).any()
    difference = np.abs(covered.astype(int) - images).max(axis=-1)
    # The occluder's border is one pixel soft.
    assert np.mean(difference[left] > 0) < 0.1
    assert (difference[masks & ~left] > 0).mean() > 0.9


def test_a_clip_whose_object_is_never_seen_again_stays_as_it_is() -> None:
    images, masks = _clip()
    masks[1:] = False
    covered, left = occlude(images, masks, np.random.default_rng(0))
    assert covered is images
    assert left is masks
