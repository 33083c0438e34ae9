"""What is installed: dependencies that were tested, data files that travel along, a command that starts."""

from __future__ import annotations

import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DECLARED = [*PROJECT["dependencies"], *(line for extra in PROJECT["optional-dependencies"].values() for line in extra)]
REQUIREMENTS = {
    requirement.name: requirement
    for requirement in map(Requirement, DECLARED)
    if canonicalize_name(requirement.name) != canonicalize_name(PROJECT["name"])
}


@pytest.fixture(scope="module")
def tested_versions() -> dict[str, Requirement]:
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(pin.name): pin for pin in pins}


@pytest.mark.parametrize("name", sorted(set(REQUIREMENTS) - {"setuptools"}))
def test_every_dependency_has_a_tested_version_that_its_bound_allows(name, tested_versions):
    (specifier,) = tested_versions[canonicalize_name(name)].specifier
    assert specifier.operator == "=="
    assert specifier.version in REQUIREMENTS[name].specifier


def test_tested_versions_fit_every_machine(tested_versions):
    local = [str(pin) for pin in tested_versions.values() if "+" in str(pin.specifier)]
    assert local == [], "a local version such as +cpu exists in one package index only"


def test_base_dependencies_bring_neither_a_viewer_nor_a_server():
    base = {Requirement(line).name.lower() for line in PROJECT["dependencies"]}
    assert base.isdisjoint({"napari", "qtpy", "pyqt6", "pyside6", "cvat-sdk", "torchvision"})


def test_only_our_packages_land_in_site_packages():
    tops = (distribution(PROJECT["name"]).read_text("top_level.txt") or "").split()
    assert set(tops) == {"src_model", "napari_sam2v", "cvat_serverless"}


def test_the_command_is_installed():
    commands = {entry.name: entry.value for entry in distribution(PROJECT["name"]).entry_points}
    assert commands["sam2v"] == "src_model.cli.main:main"
