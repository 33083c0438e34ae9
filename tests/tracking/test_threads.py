"""How many threads may compute."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import torch

from src_model.tracking import threads
from src_model.tracking.threads import usable_cores, use_threads

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of eight cores whose control groups are files in a folder."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(threads, "_CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(threads, "_OWN_CGROUP", tmp_path / "own")
    return tmp_path


def belongs_to(machine: Path, groups: str, limits: dict[str, str]) -> None:
    (machine / "own").write_text(groups)
    for name, text in limits.items():
        path = machine / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_without_control_groups_all_cores_the_process_is_bound_to_are_usable(machine: Path):
    assert usable_cores() == 8


def test_systems_that_bind_no_process_have_all_their_cores(machine: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert usable_cores() == 5


@pytest.mark.parametrize(
    ("limit", "cores"),
    [
        ("max 100000", 8),
        ("400000 100000", 4),
        ("150000 100000", 1),
        ("50000 100000", 1),
        ("900000 100000", 8),
        ("", 8),
        ("400000 0", 8),
        ("many few", 8),
    ],
)
def test_a_container_has_its_share_of_time(machine: Path, limit: str, cores: int):
    belongs_to(machine, "0::/\n", {"cpu.max": limit})
    assert usable_cores() == cores


def test_groups_above_limit_those_below(machine: Path):
    belongs_to(machine, "0::/pod/box\n", {"pod/box/cpu.max": "max 100000", "pod/cpu.max": "300000 100000"})
    assert usable_cores() == 3


def test_the_first_version_of_control_groups_is_understood(machine: Path):
    files = {"cpu/box/cpu.cfs_quota_us": "200000", "cpu/box/cpu.cfs_period_us": "100000"}
    files |= {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}
    belongs_to(machine, "4:memory:/other\n2:cpu,cpuacct:/box\n0::/\n", files)
    assert usable_cores() == 2


@pytest.fixture
def torch_threads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lets torch have six threads; holds what it was set to."""
    asked: list[int] = []
    monkeypatch.setattr(torch, "get_num_threads", lambda: 6)
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    return asked


def test_torch_keeps_its_choice_where_there_are_the_cores(machine: Path, torch_threads: list[int]):
    assert use_threads() == 6
    assert torch_threads == []


def test_torch_takes_no_more_threads_than_there_are_cores(machine: Path, torch_threads: list[int]):
    belongs_to(machine, "0::/\n", {"cpu.max": "200000 100000"})
    assert use_threads() == 2
    assert torch_threads == [2]


@pytest.mark.parametrize(("asked", "given"), [(3, 3), (8, 8), (64, 8), (0, 1)])
def test_a_user_chooses_within_the_cores(machine: Path, torch_threads: list[int], asked: int, given: int):
    assert use_threads(asked) == given
    assert torch_threads == [given]
