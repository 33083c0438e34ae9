"""How many threads may compute: never more than the cores a process really has, which in a container are few."""

from __future__ import annotations

import os
from pathlib import Path

import torch

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")


def usable_cores() -> int:
    """Count the cores this process may use: those it is bound to, and no more than its container's share of time."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = _share_of_time()
    return bound if share is None else max(1, min(bound, int(share)))


def use_threads(number: int | None = None) -> int:
    """Let torch compute with that many threads, or as many as it has chosen, but no more than there are cores.

    The setting holds for the whole process.

    Returns
    -------
    int
        How many it is.
    """
    present = torch.get_num_threads()
    allowed = min(present if number is None else max(number, 1), usable_cores())
    if number is not None or allowed != present:
        torch.set_num_threads(allowed)
    return allowed


def _share_of_time() -> float | None:
    """Return the cores' worth of time that control groups leave this process, None where they set no limit."""
    try:
        groups = [line.split(":", 2)[1:] for line in _OWN_CGROUP.read_text().splitlines()]
    except OSError:
        return None
    shares = []
    for controllers, path in groups:
        if controllers == "":
            shares += [_unified(folder) for folder in _with_parents(_CGROUPS, path)]
        elif "cpu" in controllers.split(","):
            shares += [_legacy(folder) for folder in _with_parents(_CGROUPS / "cpu", path)]
    limits = [share for share in shares if share is not None]
    return min(limits, default=None)


def _with_parents(root: Path, path: str) -> list[Path]:
    """List a group's folder and those above it: each may set a limit. In a container the root is the group itself."""
    folder = root / path.strip("/")
    return [folder, *(parent for parent in folder.parents if parent.is_relative_to(root))]


def _unified(folder: Path) -> float | None:
    """Read ``cpu.max``: "max 100000" or "150000 100000"."""
    try:
        quota, period = (folder / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _legacy(folder: Path) -> float | None:
    """Read the two files of the first version of control groups; a quota of -1 is none."""
    try:
        quota, period = (int((folder / f"cpu.cfs_{name}_us").read_text()) for name in ("quota", "period"))
        return quota / period if quota > 0 else None
    except (OSError, ValueError, ZeroDivisionError):
        return None
