"""The mask decoder and what it predicts."""

from __future__ import annotations

import pytest
import torch

from src_model.nn import MaskPrediction
from src_model.nn.mask_decoder import MaskDecoder, StabilityRule

WIDTH, SIDE = 64, 4


def prediction(masks: int, tokens: int | None = None) -> MaskPrediction:
    """A prediction for two objects whose entries say which mask they belong to."""
    index = torch.arange(1.0, masks + 1)
    token_index = torch.arange(1.0, (tokens or masks) + 1)
    logits = torch.stack((index, 10 * index)).view(2, masks, 1, 1).expand(2, masks, 8, 8)
    iou = torch.tensor([[0.1, 0.9, 0.5], [0.7, 0.2, 0.3]])[:, :masks]
    return MaskPrediction(logits, iou, token_index.view(1, -1, 1).expand(2, -1, 4), torch.ones(2, 1))


def test_the_best_mask_is_that_of_the_highest_predicted_iou_of_each_object():
    best = prediction(3).best()
    assert best.logits[:, 0, 0, 0].tolist() == [2, 10]
    assert best.logits.shape == (2, 1, 8, 8)
    torch.testing.assert_close(best.iou, torch.tensor([[0.9], [0.7]]))
    assert best.tokens[:, 0, 0].tolist() == [2, 1]
    assert best.object_logits.shape == (2, 1)


def test_another_reading_than_the_best_can_be_chosen():
    chosen = prediction(3).chosen(torch.tensor([2, 1]))
    assert chosen.logits[:, 0, 0, 0].tolist() == [3, 20]
    assert chosen.tokens[:, 0, 0].tolist() == [3, 2]


def test_a_token_shared_by_all_masks_stays_whichever_mask_is_chosen():
    chosen = prediction(3, tokens=1).chosen(torch.tensor([2, 1]))
    assert chosen.tokens[:, 0, 0].tolist() == [1, 1]


def test_the_best_of_one_mask_is_that_mask():
    single = prediction(1)
    best = single.best()
    assert torch.equal(best.logits, single.logits)
    assert torch.equal(best.tokens, single.tokens)


def logits_of_areas(inner: int, outer: int) -> torch.Tensor:
    """A 10 x 10 mask with ``inner`` sure pixels, and ``outer`` pixels if the doubtful ones count."""
    flat = torch.full((100,), -5.0)
    flat[:outer] = 0.0
    flat[:inner] = 5.0
    return flat.view(1, 1, 10, 10)


@pytest.mark.parametrize(("inner", "outer", "stable"), [(49, 50, True), (48, 50, False), (0, 50, False), (0, 0, True)])
def test_a_mask_is_stable_if_moving_the_threshold_hardly_changes_it(inner: int, outer: int, stable: bool):
    assert StabilityRule().is_stable(logits_of_areas(inner, outer)).item() is stable


@pytest.fixture
def decoder() -> MaskDecoder:
    return MaskDecoder(WIDTH, (16, 32), iou_sigmoid=True).eval()


@pytest.fixture
def inputs(decoder: MaskDecoder) -> dict[str, object]:
    fine = decoder.project_high_res(torch.randn(2, 16, 4 * SIDE, 4 * SIDE), torch.randn(2, 32, 2 * SIDE, 2 * SIDE))
    return {
        "embedding": torch.randn(2, WIDTH, SIDE, SIDE),
        "positions": torch.randn(1, WIDTH, SIDE, SIDE),
        "prompt_tokens": torch.randn(2, 3, WIDTH),
        "dense_prompt": torch.randn(2, WIDTH, SIDE, SIDE),
        "high_res": fine,
    }


