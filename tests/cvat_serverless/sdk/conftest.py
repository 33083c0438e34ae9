"""A CVAT server with one task, and the command run against it with a tiny network."""

from __future__ import annotations

import copy
from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

pytest.importorskip("cvat_sdk")
from cvat_serverless.sdk import journal
from src_model.cli import plugins
from src_model.cli.main import app
from src_model.tracking import PRESETS, StreamingPredictor
from tests.cvat_serverless.asking import movie
from tests.cvat_serverless.sdk.cvat_server import TOKEN, CvatServer, served
from tests.cvat_serverless.sdk.cvat_task import FakeTask
from tests.tracking import tiny

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from click.testing import Result

LABELS = [
    {"id": 1, "name": "cell", "type": "any", "attributes": [
        {"id": 11, "name": "stage", "mutable": True, "input_type": "text", "default_value": "", "values": []},
        {"id": 12, "name": "kind", "mutable": False, "input_type": "text", "default_value": "", "values": []},
    ]},
    {"id": 2, "name": "box only", "type": "rectangle", "attributes": []},
]  # fmt: skip


@pytest.fixture(scope="session")
def predictor(network):
    """Without a target model: that of a random network makes masks empty, and most tests here are about full ones."""
    return tiny.predictor(network, settings=replace(PRESETS["default"], target_model=False))


@pytest.fixture
def task() -> FakeTask:
    return FakeTask(movie(10), labels=copy.deepcopy(LABELS))


@pytest.fixture
def cvat(task) -> Iterator[CvatServer]:
    with served(CvatServer({task.id: task})) as running:
        yield running


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Where this user's state is kept."""
    monkeypatch.setattr(journal, "user_state_path", lambda *names, **options: tmp_path / "state")
    monkeypatch.setattr(journal, "user_cache_path", lambda *names, **options: tmp_path / "cache")
    return tmp_path


@pytest.fixture
def sam2v(cvat, folder, predictor, monkeypatch) -> Callable[..., Result]:
    """Runs ``sam2v cvat``, which waits for nobody, as somebody whose token is in the environment."""
    command = EntryPoints([EntryPoint("cvat", "cvat_serverless.sdk.command:app", plugins.COMMANDS)])
    monkeypatch.setattr(plugins, "entry_points", lambda **wanted: command.select(**wanted))
    # Connections wait up to sixteen seconds between attempts.
    monkeypatch.setattr("urllib3.util.retry.Retry.get_backoff_time", lambda retry: 0.0)
    monkeypatch.setattr(StreamingPredictor, "load", classmethod(lambda cls, *names, **options: predictor))
    for name in ("PASS", "SAM2V_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CVAT_ACCESS_TOKEN", TOKEN)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))

    def run(*words: object, code: int = 0, first: tuple[str, ...] = ()) -> Result:
        line = [*first, "cvat", words[0], "--task", "5", "--server-host", cvat.url, *words[1:]]
        result = CliRunner().invoke(app, [str(word) for word in line])
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return run
