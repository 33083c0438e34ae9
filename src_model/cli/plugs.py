"""Commands that other packages bring along, found by their entry points, so that this one needs to know none."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

import typer
from typer.core import TyperGroup


class PluggedGroup(TyperGroup):
    """A command whose sub-commands are its own and one for each entry point, which is loaded when it is called.

    An entry point leads to a function, which becomes a command, or to a :class:`typer.Typer`, which becomes a command
    with commands of its own.
    """

    entry_group: str
    """Group of entry points."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Name its own commands, and then all that are installed."""
        own = super().list_commands(ctx)
        return own + sorted(set(entry_points(group=self.entry_group).names) - set(own))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Find one."""
        own = super().get_command(ctx, cmd_name)
        return _loaded(self.entry_group, cmd_name) if own is None else own


def _loaded(group: str, name: str) -> Any:
    for found in entry_points(group=group, name=name):
        plugged = found.load()
        if isinstance(plugged, typer.Typer):
            command = typer.main.get_group(plugged)
            command.name = name  # of its own it has none
            return command
        app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
        app.command(name)(plugged)
        return typer.main.get_command(app)
    return None
