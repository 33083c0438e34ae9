"""``sam2v track``: prompts and a movie in, a labels movie and a document out."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from src_model.cli import options as opt
from src_model.cli.finishing import finish
from src_model.cli.following import Autosave, follow
from src_model.cli.job import ModelChoice, MovieChoice, Outputs, check_prompts, give_prompts
from src_model.cli.output import check_numbers
from src_model.cli.prompt_options import (
    BoxOption,
    FramePrompt,
    GivenPrompts,
    MaskOption,
    NegativeOption,
    ObjectOption,
    PointOption,
    collect_prompts,
    option_order,
)
from src_model.cli.saved import model_of_session
from src_model.errors import FrameRangeError, NoPromptError
from src_model.tracking.passes import Pass, plan_passes, remaining_passes

if TYPE_CHECKING:
    from src_model.tracking import Session
    from src_model.tracking.windows.rules import WindowChoice

MovieArgument = Annotated[
    Path,
    typer.Argument(
        metavar="MOVIE",
        help="A TIFF, .npy, .npz, GIF or video file, a microscope's file, a .zarr folder, or a folder of images.",
        show_default=False,
    ),
]
ResumeOption = Annotated[
    Path | None,
    typer.Option(
        "--resume",
        metavar="SESSION",
        help="Go on with a run that was stopped: prompts, settings and finished frames are those of this file.",
    ),
]
ExactOption = Annotated[
    bool,
    typer.Option(
        "--exact",
        help="With --resume: track the finished frames again, so that the result is, bit for bit, that of a run "
        "never stopped. Without it they are kept and memory is made again from their masks.",
    ),
]
DirectionOption = Annotated[
    opt.Direction,
    typer.Option(
        "--direction",
        help="'both' tracks forward from the first prompt, then each object in reverse from its own first prompt.",
    ),
]


@dataclass(frozen=True, slots=True)
class TrackRequest:
    """Everything that was asked for, checked as far as that goes without the movie."""

    movie: MovieChoice
    model: ModelChoice
    outputs: Outputs
    prompts: list[FramePrompt]
    resume: Path | None
    exact: bool
    direction: opt.Direction
    frames: str | None
    window: WindowChoice | None
    feature_cache: Path | None
    quiet: bool


def track(
    ctx: typer.Context,
    movie: MovieArgument,
    point: PointOption = None,
    negative: NegativeOption = None,
    box: BoxOption = None,
    mask: MaskOption = None,
    object_ids: ObjectOption = None,
    out: opt.OutOption = Path("labels.tif"),
    preview: opt.PreviewOption = None,
    session: opt.SessionOption = None,
    overlap: opt.OverlapOption = opt.OverlapChoice.SCORE,
    force: opt.ForceOption = False,
    resume: ResumeOption = None,
    exact: ExactOption = False,
    direction: DirectionOption = opt.Direction.BOTH,
    frames: opt.FramesOption = None,
    model: opt.ModelOption = None,
    device: opt.DeviceOption = "auto",
    preset: opt.PresetOption = opt.Preset.DEFAULT,
    image_size: opt.ImageSizeOption = None,
    window: opt.WindowOption = None,
    precision: opt.PrecisionOption = opt.PrecisionName.AUTO,
    backend: opt.BackendOption = opt.Backend.AUTO,
    threads: opt.ThreadsOption = None,
    feature_cache: opt.FeatureCacheOption = None,
    axes: opt.AxesOption = None,
    channel: opt.ChannelOption = None,
    plane: opt.PlaneOption = None,
    series: opt.SeriesOption = None,
    quiet: opt.QuietOption = False,
    debug: opt.DebugOption = False,
) -> None:
    """Track objects through a movie from clicks, boxes or masks on any of its frames.

    Prompts belong to the last --object before them; those of one object on one frame count together:

        sam2v track cells.tif --point 0,75,64 --object 2 --box 0,20,30,48,66

    Beside the labels goes a document, labels.sam2v, to look through, correct and track on in napari. One that is there
    is never replaced; the new one gets another name then.

    Frames, rows and columns count from 0. Ctrl-C keeps the finished frames and says how to go on.
    """
    given = GivenPrompts(point, negative, box, mask, object_ids)
    request = TrackRequest(
        MovieChoice(movie, axes, opt.parse_channel(channel), opt.parse_plane(plane), series),
        ModelChoice(model, device, preset.value, image_size, threads, precision.value, backend.value),
        Outputs(out, preview, session, overlap.value, force, movie),
        collect_prompts(option_order(ctx), given),
        resume,
        exact,
        direction,
        frames,
        opt.parse_window(window),
        feature_cache,
        quiet,
    )
    run(request, resume_hint(ctx))


def run(request: TrackRequest, resume_command: list[str]) -> None:
    """Track, write, sum up."""
    bounds = opt.parse_frames(request.frames)
    if request.resume is None and not request.prompts:
        raise NoPromptError("nothing was prompted: say what to track with --point, --box or --mask")
    if request.resume is not None and request.prompts:
        raise typer.BadParameter("a resumed run keeps its prompts; leave the new ones out", param_hint="--resume")
    masks = [prompt.mask for prompt in request.prompts if prompt.mask is not None]
    request.outputs.check(request.movie.path, *masks)
    if request.resume is None:
        session, span, passes = _begin(request, bounds)
    else:
        session, span, passes = _go_on(request, request.resume, bounds)
    autosave = Autosave(session, request.outputs.kept_session)
    tally = follow(session, passes, quiet=request.quiet, after_frame=autosave.after_frame)
    session.flush()
    command = shlex.join([*resume_command, "--resume", str(request.outputs.kept_session)])
    finish(session, request.outputs, tally, span, quiet=request.quiet, resume=command)
    if request.outputs.session is None:
        autosave.discard()


def _begin(request: TrackRequest, bounds: tuple[int, int | None]) -> tuple[Session, range, list[Pass]]:
    source = request.movie.open(quiet=request.quiet)
    span = frame_span(bounds, len(source))
    prompted: dict[int, list[int]] = {}
    for prompt in request.prompts:
        prompted.setdefault(prompt.object_id, []).append(prompt.frame)
    passes = plan_passes(prompted, span, request.direction.value)
    check_prompts(request.prompts, source)
    predictor = request.model.load(quiet=request.quiet)
    session = predictor.start(source, window=request.window, cache_dir=request.feature_cache)
    give_prompts(session, request.prompts, quiet=request.quiet)
    return session, span, passes


def _go_on(request: TrackRequest, path: Path, bounds: tuple[int, int | None]) -> tuple[Session, range, list[Pass]]:
    source = request.movie.open(quiet=request.quiet)
    span = frame_span(bounds, len(source))
    predictor = request.model.load(quiet=request.quiet, otherwise=model_of_session(path, request.model.name))
    again = predictor.replay if request.exact else predictor.resume
    session = again(path, source, cache_dir=request.feature_cache)
    check_numbers(session.objects)
    prompted = {number: item.prompted_frames for number, item in session.objects.items() if item.prompts}
    passes = plan_passes(prompted, span, request.direction.value)
    return session, span, remaining_passes(passes, session.objects)


def frame_span(bounds: tuple[int, int | None], length: int) -> range:
    """Bring ``--frames`` together with a movie.

    Raises
    ------
    FrameRangeError
        If the movie is shorter.
    """
    start, stop = bounds
    if start >= length or (stop is not None and stop > length):
        raise FrameRangeError(f"--frames {start}:{stop or ''} is outside the movie, which has frames 0 to {length - 1}")
    return range(start, length if stop is None else stop)


def resume_hint(ctx: typer.Context) -> list[str]:
    """Write the command again, without what a resumed run takes from its session."""
    kept = {
        "--out": "out",
        "--preview": "preview",
        "--session": "session",
        "--overlap": "overlap",
        "--direction": "direction",
        "--frames": "frames",
        "--model": "model",
        "--device": "device",
        "--backend": "backend",
        "--threads": "threads",
        "--feature-cache": "feature_cache",
        "--axes": "axes",
        "--channel": "channel",
        "--plane": "plane",
        "--series": "series",
    }
    words = ["sam2v", "track", str(ctx.params["movie"])]
    for option, name in kept.items():
        value = ctx.params[name]
        if name in option_order(ctx):
            words += [option, str(getattr(value, "value", value))]
    return words
