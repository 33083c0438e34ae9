"""What all tests share."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[1]

# Examples differ a lot in cost on a busy machine, so a time limit for each would make failures by chance.
hypothesis.settings.register_profile("sam2v", deadline=None)
hypothesis.settings.load_profile("sam2v")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say what runs in one process, and skip tests that open windows where there is no screen: Qt would abort."""
    for item in items:
        # Modules stay whole, so that what they share is made once; windows on one screen would take each other's focus.
        item.add_marker(pytest.mark.xdist_group("gui" if "gui" in item.keywords else item.nodeid.partition("::")[0]))
    has_screen = not sys.platform.startswith("linux") or any(os.environ.get(n) for n in ("DISPLAY", "WAYLAND_DISPLAY"))
    if has_screen:
        return
    for item in items:
        if "gui" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="no screen: run under xvfb-run -a"))


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where programs are compiled to, instead of the user's own folder."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("SAM2V_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The data folder beside the repository, for tests on real movies that are not in it."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the data folder {folder} is not here")
    return folder
