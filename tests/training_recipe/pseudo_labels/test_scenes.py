"""Which frames of a video are labelled."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2", reason="labelling videos needs the extra 'recipe'")

from PIL import Image

from training_recipe.pseudo_labels.scenes import Overview, choose_scenes, survey


def _overview(frames: int = 60, *, pace: float = 0.02, cuts: tuple[int, ...] = ()) -> Overview:
    """A gray video that grows brighter and darker, jumping at cuts."""
    level = 0.3 + 0.2 * np.sin(pace * 10 * np.arange(frames)) + sum(0.4 * (np.arange(frames) >= cut) for cut in cuts)
    return Overview(np.tile(level[:, None, None, None], (1, 36, 64, 3)).astype(np.float32), cuts)


def test_scenes_have_the_asked_length_and_one_stride() -> None:
    scenes = choose_scenes(_overview(), 2, 8)
    assert len(scenes) == 2
    for scene in scenes:
        assert len(scene) == 8
        assert len(set(np.diff(scene))) == 1


def test_scenes_of_a_video_do_not_overlap_and_the_second_looks_different() -> None:
    overview = _overview()
    first, second = choose_scenes(overview, 2, 8)
    assert not set(first) & set(second)
    looks = [overview.thumbnails[scene[0]] for scene in (first, second)]
    assert np.abs(looks[0] - looks[1]).mean() > 0.1


def test_no_scene_runs_over_a_cut() -> None:
    for scene in choose_scenes(_overview(cuts=(17, 41)), 3, 8):
        assert not any(scene[0] < cut <= scene[-1] for cut in (17, 41))


def test_calm_videos_get_a_larger_stride_than_busy_ones() -> None:
    calm, busy = (choose_scenes(_overview(120, pace=pace), 1, 8)[0] for pace in (0.001, 0.03))
    assert np.diff(calm)[0] == 3
    assert np.diff(busy)[0] < 3


def test_a_short_shot_gives_a_short_scene_and_a_very_short_one_none() -> None:
    assert 4 <= len(choose_scenes(_overview(11), 1, 8)[0]) <= 8
    assert choose_scenes(_overview(4), 1, 8) == []


def test_cuts_are_found_where_the_colors_change(tmp_path) -> None:
    for frame in range(12):
        color = (200, 30, 30) if frame < 7 else (20, 40, 220)
        Image.new("RGB", (96, 54), color).save(tmp_path / f"{frame:03d}.png")
    overview = survey(tmp_path)
    assert overview.thumbnails.shape == (12, 36, 64, 3)
    assert overview.cuts == (7,)
