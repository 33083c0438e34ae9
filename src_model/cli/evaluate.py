"""``sam2v evaluate``: how well a model tracks, as numbers and as a page."""

from __future__ import annotations

import itertools
import shlex
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from src_model.cli import options as opt
from src_model.cli.files import check_writable
from src_model.cli.job import DEFAULT_MODEL, ModelChoice
from src_model.cli.terminal import duration_text, make_progress, say, table_console, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from src_model.evaluation import Evaluation, EvaluationRequest, EvaluationSet
    from src_model.evaluation.records import UnitKey
    from src_model.evaluation.report import EvaluationReport

_WHAT, _AMOUNT = "What is evaluated", "How much of it"
SIMULATED_MOVIES = 2
PAGE = "report.html"
_MARKS = {PAGE: b'<meta name="generator" content="sam2v ', "report.json": b'"command": "sam2v evaluate '}
"""By what the files of an earlier report are known."""

DataOption = Annotated[
    list[str] | None,
    typer.Option(
        "--data",
        metavar="PATH[:LAYOUT]",
        rich_help_panel=_WHAT,
        help="Labelled movies, repeatable: a folder in the layout of DAVIS, SA-V, the Cell Tracking Challenge, stills, "
        "or movies with labels beside them. Recognised if no layout is given.",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME",
        rich_help_panel=_WHAT,
        help="A simulated set, repeatable: 'simulated' for all kinds, or one such as simulated-nuclei. "
        "This is what is evaluated if there is no --data either.",
    ),
]
ProtocolOption = Annotated[
    str,
    typer.Option(
        "--protocol",
        metavar="NAME,...",
        rich_help_panel=_WHAT,
        help="How movies are annotated: mask, box, click, 3clicks, 5clicks on the first frame; online, offline.",
    ),
]
BaselineOption = Annotated[
    str,
    typer.Option(
        "--baseline",
        metavar="NAME,...",
        rich_help_panel=_WHAT,
        help="Compare with: alone (the true box on each frame, no tracking), previous-box, previous-mask, copy.",
    ),
]
BaselineModelOption = Annotated[
    str | None,
    typer.Option(
        "--baseline-model", metavar="NAME", rich_help_panel="Model", help="Of the baselines. Default: the model itself."
    ),
]
HeldOutOption = Annotated[
    bool,
    typer.Option(
        "--held-out",
        rich_help_panel=_WHAT,
        help="Of --data, only the movies that the bundled checkpoint was made without: every second by name, "
        "of stills the last 60.",
    ),
]
FramesOption = Annotated[
    int | None, typer.Option("--frames", min=2, rich_help_panel=_AMOUNT, help="At most so many frames a movie.")
]
ObjectsOption = Annotated[
    int | None,
    typer.Option(
        "--objects",
        min=0,
        show_default="8",
        rich_help_panel=_AMOUNT,
        help="At most so many objects a movie; 0 for all.",
    ),
]
MoviesOption = Annotated[
    int | None,
    typer.Option(
        "--movies",
        min=1,
        show_default="2 simulated ones of a kind, all of --data",
        rich_help_panel=_AMOUNT,
        help="At most so many movies a set.",
    ),
]
RoundsOption = Annotated[
    int | None,
    typer.Option(
        "--rounds",
        min=1,
        show_default="8",
        rich_help_panel=_AMOUNT,
        help="Frames that may be annotated for an object in the protocols online and offline.",
    ),
]
QuickOption = Annotated[
    bool,
    typer.Option(
        "--quick",
        rich_help_panel=_AMOUNT,
        help="A first impression in a few minutes: one movie a set, 8 frames, 3 objects, 3 rounds, where not said "
        "otherwise.",
    ),
]
SizeOption = Annotated[
    int | None,
    typer.Option(
        "--size",
        "--image-size",
        metavar="PIXELS",
        rich_help_panel="Model",
        help="Side of the network input. Default: the model's own.",
    ),
]
FolderOption = Annotated[
    Path,
    typer.Option("--out", "-o", metavar="FOLDER", help="Where the report goes; a stopped evaluation goes on there."),
]


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """The command line, with what was left out filled in; None is all."""

    data: tuple[str, ...]
    sets: tuple[str, ...]
    protocols: tuple[str, ...]
    baselines: tuple[str, ...]
    held_out: bool
    movies: int | None
    frames: int | None
    objects: int | None
    rounds: int
    model: ModelChoice
    baseline_model: str | None

    def command(self) -> str:
        """Write the command that does the same again, whatever the defaults will be then."""
        words = ["sam2v", "evaluate"]
        for option, values in (("--data", self.data), ("--set", self.sets)):
            words += [word for value in values for word in (option, value)]
        words += ["--protocol", ",".join(self.protocols)]
        words += ["--baseline", ",".join(self.baselines)] if self.baselines else []
        words += ["--held-out"] if self.held_out else []
        given = {
            "--movies": self.movies,
            "--frames": self.frames,
            "--objects": self.objects or 0,
            "--rounds": self.rounds,
            "--model": self.model.name,
            "--baseline-model": self.baseline_model,
            "--size": self.model.image_size,
            "--preset": self.model.preset,
        }
        words += [word for option, value in given.items() if value is not None for word in (option, str(value))]
        return shlex.join(words)


