"""``sam2v demo``: a few objects tracked from one click each, and a picture of it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from src_model.cli import options as opt
from src_model.cli.finishing import finish
from src_model.cli.following import follow
from src_model.cli.job import (
    ModelChoice,
    MovieChoice,
    Outputs,
    add_prompts,
    check_prompts,
    free_document,
    new_document,
)
from src_model.cli.prompt_options import FramePrompt, parse_point
from src_model.cli.terminal import say
from src_model.errors import DamagedFrameError, NoPromptError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from src_model.detection import AutomaticDetector
    from src_model.document import Annotation, DocumentView
    from src_model.frames import FrameSource
    from src_model.workflow import DocumentTracker

EPITHELIUM_CLICKS = ((23, 26), (36, 95), (47, 145), (79, 214), (83, 53), (85, 132), (116, 90), (134, 183))
"""(y, x) on frame 0 of cells that stay whole and in view to the last frame, chosen by eye, spread over the sheet."""

PICTURE = "overlay.png"

_OBJECTS = len(EPITHELIUM_CLICKS)

DemoMovieArgument = Annotated[
    Path | None,
    typer.Argument(metavar="[MOVIE]", help="Your movie. Left out: the epithelium that ships with the package."),
]
FolderOption = Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where the files go.")]
ObjectsOption = Annotated[int, typer.Option("--objects", min=1, help="How many objects are tracked, at most.")]
MinScoreOption = Annotated[
    float | None,
    typer.Option(
        "--min-score",
        help="Predicted IoU from which on what is found in your movie is taken. Left out: as suits the model.",
    ),
]
MinStabilityOption = Annotated[
    float | None,
    typer.Option(
        "--min-stability",
        min=0,
        max=1,
        help="How stable the edges of what is found must be, 0 to 1. Left out: as suits the model.",
    ),
]
PointsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--points",
        "--point",
        metavar="T,Y,X",
        help="A click on one object, repeatable. Left out: chosen cells of the epithelium; in your movie, "
        "what is found on the first frame.",
    ),
]


def demo(
    movie: DemoMovieArgument = None,
    out: FolderOption = Path("demo"),
    objects: ObjectsOption = _OBJECTS,
    points: PointsOption = None,
    min_score: MinScoreOption = None,
    min_stability: MinStabilityOption = None,
    force: opt.ForceOption = False,
    model: opt.ModelOption = None,
    device: opt.DeviceOption = "auto",
    image_size: opt.ImageSizeOption = None,
    threads: opt.ThreadsOption = None,
    axes: opt.AxesOption = None,
    channel: opt.ChannelOption = None,
    plane: opt.PlaneOption = None,
    series: opt.SeriesOption = None,
    quiet: opt.QuietOption = False,
    debug: opt.DebugOption = False,
) -> None:
    """Track several objects from one click each and draw a picture of it.

    Writes labels.tif, overlay.png and demo.sam2v into the folder.
    """
    from src_model.workflow import DocumentTracker

    chosen = _movie_choice(movie, axes, channel, plane, series)
    source = chosen.open(quiet=quiet)
    outputs = _outputs(out, chosen.path, force=force)
    clicks = [parse_point(text, "--points") for text in points or ()]
    if not clicks and movie is None:
        clicks = [(0, y, x) for y, x in EPITHELIUM_CLICKS]
    prompts = click_prompts(clicks if points else clicks[:objects])
    check_prompts(prompts, source, range(len(source)))
    predictor = ModelChoice(model, device, image_size=image_size, threads=threads, precision="auto").load(quiet=quiet)
    annotation = new_document(source, chosen.path, predictor)
    if prompts:
        add_prompts(annotation, prompts)
    else:
        from src_model.detection import AutomaticDetector, AutomaticOptions

        detector = AutomaticDetector(predictor, AutomaticOptions(min_score=min_score, min_stability=min_stability))
        find_objects(detector, annotation, source, objects, quiet=quiet)
    tracker = DocumentTracker(source, lambda: predictor, normalization=annotation.project.normalization)
    _track(annotation, tracker, outputs, chosen.path, bundled=movie is None, quiet=quiet)


def click_prompts(clicks: Sequence[tuple[int, float, float]]) -> list[FramePrompt]:
    """Make an object of each click: frame, y, x."""
    return [FramePrompt(number, frame, [(y, x)], [1]) for number, (frame, y, x) in enumerate(clicks, 1)]


def find_objects(
    detector: AutomaticDetector, annotation: Annotation, movie: FrameSource, count: int, *, quiet: bool
) -> None:
    """Add the best of what is found on the first frame that can be read.

    Raises
    ------
    NoPromptError
        If nothing is found.
    DamagedFrameError
        If no frame can be read.
    """
    from src_model.detection import pick_objects
    from src_model.document import AddDetections

    frame, image = _first_readable(movie)
    picked = pick_objects(detector.detect(image, normalization=annotation.project.normalization), count)
    asked = detector.thresholds
    advice = (
        f"Asked for were a predicted IoU of {asked.min_score:g} and a stability of {asked.min_stability:g}: lower them "
        "with --min-score and --min-stability, or click on objects with --points T,Y,X."
    )
    if not picked:
        raise NoPromptError(f"nothing was found on frame {frame} of the movie. {advice}")
    if len(picked) < count:
        say(f"Found {len(picked)} objects on frame {frame}, of {count} at most. {advice}", quiet=quiet)
    annotation.do(AddDetections(frame, tuple(picked), detector.name))


def _first_readable(movie: FrameSource) -> tuple[int, NDArray[np.generic]]:
    for frame in range(len(movie) - 1):
        with suppress(DamagedFrameError):
            return frame, movie.read(frame)
    return len(movie) - 1, movie.read(len(movie) - 1)


def _movie_choice(
    movie: Path | None, axes: str | None, channel: str | None, plane: str | None, series: int | None
) -> MovieChoice:
    from src_model.data import epithelium_path

    if movie is None:
        return MovieChoice(epithelium_path())
    return MovieChoice(movie, axes, opt.parse_channel(channel), opt.parse_plane(plane), series)


def _outputs(folder: Path, movie: Path, *, force: bool) -> Outputs:
    """Make the folder, and find out whether the files may be written there."""
    from src_model.formats.target import check_apart, files_of_movie

    check_apart(folder, files_of_movie(movie))
    if folder.exists() and not folder.is_dir():
        raise typer.BadParameter(
            f"'{folder}' is a file, and a folder is needed; choose another name", param_hint="--out"
        )
    folder.mkdir(parents=True, exist_ok=True)
    outputs = Outputs(folder / "labels.tif", folder / PICTURE, force=force)
    outputs.check(movie)
    # The picture is of another kind than a preview.
    return replace(outputs, preview=None, document=free_document(folder / "demo.tif"))


def _track(
    annotation: Annotation, tracker: DocumentTracker, outputs: Outputs, path: Path, *, bundled: bool, quiet: bool
) -> None:
    from src_model.cli.demo_picture import draw_demo
    from src_model.document import save
    from src_model.workflow import TrackingJob, TrackRequest

    def begin(document: Annotation) -> TrackingJob:
        return TrackingJob.track(document, TrackRequest())

    picture, movie = outputs.labels.with_name(PICTURE), tracker.session.movie
    tally = follow(annotation, tracker, begin, lambda: save(annotation, outputs.document), quiet=quiet)
    again = ["sam2v", "track", str(path), "--resume", str(outputs.document), "--out", str(outputs.labels)]
    finish(annotation, tracker, outputs, tally, range(len(movie)), quiet=quiet, resume=shlex.join(again))
    draw_demo(picture, annotation, movie, _captions(annotation, bundled))
    say(f"picture  {picture}", quiet=quiet)


def _captions(document: DocumentView, bundled: bool) -> Callable[[int], str]:
    from src_model.data import EPITHELIUM_FRAME_INTERVAL

    clicked = any(prompt.points for number in document.objects for prompt in document.prompts(number).values())

    def caption(frame: int) -> str:
        time = f"{frame * EPITHELIUM_FRAME_INTERVAL / 60:.0f} min" if bundled else f"frame {frame}"
        return f"{time}, one click each" if frame == 0 and clicked else time

    return caption
