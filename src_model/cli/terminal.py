"""What the command says: results on standard output, progress and errors on standard error."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

_WIDE = 240


def say(message: str, *, quiet: bool = False, style: str | None = None) -> None:
    """Print one line on standard output, never broken, so that paths in it can be copied."""
    if not quiet:
        Console().print(message, style=style, markup=False, highlight=False, soft_wrap=True)


def warn(message: str) -> None:
    """Print one yellow line on standard error."""
    Console(stderr=True).print(message, style="yellow", markup=False, highlight=False, soft_wrap=True)


def complain(message: str) -> None:
    """Print one red line on standard error."""
    line = " ".join(message.split())
    Console(stderr=True).print(f"Error: {line}", style="bold red", markup=False, highlight=False, soft_wrap=True)


def table_console() -> Console:
    """Make a console for tables on standard output; in a pipe or a file nothing has to fit a screen."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDE)


def make_progress(*, quiet: bool, unit: str = "frames") -> Progress:
    """Make a progress bar with the speed and the time left; it shows where standard error is a terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _SpeedColumn(unit),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        console=Console(stderr=True, quiet=quiet),
        transient=True,
    )


class _SpeedColumn(ProgressColumn):
    """How many frames a second."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        """Show the speed once it is known."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f} {self._unit}/s", style="progress.data.speed")


def size_text(size: float | None) -> str:
    """Write a number of bytes for people, in powers of 1000."""
    if size is None:
        return "unknown"
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def duration_text(seconds: float) -> str:
    """Write a duration for people."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def peak_memory() -> int | None:
    """Return the most bytes of memory this process ever held; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
