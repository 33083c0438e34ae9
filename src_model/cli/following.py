"""A job with a progress bar, so that whatever ends it, what was done is kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console

from src_model.cli.stopping import StopRequest
from src_model.cli.terminal import make_progress, warn

if TYPE_CHECKING:
    from src_model.document import Annotation
    from src_model.workflow import DocumentTracker, TrackingJob


@dataclass(frozen=True, slots=True)
class Tally:
    """How the tracking went.

    Attributes
    ----------
    frames
        How many different frames were tracked.
    steps
        Frames tracked; one that was tracked forwards and in reverse counts twice.
    seconds
        How long that took, on the wall clock.
    complete
        Whether nothing was left to do.
    error
        What broke it off.
    damaged
        Frames that could not be read, ascending; they are not among those tracked.
    found
        Whether any mask was found besides those that prompts gave.
    summary
        What the job found out besides masks, in sentences; empty where nothing is.
    """

    frames: int
    steps: int
    seconds: float
    complete: bool = True
    error: Exception | None = None
    damaged: tuple[int, ...] = ()
    found: bool = True
    summary: str = ""


def follow(
    annotation: Annotation,
    tracker: DocumentTracker,
    begin: Callable[[Annotation], TrackingJob],
    save: Callable[[], object],
    *,
    quiet: bool,
    clock: Callable[[], float] = time.monotonic,
) -> Tally:
    """Answer the prompts of a document and track; on Ctrl-C or an error, say how far it came instead of losing it.

    Parameters
    ----------
    annotation
        With prompts, and what was tracked before.
    tracker
        The tracker of the document, with its movie.
    begin
        Makes the job of the document, once its prompts are answered.
    save
        Writes the document, now and then.
    quiet
        Show no progress bar.
    clock
        Returns seconds, for the next saving.
    """
    from src_model.workflow import PeriodicSave, answer_prompts, run_job

    with Console(stderr=True, quiet=quiet).status("Looking at the prompts"):
        answer_prompts(annotation, tracker)
    saving = PeriodicSave(save, lambda reason: warn(f"Tracking goes on, but is not saved meanwhile: {reason}"), clock)
    job = begin(annotation)
    total = job.progress.total
    done: list[int] = []
    exhausted = False
    error: Exception | None = None
    start = time.perf_counter()
    with StopRequest() as stop, make_progress(quiet=quiet) as shown, closing(run_job(job, tracker)) as progress:  # type: ignore[type-var]
        task = shown.add_task("Tracking", total=total)
        try:
            for now in progress:
                done.append(now.frame)
                shown.advance(task)
                saving.after_frame()
                if stop.requested:
                    break
            else:
                exhausted = True
        except KeyboardInterrupt:
            pass
        except Exception as problem:
            error = problem
    seconds = time.perf_counter() - start
    # Ctrl-C on the last frame interrupts nothing.
    complete = error is None and (exhausted or len(done) == total)
    tracked = [frame for frame in done if frame not in job.damaged]
    damaged = tuple(sorted(job.damaged))
    return Tally(len(set(tracked)), len(tracked), seconds, complete, error, damaged, job.found, job.summary)
