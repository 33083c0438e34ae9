"""Look-alikes beside the object."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2", reason="making clips needs the extra 'recipe'")

from training_recipe.clips.stills import with_copies


def _still() -> tuple[np.ndarray, np.ndarray]:
    image = np.full((120, 160, 3), 40, np.uint8)
    mask = np.zeros((120, 160), bool)
    mask[50:70, 70:90] = True
    image[mask] = 220
    return image, mask


def test_copies_lie_near_the_object_and_never_on_it() -> None:
    image, mask = _still()
    for seed in range(10):
        copied = with_copies(image, mask, np.random.default_rng(seed))
        assert np.array_equal(copied[mask], image[mask])
        added = (copied[..., 0] > 130) & ~mask
        assert added.sum() > 50
        rows, columns = np.nonzero(added)
        assert np.hypot(rows - 60, columns - 80).max() < 100


def test_the_still_is_left_as_it_was() -> None:
    image, mask = _still()
    with_copies(image, mask, np.random.default_rng(0))
    assert np.array_equal(image, _still()[0])


def test_copies_over_the_border_are_cut_off() -> None:
    image, mask = np.roll(_still()[0], -68, axis=1), np.roll(_still()[1], -68, axis=1)
    assert with_copies(image, mask, np.random.default_rng(1)).shape == image.shape
