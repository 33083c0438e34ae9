"""``sam2v serve``: hosts that serve others. Each is a package of its own, found by its entry point."""

from __future__ import annotations

import typer

from src_model.cli.plugs import PluggedGroup

GROUP = "sam2v.serve"
"""Group of entry points: a name, and the function that a command of that name runs."""


class ServeGroup(PluggedGroup):
    """A sub-command for each host."""

    entry_group = GROUP


app = typer.Typer(cls=ServeGroup, no_args_is_help=True)


@app.callback()
def serve() -> None:
    """Serve a model to other programs, such as CVAT."""
