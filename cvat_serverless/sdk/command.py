"""``sam2v cvat``: work with the tasks of a CVAT server, every edition of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cvat_serverless.options import DeviceOption, ImageSizeOption, ModelOption
from cvat_serverless.sdk.output_type import Originals, OutputType
from src_model.workflow.division_choice import Divisions

if TYPE_CHECKING:
    from cvat_serverless.sdk.client import Login
    from cvat_serverless.sdk.run import ProgressCallbacks
    from cvat_serverless.sdk.task import TaskOrJob
    from src_model.tracking import StreamingPredictor

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)

_SERVER = "Server"
_EVERY = 5

TaskOption = Annotated[int, typer.Option("--task", metavar="ID", help="Number of the task.")]
JobOption = Annotated[
    int | None, typer.Option("--job", metavar="ID", help="One job of it alone. Default: the whole task.")
]
ObjectsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--object",
        metavar="ID",
        help="A shape or track to follow (repeat for more); ID,ID is one object that was drawn twice.",
    ),
]
AllOnOption = Annotated[
    int | None, typer.Option("--all-shapes-on", metavar="FRAME", help="Follow everything drawn on this frame.")
]
AllOption = Annotated[
    bool,
    typer.Option(
        "--all",
        help="Find every object that is not annotated yet, and follow all of them forward, from birth to division.",
    ),
]
EveryOption = Annotated[
    int, typer.Option("--every", min=1, metavar="FRAMES", help="With --all: how often new objects are looked for.")
]
DivisionsOption = Annotated[
    Divisions, typer.Option("--divisions", help="With --all: 'auto' marks the sure ones, 'ask' only suggests them.")
]
FoundLabelOption = Annotated[
    str | None,
    typer.Option("--label", metavar="NAME", help="With --all: what is found gets it. Default: the task's only label."),
]
KeptOption = Annotated[
    Path | None,
    typer.Option(
        "--document",
        metavar="FILE.sam2v",
        help="With --all: where to keep what CVAT has no place for, such as divisions. Default: task-ID.sam2v.",
        show_default=False,
    ),
]
FramesOption = Annotated[
    str | None, typer.Option("--frames", metavar="START:STOP", help="Only these frames, STOP excluded.")
]
OutputOption = Annotated[OutputType, typer.Option("--as", help="What the objects become in CVAT.")]
OriginalsOption = Annotated[
    Originals,
    typer.Option(help="What was drawn: 'auto' replaces what becomes a keyframe of the new track and keeps the rest."),
]
UndoOption = Annotated[bool, typer.Option("--undo", help="Take back what this command did last in this task.")]
DocumentArgument = Annotated[
    Path | None, typer.Argument(metavar="DOCUMENT.sam2v", help="What the napari plugin saved.", show_default=False)
]
LabelOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="For objects without a class, or of a class that the task has no label for. Default: the task's only "
        "label, for those without a class.",
    ),
]
OutOption = Annotated[Path, typer.Option("--out", "-o", metavar="FILE.sam2v", help="Where to write the annotation.")]
MovieOption = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="The movie as you have it, for an annotation that did not come from sam2v."),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace an annotation that is there.")]
HostOption = Annotated[
    str | None,
    typer.Option(
        "--server-host",
        rich_help_panel=_SERVER,
        help="Such as http://localhost:8080. Default: as cvat-cli has it, or http://localhost.",
    ),
]
PortOption = Annotated[int | None, typer.Option("--server-port", rich_help_panel=_SERVER, help="Its port.")]
AuthOption = Annotated[
    str | None,
    typer.Option(
        "--auth",
        metavar="USER[:PASS]",
        rich_help_panel=_SERVER,
        help="Better with the password in the environment variable PASS. Default: the token in CVAT_ACCESS_TOKEN.",
    ),
]
ProfileOption = Annotated[
    str | None, typer.Option("--profile", rich_help_panel=_SERVER, help="A profile saved by cvat-cli.")
]
OrganizationOption = Annotated[
    str | None,
    typer.Option("--organization", "--org", metavar="SLUG", rich_help_panel=_SERVER, help="Short name of it."),
]
InsecureOption = Annotated[bool, typer.Option("--insecure", rich_help_panel=_SERVER, help="Take any TLS certificate.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]


@app.callback()
def cvat() -> None:
    """Track objects in tasks of a CVAT server, and send and fetch annotations."""


@app.command("track")
def track(
    task: TaskOption,
    job: JobOption = None,
    objects: ObjectsOption = None,
    all_on: AllOnOption = None,
    everything: AllOption = False,
    every: EveryOption = _EVERY,
    divisions: DivisionsOption = Divisions.AUTO,
    label: FoundLabelOption = None,
    document: KeptOption = None,
    frames: FramesOption = None,
    output: OutputOption = OutputType.POLYGONS,
    originals: OriginalsOption = Originals.AUTO,
    undo: UndoOption = False,
    model: ModelOption = "default",
    device: DeviceOption = "auto",
    image_size: ImageSizeOption = 0,
    host: HostOption = None,
    port: PortOption = None,
    auth: AuthOption = None,
    profile: ProfileOption = None,
    organization: OrganizationOption = None,
    insecure: InsecureOption = False,
    quiet: QuietOption = False,
) -> None:
    """Track what was drawn on one frame through a whole task, in both directions; or all that is in it.

    Shapes of the same object on other frames count as corrections. The result is written by one request at the end.
    """
    from cvat_serverless.sdk.client import Login
    from cvat_serverless.sdk.track import TrackTaskOptions, track_task
    from cvat_serverless.sdk.track_all import TrackAllOptions, track_all_of_task

    if not undo:
        only_all = {"--label": label is not None, "--document": document is not None, "--every": every != _EVERY}
        only_all["--divisions"] = divisions is not Divisions.AUTO
        _check_what_to_track((bool(objects), all_on is not None, everything), only_all)
    if everything and originals is not Originals.AUTO:
        raise typer.BadParameter("with --all, what was drawn stays; leave this out", param_hint="--originals")
    start, stop = parse_frames(frames)
    kept = _kept_document(document, task, job) if everything and not undo else Path()
    with opened(Login(host, port, auth, profile, organization, insecure), task, job) as target:
        if undo:
            _undo(target, quiet=quiet)
            return
        load = partial(_predictor, model, device, image_size)
        with _progress(quiet=quiet) as callbacks:
            if everything:
                whole = TrackAllOptions(label, every, divisions.value, start, stop, output)
                report = track_all_of_task(target, whole, load, kept, callbacks=callbacks)
            else:
                options = TrackTaskOptions(tuple(objects or ()), all_on, start, stop, output, originals)
                report = track_task(target, options, load, callbacks=callbacks)
    for line in report.left_out:
        _warn(f"Left out: {line}")
    _say(report.lines, quiet=quiet)


@app.command("push")
def push(
    task: TaskOption,
    document: DocumentArgument = None,
    output: OutputOption = OutputType.MASKS,
    label: LabelOption = None,
    undo: UndoOption = False,
    host: HostOption = None,
    port: PortOption = None,
    auth: AuthOption = None,
    profile: ProfileOption = None,
    organization: OrganizationOption = None,
    insecure: InsecureOption = False,
    quiet: QuietOption = False,
) -> None:
    """Send an annotation to a task: its objects become shapes, all else travels in the task's guide."""
    from cvat_serverless.sdk.client import Login
    from cvat_serverless.sdk.push import push_document

    if document is None and not undo:
        raise typer.BadParameter("say which annotation to send, a file ending in .sam2v", param_hint="DOCUMENT.sam2v")
    with opened(Login(host, port, auth, profile, organization, insecure), task) as target:
        if undo or document is None:
            _undo(target, quiet=quiet)
        else:
            _say(push_document(target, document, output, label), quiet=quiet)


