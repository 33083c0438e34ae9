"""Values that follow from parameters and are kept until those change."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch

from src_model.nn.compute import WeightCache


class Counted:
    """Doubles a tensor and counts how often."""

    def __init__(self, source: torch.Tensor) -> None:
        self.source, self.times = source, 0
        self.derived: WeightCache[torch.Tensor] = WeightCache()

    def get(self, key: object = None) -> torch.Tensor:
        return self.derived.get((self.source,), key, self._compute)

    def _compute(self) -> torch.Tensor:
        self.times += 1
        return 2 * self.source


@pytest.fixture
def counted() -> Counted:
    return Counted(torch.ones(3))


def test_a_value_is_computed_once(counted: Counted):
    assert counted.get() is counted.get()
    assert counted.times == 1


def test_it_is_computed_again_when_its_source_was_written_to(counted: Counted):
    counted.get()
    counted.source.add_(1)
    assert counted.get().tolist() == [4, 4, 4]


def test_it_is_computed_again_for_another_source(counted: Counted):
    counted.get()
    counted.source = torch.full((3,), 5.0)
    assert counted.get().tolist() == [10, 10, 10]


def test_it_is_computed_again_for_another_key(counted: Counted):
    counted.get(1)
    counted.get(2)
    assert counted.times == 2


def test_it_has_no_gradient():
    assert not Counted(torch.ones(3, requires_grad=True)).get().requires_grad


def test_a_source_made_in_inference_mode_is_taken_too():
    with torch.inference_mode():
        counted = Counted(torch.ones(3))
    assert counted.get() is counted.get()


def test_it_can_be_forgotten(counted: Counted):
    counted.get()
    counted.derived.clear()
    counted.get()
    assert counted.times == 2


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["copy", "pickle"])
def test_copies_and_pickles_start_without_a_value(counted: Counted, duplicate):
    counted.get()
    other = duplicate(counted)
    other.get()
    assert other.times == 2
