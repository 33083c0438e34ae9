"""What the sub-commands that track start from: a model, a movie, prompts, and places to write to."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from src_model.cli.files import check_writable
from src_model.cli.output import check_labels_path
from src_model.cli.preview import check_preview_path
from src_model.cli.terminal import warn
from src_model.errors import FrameRangeError, MovieError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from src_model.cli.prompt_options import FramePrompt
    from src_model.document import Annotation, Project
    from src_model.frames import Channel, FrameSource, Plane
    from src_model.masks import Overlap
    from src_model.prompts import Prompt
    from src_model.tracking import StreamingPredictor
    from src_model.tracking.precision import PrecisionChoice
    from src_model.tracking.settings import PresetName

DEFAULT_MODEL = "default"


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which model runs, and how."""

    name: str | None = None
    device: str = "auto"
    preset: PresetName = "default"
    image_size: int | None = None
    threads: int | None = None
    precision: PrecisionChoice = "exact"

    def load(self, *, quiet: bool, otherwise: str = DEFAULT_MODEL) -> StreamingPredictor:
        """Load the model, or another one if none was chosen."""
        with Console(stderr=True, quiet=quiet).status("Loading the model"):
            from src_model.tracking import StreamingPredictor
            from src_model.tracking.threads import use_threads

            use_threads(self.threads)
        # Without a status line, because a first use shows the progress of a download.
        return StreamingPredictor.load(
            self.name or otherwise,
            device=self.device,
            preset=self.preset,
            image_size=self.image_size,
            precision=self.precision,
        )


@dataclass(frozen=True, slots=True)
class MovieChoice:
    """Which movie is read, and how."""

    path: Path
    axes: str | None = None
    channel: Channel = None
    plane: Plane = None
    series: int | None = None

    def open(self, *, quiet: bool = False) -> FrameSource:
        """Open the movie and say what there is to know about its file; frames are read when they are needed."""
        from src_model.frames import open_movie

        source = open_movie(self.path, axes=self.axes, channel=self.channel, plane=self.plane, series=self.series)
        for note in getattr(source, "notes", ()) if not quiet else ():
            warn(f"{note}.")
        return source


@dataclass(frozen=True, slots=True)
class Outputs:
    """What is written, and where.

    Attributes
    ----------
    labels
        The labels movie, a TIFF or zarr path, or a folder.
    preview
        A picture or video; None: none.
    document
        What napari opens and ``--resume`` goes on with; None: no place was asked for.
    overlap
        Who gets a pixel that several objects claim.
    force
        Replace files of others.
    is_ctc
        Whether ``labels`` is a folder of the Cell Tracking Challenge.
    """

    labels: Path
    preview: Path | None = None
    document: Path | None = None
    overlap: Overlap = "score"
    force: bool = False
    is_ctc: bool = False

    def with_document(self, resumed: Path | None = None) -> Outputs:
        """Choose a place for the document where none was asked for: the one gone on with, or one beside the labels."""
        return replace(self, document=self.document or resumed or free_document(self.labels))

    def check(self, movie: Path, *others: Path) -> None:
        """Find out before hours of work whether everything can and may be written.

        Parameters
        ----------
        movie, others
            Files that are read, onto which nothing may be written.

        Raises
        ------
        typer.BadParameter, MissingExtraError
            If one of them cannot be written, or something is there that must not be replaced.
        """
        from src_model.formats.target import files_of_movie

        sources = (*files_of_movie(movie), *others)
        check_labels_path(self.labels, sources=sources, force=self.force, is_ctc=self.is_ctc)
        if self.preview is not None:
            check_preview_path(self.preview, sources=(*sources, self.labels), force=self.force)
        if self.document is not None:
            self._check_document(self.document, *sources, self.labels)

    def _check_document(self, document: Path, *sources: Path) -> None:
        if document.suffix != ".sam2v":
            raise typer.BadParameter(f"'{document}' must end in .sam2v", param_hint="--document")
        if document.exists() and not self.force:
            raise typer.BadParameter(
                f"'{document}' is there, and may hold what somebody corrected; choose another name, go on with it by "
                "--resume, or replace it with --force",
                param_hint="--document",
            )
        check_writable(document, "--document", lambda path: True, sources=sources, force=self.force)


