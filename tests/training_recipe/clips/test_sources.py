"""What every source of clips promises, on made-up footage."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

pytest.importorskip("cv2", reason="making clips needs the extra 'recipe'")

from typing import TYPE_CHECKING

from src_model.simulation import simulate_movie
from training_recipe.clips.clip import LEAST_AREA_SHARE, Clip, ClipSource, Footage, without_slivers
from training_recipe.clips.cutouts import CutoutLibrary
from training_recipe.clips.finishing import Finish
from training_recipe.clips.framing import FramingSettings
from training_recipe.clips.mixture import MixtureSource
from training_recipe.clips.pasted import PastedSource
from training_recipe.clips.recorded import CellTrackSource, RealVideoSource, chosen_frames
from training_recipe.clips.simulated import Clock, SimulatedSource
from training_recipe.clips.stills import WarpedStillSource

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE, FRAMES = 112, 5


def _footage() -> Footage:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 90, (9, 120, 160, 3)).astype(np.uint8)
    masks = np.zeros((9, 120, 160), bool)
    for frame in range(9):
        masks[frame, 40 + frame : 70 + frame, 50 + 2 * frame : 90 + 2 * frame] = True
    images[masks] += 150
    return Footage(images, masks)


def _still() -> tuple[np.ndarray, np.ndarray]:
    movie = simulate_movie("nuclei", 3, 1, (160, 160))
    gray = (movie.images[0] / movie.images[0].max() * 255).astype(np.uint8)
    return np.repeat(gray[..., None], 3, axis=-1), movie.labels[0]


def _tracked() -> tuple[np.ndarray, np.ndarray]:
    footage = _footage()
    return footage.images[..., 0], footage.masks.astype(np.uint16) * 4


def _scene() -> np.ndarray:
    return _footage().images


def _pasted(finish: Finish | None = None) -> PastedSource:
    library = CutoutLibrary([_footage], [_still], [_scene])
    return PastedSource(library, [_scene], [_scene], cells=0.3, finish=finish)


SOURCES: dict[str, Callable[[], ClipSource]] = {
    "real-video": lambda: RealVideoSource([_footage]),
    "cell-track": lambda: CellTrackSource([_tracked]),
    "warped-still": lambda: WarpedStillSource([_still]),
    "pasted": _pasted,
    **{kind: partial(SimulatedSource, kind, pool_size=1) for kind in ("nuclei", "sheet", "rods", "phase", "vesicles")},
}


def _same(first: Clip, second: Clip) -> bool:
    return np.array_equal(first.images, second.images) and np.array_equal(first.masks, second.masks)


@pytest.mark.parametrize("kind", SOURCES)
def test_clips_have_the_asked_shape_and_show_the_object_first(kind: str) -> None:
    source, rng = SOURCES[kind](), np.random.default_rng(0)
    for _ in range(12):
        clip = source.sample(rng, frames=FRAMES, size=SIZE)
        assert clip.kind == kind == source.kind
        assert clip.images.shape == (FRAMES, SIZE, SIZE, 3)
        assert clip.images.dtype == np.uint8
        assert clip.masks.shape == (FRAMES, SIZE, SIZE)
        assert clip.masks.dtype == bool
        assert clip.masks[0].mean() >= LEAST_AREA_SHARE
        assert clip.images.flags.c_contiguous
        assert clip.masks.flags.c_contiguous


@pytest.mark.parametrize("kind", SOURCES)
def test_equal_seeds_give_equal_clips_and_others_give_others(kind: str) -> None:
    first, again, other = (
        SOURCES[kind]().sample(np.random.default_rng(seed), frames=FRAMES, size=SIZE) for seed in (1, 1, 2)
    )
    assert _same(first, again)
    assert not _same(first, other)


@pytest.mark.parametrize("kind", SOURCES)
def test_a_clip_of_one_frame_is_possible(kind: str) -> None:
    clip = SOURCES[kind]().sample(np.random.default_rng(4), frames=1, size=SIZE)
    assert clip.masks.shape[0] == 1
    assert clip.masks[0].any()


def test_the_object_is_absent_for_a_while_in_about_a_fifth_of_the_clips() -> None:
    rng = np.random.default_rng(7)
    sources = [SOURCES[kind]() for kind in ("real-video", "warped-still", "pasted", "phase")]
    clips = [source.sample(rng, frames=FRAMES, size=64) for source in sources for _ in range(40)]
    absent = np.mean([not clip.masks.any(axis=(1, 2)).all() for clip in clips])
    assert 0.1 <= absent <= 0.35


def test_masks_lie_on_what_they_name() -> None:
    plain = Finish(microscopy=False, framing=FramingSettings(leaving=0.0), occluded=0.0, varied=False)
    source, rng = RealVideoSource([_footage], finish=plain), np.random.default_rng(2)
    for _ in range(10):
        clip = source.sample(rng, frames=FRAMES, size=SIZE)
        bright = clip.images[..., 0].astype(int) >= 120
        assert np.mean(bright != clip.masks) < 0.03


def test_a_warped_still_starts_as_it_is_and_then_moves() -> None:
    plain = Finish(microscopy=True, occluded=0.0, varied=False)
    source, rng = WarpedStillSource([_still], finish=plain), np.random.default_rng(2)
    moved = [
        not np.array_equal(clip.masks[0], clip.masks[-1])
        for clip in (source.sample(rng, frames=FRAMES, size=SIZE) for _ in range(8))
    ]
    assert sum(moved) >= 7


def test_a_track_that_jumps_or_has_holes_is_not_used() -> None:
    def broken() -> tuple[np.ndarray, np.ndarray]:
        images, labels = _tracked()
        labels[1::3] = 0
        return images, labels

    with pytest.raises(RuntimeError, match="no cell-track clip of 4 frames"):
        CellTrackSource([broken]).sample(np.random.default_rng(0), frames=4, size=SIZE)


def test_a_pool_is_replaced_movie_by_movie_or_never() -> None:
    for every, expected in ((None, [3, 4, 5]), (2, [3, 7, 8])):
        clock = Clock()
        source = SimulatedSource("vesicles", first_seed=3, pool_size=3, steps_per_movie=every, clock=clock)
        assert source._seeds() == [3, 4, 5]
        clock.step = 5
        assert source._seeds() == expected


def test_a_clip_depends_on_the_step_and_not_on_what_was_drawn_before() -> None:
    clips = []
    for earlier_steps in ((), (0, 4)):
        clock = Clock()
        source = SimulatedSource("vesicles", pool_size=2, steps_per_movie=2, clock=clock)
        for clock.step in (*earlier_steps, 9):
            clip = source.sample(np.random.default_rng(clock.step), frames=2, size=32)
        clips.append(clip)
    assert _same(*clips)


def test_scenes_run_both_ways_unless_something_divides() -> None:
    def is_forwards(source: SimulatedSource, labels: np.ndarray) -> bool:
        (movie,) = source._pool.values()
        return any(np.array_equal(labels, movie.labels[start : start + 6]) for start in range(len(movie.labels) - 5))

    rng = np.random.default_rng(0)
    calm, dividing = (SimulatedSource(kind, pool_size=1) for kind in ("vesicles", "rods"))
    ways = [is_forwards(calm, calm.scene(rng, 6)[1]) for _ in range(16)]
    assert {True, False} == set(ways)
    for _ in range(16):
        _, labels = dividing.scene(rng, 6)
        (movie,) = dividing._pool.values()
        if any(int(born) in movie.parents for born in np.setdiff1d(labels, labels[:1])):
            assert is_forwards(dividing, labels)


def test_a_mixture_draws_its_sources_by_weight() -> None:
    mixture = MixtureSource([SOURCES["real-video"](), SOURCES["cell-track"]()], {"real-video": 3.0, "cell-track": 1.0})
    mixture.preload()
    rng = np.random.default_rng(0)
    kinds = [mixture.sample(rng, frames=2, size=32).kind for _ in range(200)]
    assert 0.65 <= np.mean([kind == "real-video" for kind in kinds]) <= 0.85


def test_a_mixture_without_any_weight_is_refused() -> None:
    with pytest.raises(ValueError, match="no source has a weight"):
        MixtureSource([SOURCES["real-video"]()], {"real-video": 0.0})


@pytest.mark.parametrize("length", [1, 3, 40])
def test_frames_are_chosen_inside_the_movie_at_one_stride(length: int) -> None:
    for seed in range(20):
        chosen = chosen_frames(np.random.default_rng(seed), length, 6, 5)
        assert len(chosen) == 6
        assert chosen.min() >= 0
        assert chosen.max() < length
        if length == 40:
            assert len(set(np.diff(chosen))) == 1


def test_a_few_pixels_left_of_an_object_count_as_none() -> None:
    masks = np.zeros((2, 224, 224), bool)
    masks[0, :10, :10] = masks[1, 0, :3] = True
    kept = without_slivers(masks)
    assert kept[0].sum() == 100
    assert kept[1].sum() == 0