@app.command("pull")
def pull(
    task: TaskOption,
    out: OutOption,
    movie: MovieOption = None,
    force: ForceOption = False,
    host: HostOption = None,
    port: PortOption = None,
    auth: AuthOption = None,
    profile: ProfileOption = None,
    organization: OrganizationOption = None,
    insecure: InsecureOption = False,
    quiet: QuietOption = False,
) -> None:
    """Fetch the annotation of a task for the napari plugin, with all that was changed in CVAT."""
    from cvat_serverless.sdk.client import Login
    from cvat_serverless.sdk.pull import check_out, pull_document

    check_out(out, movie, force=force)
    with opened(Login(host, port, auth, profile, organization, insecure), task) as target:
        _say(pull_document(target, out, movie, force=force), quiet=quiet)


@contextmanager
def opened(login: Login, task: int, job: int | None = None) -> Iterator[TaskOrJob]:
    """Log in and look up a task, for a block."""
    from cvat_serverless.sdk.client import connect
    from cvat_serverless.sdk.task import open_task

    client = connect(login)
    try:
        yield open_task(client, task, job)
    finally:
        client.close()


def _check_what_to_track(ways: tuple[bool, ...], others: Mapping[str, bool]) -> None:
    """Refuse no way to say what is tracked or several, and options that belong to another way.

    Parameters
    ----------
    ways
        Whether objects, a frame, or all was asked for.
    others
        Whether options were given that only ``--all`` has, by name.
    """
    if sum(ways) != 1:
        message = "say what to track: either --object ID, --all-shapes-on FRAME or --all"
        raise typer.BadParameter(message, param_hint="--object")
    for name, is_given in others.items():
        if is_given and not ways[2]:
            raise typer.BadParameter("this belongs to --all, which is not given", param_hint=name)


