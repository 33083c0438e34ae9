from __future__ import annotations

import dataclasses
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from src_model.errors import FeatureStoreError
from src_model.nn import ImageFeatures
from src_model.tracking.feature_identity import FeatureIdentity
from src_model.tracking.feature_layout import FeatureLayout
from src_model.tracking.feature_store import FeatureFolder, FeatureStore

SHAPES = ((1, 16, 2, 2), (1, 2, 8, 8), (1, 4, 4, 4))
EXACT = FeatureLayout(SHAPES, torch.float32)
IDENTITY = FeatureIdentity("ab", 32, "float32", "torch", "bilinear", ("none", (0.0,), (255.0,)), ((40, 52), "uint8", 7))
CHECKSUM = 0xDEADBEEF


def features(seed: int, dtype: torch.dtype = torch.float32) -> ImageFeatures:
    generator = torch.Generator().manual_seed(seed)
    maps = [
        torch.randn(shape, generator=generator).to(dtype=dtype, memory_format=torch.channels_last) for shape in SHAPES
    ]
    return ImageFeatures(maps[0], (maps[1], maps[2]))


def assert_same(found: ImageFeatures | None, expected: ImageFeatures) -> None:
    assert found is not None
    for mine, other in zip((found.embedding, *found.high_res), (expected.embedding, *expected.high_res), strict=True):
        assert (mine.dtype, mine.stride()) == (other.dtype, other.stride())
        torch.testing.assert_close(mine, other, rtol=0, atol=0)


@pytest.fixture
def folder(tmp_path) -> FeatureFolder:
    return FeatureFolder(tmp_path / "cache")


@pytest.fixture
def store(folder):
    return FeatureStore(folder, IDENTITY, EXACT)


@pytest.fixture
def filled(store):
    """A store that holds frame 3."""
    store.save(3, CHECKSUM, features(3))
    store.flush()
    return store


def record(store: FeatureStore, frame: int = 3) -> Path:
    return store.path / f"c.{frame}.0"


# What is kept ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_features_come_back_bit_for_bit_in_another_session(folder, dtype):
    layout = FeatureLayout(SHAPES, dtype)
    one = FeatureStore(folder, IDENTITY, layout)
    one.save(3, CHECKSUM, features(3, dtype))
    one.flush()
    assert_same(FeatureStore(folder, IDENTITY, layout).load(3, CHECKSUM), features(3, dtype))


def test_a_frame_that_is_not_there_is_a_miss(filled):
    assert filled.load(4, CHECKSUM) is None
    assert (filled.hits, filled.misses) == (0, 1)


def test_a_frame_whose_pixels_have_changed_is_not_found(filled):
    assert filled.load(3, CHECKSUM + 1) is None
    filled.save(3, CHECKSUM + 1, features(4))
    filled.flush()
    assert filled.load(3, CHECKSUM) is None
    assert_same(filled.load(3, CHECKSUM + 1), features(4))


@pytest.mark.parametrize(
    "change",
    [
        {"checkpoint": "cd"},
        {"image_size": 64},
        {"precision": "bfloat16"},
        {"interpolation": "bicubic"},
        {"normalization": ("limits", (0.0,), (255.0,))},
        {"movie": ((40, 52), "uint8", 8)},
        {"movie": ((40, 52), "uint16", 7)},
        {"layout": 2},
    ],
    ids=lambda change: ", ".join(change),
)
def test_features_serve_nothing_they_were_not_made_for(folder, filled, change):
    other = FeatureStore(folder, dataclasses.replace(IDENTITY, **change), EXACT)
    assert other.path != filled.path
    assert other.load(3, CHECKSUM) is None
    # Not even if somebody renames the folder.
    filled.path.rename(other.path)
    assert other.load(3, CHECKSUM) is None


def test_features_of_another_layout_are_not_kept(filled):
    filled.save(4, CHECKSUM, features(4, torch.bfloat16))
    filled.flush()
    assert not record(filled, 4).exists()


def test_what_is_written_is_a_zarr_array_with_a_chunk_a_frame(filled):
    zarr = pytest.importorskip("zarr")
    array = zarr.open_array(store=str(filled.path), mode="r")
    row = np.asarray(array[3])
    assert array.chunks == (1, row.size)
    maps = array.attrs["sam2v"]["maps"]
    values = torch.from_numpy(row[64:].copy()).view(torch.float32)
    embedding = values[: features(3).embedding.numel()].view(maps["embedding"])
    expected = features(3).embedding.permute(0, 2, 3, 1)
    torch.testing.assert_close(embedding, expected, rtol=0, atol=0)
    assert not np.asarray(array[4]).any()


# Damage ------------------------------------------------------------------------------------------------------------


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flip(content: bytes) -> bytes:
    return content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]


@pytest.mark.parametrize(
    "damage",
    [cut, flip, lambda _: b"", lambda c: c + b"\0", lambda c: b"\0" * len(c), lambda c: c[:30] + c[32:] + b"ab"],
)
def test_a_damaged_record_counts_as_not_there_and_is_replaced(filled, damage):
    path = record(filled)
    path.write_bytes(damage(path.read_bytes()))
    assert filled.load(3, CHECKSUM) is None
    filled.save(3, CHECKSUM, features(3))
    filled.flush()
    assert_same(filled.load(3, CHECKSUM), features(3))


