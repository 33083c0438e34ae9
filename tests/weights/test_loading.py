from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import save_file

from src_model.errors import CheckpointError
from src_model.weights import download, file_sha256, load_network, models_folder, save_checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import FakeHub
    from torch import Tensor

    from src_model.nn import Sam2Network
    from src_model.weights import CheckpointInfo

    Blank = Callable[[str], dict[str, Tensor]]
    Register = Callable[..., CheckpointInfo]

CPU = torch.device("cpu")


def torch_bytes(payload: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(payload, buffer)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def saved(default_network: Sam2Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_checkpoint(default_network, tmp_path_factory.mktemp("saved") / "tuned.safetensors")


class TestLoadingAFile:
    def test_a_saved_network_comes_back_with_its_weights(self, saved: Path, default_network: Sam2Network):
        loaded = load_network(saved, device=CPU)
        assert loaded.name == "tuned.safetensors"
        assert loaded.path == saved
        assert loaded.sha256 == file_sha256(saved)
        assert loaded.network.config is default_network.config
        assert not loaded.network.training
        expected = default_network.state_dict()
        for name, tensor in loaded.network.state_dict().items():
            assert torch.equal(tensor, expected[name].half().float())

    def test_half_precision_files_become_float32_networks(self, saved: Path):
        loaded = load_network(str(saved), device="cpu")
        assert {parameter.dtype for parameter in loaded.network.parameters()} == {torch.float32}

    def test_an_official_file_needs_no_hint_of_its_architecture(self, tmp_path: Path, blank: Blank):
        path = tmp_path / "downloaded (1).pt"
        path.write_bytes(torch_bytes({"model": blank("sam2-tiny")}))
        loaded = load_network(path, device=CPU)
        assert loaded.network.config.name == "sam2-tiny"
        assert loaded.name == path.name

    def test_a_loaded_network_does_not_depend_on_its_file(self, tmp_path: Path, saved: Path):
        copy = tmp_path / "copy.safetensors"
        copy.write_bytes(saved.read_bytes())
        network = load_network(copy, device=CPU).network
        before = network.no_mem_embed.clone()
        copy.unlink()
        assert torch.equal(network.no_mem_embed, before)

    def test_a_file_that_is_not_there_is_told_by_its_path(self, tmp_path: Path):
        with pytest.raises(CheckpointError, match=r"There is no file .*gone.pt"):
            load_network(tmp_path / "gone.pt", device=CPU)
        with pytest.raises(CheckpointError, match=r"There is no file gone.safetensors"):
            load_network("gone.safetensors", device=CPU)

    def test_a_file_of_another_model_is_told_by_its_path(self, tmp_path: Path):
        torch.save({"model": torch.nn.Linear(2, 2).state_dict()}, tmp_path / "other.pt")
        with pytest.raises(
            CheckpointError, match=r"other.pt is a checkpoint of 2 tensors.*unexpected: weight \(2, 2\)"
        ):
            load_network(tmp_path / "other.pt", device=CPU)

    def test_quantised_weights_are_refused(self, tmp_path: Path, blank: Blank):
        tensors = blank("default") | {"no_obj_ptr": torch.zeros(1, 256, dtype=torch.int8)}
        (tmp_path / "int8.pt").write_bytes(torch_bytes(tensors))
        with pytest.raises(CheckpointError, match=r"its tensor no_obj_ptr is torch.int8.* instead of plain floating"):
            load_network(tmp_path / "int8.pt", device=CPU)

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_weights_of_a_training_that_diverged_are_refused(self, tmp_path: Path, blank: Blank, value: float):
        tensors = blank("default") | {"no_obj_ptr": torch.full((1, 256), value)}
        (tmp_path / "nan.pt").write_bytes(torch_bytes(tensors))
        with pytest.raises(CheckpointError, match="its tensor no_obj_ptr holds values that are not finite"):
            load_network(tmp_path / "nan.pt", device=CPU)


class TestLoadingByName:
    def test_the_bundled_default_is_found_in_the_package(self, hub: FakeHub):
        loaded = load_network("default", device=CPU, offline=True)
        assert loaded.name == loaded.network.config.name == "default"
        assert loaded.path == download.DATA_FOLDER / "default.safetensors"

    def test_a_named_checkpoint_is_downloaded_and_keeps_its_name(self, hub: FakeHub, register: Register, blank: Blank):
        hub.content = torch_bytes({"model": blank("sam2.1-tiny")})
        info = register("toy", hub.content, config="sam2.1-tiny")
        loaded = load_network("toy", device=CPU)
        assert (loaded.name, loaded.sha256) == ("toy", info.sha256)

    def test_offline_is_passed_on(self, hub: FakeHub, register: Register):
        register("toy", b"not here")
        with pytest.raises(CheckpointError, match="offline mode"):
            load_network("toy", device=CPU, offline=True)
        assert hub.calls == []

    def test_a_file_of_another_architecture_under_a_known_name_is_refused(
        self, hub: FakeHub, register: Register, blank: Blank
    ):
        content = torch_bytes(blank("sam2-tiny"))
        info = register("toy", content, config="sam2.1-tiny")
        models_folder().mkdir(parents=True)
        (models_folder() / info.filename).write_bytes(content)
        with pytest.raises(CheckpointError, match=r"holds the model 'sam2-tiny' instead of 'sam2.1-tiny'"):
            load_network("toy", device=CPU)

    def test_an_unknown_name_lists_the_known_ones(self):
        with pytest.raises(CheckpointError, match=r"no checkpoint named 'sam3'.*Known names: default"):
            load_network("sam3", device=CPU)

    def test_a_path_object_is_never_taken_for_a_name(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(CheckpointError, match="There is no file default"):
            load_network(type(tmp_path)("default"), device=CPU)


def test_a_foreign_safetensors_file_names_the_first_differences(tmp_path: Path):
    save_file({"vision_model.weight": torch.zeros(3)}, tmp_path / "clip.safetensors")
    with pytest.raises(CheckpointError, match=r"missing: .*; unexpected: vision_model.weight \(3,\)"):
        load_network(tmp_path / "clip.safetensors", device=CPU)
