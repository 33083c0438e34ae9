"""Where objects of a task are tracked: locked against others, and gone on with after whatever interrupted it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from cvat_serverless.sdk.apply import finish_interrupted
from cvat_serverless.sdk.frames import FrameFileCache, TaskMovie
from cvat_serverless.sdk.journal import Journal, cache_folder, state_folder
from cvat_serverless.sdk.run import ResumableRun

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cvat_serverless.sdk.task import TaskOrJob


@dataclass(frozen=True, slots=True)
class TrackReport:
    """What was done.

    Attributes
    ----------
    lines
        What was done, in sentences.
    left_out
        What could not be tracked, with the reasons.
    """

    lines: tuple[str, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Folders:
    """Where unfinished work and the journal are kept, and where fetched frames are."""

    state: Path = field(default_factory=state_folder)
    cache: Path = field(default_factory=cache_folder)


@dataclass(frozen=True, slots=True)
class Workplace:
    """What tracking in a task works with.

    Attributes
    ----------
    frames
        Numbers of the frames, as CVAT counts.
    journal
        Journal of the task or job.
    run
        Keeps what is tracked.
    files
        Keeps the frames that were fetched.
    """

    frames: tuple[int, ...]
    journal: Journal
    run: ResumableRun
    files: FrameFileCache

    def movie(self, task: TaskOrJob) -> TaskMovie:
        """Return the frames as a movie; MovieError if they are of several sizes."""
        return TaskMovie(task, self.frames, self.files)


class _Options(Protocol):
    @property
    def start(self) -> int | None: ...

    @property
    def stop(self) -> int | None: ...


def work_in(
    task: TaskOrJob, options: _Options, folders: Folders | None, work: Callable[[Workplace], TrackReport]
) -> TrackReport:
    """Do a piece of work in a task, once: one that was written before an interruption is only finished.

    Parameters
    ----------
    task
        The task or job.
    options
        Their text says what is tracked: another text is another run. ``start`` and ``stop`` are frames as CVAT counts.
    folders
        Where work is kept; the user's own folders by default.
    work
        Does it; what it leaves behind is removed when it succeeds, and gone on with the next time if it does not.

    Raises
    ------
    RemoteError, FrameRangeError
        If another process does the same, there are no such frames, or the server does not answer.
    """
    where = folders or Folders()
    journal = Journal(task.slug, where.state)
    frames = task.kept_frames(options.start, options.stop)
    run = ResumableRun(where.state, f"{task.slug} {options} {frames}")
    with run.locked():
        if any(entry.run == run.key for entry in finish_interrupted(task, journal)):
            run.delete()
            return TrackReport(("This was tracked and written before the connection broke; nothing was left to do.",))
        place = Workplace(frames, journal, run, FrameFileCache(where.cache / task.images_slug))
        report = work(place)
        run.delete()
        place.files.clear()
    return report
