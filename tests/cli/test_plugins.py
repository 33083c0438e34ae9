"""Commands of other packages, found by their entry points."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints

import pytest
import typer
from typer.testing import CliRunner

from src_model.cli import plugins
from src_model.cli.error_messages import FAILED
from src_model.cli.main import app
from src_model.errors import RemoteError

PLUGIN = typer.Typer()


@PLUGIN.callback()
def many() -> None:
    """Do many things."""


@PLUGIN.command("fail")
def fail() -> None:
    """Fail."""
    raise RemoteError("it is not there")


def one(number: int = 3) -> None:
    """Do one thing."""
    typer.echo(f"one {number}")


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    """Two commands, one of them named as one of ours."""
    names = {"one": "one", "many": "PLUGIN", "info": "one"}
    points = EntryPoints(
        EntryPoint(name, f"{__name__}:{leads_to}", plugins.COMMANDS) for name, leads_to in names.items()
    )
    monkeypatch.setattr(EntryPoint, "load", lambda self: globals()[self.attr])
    monkeypatch.setattr(plugins, "entry_points", lambda **wanted: points.select(**wanted))


def run(*words: str):
    return CliRunner().invoke(app, words)


def test_they_are_listed_among_ours():
    text = run("--help").output
    assert all(name in text for name in ("track", "Do one thing", "Do many things"))


@pytest.mark.parametrize("name", ["one", "many"])
def test_each_is_listed_by_its_name(name):
    (line,) = [line for line in run("--help").output.splitlines() if f"Do {name} thing" in line]
    assert line.strip("│ ").split()[0] == name


def test_a_function_is_a_command_and_an_app_a_group_of_them():
    assert run("one", "--number", "4").output == "one 4\n"
    assert "fail" in run("many", "--help").output


def test_their_errors_are_one_line_too():
    result = run("many", "fail")
    assert (result.exit_code, "Error: it is not there" in result.output) == (FAILED, True)


def test_none_takes_the_place_of_ours():
    assert "one" not in run("info").output.splitlines()[0]
