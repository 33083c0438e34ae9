"""Checkpoint files small enough for tests, and a machine without checkpoints and without a network."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import huggingface_hub
import platformdirs
import pytest
import torch

from src_model.nn import MODEL_CONFIGS, build_network
from src_model.weights import registry
from src_model.weights.recognition import network_layout
from src_model.weights.registry import CheckpointInfo

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor

    from src_model.nn import Sam2Network


def blank_tensor(shape: tuple[int, ...]) -> Tensor:
    """A tensor of zeros of any shape that takes four bytes, in memory and in a torch file."""
    return torch.zeros(()).expand(shape)


def blank_state_dict(name: str) -> dict[str, Tensor]:
    return {key: blank_tensor(shape) for key, shape in network_layout(MODEL_CONFIGS[name]).items()}


@pytest.fixture(scope="session")
def blank() -> Callable[[str], dict[str, Tensor]]:
    """Makes state dicts of zeros with the names and shapes of a registered architecture."""
    return blank_state_dict


@pytest.fixture(scope="session")
def default_network() -> Sam2Network:
    """A network of the default architecture with random weights; not to be changed."""
    torch.manual_seed(1)
    return build_network(MODEL_CONFIGS["default"])


@dataclass
class FakeHub:
    """Stands in for huggingface.co: gives a file, or fails with an error."""

    cache: Path
    content: bytes = b""
    error: BaseException | None = None
    calls: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)

    def get_hf_file_metadata(self, url: str) -> None:
        self.calls.append(url)
        if self.error is not None:
            raise self.error

    def hf_hub_download(self, repo_id: str, filename: str, *, tqdm_class: type | None = None) -> str:
        self.options = {"tqdm_class": tqdm_class, "xet": not huggingface_hub.constants.HF_HUB_DISABLE_XET}
        path = self.cache / filename
        path.write_bytes(self.content)
        return str(path)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    """A fresh machine: empty folders, no environment variables, and a hub that is not the real one."""
    fake = FakeHub(tmp_path / "cache")
    fake.cache.mkdir()
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fake.hf_hub_download)
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", fake.get_hf_file_metadata)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(fake.cache))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda name, **_: str(tmp_path / "user" / name))
    monkeypatch.delenv("SAM2V_MODELS", raising=False)
    return fake


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Callable[..., CheckpointInfo]:
    """Adds a downloadable checkpoint of given bytes to the registry for one test."""

    def add(name: str, content: bytes, config: str = "default") -> CheckpointInfo:
        info = CheckpointInfo(
            name=name,
            config=config,
            licence="Apache-2.0",
            filename=f"{name}.pt",
            repo=f"somebody/{name}",
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )
        monkeypatch.setitem(registry._BY_NAME, name, info)
        return info

    return add
