"""The average of the weights."""

from __future__ import annotations

import pytest
import torch

from src_model.training.schedule import Schedule
from src_model.training.training_state import TrainingState
from tests.training.tiny import tiny_network


def test_the_average_moves_by_what_its_decay_leaves() -> None:
    state = TrainingState.fresh(tiny_network(0), Schedule())
    with torch.no_grad():
        state.average.no_mem_embed.fill_(1.0)
        state.network.no_mem_embed.fill_(3.0)
    state.update_average(0.75)
    assert state.average.no_mem_embed.unique().item() == pytest.approx(1.5)
