"""Tracking with a progress bar, so that whatever ends it, what was done is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from src_model.cli.stopping import StopRequest
from src_model.cli.terminal import make_progress, warn
from src_model.errors import SessionFileError
from src_model.tracking.passes import Pass

if TYPE_CHECKING:
    from src_model.tracking import FrameResult, Session

_SECONDS_BETWEEN_SAVES = 60.0
_WORK_PER_SAVING = 20.0
"""Saving may take one part in so many of the time."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How the tracking went.

    Attributes
    ----------
    frames
        Different frames tracked.
    steps
        Frames tracked; one that was tracked forwards and in reverse counts twice.
    seconds
        Time that took.
    complete
        Whether nothing was left to do.
    error
        What broke it off.
    damaged
        Frames that could not be read, ascending; they are not among those tracked.
    found
        Whether any mask was found besides those that prompts gave.
    """

    frames: int
    steps: int
    seconds: float
    complete: bool = True
    error: Exception | None = None
    damaged: tuple[int, ...] = ()
    found: bool = True


class Autosave:
    """Saves a session every minute while it is tracked, against crashes and power cuts.

    Parameters
    ----------
    session
        What is saved.
    path
        Where to.
    clock
        Gives the time in seconds.
    """

    def __init__(self, session: Session, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._session, self._path, self._clock = session, path, clock
        self._was_there = path.exists()
        self._due = clock() + _SECONDS_BETWEEN_SAVES
        self._saved = False

    def after_frame(self) -> None:
        """Save if it is time."""
        start = self._clock()
        if start < self._due:
            return
        try:
            self._session.save(self._path)
            self._saved = True
        except SessionFileError as error:
            warn(f"Tracking goes on, but is not saved meanwhile: {error}")
            self._due = float("inf")
            return
        end = self._clock()
        self._due = end + max(_SECONDS_BETWEEN_SAVES, (end - start) * _WORK_PER_SAVING)

    def discard(self) -> None:
        """Remove the file, which is not needed any more, unless there was one before."""
        if self._saved and not self._was_there:
            self._path.unlink(missing_ok=True)


def follow(
    session: Session, passes: Sequence[Pass], *, quiet: bool, after_frame: Callable[[], None] = lambda: None
) -> Tally:
    """Track; on Ctrl-C or an error, say how far it came instead of losing it.

    Parameters
    ----------
    session
        With prompts.
    passes
        What is tracked, in order.
    quiet
        Show no progress.
    after_frame
        Called after each frame.
    """
    total = sum(len(planned.frames) for planned in passes)
    done: list[int] = []
    damaged: list[int] = []
    found = exhausted = False
    start = time.perf_counter()
    error: Exception | None = None
    with StopRequest() as stop, make_progress(quiet=quiet) as progress:
        task = progress.add_task("Tracking", total=total)
        try:
            for result in _tracked(session, passes):
                if result.damaged is None:
                    done.append(result.frame)
                else:
                    damaged.append(result.frame)
                found = found or bool(result.logits)
                progress.advance(task)
                after_frame()
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
    complete = error is None and (exhausted or len(done) + len(damaged) == total)
    return Tally(len(set(done)), len(done), seconds, complete, error, tuple(sorted(set(damaged))), found)


def _tracked(session: Session, passes: Sequence[Pass]) -> Iterator[FrameResult]:
    for planned in passes:
        yield from session.propagate(
            planned.frames.start, planned.stop, reverse=planned.reverse, objects=planned.objects
        )
