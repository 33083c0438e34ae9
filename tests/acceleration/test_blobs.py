"""Compiled programs on disk."""

from __future__ import annotations

import os

import pytest

from src_model.acceleration.blobs import BlobFolder


@pytest.fixture
def folder(tmp_path):
    return BlobFolder(tmp_path / "programs")


def test_what_was_written_is_read(folder):
    folder.write("one", b"first")
    folder.write("two", b"second")
    folder.write("one", b"third")
    assert (folder.read("one"), folder.read("two"), folder.read("three")) == (b"third", b"second", None)
    assert {path.suffix for path in folder.path.iterdir()} == {".openvino"}


@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: content + b"?", lambda _: b""])
def test_a_damaged_program_is_as_good_as_none(folder, damage, caplog):
    folder.write("one", b"first")
    path = folder.path / "one.openvino"
    path.write_bytes(damage(path.read_bytes()))
    assert folder.read("one") is None
    assert "damaged" in caplog.text


def test_what_was_not_used_longest_goes_when_the_folder_is_full(tmp_path):
    folder = BlobFolder(tmp_path, byte_budget=300)
    for age, key in enumerate(("old", "middle", "new")):
        folder.write(key, bytes(60))
        os.utime(tmp_path / f"{key}.openvino", (age, age))
    folder.read("old")
    (tmp_path / "something-else.txt").write_bytes(bytes(1000))
    folder.write("newest", bytes(60))
    held = sorted(path.name for path in tmp_path.iterdir())
    assert held == ["new.openvino", "newest.openvino", "old.openvino", "something-else.txt"]


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    folder = BlobFolder(tmp_path / "file")
    folder.write("one", b"first")
    assert folder.read("one") is None
    assert "cannot be kept" in caplog.text
