"""Commands of other packages (plugins), found by their entry points, so that this package need not know them."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

import typer
from typer.core import TyperGroup

COMMANDS = "sam2v.commands"
"""Entry point group of commands beside our own: a name, and what :class:`PluginGroup` makes a command of."""
SERVERS = "sam2v.serve"
"""Entry point group of commands of ``sam2v serve``: each serves a model to another program."""


class PluginGroup(TyperGroup):
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


class _ServeGroup(PluginGroup):
    entry_group = SERVERS


serve_app = typer.Typer(cls=_ServeGroup, no_args_is_help=True)


@serve_app.callback()
def serve() -> None:
    """Serve a model to other programs, such as CVAT."""


def _loaded(group: str, name: str) -> Any:
    for found in entry_points(group=group, name=name):
        plugin = found.load()
        if isinstance(plugin, typer.Typer):
            command = typer.main.get_group(plugin)
            command.name = name  # of its own it has none
            return command
        app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
        app.command(name)(plugin)
        return typer.main.get_command(app)
    return None
