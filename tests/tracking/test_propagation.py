"""How the objects of a frame are computed: which share a batch, and that it makes no difference to them."""

from __future__ import annotations

import pytest
import torch

from src_model.masks import mask_iou
from src_model.tracking.network_steps import NetworkSteps
from tests.tracking import tiny

STARTS = (0, 0, 2, 3, 5)


@pytest.fixture
def batches(monkeypatch) -> list[tuple[int, bool]]:
    """Lists the size of every batch that is tracked, and whether it was padded."""
    seen = []
    track = NetworkSteps.track

    def counted(self, features, memory, *told):
        seen.append((len(memory.memories), memory.is_padded))
        return track(self, features, memory, *told)

    monkeypatch.setattr(NetworkSteps, "track", counted)
    return seen


@pytest.fixture
def padding(monkeypatch):
    """Track as where calls cost more than padding."""
    monkeypatch.setattr(NetworkSteps, "pads_memories", property(lambda _self: True))
    monkeypatch.setattr(NetworkSteps, "objects_per_batch", property(lambda _self: 16))


def start(predictor, movie):
    session = predictor.start(movie)
    for number, frame in enumerate(STARTS):
        session.prompt(frame, number + 1, points=[(8 + 6 * number, 8 + 8 * number)])
    return session


def logits(session) -> dict[tuple[int, int], torch.Tensor]:
    return {(result.frame, number): field for result in session.propagate() for number, field in result.logits.items()}


def test_objects_with_equally_many_memories_share_a_batch_wherever_they_started(predictor, batches):
    session = start(predictor, tiny.make_movie(24))
    tiny.finish(session.propagate())
    assert batches[-3:] == [(2, False), (2, False), (1, False)]


def test_with_padding_all_objects_of_a_frame_are_one_batch(predictor, movie, batches, padding):
    tiny.finish(start(predictor, movie).propagate())
    assert batches[-1] == (5, True)
    assert len(batches) == tiny.LENGTH - 1


def test_objects_are_tracked_in_padded_batches_as_they_are_alone(predictor, movie, padding):
    together = start(predictor, movie)
    found = logits(together)
    for number, frame in enumerate(STARTS):
        alone = predictor.start(movie)
        alone.prompt(frame, number + 1, points=[(8 + 6 * number, 8 + 8 * number)])
        for (t, _), field in logits(alone).items():
            torch.testing.assert_close(found[t, number + 1], field, atol=1e-4, rtol=1e-4)
        for t, mask in tiny.masks_of(alone, number + 1).items():
            assert mask_iou(mask, together.masklets[number + 1].mask_at(t)) > 0.99
