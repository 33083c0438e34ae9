from __future__ import annotations

import zipfile
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from src_model.errors import CheckpointError
from src_model.weights.reading import FileFormat, detect_format

if TYPE_CHECKING:
    from pathlib import Path


def archive(path: Path, entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return path


def test_the_content_counts_and_not_the_suffix(tmp_path: Path):
    torch.save({"a": torch.zeros(2)}, tmp_path / "a.safetensors")
    save_file({"a": torch.zeros(2)}, tmp_path / "b.pt")
    assert detect_format(tmp_path / "a.safetensors") is FileFormat.TORCH
    assert detect_format(tmp_path / "b.pt") is FileFormat.SAFETENSORS


@pytest.mark.parametrize(
    ("content", "description"),
    [
        (b"", "is an empty file"),
        (b"\n<!DOCTYPE html>\n<html><body>Sign in</body></html>", r"is a web page \(HTML\)"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:74", "is a Git LFS pointer"),
        (b"These are my notes.\n", "is a text file that begins with 'These are my notes"),
        ("Größe µm\n".encode(), "is a text file that begins with 'Größe"),
        (b"\x80\x02}q\x00.", "is a Python pickle"),
        (b"\x89HDF\r\n\x1a\n" + bytes(64), "is an HDF5 file"),
        (b"II*\x00" + bytes(64), "is a TIFF image"),
        (b"\x1f\x8b\x08\x00", "is a gzip archive"),
        (b"\x08\x07\x12\xff\xfe", "unknown format that begins with the bytes 08 07 12 ff fe"),
        (bytes(1000), "unknown format"),
    ],
)
def test_a_foreign_file_is_called_what_it_is(tmp_path: Path, content: bytes, description: str):
    path = tmp_path / "sam2.1_hiera_tiny.pt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"sam2.1_hiera_tiny.pt .*{description}.*Expected a .pt or .safetensors"):
        detect_format(path)


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path):
    with pytest.raises(CheckpointError, match=r"There is no file .*gone.pt"):
        detect_format(tmp_path / "gone.pt")
    with pytest.raises(CheckpointError, match="is a folder"):
        detect_format(tmp_path)


def test_a_path_that_no_system_accepts_is_an_error_of_ours(tmp_path: Path):
    with pytest.raises(CheckpointError, match="cannot be read"):
        detect_format(tmp_path / "nul\0byte.pt")


def test_a_truncated_torch_file_is_told_with_the_length_it_should_have(tmp_path: Path):
    path = tmp_path / "sam2.1_hiera_tiny.pt"
    torch.save({"model": {"a": torch.zeros(1000)}}, path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(CheckpointError, match=r"truncated torch checkpoint of 3,000 bytes.*156,008,466 bytes. Get the"):
        detect_format(path)


def test_a_truncated_safetensors_header_is_told(tmp_path: Path):
    path = tmp_path / "mine.safetensors"
    save_file({f"a{i}": torch.zeros(2) for i in range(50)}, path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(
        CheckpointError, match=r"truncated safetensors file: it announces a header of .* 500 bytes in all"
    ):
        detect_format(path)


def test_other_archives_are_not_taken_for_checkpoints(tmp_path: Path):
    with pytest.raises(
        CheckpointError, match=r"ZIP archive, but not a torch checkpoint: its first entry is 'arr_0.npy'"
    ):
        detect_format(archive(tmp_path / "a.pt", {"arr_0.npy": b"1"}))
    with pytest.raises(CheckpointError, match="ZIP archive, but not a torch checkpoint: it is empty"):
        detect_format(archive(tmp_path / "b.pt", {}))


def test_a_torchscript_program_is_refused(tmp_path: Path):
    entries = {"m/data.pkl": b".", "m/constants.pkl": b".", "m/code/__torch__.py": b"pass"}
    with pytest.raises(CheckpointError, match="TorchScript archive"):
        detect_format(archive(tmp_path / "m.pt", entries))


def test_an_archive_that_would_unpack_to_more_than_its_size_is_refused(tmp_path: Path):
    path = archive(tmp_path / "bomb.pt", {"m/data.pkl": b".", "m/data/0": bytes(10**6)}, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 10**4
    with pytest.raises(CheckpointError, match="could fill the memory"):
        detect_format(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(content=st.binary(max_size=100), start=st.sampled_from([b"", b"PK\x03\x04", b"\x10\0\0\0\0\0\0\0{", b"\x80"]))
def test_no_bytes_at_all_raise_anything_but_an_error_of_ours(tmp_path: Path, content: bytes, start: bytes):
    path = tmp_path / "any"
    path.write_bytes(start + content)
    with suppress(CheckpointError):
        assert detect_format(path) in FileFormat
