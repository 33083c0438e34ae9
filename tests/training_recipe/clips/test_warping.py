"""How stills move."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2", reason="making clips needs the extra 'recipe'")

from training_recipe.clips.warping import affine_ways, elastic_bends, motion_maps, plate_bends

WINDOW = (10.0, 20.0, 64.0, 96.0)
SIZE, FRAMES = 64, 6


@pytest.mark.parametrize("seed", range(20))
def test_the_first_frame_is_the_window_itself_and_later_ones_have_moved(seed: int) -> None:
    maps = motion_maps(np.random.default_rng(seed), WINDOW, frames=FRAMES, size=SIZE)
    places = (np.arange(SIZE) + 0.5) / SIZE
    np.testing.assert_allclose(maps[0][0][:, 0], 10 + 64 * places - 0.5, atol=1e-3)
    np.testing.assert_allclose(maps[0][1][0], 20 + 96 * places - 0.5, atol=1e-3)
    assert np.abs(maps[-1][0] - maps[0][0]).max() > 0.2


@pytest.mark.parametrize("seed", range(20))
def test_space_never_folds_over(seed: int) -> None:
    for y, x in motion_maps(np.random.default_rng(seed), (0.0, 0.0, 64.0, 64.0), frames=8, size=SIZE):
        (yy, yx), (xy, xx) = np.gradient(y), np.gradient(x)
        assert (yy * xx - yx * xy).min() > 0


@pytest.mark.parametrize("bends", [plate_bends, elastic_bends])
def test_bends_start_at_rest_move_smoothly_and_stay_small(bends) -> None:
    for seed in range(10):
        fields = np.stack(bends(np.random.default_rng(seed), 8, 1.0))
        assert np.abs(fields[0]).max() == pytest.approx(0, abs=1e-6)
        assert 0 < np.abs(fields).max() < 0.3
        assert np.abs(np.diff(fields, axis=0)).max() < 0.2


def test_plates_bend_as_a_whole_and_tissue_locally() -> None:
    def roughness(bends) -> float:
        values = []
        for seed in range(30):
            field = bends(np.random.default_rng(seed), 8, 1.0)[-1][..., 0]
            step = np.abs(np.diff(field, axis=0)).mean() * len(field)
            values.append(step / np.abs(field).mean())
        return float(np.median(values))

    assert roughness(plate_bends) < roughness(elastic_bends)


def test_the_camera_starts_level() -> None:
    matrices, shifts = affine_ways(np.random.default_rng(3), 5, 1.0)
    np.testing.assert_allclose(matrices[0], np.eye(2))
    np.testing.assert_allclose(shifts[0], 0)
    assert not np.allclose(matrices[4], np.eye(2))


def test_equal_seeds_give_equal_motion() -> None:
    first, again = (motion_maps(np.random.default_rng(5), WINDOW, frames=3, size=SIZE) for _ in range(2))
    assert np.array_equal(first, again)