def _kept_document(chosen: Path | None, task: int, job: int | None) -> Path:
    """Return where what CVAT has no place for is kept; typer.BadParameter or FormatError if it cannot be."""
    from src_model.formats.target import check_target

    name = f"task-{task}" if job is None else f"task-{task}-job-{job}"
    names = itertools.chain([name], (f"{name}-{count}" for count in itertools.count(2)))
    path = chosen or next(free for each in names if not (free := Path(f"{each}.sam2v")).exists())
    if path.suffix.lower() != ".sam2v":
        raise typer.BadParameter(f"'{path}' must end in .sam2v", param_hint="--document")
    if path.exists():
        message = f"'{path}' is there, and may hold what somebody corrected; choose another name"
        raise typer.BadParameter(message, param_hint="--document")
    check_target(path, lambda there: False)
    return path


def parse_frames(text: str | None) -> tuple[int | None, int | None]:
    """Read ``--frames``: first frame, and the one after the last; None where left out.

    Raises
    ------
    typer.BadParameter
        If this is something else.
    """
    if text is None:
        return None, None
    start, colon, stop = (part.strip() for part in text.partition(":"))
    if not colon or not all(part.isdecimal() or not part for part in (start, stop)):
        raise typer.BadParameter(f"{text!r} is not START:STOP, such as 10:50, :50 or 10:", param_hint="--frames")
    return int(start) if start else None, int(stop) if stop else None


def _undo(task: TaskOrJob, *, quiet: bool) -> None:
    from cvat_serverless.sdk.journal import Journal
    from cvat_serverless.sdk.undo import undo
    from src_model.errors import RemoteError

    result = undo(task, Journal(task.slug))
    if result is None:
        raise RemoteError(
            f"nothing that this computer wrote into {task.described} is left to be taken back; a change written with "
            "--job is taken back with the same --job"
        )
    lines = [
        f"Taken back: {result.summary}",
        f"{result.removed} removed, {result.restored} written again as they were before.",
    ]
    if result.changed:
        lines.append(f"{result.changed} were changed or removed in CVAT since, and were left as they are.")
    _say(lines, quiet=quiet)


def _predictor(model: str, device: str, image_size: int) -> StreamingPredictor:
    from src_model.tracking import StreamingPredictor

    return StreamingPredictor.load(model, device=device, precision="auto", image_size=image_size or None)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[ProgressCallbacks]:
    """Show a progress bar while in the block."""
    from cvat_serverless.sdk.run import ProgressCallbacks

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        console=Console(stderr=True, quiet=quiet),
        transient=True,
    ) as bar:
        shown = bar.add_task("Looking at the task", total=None)
        yield ProgressCallbacks(
            lambda total, done: bar.update(shown, description="Tracking", total=total, completed=done),
            lambda: bar.advance(shown),
            lambda reason: _warn(f"What is tracked cannot be kept, so do not interrupt this: {reason}"),
        )


def _warn(text: str) -> None:
    Console(stderr=True).print(text, style="yellow", markup=False, highlight=False, soft_wrap=True)


def _say(lines: list[str] | tuple[str, ...], *, quiet: bool) -> None:
    for line in () if quiet else lines:
        Console().print(line, markup=False, highlight=False, soft_wrap=True)
