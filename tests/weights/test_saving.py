from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch

from src_model.errors import CheckpointError
from src_model.nn import MODEL_CONFIGS, build_network
from src_model.weights import read_metadata, read_state_dict, save_checkpoint, saving

if TYPE_CHECKING:
    from pathlib import Path

    from src_model.nn import Sam2Network


def test_the_header_says_what_the_file_is_beside_the_notes_of_the_user(tmp_path: Path, default_network: Sam2Network):
    path = save_checkpoint(default_network, str(tmp_path / "a.safetensors"), metadata={"licence": "MIT"})
    assert path == tmp_path / "a.safetensors"
    assert read_metadata(path) == {"format": "sam2v", "config": "default", "licence": "MIT"}


def test_notes_cannot_contradict_the_network(tmp_path: Path, default_network: Sam2Network):
    path = save_checkpoint(default_network, tmp_path / "a.safetensors", metadata={"config": "sam2-large"})
    assert read_metadata(path)["config"] == "default"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_weights_are_stored_in_the_type_asked_for(tmp_path: Path, default_network: Sam2Network, dtype: torch.dtype):
    path = save_checkpoint(default_network, tmp_path / "a.safetensors", dtype=dtype)
    stored = read_state_dict(path)
    assert {tensor.dtype for tensor in stored.values()} == {dtype}
    assert torch.equal(stored["no_obj_ptr"], default_network.no_obj_ptr.to(dtype))
    assert default_network.no_obj_ptr.dtype == torch.float32


def test_nothing_else_is_left_in_the_folder(tmp_path: Path, default_network: Sam2Network):
    save_checkpoint(default_network, tmp_path / "a.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


def test_an_interrupted_save_keeps_the_old_file_whole(
    tmp_path: Path, default_network: Sam2Network, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"the old file")

    def interrupted(_: object, part: Path, *__: object) -> None:
        part.write_bytes(b"half of the n")
        raise KeyboardInterrupt

    monkeypatch.setattr(saving, "save_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(default_network, path)
    assert path.read_bytes() == b"the old file"
    assert list(tmp_path.iterdir()) == [path]


def test_an_existing_file_is_replaced(tmp_path: Path, default_network: Sam2Network):
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"the old file")
    save_checkpoint(default_network, path)
    assert read_metadata(path)["format"] == "sam2v"


class TestWhatCannotBeSaved:
    def test_another_suffix(self, tmp_path: Path, default_network: Sam2Network):
        with pytest.raises(CheckpointError, match=r"as a .safetensors file, not as 'a.pt'"):
            save_checkpoint(default_network, tmp_path / "a.pt")

    def test_into_a_folder_that_does_not_exist(self, tmp_path: Path, default_network: Sam2Network):
        with pytest.raises(CheckpointError, match=r"there is no folder .*nowhere"):
            save_checkpoint(default_network, tmp_path / "nowhere" / "a.safetensors")

    def test_integers(self, tmp_path: Path, default_network: Sam2Network):
        with pytest.raises(CheckpointError, match=r"stored as torch.int8: choose one of torch.float16"):
            save_checkpoint(default_network, tmp_path / "a.safetensors", dtype=torch.int8)

    def test_notes_that_are_not_text(self, tmp_path: Path, default_network: Sam2Network):
        with pytest.raises(CheckpointError, match="'steps': 12 cannot be saved"):
            save_checkpoint(default_network, tmp_path / "a.safetensors", metadata={"steps": 12})  # type: ignore[dict-item]

    def test_weights_too_large_for_half_precision(self, tmp_path: Path):
        network = build_network(MODEL_CONFIGS["default"])
        with torch.no_grad():
            network.no_obj_ptr[0, 0] = 70_000.0
        with pytest.raises(CheckpointError, match=r"no_obj_ptr holds values that are not finite in torch.float16"):
            save_checkpoint(network, tmp_path / "a.safetensors")
        assert list(tmp_path.iterdir()) == []
        save_checkpoint(network, tmp_path / "a.safetensors", dtype=torch.float32)

    def test_an_architecture_that_could_not_be_loaded_again(self, tmp_path: Path):
        config = MODEL_CONFIGS["default"]
        with torch.device("meta"):
            renamed = build_network(replace(config, name="mine"))
            deeper = build_network(replace(config, memory_layers=3))
        with pytest.raises(CheckpointError, match="architecture 'mine' could not be loaded again"):
            save_checkpoint(renamed, tmp_path / "a.safetensors")
        with pytest.raises(CheckpointError, match=r"no plain 'default'.*unexpected: memory_attention.layers.2"):
            save_checkpoint(deeper, tmp_path / "a.safetensors")
