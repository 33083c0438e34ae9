"""``sam2v info``."""

from __future__ import annotations

import sys

import torch

from src_model import __version__


def test_versions_devices_folders_and_the_model_are_shown(sam2v, monkeypatch, here):
    monkeypatch.setenv("SAM2V_MODELS", str(here / "checkpoints"))
    lines = dict(line.split(maxsplit=1) for line in sam2v("info").stdout.splitlines())
    assert lines["sam2v"].strip() == __version__
    assert sys.executable in lines["Python"]
    assert torch.__version__.split("+")[0] in lines["torch"]
    assert "cpu" in lines["devices"]
    assert f"{torch.get_num_threads()} of" in lines["threads"]
    assert str(here / "checkpoints") in lines["models"]
    assert "default" in lines["model"]


def test_the_model_in_use_is_the_one_the_environment_names(sam2v, monkeypatch):
    monkeypatch.setenv("SAM2V_MODEL", "mine.safetensors")
    assert "mine.safetensors" in sam2v("info").stdout


def test_extras_that_are_missing_are_named(sam2v, monkeypatch):
    monkeypatch.setattr("src_model.cli.info.find_spec", lambda _: None)
    assert "not installed (extra 'video')" in sam2v("info").stdout
