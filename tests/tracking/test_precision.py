"""Computing exactly, or fast."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from src_model.errors import PromptError
from src_model.tracking import PRESETS, StreamingPredictor, network_steps, precision
from src_model.tracking.precision import choose_precision, half_type
from tests.tracking import tiny

CPU = torch.device("cpu")


@pytest.mark.parametrize(("has_units", "chosen"), [(True, "fast"), (False, "exact")])
def test_auto_is_fast_where_the_processor_has_bfloat16(monkeypatch: pytest.MonkeyPatch, has_units: bool, chosen: str):
    monkeypatch.setattr(precision, "has_bfloat16_units", lambda: has_units)
    assert choose_precision("auto", CPU) == chosen


@pytest.mark.parametrize("choice", ["exact", "fast"])
def test_what_is_asked_for_is_taken(choice: str):
    assert choose_precision(choice, CPU) == choice


def test_the_official_preset_is_fast_only_if_told_so():
    chosen = [
        StreamingPredictor.load("default", device="cpu", preset="official", precision=choice)
        for choice in ("auto", "exact", "fast")
    ]
    assert [predictor.steps.settings.precision for predictor in chosen] == ["exact", "exact", "fast"]


def test_other_precisions_are_refused():
    with pytest.raises(PromptError, match="'double' is unknown; choose one of auto, exact, fast"):
        choose_precision("double", CPU)


@pytest.fixture(scope="module")
def network():
    return tiny.build()


def session(network, choice: str):
    predictor = tiny.predictor(network, settings=replace(PRESETS["default"], precision=choice))
    started = predictor.start(tiny.make_movie())
    started.prompt(0, 1, points=[tiny.CLICK], labels=[1])
    return started


@pytest.fixture
def has_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_steps, "half_type", lambda device: torch.bfloat16)


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_fast_and_exact_masks_are_nearly_the_same(network, monkeypatch: pytest.MonkeyPatch, half: torch.dtype):
    monkeypatch.setattr(network_steps, "half_type", lambda device: half)
    exact, fast = ([result.masks[1] for result in session(network, choice).propagate()] for choice in ("exact", "fast"))
    overlap = np.logical_and(exact, fast).sum() / np.logical_or(exact, fast).sum()
    assert overlap > 0.9


@pytest.mark.parametrize(("choice", "dtype"), [("exact", torch.float32), ("fast", torch.bfloat16)])
def test_features_and_memories_are_kept_as_they_are_computed_and_answers_in_float32(
    network, has_bfloat16, choice, dtype
):
    tracked = session(network, choice)
    assert tracked.steps.feature_dtype == dtype
    next(iter(tracked.propagate()))
    entry = tracked.objects[1].bank.entry(0)
    assert entry is not None
    assert entry.memory is not None
    assert entry.memory.dtype == dtype
    assert {entry.logits.dtype, entry.object_logits.dtype, entry.pointer.dtype} == {torch.float32}


def test_a_device_that_only_emulates_bfloat16_computes_exactly(network, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(network_steps, "half_type", lambda device: None)
    assert session(network, "fast").steps.precision == "exact"


def test_graphics_processors_of_apple_compute_in_float16_if_asked_for():
    apple = torch.device("mps")
    assert half_type(apple) == torch.float16
    assert [choose_precision(choice, apple) for choice in ("auto", "fast")] == ["exact", "fast"]


@pytest.mark.parametrize(
    ("has_bfloat16", "capability", "half", "chosen"),
    [
        (True, (9, 0), torch.bfloat16, "fast"),
        (False, (7, 5), torch.float16, "exact"),
        (False, (6, 1), None, "exact"),
    ],
)
def test_each_generation_of_cuda_devices_has_its_type(
    monkeypatch: pytest.MonkeyPatch, has_bfloat16, capability, half, chosen
):
    device = torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: has_bfloat16)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert half_type(device) == half
    assert choose_precision("auto", device) == chosen
