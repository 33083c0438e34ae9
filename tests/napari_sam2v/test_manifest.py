"""napari finds the plugin by its manifest and drops it without a word if anything in there is wrong."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points

import pytest

npe2 = pytest.importorskip("npe2", reason="napari is not installed")

NAME = "napari-sam2v"


@pytest.fixture
def manifest():
    return npe2.PluginManifest.from_distribution(NAME)


def test_the_manifest_is_valid_and_everything_it_names_can_be_imported(manifest):
    manifest.validate_imports()
    assert manifest.name == NAME
    assert {command.id.split(".")[0] for command in manifest.contributions.commands} == {NAME}


def test_napari_discovers_the_plugin_where_it_is_installed():
    (entry,) = entry_points(group="napari.manifest", name=NAME)
    assert entry.value == "napari_sam2v:napari.yaml"
    found = {result.manifest.name for result in npe2.PluginManifest.discover() if result.manifest}
    assert NAME in found


def test_every_contribution_runs_a_command_that_exists(manifest):
    commands = {command.id for command in manifest.contributions.commands}
    assert {sample.command for sample in manifest.contributions.sample_data} <= commands


def test_the_manifest_at_the_top_of_the_repository_is_the_one_in_the_package(repository):
    top = repository / "napari.yaml"
    package = repository / "napari_sam2v" / "napari.yaml"
    if sys.platform == "win32" and not top.is_symlink():
        pytest.skip("this checkout was made without symbolic links")
    assert top.is_symlink()
    assert top.resolve() == package
    assert top.read_bytes() == package.read_bytes()
