"""``sam2v serve``: hosts found by their entry points."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints

import pytest
import typer
from typer.testing import CliRunner

from src_model.cli import plugins
from src_model.cli.error_messages import FAILED
from src_model.cli.main import app
from src_model.errors import MissingExtraError

SERVED: list[tuple[str, int]] = []


def serve_something(host: str = "127.0.0.1", port: int = typer.Option(8070, min=1)) -> None:
    """Serve something."""
    SERVED.append((host, port))


def serve_nothing() -> None:
    """Serve nothing."""
    raise MissingExtraError("starlette", "serve", "serving")


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    """Two hosts, as if their packages were installed."""
    points = EntryPoints(
        EntryPoint(name.removeprefix("serve_"), f"{__name__}:{name}", plugins.SERVERS)
        for name in ("serve_something", "serve_nothing")
    )
    monkeypatch.setattr(EntryPoint, "load", lambda self: globals()[self.attr])
    monkeypatch.setattr(plugins, "entry_points", lambda **wanted: points.select(**wanted))
    SERVED.clear()


def run(*arguments: str):
    return CliRunner().invoke(app, ["serve", *arguments])


def test_the_help_names_every_host_that_is_installed():
    text = run("--help").output
    assert "something" in text
    assert "nothing" in text


def test_a_host_is_served_with_its_own_options():
    assert run("something", "--port", "9000").exit_code == 0
    assert SERVED == [("127.0.0.1", 9000)]
    assert "--host" in run("something", "--help").output


def test_a_host_that_is_not_installed_is_no_command():
    assert run("other").exit_code != 0


def test_an_error_of_a_host_is_one_line():
    result = run("nothing")
    assert result.exit_code == FAILED
    assert "napari-sam2v[serve]" in result.output
    assert "Traceback" not in result.output
