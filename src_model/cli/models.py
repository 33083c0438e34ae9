"""``sam2v models``: the checkpoints that can be named, and which are on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

from src_model.cli import options as opt
from src_model.cli.terminal import say, size_text, table_console

if TYPE_CHECKING:
    from src_model.weights import CheckpointStatus

app = typer.Typer(invoke_without_command=True, no_args_is_help=False)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A name from 'sam2v models'.", show_default=False)]


@app.callback()
def models(ctx: typer.Context, debug: opt.DebugOption = False) -> None:
    """List the checkpoints and which are on disk; 'get NAME' downloads one."""
    if ctx.invoked_subcommand is not None:
        return
    from src_model.weights import custom_checkpoints, list_checkpoints, models_folder

    table_console().print(_table(list_checkpoints()))
    for record in custom_checkpoints().values():
        origin = record.origin
        scores = ", ".join(f"{name} {value:.3f}" for name, value in origin.scores.items())
        say(f"{record.name}: made from {origin.base} with {origin.data} on {record.made[:10]}. {scores}".rstrip())
    say(f"Files downloaded by hand belong into {models_folder()}")


@app.command("get")
def get(name: NameArgument, quiet: opt.QuietOption = False, debug: opt.DebugOption = False) -> None:
    """Download a checkpoint, unless it is on disk, and check that it is complete."""
    from src_model.weights import get_checkpoint

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(compact=True))
    with Progress(TextColumn(name), *columns, console=Console(stderr=True, quiet=quiet), transient=True) as progress:
        task = progress.add_task(name, total=None, visible=False)

        def arrived(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, visible=True)

        path = get_checkpoint(name, progress=arrived)
    say(str(path))


def _table(statuses: tuple[CheckpointStatus, ...]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("name", "size", "licence", "on disk", "where"):
        table.add_column(
            title, justify="right" if title == "size" else "left", no_wrap=title != "where", overflow="fold"
        )
    for status in statuses:
        if status.problem is not None:
            state = Text("damaged", "red")
            where = f"{status.path}: {status.problem}"
        elif status.ready:
            state, where = Text("yes", "green"), str(status.path)
        else:
            state, where = Text("no"), status.info.repo or status.info.source
        table.add_row(status.info.name, size_text(status.size), status.info.licence, state, where)
    return table
