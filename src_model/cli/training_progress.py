"""How far a training run is, on one line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from src_model.training.training_state import StepReport

_SMOOTHING = 0.95
"""Share of the shown loss that each step keeps: single steps say little, as their clips differ."""


class ShownProgress:
    """Shows a run on standard error: a bar where that is a terminal, a line for each validation anywhere."""

    def __init__(self, *, quiet: bool) -> None:
        # Of several processes, only the first one speaks.
        self._console = Console(stderr=True, quiet=quiet or os.environ.get("RANK", "0") != "0")
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>5.1f} %"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._task = self._progress.add_task("Preparing", total=None)
        self._loss: float | None = None
        self.scores: Mapping[str, float] = {}

    def __enter__(self) -> ShownProgress:
        """Show the bar."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take the bar away."""
        self._progress.stop()

    def stepped(self, report: StepReport) -> None:
        """Move the bar to a step that was done, and tell its smoothed loss."""
        loss = report.losses["loss"]
        self._loss = loss if self._loss is None else _SMOOTHING * self._loss + (1 - _SMOOTHING) * loss
        stage = f"stage {report.stage + 1} of {report.stages}, " if report.stages > 1 else ""
        words = f"{stage}step {report.step}, loss {self._loss:.3f}, {report.seconds:.1f} s a step"
        self._progress.update(self._task, description=words, completed=min(1.0, report.progress), total=1.0)

    def validated(self, what: str, scores: Mapping[str, float]) -> None:
        """Print the scores of a validation."""
        if what == "average":
            self.scores = scores
        line = "repeating the first mask" if what == "copy" else "held out"
        self._print(f"{line}: {validation_line(scores)}")

    def tell(self, words: str) -> None:
        """Say what is being done, where there is a bar."""
        self._progress.update(self._task, description=words, completed=0, total=None)

    def _print(self, message: Any) -> None:
        self._console.print(message, markup=False, highlight=False, soft_wrap=True)


def validation_line(scores: Mapping[str, float]) -> str:
    """Write the mean scores for people."""
    means = {name.removeprefix("all/"): value for name, value in scores.items() if name.startswith("all/")}
    words = {"mask": "J from a mask", "click": "J from a click", "first": "IoU of the click itself"}
    if not means:
        return ", ".join(f"{name} {value:.3f}" for name, value in scores.items())
    return ", ".join(f"{words.get(name, name)} {value:.3f}" for name, value in means.items())
