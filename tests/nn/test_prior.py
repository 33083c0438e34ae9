"""What is known of an object besides memory and prompts, given to the mask decoder."""

from __future__ import annotations

import pytest
import torch

from src_model.nn import Gate, Prior, Sam2Network
from tests.nn.inputs import SIDE, click, features, with_presence


@pytest.fixture
def present(network: Sam2Network) -> Sam2Network:
    return with_presence(network, 5.0)


def full_prior(batch: int = 2) -> Prior:
    return Prior(
        dense=torch.randn(batch, 256, SIDE, SIDE),
        tokens=torch.randn(batch, 3, 256),
        logits=torch.randn(batch, 1, 4 * SIDE, 4 * SIDE),
    )


@pytest.mark.parametrize("multimask", [True, False])
def test_an_empty_prior_changes_no_bit(present: Sam2Network, multimask: bool):
    image, prompts = features(), click()
    plain = present.decode(image.embedding, image.high_res, prompts, multimask=multimask)
    same = present.decode(image.embedding, image.high_res, prompts, multimask=multimask, prior=Prior())
    assert torch.equal(same.logits, plain.logits)
    assert torch.equal(same.iou, plain.iou)
    assert torch.equal(same.object_logits, plain.object_logits)


def test_maps_behind_a_new_gate_change_no_bit(present: Sam2Network):
    image, prompts, gate, prior = features(), click(), Gate(), full_prior()
    gated = Prior(dense=gate(prior.dense), logits=gate(prior.logits))
    plain = present.decode(image.embedding, image.high_res, prompts, multimask=True)
    same = present.decode(image.embedding, image.high_res, prompts, multimask=True, prior=gated)
    assert torch.equal(same.logits, plain.logits)


def test_training_can_open_a_gate(present: Sam2Network):
    image, gate, prior = features(), Gate(), full_prior()
    gated = Prior(dense=gate(prior.dense))
    present.decode(
        image.embedding, image.high_res, click(), multimask=True, prior=gated
    ).logits.square().sum().backward()
    assert gate.weight.grad is not None
    assert gate.weight.grad != 0


@pytest.mark.parametrize("part", ["dense", "tokens"])
def test_each_part_is_seen_by_the_decoder(present: Sam2Network, part: str):
    image, prompts = features(), click()
    prior = Prior(**{part: getattr(full_prior(), part)})
    plain = present.decode(image.embedding, image.high_res, prompts, multimask=True)
    changed = present.decode(image.embedding, image.high_res, prompts, multimask=True, prior=prior)
    assert not torch.allclose(changed.logits, plain.logits, atol=1e-4)
    assert not torch.allclose(changed.iou, plain.iou, atol=1e-6)


def test_logits_are_added_to_every_mask_and_to_nothing_else(present: Sam2Network):
    image, prompts, prior = features(), click(), full_prior()
    plain = present.decode(image.embedding, image.high_res, prompts, multimask=True)
    changed = present.decode(image.embedding, image.high_res, prompts, multimask=True, prior=Prior(logits=prior.logits))
    torch.testing.assert_close(changed.logits - plain.logits, prior.logits.expand(-1, 3, -1, -1), atol=1e-4, rtol=1e-4)
    assert torch.equal(changed.iou, plain.iou)


def test_priors_belong_to_their_objects(present: Sam2Network):
    image, prompts, prior = features(), click(), full_prior()
    swapped = Prior(prior.dense.flip(0), prior.tokens.flip(0), prior.logits)
    ours = present.decode(image.embedding, image.high_res, prompts, multimask=True, prior=prior)
    theirs = present.decode(image.embedding, image.high_res, prompts, multimask=True, prior=swapped)
    assert not torch.allclose(ours.logits[0], theirs.logits[0], atol=1e-4)


def test_an_object_judged_absent_stays_empty_whatever_is_expected(network: Sam2Network):
    absent, image = with_presence(network, -5.0), features()
    found = absent.decode(image.embedding, image.high_res, click(), multimask=True, prior=full_prior()).where_present()
    assert found.logits.lt(0).all()