def test_fine_maps_are_projected_to_an_eighth_and_a_quarter_of_the_width(decoder: MaskDecoder):
    stride4, stride8 = decoder.project_high_res(torch.randn(1, 16, 16, 16), torch.randn(1, 32, 8, 8))
    assert stride4.shape == (1, WIDTH // 8, 16, 16)
    assert stride8.shape == (1, WIDTH // 4, 8, 8)


def test_multimask_mode_gives_three_readings_with_a_token_each(decoder: MaskDecoder, inputs: dict):
    several = decoder(**inputs, multimask=True)
    assert several.logits.shape == (2, 3, 4 * SIDE, 4 * SIDE)
    assert several.iou.shape == (2, 3)
    assert several.tokens.shape == (2, 3, WIDTH)
    assert several.object_logits.shape == (2, 1)


def test_single_mode_gives_one_mask_with_one_token(decoder: MaskDecoder, inputs: dict):
    single = decoder(**inputs, multimask=False)
    assert single.logits.shape == (2, 1, 4 * SIDE, 4 * SIDE)
    assert single.iou.shape == (2, 1)
    assert single.tokens.shape == (2, 1, WIDTH)


def with_stability(decoder: MaskDecoder, threshold: float) -> MaskDecoder:
    decoder.stability = StabilityRule(threshold=threshold)
    return decoder


def test_an_unstable_single_mask_is_replaced_by_the_best_of_the_three(decoder: MaskDecoder, inputs: dict):
    best = decoder(**inputs, multimask=True).best()
    fallen_back = with_stability(decoder, 2.0)(**inputs, multimask=False)
    torch.testing.assert_close(fallen_back.logits, best.logits)
    torch.testing.assert_close(fallen_back.iou, best.iou)


def test_the_fallback_keeps_the_token_of_the_single_mask(decoder: MaskDecoder, inputs: dict):
    stable = with_stability(decoder, 0.0)(**inputs, multimask=False)
    unstable = with_stability(decoder, 2.0)(**inputs, multimask=False)
    assert not torch.equal(unstable.logits, stable.logits)
    assert torch.equal(unstable.tokens, stable.tokens)


def test_each_object_falls_back_alone(decoder: MaskDecoder, inputs: dict):
    with torch.no_grad():
        single = with_stability(decoder, 0.0)(**inputs, multimask=False).logits
    inner, outer = ((single > x).sum(dim=(-2, -1)).float() for x in (0.05, -0.05))
    scores = (inner / outer)[:, 0]
    assert scores[0] != scores[1]
    with torch.no_grad():
        result = with_stability(decoder, scores.mean().item())(**inputs, multimask=False).logits
    kept = [torch.equal(result[row], single[row]) for row in range(2)]
    assert kept == (scores >= scores.mean()).tolist()


def test_training_sees_the_single_mask_itself(decoder: MaskDecoder, inputs: dict):
    stable = with_stability(decoder, 0.0)(**inputs, multimask=False)
    trained = with_stability(decoder, 2.0).train()(**inputs, multimask=False)
    torch.testing.assert_close(trained.logits, stable.logits)


def test_predicted_ious_are_squashed_only_if_asked_for(inputs: dict):
    torch.manual_seed(1)
    raw = MaskDecoder(WIDTH, (16, 32), iou_sigmoid=False).eval()
    torch.manual_seed(1)
    squashed = MaskDecoder(WIDTH, (16, 32), iou_sigmoid=True).eval()
    torch.testing.assert_close(raw(**inputs, multimask=True).iou.sigmoid(), squashed(**inputs, multimask=True).iou)


def test_both_fine_maps_reach_the_mask(decoder: MaskDecoder, inputs: dict):
    base = decoder(**inputs, multimask=True).logits
    for index in range(2):
        maps = list(inputs["high_res"])
        maps[index] = maps[index] + torch.randn_like(maps[index])
        changed = decoder(**{**inputs, "high_res": tuple(maps)}, multimask=True).logits
        assert not torch.allclose(changed, base, atol=1e-4)


def test_rows_of_a_batch_are_independent(decoder: MaskDecoder, inputs: dict):
    together = decoder(**inputs, multimask=True)
    for row in range(2):
        alone = {k: v[row : row + 1] for k, v in inputs.items() if k not in ("positions", "high_res")}
        alone |= {"positions": inputs["positions"], "high_res": tuple(x[row : row + 1] for x in inputs["high_res"])}
        single = decoder(**alone, multimask=True)
        torch.testing.assert_close(single.logits[0], together.logits[row], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(single.object_logits[0], together.object_logits[row], atol=1e-5, rtol=1e-4)
