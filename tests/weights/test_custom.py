"""Custom checkpoints: saved under a name, listed, loaded."""

from __future__ import annotations

import pytest
import torch

from src_model.errors import CheckpointError
from src_model.weights import (
    CheckpointOrigin,
    checkpoint_info,
    custom_checkpoints,
    custom_checkpoints_folder,
    get_checkpoint,
    list_checkpoints,
    load_network,
    save_custom_checkpoint,
)

ORIGIN = CheckpointOrigin("Apache-2.0", "default", "ab" * 32, "my cells", "cd" * 32, {"click after": 0.8}, "data: mine")


@pytest.fixture
def kept(hub, default_network):
    return save_custom_checkpoint(default_network, "my-cells", ORIGIN)


def test_what_was_kept_is_loaded_by_its_name(kept, default_network):
    loaded = load_network("my-cells", device="cpu")
    assert (loaded.name, loaded.sha256) == ("my-cells", kept.sha256)
    assert loaded.path == custom_checkpoints_folder() / "my-cells.safetensors"
    name, tensor = next(iter(default_network.state_dict().items()))
    assert torch.equal(loaded.network.state_dict()[name], tensor.half().float())


def test_it_is_listed_with_what_is_known_of_it(kept):
    *_, status = list_checkpoints()
    assert status.ready
    assert (status.info.name, status.info.custom, status.info.bundled) == ("my-cells", True, False)
    assert checkpoint_info("my-cells").source == str(custom_checkpoints_folder() / "my-cells.safetensors")
    assert custom_checkpoints() == {"my-cells": kept}
    assert kept.origin == ORIGIN
    assert kept.made.startswith("20")


def test_an_unknown_name_is_told_the_own_ones_too(kept):
    with pytest.raises(CheckpointError, match="Did you mean 'my-cells'"):
        checkpoint_info("my-cell")


def test_a_newer_one_of_the_same_name_replaces_it(kept, default_network):
    save_custom_checkpoint(default_network, "my-cells", CheckpointOrigin("MIT", "default", "", "others", ""))
    assert custom_checkpoints()["my-cells"].origin.data == "others"
    assert len(list(custom_checkpoints_folder().iterdir())) == 2


@pytest.mark.parametrize(
    "name", ["default", "sam2.1-tiny", "", "../up", "a/b", ".hidden", "x.pt", "my cells", "a" * 65]
)
def test_names_of_others_and_names_that_are_no_files_are_refused(hub, default_network, name):
    with pytest.raises(CheckpointError, match="name of a checkpoint"):
        save_custom_checkpoint(default_network, name, ORIGIN)


def test_a_file_that_was_changed_is_refused(kept):
    path = custom_checkpoints_folder() / "my-cells.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="my-cells"):
        get_checkpoint("my-cells")


def test_a_file_that_is_gone_is_said_to_be(kept):
    (custom_checkpoints_folder() / "my-cells.safetensors").unlink()
    with pytest.raises(CheckpointError, match="is gone"):
        get_checkpoint("my-cells")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": "other"}'])
def test_foreign_files_in_the_folder_are_left_out(kept, text):
    (custom_checkpoints_folder() / "foreign.json").write_text(text)
    assert list(custom_checkpoints()) == ["my-cells"]


def test_a_record_cannot_take_the_name_of_a_bundled_checkpoint(kept):
    text = (custom_checkpoints_folder() / "my-cells.json").read_text().replace('"my-cells"', '"default"')
    (custom_checkpoints_folder() / "default.json").write_text(text)
    assert checkpoint_info("default").bundled
