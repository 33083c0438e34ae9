"""``sam2v train``: a checkpoint is taught one's own annotations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from src_model.cli import options as opt
from src_model.cli.stopping import StopRequest
from src_model.cli.terminal import say, warn
from src_model.cli.training_progress import ShownProgress

_FROM_NOTHING = (
    "name the checkpoint to teach, such as --fine-tune default. Training one from nothing is no part of the installed "
    "package: clone the repository and run 'python -m training_recipe train' there (docs/training-recipe.md)"
)

DataOption = Annotated[
    Path, typer.Option("--data", metavar="FOLDER", help="What to learn from: labelled movies in any known layout.")
]
FineTuneOption = Annotated[
    str | None,
    typer.Option(
        "--fine-tune",
        metavar="MODEL",
        show_default=False,
        help="The checkpoint to teach, by name or file: minutes on a CPU, image encoder kept as it is.",
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FOLDER", help="Where weights and report go. Default: as the --name."),
]
NameOption = Annotated[
    str | None,
    typer.Option(
        "--name",
        metavar="NAME",
        help="What the result will be called by --model. Default: the name of the --data folder.",
    ),
]
KeepOption = Annotated[bool, typer.Option("--keep", help="Keep the result even if it is not better.")]
MinutesOption = Annotated[
    float | None, typer.Option("--minutes", min=0.01, show_default="8", help="Length of the training.")
]
StepsOption = Annotated[int | None, typer.Option("--steps", min=1, help="The same in steps of the optimizer.")]
SeedOption = Annotated[int, typer.Option("--seed", min=0, max=900, help="Another seed, another training.")]


def train(
    data: DataOption,
    fine_tune: FineTuneOption = None,
    out: OutOption = None,
    name: NameOption = None,
    keep: KeepOption = False,
    minutes: MinutesOption = None,
    steps: StepsOption = None,
    seed: SeedOption = 0,
    device: opt.DeviceOption = "auto",
    threads: opt.ThreadsOption = None,
    quiet: opt.QuietOption = False,
    debug: opt.DebugOption = False,
) -> None:
    """Teach a checkpoint your own annotations, and find out whether that helped.

    Ctrl-C ends the training early; the result is looked at as it is.
    """
    if fine_tune is None:
        raise typer.BadParameter(_FROM_NOTHING, param_hint="--fine-tune")
    if threads is not None:
        from src_model.tracking.threads import use_threads

        use_threads(threads)
    from src_model.training import fine_tuning
    from src_model.training.fine_tuning.loop import FineTuning
    from src_model.training.fine_tuning.run import with_duration

    plan = with_duration(replace(FineTuning(), seed=seed), minutes=minutes, steps=steps)
    request = fine_tuning.FineTuneRequest(fine_tune, data, name, out, keep, plan, device)
    message = "Stopping the training after this step; the result is looked at as it is (again to stop at once)."
    with ShownProgress(quiet=quiet) as progress, StopRequest(message) as stopping:
        result = fine_tuning.fine_tune(request, observer=progress, tell=progress.tell, stop=lambda: stopping.requested)
    say(f"Held out: {result.held_out}", quiet=quiet)
    say(result.verdict.words(), quiet=quiet)
    say(f"Weights: {result.weights}", quiet=quiet)
    if result.kept is None:
        warn("Nothing was replaced: the result is not better. Annotate more, train longer, or use --keep.")
        return
    say(f"To use it: --model {result.kept.name}", quiet=quiet)
