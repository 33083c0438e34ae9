"""``sam2v track``: prompts and a movie in, a labels movie and a document out."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from src_model.cli import options as opt
from src_model.cli.finishing import finish
from src_model.cli.following import follow
from src_model.cli.job import ModelChoice, MovieChoice, Outputs, add_prompts, check_prompts, model_of, new_document
from src_model.cli.output import check_numbers, means_ctc
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
from src_model.errors import FrameRangeError, NoPromptError
from src_model.workflow.division_choice import Divisions  # typer reads it when the program runs

if TYPE_CHECKING:
    from src_model.document import Annotation
    from src_model.frames import FrameSource
    from src_model.tracking.windows.rules import WindowChoice
    from src_model.workflow import DocumentTracker, TrackingJob, WholeMovieOptions

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
        metavar="DOCUMENT",
        help="Go on with a .sam2v document of a run that was stopped, or that was corrected in napari: prompts, "
        "settings and finished frames are those of the document, which is written again.",
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
        help="'both' tracks forward from the first prompt, then each object backward from its own first prompt.",
    ),
]
AllOption = Annotated[
    bool,
    typer.Option(
        "--all",
        help="Find every object and track all of them forward together, from birth to division: no prompt is needed.",
    ),
]
EveryOption = Annotated[
    int, typer.Option("--every", min=1, metavar="FRAMES", help="With --all: how often new objects are looked for.")
]
DivisionsOption = Annotated[
    Divisions,
    typer.Option(
        "--divisions",
        help="With --all: 'auto' marks the sure ones in the document and in exports, 'ask' only suggests them, 'off' "
        "looks for none.",
    ),
]


@dataclass(frozen=True, slots=True)
class TrackCommand:
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
    whole: WholeMovieOptions | None = None


def track(
    ctx: typer.Context,
    movie: MovieArgument,
    point: PointOption = None,
    negative: NegativeOption = None,
    box: BoxOption = None,
    mask: MaskOption = None,
    object_ids: ObjectOption = None,
    out: opt.OutOption = "labels.tif",
    preview: opt.PreviewOption = None,
    document: opt.DocumentOption = None,
    overlap: opt.OverlapOption = opt.OverlapChoice.SCORE,
    force: opt.ForceOption = False,
    resume: ResumeOption = None,
    exact: ExactOption = False,
    direction: DirectionOption = opt.Direction.BOTH,
    frames: opt.FramesOption = None,
    everything: AllOption = False,
    every: EveryOption = 5,
    divisions: DivisionsOption = Divisions.AUTO,
    model: opt.ModelOption = None,
    device: opt.DeviceOption = "auto",
    preset: opt.PresetOption = opt.Preset.DEFAULT,
    image_size: opt.ImageSizeOption = None,
    window: opt.WindowOption = None,
    precision: opt.PrecisionOption = opt.PrecisionName.AUTO,
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

    Or everything there is, with divisions and what comes later:

        sam2v track cells.tif --all
        sam2v track cells.tif --all --out ctc/

    Beside the labels goes a document, labels.sam2v, to look through, correct and track on in napari, and to go on with
    by --resume. One that is there is never replaced; the new one gets another name then.

    Frames, rows and columns count from 0. Ctrl-C keeps the finished frames and says how to go on.
    """
    given = GivenPrompts(point, negative, box, mask, object_ids)
    options = TrackCommand(
        MovieChoice(movie, axes, opt.parse_channel(channel), opt.parse_plane(plane), series),
        ModelChoice(model, device, preset.value, image_size, threads, precision.value),
        Outputs(Path(out), preview, document, overlap.value, force, means_ctc(out)),
        collect_prompts(option_order(ctx), given),
        resume,
        exact,
        direction,
        frames,
        opt.parse_window(window),
        feature_cache,
        quiet,
        _whole_movie(every, divisions, direction) if everything else None,
    )
    _check_together(set(option_order(ctx)), options)
    run(options, resume_hint(ctx))


def _check_together(given: set[str], options: TrackCommand) -> None:
    """Refuse options that say nothing without another one, or that contradict it."""
    for name in ("every", "divisions"):
        if name in given and options.whole is None:
            raise typer.BadParameter("this belongs to --all, which is not given", param_hint=f"--{name}")
    if options.exact and options.resume is None:
        raise typer.BadParameter("this belongs to --resume, which is not given", param_hint="--exact")
    if options.exact and options.whole is not None:
        raise typer.BadParameter(
            "a run with --all goes on behind its last frame; to have it anew, leave --resume and --exact out",
            param_hint="--exact",
        )


