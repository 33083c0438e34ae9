"""The command ``sam2v`` and its sub-commands."""

from __future__ import annotations

from typing import Annotated

import typer

from src_model import __version__
from src_model.cli import models
from src_model.cli.demo import demo
from src_model.cli.error_messages import ErrorMessageGroup
from src_model.cli.evaluate import evaluate
from src_model.cli.export import export
from src_model.cli.info import info
from src_model.cli.options import DebugOption
from src_model.cli.plugins import COMMANDS, PluginGroup, serve_app
from src_model.cli.prompt_options import PromptCommand
from src_model.cli.replay import replay
from src_model.cli.track import track
from src_model.cli.train import train


class MainGroup(ErrorMessageGroup, PluginGroup):
    """Our own commands and those of other packages, whose errors become messages just as ours do."""

    entry_group = COMMANDS


app = typer.Typer(
    name="sam2v", cls=MainGroup, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False
)
app.command("track", cls=PromptCommand)(track)
app.command("demo")(demo)
app.command("replay")(replay)
app.command("evaluate")(evaluate)
app.command("export")(export)
app.command("train")(train)
app.add_typer(models.app, name="models")
app.add_typer(serve_app, name="serve")
app.command("info")(info)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"sam2v {__version__}")
        raise typer.Exit


@app.callback()
def sam2v(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
    debug: DebugOption = False,
) -> None:
    """Turn a click or a box on one frame of a movie into a mask of that object on every frame."""


def main() -> None:
    """Run the command; the console script ``sam2v``."""
    app(prog_name="sam2v")
