from __future__ import annotations

import os
import pickle
import zipfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from src_model.errors import CheckpointError
from src_model.weights import read_metadata, read_state_dict

if TYPE_CHECKING:
    from pathlib import Path


class Malicious:
    """Runs a command when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.target),)


WEIGHTS = {"a.weight": torch.arange(6.0).reshape(2, 3), "b": torch.ones(1, dtype=torch.float16)}


def assert_same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


class TestTorchFiles:
    @pytest.mark.parametrize(
        "payload",
        [
            WEIGHTS,
            {"model": WEIGHTS},
            {"state_dict": WEIGHTS},
            {"model": WEIGHTS, "epoch": 3, "optimizer": {"lr": 0.1}},
        ],
        ids=["bare", "official", "state_dict", "training"],
    )
    def test_weights_are_found_where_training_scripts_put_them(self, tmp_path: Path, payload: object):
        torch.save(payload, tmp_path / "a.pt")
        assert_same(read_state_dict(tmp_path / "a.pt"), WEIGHTS)
        assert_same(read_state_dict(str(tmp_path / "a.pt")), WEIGHTS)

    @pytest.mark.parametrize(
        ("payload", "description"),
        [
            (torch.zeros(2, 3), r"a single tensor of shape \(2, 3\)"),
            ([1, 2], "a value of type list"),
            ({"model": 3}, "its entry 'model' is a value of type int"),
            ({1: torch.zeros(1)}, "its entry 1 is a value of type Tensor"),
            ({"a": torch.zeros(1), "step": 7}, "its entry 'step' is a value of type int"),
        ],
    )
    def test_files_without_named_tensors_are_refused(self, tmp_path: Path, payload: object, description: str):
        torch.save(payload, tmp_path / "a.pt")
        with pytest.raises(CheckpointError, match=f"a.pt holds .*{description}"):
            read_state_dict(tmp_path / "a.pt")

    def test_a_damaged_archive_is_told_without_a_traceback_from_torch(self, tmp_path: Path):
        with zipfile.ZipFile(tmp_path / "a.pt", "w") as file:
            file.writestr("m/data.pkl", b"\x80\x02nonsense")
            file.writestr("m/version", b"3")
        with pytest.raises(CheckpointError, match=r"a.pt (is a damaged torch checkpoint|holds Python objects)"):
            read_state_dict(tmp_path / "a.pt")

    def test_a_tensor_larger_than_its_bytes_takes_no_memory(self, tmp_path: Path):
        torch.save({"a": torch.zeros(1).expand(10**12)}, tmp_path / "a.pt")
        with zipfile.ZipFile(tmp_path / "a.pt") as source, zipfile.ZipFile(tmp_path / "b.pt", "w") as target:
            for name in source.namelist():
                # The stride 0 that makes the tensor fit into one element becomes 1.
                target.writestr(name, source.read(name).replace(b"K\x00\x85", b"K\x01\x85"))
        with pytest.raises(CheckpointError, match="damaged torch checkpoint"):
            read_state_dict(tmp_path / "b.pt")


class TestCodeInFiles:
    def test_a_malicious_checkpoint_is_refused_without_running_it(self, tmp_path: Path):
        torch.save({"model": WEIGHTS, "extra": Malicious(tmp_path / "ran")}, tmp_path / "a.pt")
        with pytest.raises(
            CheckpointError, match=r"Python objects besides tensors \(the first: \w+\.mkdir\).*any code"
        ):
            read_state_dict(tmp_path / "a.pt")
        assert not (tmp_path / "ran").exists()

    def test_so_is_a_bare_pickle_under_the_name_of_a_checkpoint(self, tmp_path: Path):
        (tmp_path / "a.pt").write_bytes(pickle.dumps(Malicious(tmp_path / "ran")))
        with pytest.raises(CheckpointError, match="is a Python pickle"):
            read_state_dict(tmp_path / "a.pt")
        assert not (tmp_path / "ran").exists()

    def test_the_format_of_torch_before_1_6_is_a_pickle_too(self, tmp_path: Path):
        torch.save({"x": Malicious(tmp_path / "ran")}, tmp_path / "a.pt", _use_new_zipfile_serialization=False)
        with pytest.raises(CheckpointError, match=r"before 1.6"):
            read_state_dict(tmp_path / "a.pt")
        assert not (tmp_path / "ran").exists()

    def test_a_whole_model_instead_of_its_weights_is_refused_with_advice(self, tmp_path: Path):
        torch.save(torch.nn.Linear(2, 2), tmp_path / "a.pt")
        with pytest.raises(CheckpointError, match=r"Linear\).*torch.save\({'model': model.state_dict\(\)}, path\)"):
            read_state_dict(tmp_path / "a.pt")


class TestSafetensorsFiles:
    def test_weights_keep_the_type_they_are_stored_in(self, tmp_path: Path):
        save_file(WEIGHTS, tmp_path / "a.safetensors")
        assert_same(read_state_dict(tmp_path / "a.safetensors"), WEIGHTS)

    def test_metadata_is_read_without_the_weights(self, tmp_path: Path):
        save_file(WEIGHTS, tmp_path / "a.safetensors", {"format": "sam2v", "config": "default"})
        assert read_metadata(tmp_path / "a.safetensors") == {"format": "sam2v", "config": "default"}

    def test_files_without_metadata_have_none(self, tmp_path: Path):
        save_file(WEIGHTS, tmp_path / "a.safetensors")
        torch.save(WEIGHTS, tmp_path / "a.pt")
        assert read_metadata(tmp_path / "a.safetensors") == read_metadata(tmp_path / "a.pt") == {}

    @pytest.mark.parametrize("read", [read_state_dict, read_metadata])
    def test_a_truncated_file_is_refused(self, tmp_path: Path, read: Any):
        path = tmp_path / "default.safetensors"
        save_file(WEIGHTS, path)
        path.write_bytes(path.read_bytes()[:-4])
        with pytest.raises(CheckpointError, match=r"damaged or truncated safetensors file of \d+ bytes"):
            read(path)

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
    @given(position=st.integers(0, 200), value=st.integers(0, 255))
    def test_a_flipped_byte_raises_nothing_but_an_error_of_ours(self, tmp_path: Path, position: int, value: int):
        path = tmp_path / "a.safetensors"
        save_file(WEIGHTS, path)
        content = bytearray(path.read_bytes())
        content[position % len(content)] = value
        path.write_bytes(bytes(content))
        with suppress(CheckpointError):
            assert all(isinstance(tensor, torch.Tensor) for tensor in read_state_dict(path).values())
