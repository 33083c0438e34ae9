"""``sam2v serve``: hosts that serve others. Each is a package of its own, found by its entry point."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

import typer
from typer.core import TyperGroup

GROUP = "sam2v.serve"
"""Group of entry points: a name, and the function that a command of that name runs."""


class ServeGroup(TyperGroup):
    """A sub-command for each entry point, loaded when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Name all hosts that are installed."""
        return sorted(entry_points(group=GROUP).names)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Load one."""
        for found in entry_points(group=GROUP, name=cmd_name):
            app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
            app.command(cmd_name)(found.load())
            return typer.main.get_command(app)
        return None


app = typer.Typer(cls=ServeGroup, no_args_is_help=True)


@app.callback()
def serve() -> None:
    """Serve a model to other programs, such as CVAT."""