def test_a_record_that_is_no_file_counts_as_not_there(store):
    record(store).mkdir(parents=True)
    assert store.load(3, CHECKSUM) is None


def test_damaged_metadata_harm_nothing(filled, folder):
    (filled.path / "zarr.json").write_bytes(b"{")
    assert_same(FeatureStore(folder, IDENTITY, EXACT).load(3, CHECKSUM), features(3))


def test_where_nothing_can_be_written_tracking_goes_on_without(store, caplog):
    store.path.write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING):
        for frame in range(3):
            store.save(frame, CHECKSUM, features(frame))
        store.flush()
    assert [entry.message for entry in caplog.records if "no more image features are kept" in entry.message]
    assert store.load(0, CHECKSUM) is None


def test_a_write_that_is_cut_short_leaves_no_record(store, monkeypatch):
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    store.save(3, CHECKSUM, features(3))
    store.flush()
    assert list(store.path.iterdir()) == []


# Several at once ---------------------------------------------------------------------------------------------------


def test_several_sessions_write_and_read_at_once(folder):
    stores = [FeatureStore(folder, IDENTITY, EXACT) for _ in range(3)]
    wrong = []

    def work(store: FeatureStore) -> None:
        for frame in range(30):
            store.save(frame % 5, CHECKSUM, features(frame % 5))
            found = store.load(frame % 5, CHECKSUM)
            if found is not None and not torch.equal(found.embedding, features(frame % 5).embedding):
                wrong.append(frame)
        store.flush()

    threads = [threading.Thread(target=work, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    for frame in range(5):
        assert_same(stores[0].load(frame, CHECKSUM), features(frame))
    assert not list(folder.path.rglob("*.part"))


def test_what_waits_to_be_written_is_written_before_the_process_ends(tmp_path):
    program = (
        "import sys, pathlib; sys.path.insert(0, '.')\n"
        "from tests.tracking.test_feature_store import *\n"
        f"store = FeatureStore(FeatureFolder(pathlib.Path({str(tmp_path)!r})), IDENTITY, EXACT)\n"
        "for frame in range(20): store.save(frame, CHECKSUM, features(frame))\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])
    store = FeatureStore(FeatureFolder(tmp_path), IDENTITY, EXACT)
    assert_same(store.load(19, CHECKSUM), features(19))


# The budget --------------------------------------------------------------------------------------------------------


def test_what_was_not_used_longest_makes_room(tmp_path):
    folder = FeatureFolder(tmp_path, 10 * EXACT.record_bytes)
    store = FeatureStore(folder, IDENTITY, EXACT)
    for frame in range(10):
        store.save(frame, CHECKSUM, features(frame))
    store.flush()
    for frame in range(10):
        os.utime(record(store, frame), (frame, frame))
    assert store.load(0, CHECKSUM) is not None
    store.save(10, CHECKSUM, features(10))
    store.flush()
    assert folder.bytes_used() <= folder.byte_budget
    assert [frame for frame in range(11) if record(store, frame).exists()] == [0, *range(3, 11)]


def test_the_budget_holds_for_all_movies_and_sessions_together(tmp_path):
    budget = 12 * EXACT.record_bytes
    others = dataclasses.replace(IDENTITY, checkpoint="cd")
    stores = [FeatureStore(FeatureFolder(tmp_path, budget), identity, EXACT) for identity in (IDENTITY, others)]
    for frame in range(40):
        store = stores[frame % 2]
        store.save(frame, CHECKSUM, features(frame))
        store.flush()
        assert FeatureFolder(tmp_path).bytes_used() <= budget


def test_a_frame_larger_than_the_budget_is_not_kept(tmp_path):
    store = FeatureStore(FeatureFolder(tmp_path, EXACT.record_bytes - 1), IDENTITY, EXACT)
    store.save(0, CHECKSUM, features(0))
    store.flush()
    assert store.load(0, CHECKSUM) is None


def test_nothing_but_features_is_ever_deleted(tmp_path):
    mine = [tmp_path / "notes.txt", tmp_path / "movie.zarr" / "c.0.0", tmp_path / ("ab" * 16 + ".zarr") / "readme"]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * 10_000)
        os.utime(path, (0, 0))
    store = FeatureStore(FeatureFolder(tmp_path, EXACT.record_bytes), IDENTITY, EXACT)
    for frame in range(3):
        store.save(frame, CHECKSUM, features(frame))
    store.flush()
    assert all(path.exists() for path in mine)


def test_what_a_killed_process_left_is_cleared_away(tmp_path):
    folder = FeatureFolder(tmp_path)
    store = FeatureStore(folder, IDENTITY, EXACT)
    store.path.mkdir()
    old, new = (store.path / f".c.{frame}.0.0123abcd.part" for frame in (1, 2))
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    folder.bytes_used()
    assert (old.exists(), new.exists()) == (False, True)


def test_a_folder_that_cannot_be_is_refused_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FeatureStoreError, match=r"cannot be kept in .*file.*choose a folder"):
        FeatureFolder(tmp_path / "file" / "cache")
    with pytest.raises(FeatureStoreError, match="-1 bytes"):
        FeatureFolder(tmp_path, -1)