def evaluate(
    data: DataOption = None,
    sets: SetOption = None,
    protocol: ProtocolOption = "click,mask",
    baseline: BaselineOption = "",
    held_out: HeldOutOption = False,
    movies: MoviesOption = None,
    frames: FramesOption = None,
    objects: ObjectsOption = None,
    rounds: RoundsOption = None,
    quick: QuickOption = False,
    model: opt.ModelOption = None,
    baseline_model: BaselineModelOption = None,
    size: SizeOption = None,
    device: opt.DeviceOption = "auto",
    preset: opt.PresetOption = opt.Preset.DEFAULT,
    threads: opt.ThreadsOption = None,
    out: FolderOption = Path("report"),
    force: opt.ForceOption = False,
    quiet: opt.QuietOption = False,
    debug: opt.DebugOption = False,
) -> None:
    """Measure how well a model tracks labelled movies with simulated annotators.

    Writes report.html, report.json and results.jsonl into the folder. Ctrl-C keeps what is finished, and the same
    command goes on.
    """
    few = 3 if quick else 8
    options = EvaluateOptions(
        tuple(data or ()),
        tuple(sets or (() if data else ("simulated",))),
        _names(protocol),
        _names(baseline),
        held_out,
        movies if movies is not None or not quick else 1,
        frames if frames is not None or not quick else 8,
        (few if objects is None else objects) or None,
        few if rounds is None else rounds,
        ModelChoice(model or DEFAULT_MODEL, device, preset.value, size, threads),
        baseline_model,
    )
    run(options, out, quiet=quiet, force=force)


def run(options: EvaluateOptions, folder: Path, *, quiet: bool, force: bool = False) -> None:
    """Evaluate, write, show the table."""
    check_folder(folder, options.data, force=force)
    request = make_request(options)
    evaluation = _loaded(options, request, quiet=quiet)
    began = time.perf_counter()
    with make_progress(quiet=quiet, unit="parts") as progress:
        task = progress.add_task("Evaluating", total=len(evaluation))
        numbers = itertools.count()

        def on_unit(key: UnitKey) -> None:
            where = f"{key.set}, {key.movie}: {key.protocol}, {key.method}"
            progress.update(task, completed=next(numbers), description=where)

        try:
            report = evaluation.run(folder, on_unit)
        except KeyboardInterrupt:
            warn(f"what is finished is kept in '{folder}'; the same command goes on from there")
            raise
    if not quiet:
        _show(report)
    say(f"report   {folder / PAGE}  ({duration_text(time.perf_counter() - began)})", quiet=quiet)


def check_folder(folder: Path, data: Sequence[str], *, force: bool) -> None:
    """Find out before any work whether the report may be written into a folder.

    Raises
    ------
    FormatError, typer.BadParameter
        If the folder is among the data, or something in it would be replaced that is not of an evaluation.
    """
    from src_model.evaluation.sets import split_layout
    from src_model.formats.target import check_apart

    check_apart(folder, [split_layout(text)[0] for text in data])
    if folder.exists() and not folder.is_dir():
        raise typer.BadParameter(f"'{folder}' is a file, and a folder is needed; choose another", param_hint="--out")
    for name, mark in _MARKS.items() if folder.exists() else ():
        check_writable(folder / name, "--out", partial(_is_marked, mark), force=force)


def _is_marked(mark: bytes, path: Path) -> bool:
    from src_model.formats.marks import head_of

    return mark in head_of(path)


def make_request(options: EvaluateOptions) -> EvaluationRequest:
    """Open the sets and put together what is asked for.

    Raises
    ------
    typer.BadParameter, EvaluationError, MovieError
        If something is not there or does not go together.
    """
    from src_model.evaluation import EvaluationRequest, TargetChoice, folder_set, simulated_sets
    from src_model.evaluation.sets import SIMULATED_FRAMES, split_layout

    if options.held_out and not options.data:
        raise typer.BadParameter("this chooses among the movies of --data, which is not given", param_hint="--held-out")
    sets: list[EvaluationSet] = []
    for text in options.data:
        path, layout = split_layout(text)
        sets.append(folder_set(path, layout=layout, held_out=options.held_out, movies=options.movies))
    for name in options.sets:
        sets += simulated_sets(
            name, movies=options.movies or SIMULATED_MOVIES, frames=options.frames or SIMULATED_FRAMES
        )
    choice = TargetChoice(options.frames, options.objects)
    return EvaluationRequest(
        tuple(sets), options.protocols, options.baselines, choice, options.rounds, options.command()
    )


def _loaded(options: EvaluateOptions, request: EvaluationRequest, *, quiet: bool) -> Evaluation:
    from src_model.evaluation import Evaluation

    predictor = options.model.load(quiet=quiet)
    if options.baseline_model is None:
        return Evaluation(request, predictor)
    return Evaluation(request, predictor, replace(options.model, name=options.baseline_model).load(quiet=quiet))


def _show(report: EvaluationReport) -> None:
    from src_model.evaluation.report import summary_table

    title = f"{report.model.name}, {report.model.image_size} px"
    table_console().print(summary_table(report.rows, title=title), markup=False)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(",") if (name := part.strip()))
