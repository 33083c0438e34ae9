"""``sam2v cvat``: work with the tasks of a CVAT server, every edition of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cvat_serverless import options as common
from cvat_serverless.sdk import options as opt
from cvat_serverless.sdk.forms import Form, Originals

if TYPE_CHECKING:
    from cvat_serverless.sdk.run import Watch
    from cvat_serverless.sdk.task import TaskOrJob
    from src_model.tracking import StreamingPredictor

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)

FormOption = Annotated[Form, typer.Option("--as", help="What the objects become in CVAT.")]
UndoOption = Annotated[bool, typer.Option("--undo", help="Take back what this command did last in this task.")]


@app.callback()
def cvat() -> None:
    """Track objects in tasks of a CVAT server, and send and fetch annotations."""


@app.command("track")
def track(
    task: opt.TaskOption,
    job: opt.JobOption = None,
    objects: Annotated[
        list[str] | None,
        typer.Option(
            "--object",
            metavar="ID",
            help="A shape or track to follow (repeat for more); ID,ID is one object that was drawn twice.",
        ),
    ] = None,
    all_on: Annotated[
        int | None, typer.Option("--all-shapes-on", metavar="FRAME", help="Follow everything drawn on this frame.")
    ] = None,
    frames: Annotated[
        str | None, typer.Option("--frames", metavar="START:STOP", help="Only these frames, STOP excluded.")
    ] = None,
    form: FormOption = Form.POLYGONS,
    originals: Annotated[
        Originals,
        typer.Option(
            help="What was drawn: 'auto' replaces what becomes a keyframe of the new track and keeps the rest."
        ),
    ] = Originals.AUTO,
    undo: UndoOption = False,
    model: common.ModelOption = "default",
    device: common.DeviceOption = "auto",
    image_size: common.ImageSizeOption = 0,
    host: opt.HostOption = None,
    port: opt.PortOption = None,
    auth: opt.AuthOption = None,
    profile: opt.ProfileOption = None,
    organization: opt.OrganizationOption = None,
    insecure: opt.InsecureOption = False,
    quiet: opt.QuietOption = False,
) -> None:
    """Track what was drawn on one frame through a whole task, in both directions.

    Shapes of the same object on other frames count as corrections. The result is written by one request at the end.
    """
    from cvat_serverless.sdk.login import Login
    from cvat_serverless.sdk.track import TrackOptions, track_task

    start, stop = opt.parse_span(frames)
    if not undo and bool(objects) == (all_on is not None):
        raise typer.BadParameter(
            "say what to track: either --object ID or --all-shapes-on FRAME", param_hint="--object"
        )
    login = Login(host, port, auth, profile, organization, insecure)
    wish = TrackOptions(tuple(objects or ()), all_on, start, stop, form, originals)
    with opt.opened(login, task, job) as place:
        if undo:
            _take_back(place, quiet=quiet)
            return
        with _shown(quiet=quiet) as watch:
            report = track_task(place, wish, lambda: _predictor(model, device, image_size), watch=watch)
    for line in report.left_out:
        _warn(f"Left out: {line}")
    _say(report.lines, quiet=quiet)


@app.command("push")
def push(
    task: opt.TaskOption,
    document: Annotated[
        Path | None, typer.Argument(metavar="DOCUMENT.sam2v", help="What the napari plugin saved.", show_default=False)
    ] = None,
    form: FormOption = Form.MASKS,
    label: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="For objects without a class, or of a class that the task has no label for. Default: the task's only "
            "label, for those without a class.",
        ),
    ] = None,
    undo: UndoOption = False,
    host: opt.HostOption = None,
    port: opt.PortOption = None,
    auth: opt.AuthOption = None,
    profile: opt.ProfileOption = None,
    organization: opt.OrganizationOption = None,
    insecure: opt.InsecureOption = False,
    quiet: opt.QuietOption = False,
) -> None:
    """Send an annotation to a task: its objects become shapes, all else travels in the task's guide."""
    from cvat_serverless.sdk.login import Login
    from cvat_serverless.sdk.push import push_document

    if document is None and not undo:
        raise typer.BadParameter("say which annotation to send, a file ending in .sam2v", param_hint="DOCUMENT.sam2v")
    with opt.opened(Login(host, port, auth, profile, organization, insecure), task) as place:
        if undo or document is None:
            _take_back(place, quiet=quiet)
        else:
            _say(push_document(place, document, form, label), quiet=quiet)


@app.command("pull")
def pull(
    task: opt.TaskOption,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE.sam2v", help="Where to write the annotation.")],
    movie: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="The movie as you have it, for an annotation that did not come from sam2v."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an annotation that is there.")] = False,
    host: opt.HostOption = None,
    port: opt.PortOption = None,
    auth: opt.AuthOption = None,
    profile: opt.ProfileOption = None,
    organization: opt.OrganizationOption = None,
    insecure: opt.InsecureOption = False,
    quiet: opt.QuietOption = False,
) -> None:
    """Fetch the annotation of a task for the napari plugin, with all that was changed in CVAT."""
    from cvat_serverless.sdk.login import Login
    from cvat_serverless.sdk.pull import check_out, pull_document

    check_out(out, movie, force=force)
    with opt.opened(Login(host, port, auth, profile, organization, insecure), task) as place:
        _say(pull_document(place, out, movie, force=force), quiet=quiet)


def _take_back(place: TaskOrJob, *, quiet: bool) -> None:
    from cvat_serverless.sdk.receipts import Receipts
    from cvat_serverless.sdk.undo import undo
    from src_model.errors import RemoteError

    done = undo(place, Receipts(place.slug))
    if done is None:
        raise RemoteError(
            f"nothing that this computer wrote into {place.described} is left to be taken back; a change written with "
            "--job is taken back with the same --job"
        )
    lines = [
        f"Taken back: {done.summary}",
        f"{done.removed} removed, {done.restored} written again as they were before.",
    ]
    if done.changed:
        lines.append(f"{done.changed} were changed or removed in CVAT since, and were left as they are.")
    _say(lines, quiet=quiet)


def _predictor(model: str, device: str, image_size: int) -> StreamingPredictor:
    from src_model.tracking import StreamingPredictor

    return StreamingPredictor.load(model, device=device, precision="auto", image_size=image_size or None)


@contextmanager
def _shown(*, quiet: bool) -> Iterator[Watch]:
    """Show a progress bar while in the block."""
    from cvat_serverless.sdk.run import Watch

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        console=Console(stderr=True, quiet=quiet),
        transient=True,
    ) as bar:
        shown = bar.add_task("Looking at the task", total=None)
        yield Watch(
            lambda total, done: bar.update(shown, description="Tracking", total=total, completed=done),
            lambda: bar.advance(shown),
            lambda reason: _warn(f"What is tracked cannot be kept, so do not interrupt this: {reason}"),
        )


def _warn(text: str) -> None:
    Console(stderr=True).print(text, style="yellow", markup=False, highlight=False, soft_wrap=True)


def _say(lines: list[str] | tuple[str, ...], *, quiet: bool) -> None:
    for line in () if quiet else lines:
        Console().print(line, markup=False, highlight=False, soft_wrap=True)
