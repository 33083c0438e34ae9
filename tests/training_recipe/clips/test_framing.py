from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2", reason="making clips needs the extra 'recipe'")

from training_recipe.clips.clip import Footage
from training_recipe.clips.framing import FramingSettings, cut, cut_footage, cut_mask, object_box, window_path


def _footage(frames: int = 6, shape: tuple[int, int] = (200, 300)) -> Footage:
    images = np.zeros((frames, *shape, 3), np.uint8)
    masks = np.zeros((frames, *shape), bool)
    masks[:, 90:120, 100:140] = True
    images[masks] = 200
    return Footage(images, masks)


def _paths(settings: FramingSettings, count: int = 60) -> list[list[tuple[float, float, float, float]]]:
    footage = _footage()
    return [window_path(footage, np.random.default_rng(seed), settings) for seed in range(count)]


def test_the_whole_frame_is_squashed_to_a_square() -> None:
    path = _paths(FramingSettings(whole_frame=1.0), 1)[0]
    images, masks = cut_footage(_footage(), path, 64)
    assert images.shape == (6, 64, 64, 3)
    assert masks.mean() == pytest.approx(30 * 40 / (200 * 300), rel=0.15)


def test_windows_lie_inside_the_frame_and_hold_the_whole_object_at_first() -> None:
    for path in _paths(FramingSettings(whole_frame=0.0, entering=0.0)):
        for top, left, height, width in path:
            assert top >= 0
            assert left >= 0
            assert top + height <= 200.001
            assert left + width <= 300.001
        top, left, height, width = path[0]
        assert top <= 90
        assert left <= 100
        assert top + height >= 120
        assert left + width >= 140


def test_windows_cover_the_object_between_the_limits() -> None:
    settings = FramingSettings(whole_frame=0.0, leaving=0.0, drifting=0.0, least_cover=0.1, most_cover=0.4)
    shares = [30 * 40 / (path[0][2] * path[0][3]) for path in _paths(settings)]
    assert min(shares) >= 0.09
    assert max(shares) <= 0.41


def test_a_leaving_window_loses_the_object_and_sometimes_finds_it_again() -> None:
    settings = FramingSettings(whole_frame=0.0, leaving=1.0, drifting=0.0, least_cover=0.2, most_cover=0.4)
    footage = _footage()
    returned = lost = 0
    for path in _paths(settings):
        seen = cut_footage(footage, path, 64)[1].any(axis=(1, 2))
        assert seen[0]
        lost += not seen.all()
        returned += bool(not seen.all() and seen[-1])
    assert lost >= 55
    assert 10 <= returned <= 45


def test_an_entering_window_shows_a_sliver_first_and_the_whole_object_later() -> None:
    settings = FramingSettings(
        whole_frame=0.0, leaving=0.0, entering=1.0, drifting=0.0, least_cover=0.1, most_cover=0.4
    )
    footage = _footage()
    for path in _paths(settings):
        areas = cut_footage(footage, path, 64)[1].mean(axis=(1, 2))
        assert 0 < areas[0] < 0.5 * areas[-1]
        assert areas[3:] == pytest.approx(areas[-1], rel=0.01)


def test_image_and_mask_are_cut_alike_whether_enlarged_or_reduced() -> None:
    footage = _footage(1)
    for window in [(80.0, 90.0, 50.0, 60.0), (0.0, 0.0, 200.0, 300.0), (31.5, 40.25, 110.0, 120.5)]:
        image = cut(footage.images[0], window, 96)
        mask = cut_mask(footage.masks[0], window, 96)
        assert np.mean((image[..., 0] >= 100) != mask) < 0.02


def test_the_box_of_a_mask_is_half_open() -> None:
    assert object_box(_footage().masks[0]) == (90, 100, 120, 140)
