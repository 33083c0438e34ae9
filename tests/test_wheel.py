"""What a user gets from a wheel: built as pip does, unpacked beside nothing of this repository, and asked."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile

import pytest

BUILD = "import sys; from setuptools.build_meta import build_wheel; print(build_wheel(sys.argv[1]))"
ASK = """
import importlib.metadata, pathlib, sys
from npe2 import PluginManifest
home = pathlib.Path(sys.argv[1])
manifest = PluginManifest.from_distribution("napari-sam2v")
import napari_sam2v, src_model, cvat_serverless
assert all(home in pathlib.Path(package.__file__).parents for package in (napari_sam2v, src_model, cvat_serverless))
from src_model.weights.download import list_checkpoints
bundled = next(status for status in list_checkpoints() if status.info.name == "default")
assert bundled.ready and home in bundled.path.parents
assert any(entry.name == "cvat" for entry in importlib.metadata.entry_points(group="sam2v.serve"))
print(sorted(widget.display_name for widget in manifest.contributions.widgets))
"""


@pytest.fixture(scope="module")
def wheel(repository, tmp_path_factory):
    """The wheel of this working tree, built without touching it."""
    pytest.importorskip("setuptools", minversion="77", reason="building a wheel needs setuptools 77 or later")
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    packages = ("napari_sam2v", "cvat_serverless", "src_model", "training_recipe")
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE", *packages):
        (source / name).symlink_to(repository / name)
    built = subprocess.run(
        [sys.executable, "-c", BUILD, str(folder)], cwd=source, capture_output=True, text=True, check=False, timeout=240
    )
    assert built.returncode == 0, built.stderr[-2000:]
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_what_the_package_reads_at_run_time(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for path in (
        "napari_sam2v/napari.yaml",
        "src_model/weights/data/default.safetensors",
        "src_model/evaluation/report/page.html.jinja",
        "src_model/training/fine_tuning/run.py",
        "src_model/simulation/movie.py",
        "src_model/py.typed",
        "cvat_serverless/deploy.sh",
    ):
        assert path in names
    # What made the bundled checkpoint stays in the repository, however close it lies to what is packed.
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "docs/", "training_recipe"))]


def test_napari_finds_the_panel_in_an_installed_wheel(wheel, tmp_path):
    pytest.importorskip("npe2", reason="npe2 is not installed")
    zipfile.ZipFile(wheel).extractall(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    asked = subprocess.run(
        [sys.executable, "-c", ASK, str(tmp_path)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert asked.returncode == 0, asked.stderr[-2000:]
    assert asked.stdout.strip() == "['sam2v']"
