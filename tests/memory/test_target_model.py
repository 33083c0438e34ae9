"""What an object looks like, learned from pixels of frames."""

from __future__ import annotations

import pytest
import torch

from src_model.masks import MaskletFrame, Rle
from src_model.memory.target_model import (
    PROMPTED_SAMPLES,
    STRENGTH,
    TRACKED_SAMPLES,
    Description,
    expect,
    fit,
    is_sure,
    take_samples,
    weight_of_frame,
)
from src_model.nn import ImageFeatures

SIDE = 8
"""Of the grid of stride 16; masks have four times as many."""


def texture(seed: int, channels: int) -> torch.Tensor:
    return torch.randn(channels, generator=torch.Generator().manual_seed(seed))


def scene(where: torch.Tensor, *, look: int = 1, other: int = 2, noise: int = 0) -> ImageFeatures:
    """Features of a frame in which one texture lies where ``(4 SIDE, 4 SIDE)`` is True, and another all around."""
    generator = torch.Generator().manual_seed(100 + noise)
    maps = []
    for channels, side in ((32, SIDE), (8, 4 * SIDE), (16, 2 * SIDE)):
        share = torch.nn.functional.adaptive_avg_pool2d(where[None, None].float(), side)[0]
        looks = [texture(seed + channels, channels)[:, None, None] for seed in (look, other)]
        x = share * looks[0] + (1 - share) * looks[1]
        maps.append((x + 0.3 * torch.randn(x.shape, generator=generator))[None])
    return ImageFeatures(maps[0], (maps[1], maps[2]))


def square(y: int, x: int, side: int = 12) -> torch.Tensor:
    where = torch.zeros(4 * SIDE, 4 * SIDE, dtype=torch.bool)
    where[y : y + side, x : x + side] = True
    return where


def logits_of(where: torch.Tensor) -> torch.Tensor:
    return where[None, None].float() * 20 - 10


def batched(first: ImageFeatures, second: ImageFeatures) -> ImageFeatures:
    stride4, stride8 = (torch.cat(pair) for pair in zip(first.high_res, second.high_res, strict=True))
    return ImageFeatures(torch.cat((first.embedding, second.embedding)), (stride4, stride8))


@pytest.fixture
def learned():
    """Samples of an object that a person showed."""
    where = square(4, 4)
    return take_samples(scene(where), logits_of(where), prompted=True)


def iou(expected: torch.Tensor, where: torch.Tensor) -> float:
    found = expected[0, 0] > 0
    return float((found & where).sum() / (found | where).sum())


def test_what_looks_like_the_object_is_found_where_it_has_moved_to(learned):
    where = square(16, 18)
    assert iou(expect(scene(where, noise=1), [[(1.0, learned)]]).logits, where) > 0.6


def test_no_more_is_added_than_the_strength_allows_about(learned):
    expected = expect(scene(square(16, 18), noise=1), [[(1.0, learned)]]).logits
    assert 0.3 * STRENGTH < float(expected.abs().max()) < 1.5 * STRENGTH


def test_of_an_object_that_looks_like_all_else_next_to_nothing_is_expected(learned):
    where, later = square(4, 4), square(16, 18)
    alike = take_samples(scene(where, look=2), logits_of(where), prompted=True)
    expected = expect(scene(later, look=2, noise=1), [[(1.0, alike)]]).logits
    known = expect(scene(later, noise=1), [[(1.0, learned)]]).logits
    assert float(expected.abs().mean()) < 0.1 * float(known.abs().mean())


def test_later_frames_teach_how_the_object_looks_by_now(learned):
    here, there = square(10, 10), square(16, 18)
    seen = take_samples(scene(here, look=5, noise=1), logits_of(here), prompted=False)
    changed = scene(there, look=5, noise=2)
    before = iou(expect(changed, [[(1.0, learned)]]).logits, there)
    assert iou(expect(changed, [[(1.0, learned), (0.5, seen)]]).logits, there) > max(before, 0.6)


def test_a_prompted_frame_counts_for_more_than_tracked_ones_and_these_the_less_the_older_they_are():
    weights = [weight_of_frame(age) for age in range(7)]
    assert weights == sorted(weights, reverse=True)
    assert sum(weights[1:]) < weights[0] == 1.0


def test_objects_of_a_batch_are_expected_as_each_alone(learned):
    where = square(16, 2)
    other = take_samples(scene(where, look=2, other=1), logits_of(where), prompted=False)
    frame = scene(square(10, 14), noise=1)
    together = expect(frame, [[(1.0, learned)], [], [(1.0, learned), (0.3, other)]]).logits
    for row, samples in enumerate([[(1.0, learned)], None, [(1.0, learned), (0.3, other)]]):
        alone = torch.zeros(1, 1, 32, 32) if samples is None else expect(frame, [samples]).logits
        assert torch.allclose(together[row : row + 1], alone, atol=1e-4)


