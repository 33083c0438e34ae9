"""``sam2v replay``: a saved session done again, without a screen."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from src_model.cli import options as opt
from src_model.cli.finishing import list_outputs, summarize, write_all
from src_model.cli.following import Tally
from src_model.cli.job import ModelChoice, MovieChoice, Outputs
from src_model.cli.output import check_numbers
from src_model.cli.saved import model_of_session
from src_model.cli.terminal import say
from src_model.cli.track import MovieArgument

if TYPE_CHECKING:
    from src_model.tracking import Session

SessionArgument = Annotated[
    Path, typer.Argument(metavar="SESSION", help="A .json file of --session or of the demo.", show_default=False)
]
OtherModelOption = Annotated[
    bool, typer.Option("--allow-other-model", help="Do it with another model than that of the session.")
]


def replay(
    session_file: SessionArgument,
    movie: MovieArgument,
    out: opt.OutOption = Path("labels.tif"),
    preview: opt.PreviewOption = None,
    session: opt.SessionOption = None,
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
    """Do a saved session again, from the first click to the last mask, and tell whether the masks are the same.

    Prompts, preset, image size and normalisation are those of the session; MOVIE is the movie it was made on.
    """
    outputs = Outputs(out, preview, session, overlap.value, force)
    outputs.check(movie, session_file, may_stop=False)
    source = MovieChoice(movie, axes, opt.parse_channel(channel), opt.parse_plane(plane), series).open(quiet=quiet)
    choice = ModelChoice(model_of_session(session_file, model), device, threads=threads)
    predictor = choice.load(quiet=quiet)
    saved = predictor.resume(session_file, source, allow_other_model=allow_other_model)
    check_numbers(saved.objects)
    start = time.perf_counter()
    with Console(stderr=True, quiet=quiet).status("Doing the session again"):
        again = predictor.replay(session_file, source, allow_other_model=allow_other_model)
    steps = tracked_frames(again)
    tally = Tally(len(set(steps)), len(steps), time.perf_counter() - start)
    if session is not None:
        again.save(session)
    write_all(again, outputs, range(len(source)), quiet=quiet)
    summarize(again, tally, quiet=quiet)
    say(compared(saved, again), quiet=quiet)
    list_outputs(outputs, quiet=quiet)


def tracked_frames(session: Session) -> list[int]:
    """Frames over which objects were tracked; those tracked twice are there twice."""
    from src_model.tracking.operations import Propagated

    spans = [done for done in session.log.operations if isinstance(done, Propagated)]
    return [frame for done in spans for frame in range(min(done.first, done.last), max(done.first, done.last) + 1)]


def compared(saved: Session, again: Session) -> str:
    """Say whether two sessions hold the same masks, and if not, on how many frames they differ."""
    if saved.masklets.keys() != again.masklets.keys():
        return "The objects differ from those of the session."
    total, different = 0, 0
    for number, masklet in saved.masklets.items():
        other = again.masklets[number]
        frames = set(masklet.frames) | set(other.frames)
        total += len(frames)
        different += sum(masklet.mask_at(frame) != other.mask_at(frame) for frame in frames)
    if not different:
        return f"All {total} masks are those of the session."
    return f"{different} of {total} masks differ from those of the session."
