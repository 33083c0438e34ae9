"""``sam2v replay``: what a document holds, tracked again from its prompts alone."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from src_model.cli import options as opt
from src_model.cli.finishing import list_outputs, summarize, write_all
from src_model.cli.following import Tally
from src_model.cli.job import ModelChoice, MovieChoice, Outputs, model_of
from src_model.cli.output import check_numbers, means_ctc
from src_model.cli.terminal import say
from src_model.cli.track import MovieArgument

if TYPE_CHECKING:
    from src_model.document import DocumentView

DocumentArgument = Annotated[
    Path, typer.Argument(metavar="DOCUMENT", help="A .sam2v file of sam2v track or napari.", show_default=False)
]
OtherModelOption = Annotated[
    bool, typer.Option("--allow-other-model", help="Do it with another model than that of the document.")
]
ReplayedOption = Annotated[
    Path | None,
    typer.Option(
        "--document",
        metavar="FILE.sam2v",
        help="Also write what came out as a document.",
        show_default="none is written",
    ),
]


def replay(
    document_file: DocumentArgument,
    movie: MovieArgument,
    out: opt.OutOption = "labels.tif",
    preview: opt.PreviewOption = None,
    document: ReplayedOption = None,
    overlap: opt.OverlapOption = opt.OverlapChoice.SCORE,
    force: opt.ForceOption = False,
    allow_other_model: OtherModelOption = False,
    model: opt.ModelOption = None,
    device: opt.DeviceOption = "auto",
    threads: opt.ThreadsOption = None,
    axes: opt.AxesOption = None,
    channel: opt.ChannelOption = None,
    plane: opt.PlaneOption = None,
    series: opt.SeriesOption = None,
    quiet: opt.QuietOption = False,
    debug: opt.DebugOption = False,
) -> None:
    """Track again what a document holds, from its prompts alone, and tell whether the masks are the same.

    Prompts, preset, image size and normalisation are those of the document; MOVIE is the movie it was made on. What was
    painted, imported or locked stays as it is.

    Masks come out otherwise where prompts came after tracking, where a run was resumed without --exact, and where
    objects were found by --all, which here are tracked each by itself.
    """
    from src_model.document import load

    outputs = Outputs(Path(out), preview, document, overlap.value, force, means_ctc(out))
    outputs.check(movie, document_file)
    source = MovieChoice(movie, axes, opt.parse_channel(channel), opt.parse_plane(plane), series).open(quiet=quiet)
    saved = load(document_file)
    check_numbers(saved.objects)
    predictor = ModelChoice(model_of(document_file, saved.project, model), device, threads=threads).load(quiet=quiet)
    start = time.perf_counter()
    with Console(stderr=True, quiet=quiet).status("Tracking again"):
        again = predictor.replay(document_file, source, allow_other_model=allow_other_model)
    steps = [frame for item in again.objects.values() for frame in item.directions]
    frames = len(set(steps))
    tally = Tally(frames, frames, time.perf_counter() - start)
    result = again.to_document()
    if document is not None:
        again.save(document)
    write_all(result, source, outputs, range(len(source)), quiet=quiet)
    summarize(len(again.objects), tally, again.steps.device, quiet=quiet)
    say(compared(saved, result), quiet=quiet)
    list_outputs(outputs, quiet=quiet)


def compared(saved: DocumentView, again: DocumentView) -> str:
    """Say whether two documents hold the same masks, and if not, on how many frames they differ."""
    if saved.objects.keys() != again.objects.keys():
        return "The objects differ from those of the document."
    total, different = 0, 0
    for number in saved.objects:
        before, after = saved.masklet(number), again.masklet(number)
        frames = set(before.frames) | set(after.frames)
        total += len(frames)
        different += sum(before.mask_at(frame) != after.mask_at(frame) for frame in frames)
    if not different:
        return f"All {total} masks are those of the document."
    return f"{different} of {total} masks differ from those of the document."
