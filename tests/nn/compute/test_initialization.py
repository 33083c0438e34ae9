"""Networks that a checkpoint fills are made without random weights."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import torch

from src_model.nn.compute import Conv2d, Linear, without_initialization

LOADS_THE_DEFAULT = """
import sys
from src_model.weights import load_network
load_network("default", device="cpu")
assert "torch._dynamo" not in sys.modules, "the compiler takes seconds to import"
"""


def drawn_numbers(make) -> bool:
    """Whether making a layer takes random numbers."""
    before = torch.get_rng_state()
    make()
    return not torch.equal(before, torch.get_rng_state())


def test_layers_begin_with_random_weights_unless_told_otherwise():
    assert drawn_numbers(lambda: Linear(3, 4))
    assert drawn_numbers(lambda: Conv2d(3, 4, 1))
    with without_initialization():
        assert not drawn_numbers(lambda: Linear(3, 4))
        assert not drawn_numbers(lambda: Conv2d(3, 4, 1))
    assert drawn_numbers(lambda: Linear(3, 4))


def test_other_threads_are_not_concerned():
    with ThreadPoolExecutor(1) as other, without_initialization():
        assert other.submit(drawn_numbers, lambda: Linear(3, 4)).result()


def test_loading_the_bundled_model_loads_no_compiler():
    subprocess.run([sys.executable, "-c", LOADS_THE_DEFAULT], check=True, timeout=120)