def test_objects_in_windows_are_expected_each_in_its_own(learned):
    first, second = scene(square(2, 2), noise=1), scene(square(14, 14), noise=2)
    rows = [[(1.0, learned)], [(1.0, learned)]]
    together = expect(batched(first, second), rows).logits
    for row, frame in enumerate((first, second)):
        assert torch.allclose(together[row : row + 1], expect(frame, rows[:1]).logits, atol=1e-4)


def test_samples_of_a_batch_are_those_of_each_alone():
    places = [square(4, 4), square(14, 10, 6)]
    frame = scene(places[0])
    together = take_samples(frame, torch.cat([logits_of(where) for where in places]), prompted=False)
    for where, row in zip(places, together.rows(), strict=True):
        alone = take_samples(frame, logits_of(where), prompted=False)
        assert all(torch.allclose(a.float(), b.float()) for a, b in zip(row.tensors, alone.tensors, strict=True))


def test_a_score_is_the_model_applied_to_the_features_of_the_pixel(learned):
    description, model = Description(scene(square(16, 18), noise=1)), fit([[(1.0, learned)]])[0]
    places = torch.arange(4 * SIDE**2)[None]
    direct = (description.at(places) @ model[..., None])[0, :, 0]
    assert torch.allclose(direct, description.scores(model).flatten(), atol=1e-5)


@pytest.mark.parametrize(("prompted", "counts"), [(True, PROMPTED_SAMPLES), (False, TRACKED_SAMPLES)])
def test_of_a_frame_a_fixed_number_of_pixels_is_kept(prompted, counts):
    where = square(4, 4)
    samples = take_samples(scene(where), logits_of(where), prompted=prompted)
    inside = samples.values > 0
    assert int(inside.sum()) == counts[0]
    assert samples.features.shape == (1, sum(counts), 32 + 16 + 8 + 1)
    assert float(samples.weights[inside].sum()) == pytest.approx(0.5)
    assert float(samples.weights.sum()) == pytest.approx(1.0)


def test_few_pixels_of_an_object_count_for_little():
    where = square(4, 4, 4)
    samples = take_samples(scene(where), logits_of(where), prompted=True)
    assert 0 < float(samples.weights[samples.values > 0].sum()) < 0.2


@pytest.mark.parametrize("full", [True, False])
def test_a_frame_without_the_object_or_full_of_it_teaches_the_other_side_alone(full):
    where = torch.full((4 * SIDE, 4 * SIDE), full)
    samples = take_samples(scene(where), logits_of(where), prompted=True)
    taught = samples.values[samples.weights > 0]
    assert bool(((taught > 0) == full).all())
    assert bool(expect(scene(where), [[(1.0, samples)]]).logits.isfinite().all())


def test_only_tracked_frames_of_which_the_network_was_sure_are_learned_from():
    mask, nothing = Rle.from_crop(torch.ones(2, 2, dtype=torch.bool).numpy(), (0, 0), (8, 8)), Rle.empty((8, 8))
    assert is_sure(MaskletFrame(mask, 0.9, 0.9))
    unsure = [MaskletFrame(mask, 0.6, 0.9), MaskletFrame(mask, 0.9, 0.4), MaskletFrame(nothing, 0.9, 0.9), None]
    assert not any(map(is_sure, unsure))


def test_a_mask_on_the_object_looks_like_it_and_one_that_drifted_to_something_else_does_not(learned):
    expected = expect(scene(square(16, 18), noise=1), [[(1.0, learned)]])
    assert float(expected.likeness(logits_of(square(16, 18)))) > 0.9
    assert float(expected.likeness(logits_of(square(2, 2)))) < 0.1


def test_likeness_is_the_share_of_the_mask_that_looks_like_the_object(learned):
    expected = expect(scene(square(16, 18), noise=1), [[(1.0, learned)]])
    half_beside = torch.zeros(4 * SIDE, 4 * SIDE, dtype=torch.bool)
    half_beside[16:28, 6:30] = True
    assert float(expected.likeness(logits_of(half_beside))) == pytest.approx(0.5, abs=0.1)


def test_nothing_speaks_against_objects_of_which_nothing_is_known_nor_against_empty_masks(learned):
    expected = expect(scene(square(16, 18), noise=1), [[], [(1.0, learned)]])
    drifted, nothing = logits_of(square(2, 2)), torch.full((1, 1, 4 * SIDE, 4 * SIDE), -10.0)
    assert expected.likeness(torch.cat((drifted, nothing))).tolist() == [1.0, 1.0]


def test_nothing_speaks_against_masks_of_an_object_that_looks_like_all_else():
    where = square(4, 4, 20)
    alike = take_samples(scene(where, look=2), logits_of(where), prompted=True)
    expected = expect(scene(square(16, 18), look=2, noise=1), [[(1.0, alike)]])
    assert float(expected.likeness(logits_of(square(2, 2)))) == 1.0
