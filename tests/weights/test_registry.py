from __future__ import annotations

import re

import pytest

from src_model.errors import CheckpointError
from src_model.nn import MODEL_CONFIGS
from src_model.weights import REGISTRY, checkpoint_info

OFFICIAL = [name for name in REGISTRY if name != "default"]


def test_every_architecture_has_a_checkpoint_and_every_checkpoint_an_architecture():
    assert {info.config for info in REGISTRY.values()} == set(MODEL_CONFIGS)


def test_the_default_comes_with_the_package():
    info = checkpoint_info("default")
    assert info.bundled
    assert info.url is None
    assert info.source.endswith("default.safetensors")


@pytest.mark.parametrize("name", OFFICIAL)
def test_official_checkpoints_are_downloadable_and_checkable(name: str):
    info = REGISTRY[name]
    assert not info.bundled
    assert info.name == name
    assert info.licence == "Apache-2.0"
    assert info.size is not None
    assert info.size > 100e6
    assert info.sha256 is not None
    assert re.fullmatch(r"[0-9a-f]{64}", info.sha256)


def test_official_files_have_their_public_names():
    assert checkpoint_info("sam2.1-base-plus").url == (
        "https://huggingface.co/facebook/sam2.1-hiera-base-plus/resolve/main/sam2.1_hiera_base_plus.pt"
    )
    assert checkpoint_info("sam2-tiny").source == "facebook/sam2-hiera-tiny/sam2_hiera_tiny.pt"


def test_no_two_checkpoints_share_a_file():
    assert len({info.sha256 for info in REGISTRY.values()}) == len(REGISTRY)
    assert len({info.filename for info in REGISTRY.values()}) == len(REGISTRY)


def test_the_registry_cannot_be_changed_by_accident():
    with pytest.raises(TypeError):
        REGISTRY["mine"] = REGISTRY["default"]  # type: ignore[index]


def test_a_misspelt_name_is_answered_by_the_nearest_one_and_the_list():
    with pytest.raises(
        CheckpointError, match=r"'sam2.1-tinny'.*mean 'sam2.1-tiny'\? Known names: default, sam2.1-tiny,"
    ):
        checkpoint_info("sam2.1-tinny")


def test_a_name_unlike_all_others_gets_no_suggestion():
    with pytest.raises(CheckpointError) as caught:
        checkpoint_info("qqq")
    assert "mean" not in str(caught.value)