def free_document(labels: Path) -> Path:
    """Return a free path for a document beside labels: what somebody corrected is never replaced."""
    stem = labels.stem.removesuffix(".ome")
    names = itertools.chain([stem], (f"{stem}-{count}" for count in itertools.count(2)))
    paths = (labels.with_name(f"{name}.sam2v") for name in names)
    return next(path for path in paths if not path.exists())


def model_of(document: Path, project: Project, chosen: str | None) -> str:
    """Name the model that a document is gone on with: the chosen one, or the one it was made with.

    Parameters
    ----------
    document
        The file, for errors.
    project
        The project of the document, which names its model.
    chosen
        A name or a file; None: that of the document.

    Raises
    ------
    typer.BadParameter
        If no model was chosen, and that of the document was a file, of which only the name is known.
    """
    from src_model.weights import REGISTRY

    if chosen is not None:
        return chosen
    if project.model is None:
        return DEFAULT_MODEL
    if project.model.name not in REGISTRY:
        raise typer.BadParameter(
            f"'{document}' was made with the checkpoint file '{project.model.name}'; say where it is",
            param_hint="--model",
        )
    return project.model.name


def check_prompts(prompts: Sequence[FramePrompt], movie: FrameSource, span: range) -> None:
    """Find out before a model is loaded whether prompts fit the movie and lie among the frames to be tracked.

    Raises
    ------
    FrameRangeError, PromptError, MovieError
        If a frame, a point, a box or a mask does not fit.
    """
    from src_model.tracking.frame_numbers import checked_frame

    shape = movie.shape[1], movie.shape[2]
    for prompt in prompts:
        frame = checked_frame(prompt.frame, len(movie))
        if frame not in span:
            raise FrameRangeError(
                f"object {prompt.object_id} is prompted on frame {frame}, which is not among the frames to be tracked, "
                f"{span.start} to {span.stop - 1}"
            )
        prompt_of(prompt, shape)


def prompt_of(given: FramePrompt, shape: tuple[int, int]) -> Prompt:
    """Make a prompt of what was given on the command line for one object on one frame of ``(Y, X)`` pixels.

    Raises
    ------
    PromptError, MovieError
        If it does not fit the movie, or a mask cannot be read.
    """
    from src_model.prompts import Prompt, make_prompt

    prompt = Prompt()
    if given.mask is not None:
        prompt = make_prompt(shape, mask=read_mask(given.mask, given.frame))
    if given.points or given.box is not None:
        later = make_prompt(shape, points=given.points or None, labels=given.labels or None, box=given.box)
        prompt = prompt.extended(later)
    return prompt


def new_document(movie: FrameSource, path: Path, predictor: StreamingPredictor) -> Annotation:
    """Begin a document of a movie that lies at ``path`` and is tracked with a predictor; three frames are read.

    Raises
    ------
    MovieError
        If they cannot be.
    """
    from src_model.document import Annotation, MovieIdentity
    from src_model.frames import decide_normalization
    from src_model.tracking.session_document import project_of

    identity = MovieIdentity.of(movie, path=str(path.absolute()))
    return Annotation(project_of(predictor.steps, identity, decide_normalization(movie)))


def add_prompts(annotation: Annotation, prompts: Sequence[FramePrompt]) -> None:
    """Give a document the prompts of the command line, as one step; objects that are not there are added."""
    from src_model.document import AddObject, AnnotatedObject, Group, SetPrompt

    new = {prompt.object_id: None for prompt in prompts if prompt.object_id not in annotation.objects}
    added = tuple(AddObject(AnnotatedObject(number)) for number in new)
    shape = annotation.movie.frame_shape
    given = tuple(SetPrompt(each.object_id, each.frame, prompt_of(each, shape)) for each in prompts)
    annotation.do(Group("Prompts of the command line", added + given))


def read_mask(path: Path, frame: int) -> NDArray[np.bool_]:
    """Read a mask image, ``(Y, X)`` bool; of a movie of masks, the frame of this number.

    Raises
    ------
    MovieError
        If it cannot be read or has no such frame.
    """
    from src_model.frames import open_movie

    images = open_movie(path)
    number = frame if len(images) > 1 else 0
    if number >= len(images):
        raise MovieError(f"the mask '{path}' has {len(images)} frames and none for frame {frame}")
    image = images.read(number)
    mask: NDArray[np.bool_] = (image != 0).any(axis=2) if image.ndim == 3 else image != 0
    return mask