def _whole_movie(every: int, divisions: Divisions, direction: opt.Direction) -> WholeMovieOptions:
    from src_model.workflow import WholeMovieOptions

    if direction is opt.Direction.BACKWARD:
        raise typer.BadParameter("--all goes forward, and looks back where something begins", param_hint="--direction")
    return WholeMovieOptions(every=every, divisions=divisions.value)


def run(options: TrackCommand, resume_command: list[str]) -> None:
    """Track, write, sum up."""
    from src_model.document import save

    bounds = opt.parse_frames(options.frames)
    if options.resume is None and not options.prompts and options.whole is None:
        raise NoPromptError(
            "nothing was prompted: say what to track with --point, --box or --mask, or find it by --all"
        )
    if options.resume is not None and options.prompts:
        raise typer.BadParameter("a resumed run keeps its prompts; leave the new ones out", param_hint="--resume")
    masks = [prompt.mask for prompt in options.prompts if prompt.mask is not None]
    options.outputs.check(options.movie.path, *masks)
    outputs = options.outputs.with_document(options.resume)
    assert outputs.document is not None, "chosen above"
    document = outputs.document
    movie = options.movie.open(quiet=options.quiet)
    span = frame_span(bounds, len(movie))
    resume = options.resume
    annotation, tracker = _begin(options, movie, span) if resume is None else _go_on(options, resume, movie)
    begin = partial(_job, options, span)
    tally = follow(annotation, tracker, begin, lambda: save(annotation, document), quiet=options.quiet)
    tracker.session.flush()
    if not annotation.objects and tally.complete:
        raise NoPromptError(
            "nothing was found on the frames that were searched; say what to track with --point, --box or --mask"
        )
    command = shlex.join([*resume_command, "--resume", str(document)])
    finish(annotation, tracker, outputs, tally, span, quiet=options.quiet, resume=command)


def _job(options: TrackCommand, span: range, annotation: Annotation) -> TrackingJob:
    from src_model.workflow import TrackingJob, TrackRequest, WholeMovieJob

    if options.whole is not None:
        return WholeMovieJob.begin(annotation, replace(options.whole, frames=span))
    return TrackingJob.track(
        annotation,
        TrackRequest(
            direction=options.direction.value,
            first=span.start,
            last=span.stop - 1,
            only_missing=options.resume is not None,
        ),
    )


def _begin(options: TrackCommand, movie: FrameSource, span: range) -> tuple[Annotation, DocumentTracker]:
    from src_model.workflow import DocumentTracker

    check_prompts(options.prompts, movie, span)
    predictor = options.model.load(quiet=options.quiet)
    if options.window is not None:
        predictor = predictor.with_settings(replace(predictor.steps.settings, window=options.window))
    annotation = new_document(movie, options.movie.path, predictor)
    add_prompts(annotation, options.prompts)
    return annotation, DocumentTracker(
        movie, lambda: predictor, normalization=annotation.project.normalization, cache_dir=options.feature_cache
    )


def _go_on(options: TrackCommand, path: Path, movie: FrameSource) -> tuple[Annotation, DocumentTracker]:
    from src_model.document import load
    from src_model.tracking.session_document import fitting_predictor
    from src_model.workflow import DocumentTracker, is_whole_movie, start_over

    annotation = load(path)
    if options.whole is None and is_whole_movie(annotation):
        raise typer.BadParameter(
            f"the objects of '{path}' were found by --all, and only --all goes on with them; add it",
            param_hint="--resume",
        )
    project = annotation.project
    predictor = options.model.load(quiet=options.quiet, otherwise=model_of(path, project, options.model.name))
    fitting = fitting_predictor(predictor, project, movie)
    check_numbers(annotation.objects)
    if options.exact:
        start_over(annotation)
    tracker = DocumentTracker(
        movie, lambda: fitting, normalization=project.normalization, cache_dir=options.feature_cache
    )
    return annotation, tracker


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
    """Write the command again, without what a resumed run takes from its document."""
    kept = {
        "--out": "out",
        "--preview": "preview",
        "--overlap": "overlap",
        "--direction": "direction",
        "--frames": "frames",
        "--all": "everything",
        "--every": "every",
        "--divisions": "divisions",
        "--model": "model",
        "--device": "device",
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
        if name in option_order(ctx) and value is True:
            words.append(option)
        elif name in option_order(ctx):
            words += [option, str(getattr(value, "value", value))]
    return words
