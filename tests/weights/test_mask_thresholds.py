"""What automatic masks of a checkpoint must reach, and where that is kept."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from src_model.errors import CheckpointError
from src_model.weights import (
    REGISTRY,
    MaskThresholds,
    architecture_thresholds,
    get_checkpoint,
    load_network,
    save_checkpoint,
)
from src_model.weights.mask_thresholds import SAM_THRESHOLDS, noted_thresholds

OWN = MaskThresholds(0.42, 0.7)


def test_official_checkpoints_have_those_of_sam_and_the_bundled_one_its_own():
    assert (SAM_THRESHOLDS.min_score, SAM_THRESHOLDS.min_stability) == (0.88, 0.95)
    kept = {name for name, info in REGISTRY.items() if info.mask_thresholds == SAM_THRESHOLDS}
    assert kept == REGISTRY.keys() - {"default"}


def test_the_model_card_tells_how_good_masks_are_with_the_thresholds_in_use():
    own = REGISTRY["default"].mask_thresholds
    card = get_checkpoint("default", offline=True).with_suffix(".md").read_text(encoding="utf-8")
    said = re.findall(r"recall, precision\)? with ([\d.]+), ([\d.]+)", card)
    assert [[float(value) for value in row] for row in said] == [[own.min_score, own.min_stability]] * 2


def test_a_file_says_its_own_in_its_header(default_network, tmp_path):
    path = save_checkpoint(default_network, tmp_path / "a.safetensors", metadata=OWN.notes())
    assert load_network(path, device="cpu").mask_thresholds == OWN


def test_a_file_that_says_nothing_has_those_of_its_architecture(default_network, tmp_path):
    path = save_checkpoint(default_network, tmp_path / "a.safetensors")
    assert load_network(path, device="cpu").mask_thresholds == REGISTRY["default"].mask_thresholds
    assert architecture_thresholds("sam2.1-tiny") == architecture_thresholds("unheard-of") == SAM_THRESHOLDS


@pytest.mark.parametrize(
    "note",
    [
        "0.5",
        "{",
        "[" * 100_000,
        json.dumps({"min_score": 0.5}),
        json.dumps({"min_score": "high", "min_stability": 0.5}),
        json.dumps({"min_score": float("nan"), "min_stability": 0.5}),
        json.dumps({"min_score": 0.5, "min_stability": 1.5}),
    ],
)
def test_a_header_that_means_no_thresholds_is_refused(note: str):
    with pytest.raises(CheckpointError, match=r"a\.safetensors cannot be used: the note 'mask_thresholds'"):
        noted_thresholds({"mask_thresholds": note}, Path("a.safetensors"))
