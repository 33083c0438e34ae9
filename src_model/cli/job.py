"""What the sub-commands that track start from: a model, a movie, prompts, and places to write to."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from src_model.cli.files import check_writable
from src_model.cli.output import check_labels_path
from src_model.cli.preview import check_preview_path
from src_model.cli.saved import is_session
from src_model.cli.terminal import warn
from src_model.errors import MovieError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from src_model.acceleration import BackendName
    from src_model.cli.prompt_options import FramePrompt
    from src_model.frames import Channel, FrameSource, Plane
    from src_model.masks import Overlap
    from src_model.tracking import Session, StreamingPredictor
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
    backend: BackendName = "auto"

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
            backend=self.backend,
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
    """What is written, and where; of a known movie, a document to work on with too."""

    labels: Path
    preview: Path | None = None
    session: Path | None = None
    overlap: Overlap = "score"
    force: bool = False
    movie: Path | None = None

    @property
    def document(self) -> Path | None:
        """Where a document goes to work on with: beside the labels of a known movie, under a name that is free."""
        if self.movie is None:
            return None
        stem = self.labels.stem.removesuffix(".ome")
        names = itertools.chain([stem], (f"{stem}-{count}" for count in itertools.count(2)))
        paths = (self.labels.with_name(f"{name}.sam2v") for name in names)
        return next(path for path in paths if not path.exists())

    @property
    def kept_session(self) -> Path:
        """Where the session goes if tracking is stopped: as asked for, or beside the labels."""
        return self.session or self.labels.with_name(f"{self.labels.stem}.session.json")

    def check(self, movie: Path, *others: Path, may_stop: bool = True) -> None:
        """Find out before hours of work whether everything can and may be written.

        Parameters
        ----------
        movie, others
            Files that are read, onto which nothing may be written.
        may_stop
            Whether the session is kept where the work is stopped, even if it was not asked for.

        Raises
        ------
        typer.BadParameter, MissingExtraError
            If not.
        """
        from src_model.formats.target import files_of_movie

        sources = (*files_of_movie(movie), *others)
        check_labels_path(self.labels, sources=sources, force=self.force)
        if self.preview is not None:
            check_preview_path(self.preview, sources=(*sources, self.labels), force=self.force)
        if self.session is not None and self.session.suffix != ".json":
            raise typer.BadParameter(f"'{self.session}' must end in .json", param_hint="--session")
        session = self.kept_session if may_stop else self.session
        if session is not None:
            check_writable(session, "--session", is_session, sources=(*sources, self.labels), force=self.force)


def check_prompts(prompts: Sequence[FramePrompt], movie: FrameSource) -> None:
    """Find out before a model is loaded whether prompts fit the movie.

    Raises
    ------
    FrameRangeError, PromptError, MovieError
        If not.
    """
    from src_model.tracking.frame_numbers import checked_frame
    from src_model.tracking.prompts import make_prompt

    shape = movie.shape[1], movie.shape[2]
    for prompt in prompts:
        checked_frame(prompt.frame, len(movie))
        if prompt.mask is not None:
            make_prompt(shape, mask=read_mask(prompt.mask, prompt.frame))
        if prompt.points or prompt.box is not None:
            make_prompt(shape, points=prompt.points or None, labels=prompt.labels or None, box=prompt.box)


def give_prompts(session: Session, prompts: Sequence[FramePrompt], *, quiet: bool) -> None:
    """Give a session the prompts of the command line."""
    with Console(stderr=True, quiet=quiet).status("Looking at the prompts"):
        for prompt in prompts:
            if prompt.mask is not None:
                session.prompt(prompt.frame, prompt.object_id, mask=read_mask(prompt.mask, prompt.frame))
            if prompt.points or prompt.box is not None:
                points, labels = prompt.points or None, prompt.labels or None
                session.prompt(prompt.frame, prompt.object_id, points=points, labels=labels, box=prompt.box)


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
