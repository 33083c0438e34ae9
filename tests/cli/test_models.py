"""``sam2v models``."""

from __future__ import annotations

import hashlib

import huggingface_hub
import pytest

from src_model.cli.error_messages import FAILED
from src_model.weights import REGISTRY, registry
from src_model.weights.registry import CheckpointInfo


@pytest.fixture
def folder(here, monkeypatch):
    """An empty folder for checkpoints, and no cache."""
    folder = here / "checkpoints"
    folder.mkdir()
    monkeypatch.setenv("SAM2V_MODELS", str(folder))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(here / "cache"))
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: None)
    return folder


def row(text, name):
    return next(line for line in text.splitlines() if line.startswith(f"{name} "))


def test_the_table_lists_every_checkpoint_with_size_licence_and_source(sam2v, folder):
    text = sam2v("models").stdout
    for name in REGISTRY:
        assert "Apache-2.0" in row(text, name)
    tiny = row(text, "sam2.1-tiny")
    assert "156 MB" in tiny
    assert " no " in tiny
    assert "facebook/sam2.1-hiera-tiny" in tiny
    assert str(folder) in text


def test_the_table_says_what_is_on_disk_and_where(sam2v, folder, monkeypatch):
    path = folder / "mine.pt"
    path.write_bytes(b"weights")
    monkeypatch.setitem(registry._BY_NAME, "mine", CheckpointInfo("mine", "default", "MIT", "mine.pt", "me/mine", 7))
    assert "yes" in row(sam2v("models").stdout, "mine")
    assert str(path) in row(sam2v("models").stdout, "mine")


def test_a_damaged_file_is_marked(sam2v, folder):
    (folder / "sam2.1_hiera_tiny.pt").write_bytes(b"half")
    line = row(sam2v("models").stdout, "sam2.1-tiny")
    assert "damaged" in line
    assert "4 bytes instead of" in line


def test_get_downloads_and_prints_the_path(sam2v, folder, monkeypatch):
    content = b"weights"
    info = CheckpointInfo("mine", "default", "MIT", "mine.pt", "me/mine", 7, hashlib.sha256(content).hexdigest())
    monkeypatch.setitem(registry._BY_NAME, "mine", info)

    def hf_hub_download(repo, filename, *, tqdm_class):
        bar = tqdm_class(total=7)
        bar.update(7)
        bar.close()
        (folder / filename).write_bytes(content)
        return str(folder / filename)

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", lambda url: None)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", hf_hub_download)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    assert sam2v("models", "get", "mine").stdout.strip() == str(folder / "mine.pt")


def test_get_offline_says_what_to_do_by_hand(sam2v, folder, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    error = sam2v("models", "get", "sam2.1-tiny", code=FAILED).stderr
    assert "https://huggingface.co/facebook/sam2.1-hiera-tiny" in error
    assert str(folder) in error


def test_get_of_an_unknown_name_lists_the_known_ones(sam2v):
    error = sam2v("models", "get", "sam2.1-tinny", code=FAILED).stderr
    assert "Did you mean 'sam2.1-tiny'?" in error
