from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from src_model.weights import file_sha256, hashing

if TYPE_CHECKING:
    from pathlib import Path


def test_it_is_the_sha256_of_the_bytes(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"weights")
    assert file_sha256(path) == file_sha256(str(path)) == hashlib.sha256(b"weights").hexdigest()


def test_a_file_that_stays_the_same_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "file"
    path.write_bytes(b"weights")
    first = file_sha256(path)
    monkeypatch.setattr(hashing.hashlib, "file_digest", lambda *_: pytest.fail("read again"))
    assert file_sha256(path) == first


def test_a_file_that_changed_is_read_again(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"weights")
    before = file_sha256(path)
    path.write_bytes(b"w8ights")
    os.utime(path, ns=(1, 1))  # the clock of some file systems is too coarse to notice by itself
    assert file_sha256(path) != before
