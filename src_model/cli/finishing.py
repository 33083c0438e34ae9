"""Writing what was tracked, and summing up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from src_model.cli.error_messages import STOPPED
from src_model.cli.following import Tally
from src_model.cli.job import Outputs
from src_model.cli.output import LabelsMovie, write_labels
from src_model.cli.preview import preview_length, write_preview
from src_model.cli.terminal import duration_text, make_progress, peak_memory, say, size_text, warn
from src_model.errors import MovieError, SessionFileError

if TYPE_CHECKING:
    from src_model.tracking import Session


def finish(session: Session, outputs: Outputs, tally: Tally, span: range, *, quiet: bool, resume: str) -> None:
    """Write everything and sum up; if tracking was cut short, keep the session too and say how to go on.

    Parameters
    ----------
    session
        What was tracked.
    outputs
        Where it goes.
    tally
        How it went.
    span
        The frames that were asked for.
    quiet
        Say nothing but errors.
    resume
        The command that goes on.

    Raises
    ------
    Exception
        What broke the tracking off, or kept the results from being written; the session is safe then.
    MovieError
        If no frame but the prompted ones could be read.
    typer.Exit
        If the user stopped it.
    """
    try:
        if outputs.session is not None and tally.complete:
            session.save(outputs.session)
        write_all(session, outputs, span, quiet=quiet)
        document = write_document(session, outputs) if tally.complete else None
    except BaseException:
        _keep(session, outputs, resume)
        raise
    summarize(session, tally, quiet=quiet)
    list_outputs(outputs, document, quiet=quiet)
    if tally.damaged:
        warn(f"Cannot be read, and gone over: {_described(tally.damaged)}. No masks are known there.")
    if not tally.complete:
        _keep(session, outputs, resume)
        raise tally.error or typer.Exit(STOPPED)
    if tally.damaged and not tally.found:
        raise MovieError(
            f"nothing could be tracked in '{session.movie.name}': {_described(tally.damaged)} cannot be read"
        )


def write_all(session: Session, outputs: Outputs, span: range, *, quiet: bool) -> None:
    """Write labels and preview with a progress bar."""
    labels = LabelsMovie(session.masklets, (len(session.movie), *session.frame_shape), outputs.overlap)
    with make_progress(quiet=quiet) as progress:
        task = progress.add_task("Writing labels", total=len(session.movie))
        write_labels(outputs.labels, labels, lambda: progress.advance(task))
        if outputs.preview is not None:
            drawn = progress.add_task("Drawing", total=preview_length(outputs.preview, span))
            write_preview(outputs.preview, session, span, lambda: progress.advance(drawn))


def summarize(session: Session, tally: Tally, *, quiet: bool) -> None:
    """Say what was tracked, how fast, and with how much memory."""
    objects, frames = len(session.objects), tally.frames
    what = f"{objects} object{'s' * (objects != 1)} through {frames} frame{'s' * (frames != 1)}"
    speed = f" ({tally.steps / tally.seconds:.1f} frames a second)" if tally.steps else ""
    parts = [f"Tracked {what} in {duration_text(tally.seconds)}{speed}"]
    peak = peak_memory()
    if peak is not None:
        parts.append(f"peak memory {size_text(peak)}")
    if session.steps.device.type == "cuda":
        import torch

        parts.append(f"on the GPU {size_text(torch.cuda.max_memory_allocated(session.steps.device))}")
    say(", ".join(parts) + ".", quiet=quiet)


def write_document(session: Session, outputs: Outputs) -> Path | None:
    """Write what was tracked as a document, where one is wanted; return its path."""
    path = outputs.document
    if path is None or outputs.movie is None:
        return None
    from src_model.document import save
    from src_model.workflow.session_document import document_of

    return save(document_of(session, str(outputs.movie.absolute())), path)


def list_outputs(outputs: Outputs, document: Path | None = None, *, quiet: bool) -> None:
    """Say what was written where."""
    written = {"labels": outputs.labels, "preview": outputs.preview, "session": outputs.session, "document": document}
    for name, path in written.items():
        if path is not None:
            say(f"{name:8} {path}", quiet=quiet)


def _described(frames: tuple[int, ...]) -> str:
    from src_model.document.spans import described

    return described(frames)


def _keep(session: Session, outputs: Outputs, resume: str) -> None:
    """Save a session that is not finished, and say how to go on with it."""
    try:
        session.save(outputs.kept_session)
    except SessionFileError as error:
        warn(f"Not finished, and what was done cannot be saved to go on later: {error}")
    else:
        warn(f"Not finished. What was done is in {outputs.kept_session}. To go on: {resume}")
