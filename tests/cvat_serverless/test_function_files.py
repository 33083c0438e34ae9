"""The files that Nuclio is given, and what the package promises of itself."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from cvat_serverless.functions import FUNCTIONS

yaml = pytest.importorskip("yaml")
PACKAGE = Path(__file__).resolve().parents[2] / "cvat_serverless"
KINDS = ("tracker", "interactor")
FILES = [f"{kind}/{name}" for kind in KINDS for name in ("function.yaml", "function-gpu.yaml")]


def read(name: str):
    return yaml.safe_load((PACKAGE / "nuclio" / name).read_text(encoding="utf-8"))


def environment(function) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in function["spec"]["env"]}


@pytest.mark.parametrize("name", FILES)
def test_a_function_says_of_itself_what_the_server_says_of_it(name):
    function = read(name)
    info = FUNCTIONS[function["metadata"]["name"]]
    assert function["metadata"]["annotations"] == dict(info.annotations)
    assert function["spec"]["description"] == info.description
    assert environment(function)["SAM2V_FUNCTION"] == info.name


@pytest.mark.parametrize("name", FILES)
def test_bodies_time_and_workers_are_set_on_purpose(name):
    spec = read(name)["spec"]
    trigger = spec["triggers"]["http"]
    assert trigger["attributes"]["maxRequestBodySize"] >= 32 * 2**20
    assert trigger["numWorkers"] == 1
    assert trigger["workerAvailabilityTimeoutMilliseconds"] >= 10_000
    assert int(spec["eventTimeout"].removesuffix("s")) > 120


@pytest.mark.parametrize("name", FILES)
def test_the_image_is_built_by_nuclio_and_brings_this_package(name):
    spec = read(name)["spec"]
    assert spec["handler"] == "main:handler"
    (step,) = spec["build"]["directives"]["postCopy"]
    assert "napari_sam2v-*.whl" in step["value"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_gpu_file_differs_in_the_device_and_its_packages_alone(kind):
    cpu, gpu = read(f"{kind}/function.yaml"), read(f"{kind}/function-gpu.yaml")
    assert environment(cpu)["SAM2V_DEVICE"] == "cpu"
    assert environment(gpu)["SAM2V_DEVICE"] == "cuda"
    assert gpu["spec"].pop("resources") == {"limits": {"nvidia.com/gpu": 1}}
    for function in (cpu, gpu):
        function["spec"].pop("env")
        function["spec"]["build"].pop("image")
        function["spec"]["build"]["directives"].pop("preCopy")
    assert cpu == gpu


def test_nothing_here_reads_pickles():
    unsafe = {"pickle", "jsonpickle", "dill", "cloudpickle", "marshal", "shelve"}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert not unsafe & {str(name).partition(".")[0] for name in names}, path


# The script, with stand-ins for the programs it calls -----------------------------------------------------------------

STAND_IN = """#!/bin/sh
echo "$(basename "$0") $*" >> "$CALLS"
case "$(basename "$0") $*" in
    *"pip wheel"*) mkdir -p "$7"; touch "$7/napari_sam2v-0.1.0-py3-none-any.whl" ;;
    "nuctl get project"*) exit 1 ;;
    "nuctl deploy"*) ls "$5" >> "$CALLS" ;;
esac
"""


@pytest.fixture
def deploy(tmp_path):
    """Runs the script; gives its result and the calls it made."""
    if shutil.which("sh") is None:
        pytest.skip("there is no shell")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("nuctl", "docker", "python3"):
        (programs / name).write_text(STAND_IN)
        (programs / name).chmod(0o755)
    calls = tmp_path / "calls"

    def run(*arguments: str, **environment: str):
        calls.write_text("")
        values = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "CALLS": str(calls), **environment}
        result = subprocess.run(
            [PACKAGE / "deploy.sh", *arguments], capture_output=True, text=True, env=values, check=False
        )
        return result, calls.read_text()

    return run


def test_both_functions_are_deployed_with_the_wheel_and_the_handler(deploy):
    result, calls = deploy()
    assert result.returncode == 0, result.stderr
    deployed = [line for line in calls.splitlines() if line.startswith("nuctl deploy")]
    assert len(deployed) == 2
    assert calls.count("function.yaml\nmain.py\nnapari_sam2v-0.1.0-py3-none-any.whl\n") == 2
    assert all('"network": "cvat_cvat"' in line for line in deployed)
    assert "nuctl create project cvat" in calls


def test_one_function_may_be_chosen_and_settings_go_along(deploy):
    result, calls = deploy("gpu", "tracker", SAM2V_MODEL="my model", CVAT_NETWORK="other")
    assert result.returncode == 0, result.stderr
    (deployed,) = [line for line in calls.splitlines() if line.startswith("nuctl deploy")]
    assert "tracker" in deployed
    assert "--env SAM2V_MODEL=my model" in deployed
    assert '"network": "other"' in deployed


def test_a_function_that_is_not_there_is_said_so(deploy):
    result, calls = deploy("cpu", "detector")
    assert result.returncode == 2
    assert "detector" in result.stderr
    assert "nuctl" not in calls


def test_help_says_how_it_is_called(deploy):
    result, _ = deploy("--help")
    assert result.returncode == 0
    assert "deploy.sh [cpu|gpu]" in result.stdout
