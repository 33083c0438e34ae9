"""Writing what was tracked, and summing up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from src_model.cli.error_messages import STOPPED
from src_model.cli.following import Tally
from src_model.cli.job import Outputs
from src_model.cli.output import LabelsMovie, write_labels
from src_model.cli.preview import preview_length, write_preview
from src_model.cli.terminal import duration_text, make_progress, peak_memory, say, size_text, warn
from src_model.errors import AnnotationFileError, MovieError

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from src_model.document import Annotation
    from src_model.frames import FrameSource
    from src_model.workflow import DocumentTracker


def finish(
    annotation: Annotation,
    tracker: DocumentTracker,
    outputs: Outputs,
    tally: Tally,
    span: range,
    *,
    quiet: bool,
    resume: str,
) -> None:
    """Write everything and sum up; if tracking was cut short, say how to go on with the document.

    Parameters
    ----------
    annotation
        The document that was tracked.
    tracker
        The tracker that did it, with its session and movie.
    outputs
        Where it goes, with a place for the document.
    tally
        How far the tracking came, and what ended it.
    span
        The frames that were asked for.
    quiet
        Say nothing but errors.
    resume
        The command that goes on.

    Raises
    ------
    Exception
        What broke the tracking off, or kept the results from being written; the document is safe then.
    MovieError
        If no frame but the prompted ones could be read.
    typer.Exit
        If the user stopped it.
    """
    problem = _save(annotation, outputs)
    try:
        write_all(annotation, tracker.session.movie, outputs, span, quiet=quiet)
    except BaseException:
        _say_how_to_go_on(outputs, resume, problem)
        raise
    summarize(len(annotation.objects), tally, tracker.session.steps.device, quiet=quiet)
    if tally.summary:
        say(tally.summary, quiet=quiet)
    list_outputs(outputs if problem is None else replace(outputs, document=None), quiet=quiet)
    if tally.damaged:
        warn(f"Cannot be read, and gone over: {_described(tally.damaged)}. No masks are known there.")
    if not tally.complete:
        _say_how_to_go_on(outputs, resume, problem)
        raise tally.error or typer.Exit(STOPPED)
    if tally.damaged and not tally.found:
        raise MovieError(
            f"nothing could be tracked in '{annotation.movie.name}': {_described(tally.damaged)} cannot be read"
        )
    if problem is not None:
        raise problem


def write_all(document: Annotation, movie: FrameSource, outputs: Outputs, span: range, *, quiet: bool) -> None:
    """Write labels and preview with a progress bar."""
    differences: tuple[str, ...] = ()
    with make_progress(quiet=quiet) as progress:
        task = progress.add_task("Writing labels", total=len(movie))
        if outputs.is_ctc:
            differences = _write_ctc(document, outputs, lambda: progress.advance(task))
        else:
            write_labels(outputs.labels, LabelsMovie(document, outputs.overlap), lambda: progress.advance(task))
        if outputs.preview is not None:
            drawn = progress.add_task("Drawing", total=preview_length(outputs.preview, span))
            write_preview(outputs.preview, document, movie, span, lambda: progress.advance(drawn))
    for text in differences if not quiet else ():
        warn(text)


def _write_ctc(document: Annotation, outputs: Outputs, on_frame: Callable[[], None]) -> tuple[str, ...]:
    """Write a folder of the Cell Tracking Challenge; return in which masks, numbers or links it differs, in words."""
    from src_model.formats import ExportOptions, export

    options = ExportOptions(overlap=outputs.overlap, force=outputs.force, progress=lambda done, total: on_frame())
    report = export(document, outputs.labels, "ctc", options)
    return tuple(loss.text for loss in report.losses if loss.matters)


def summarize(objects: int, tally: Tally, device: torch.device, *, quiet: bool) -> None:
    """Say what was tracked, how fast, and with how much memory."""
    frames = tally.frames
    what = f"{objects} object{'s' * (objects != 1)} through {frames} frame{'s' * (frames != 1)}"
    speed = f" ({tally.steps / tally.seconds:.1f} frames a second)" if tally.steps else ""
    parts = [f"Tracked {what} in {duration_text(tally.seconds)}{speed}"]
    peak = peak_memory()
    if peak is not None:
        parts.append(f"peak memory {size_text(peak)}")
    if device.type == "cuda":
        import torch

        parts.append(f"on the GPU {size_text(torch.cuda.max_memory_allocated(device))}")
    say(", ".join(parts) + ".", quiet=quiet)


def list_outputs(outputs: Outputs, *, quiet: bool) -> None:
    """Say what was written where."""
    written = {"labels": outputs.labels, "preview": outputs.preview, "document": outputs.document}
    for name, path in written.items():
        if path is not None:
            say(f"{name:8} {path}", quiet=quiet)


def _save(annotation: Annotation, outputs: Outputs) -> AnnotationFileError | None:
    """Save the document, and return why that was not possible: labels are worth writing all the same."""
    from src_model.document import save

    try:
        save(annotation, outputs.document)
    except AnnotationFileError as error:
        return error
    return None


def _say_how_to_go_on(outputs: Outputs, resume: str, problem: AnnotationFileError | None) -> None:
    if problem is None:
        warn(f"Not finished. What was done is in {outputs.document}. To go on: {resume}")
    else:
        warn(f"Not finished, and what was done cannot be saved to go on later: {problem}")


def _described(frames: tuple[int, ...]) -> str:
    from src_model.document.spans import described

    return described(frames)
