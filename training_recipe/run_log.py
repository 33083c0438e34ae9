"""The curves of a run: CSV files that go on where a resumed run does, and the same for TensorBoard."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from src_model.errors import MissingExtraError
from src_model.files import replacing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

TRAIN_COLUMNS = (
    "stage", "step", "progress", "size", "frames", "objects", "loss", "mask", "iou", "object_score", "norm", "rate",
    "seconds", "waited",
)  # fmt: skip
TRAINING_LOG, VALIDATION_LOG = "train.csv", "validation.csv"
VALIDATION_COLUMNS = ("stage", "step", "minutes", "what", "score", "value")


class RunLog:
    """Writes the logs of a run.

    Parameters
    ----------
    folder
        The run's own, where the files go.
    tensorboard
        Write for TensorBoard too, into the folder ``tensorboard``.
    position
        ``(stage, step, total_steps)`` at which the run goes on: what was logged after it is dropped, since it will
        happen again.
    """

    def __init__(self, folder: Path, *, tensorboard: bool, position: tuple[int, int, int] = (0, 0, 0)) -> None:
        self._folder = folder
        self._rewind(TRAINING_LOG, TRAIN_COLUMNS, position[:2], keep_equal=False)
        self._rewind(VALIDATION_LOG, VALIDATION_COLUMNS, position[:2], keep_equal=True)
        self._board = _board(folder / "tensorboard", position[2]) if tensorboard else None

    def step(self, row: Mapping[str, float], total_steps: int) -> None:
        """Log a step of the optimizer."""
        self._append(TRAINING_LOG, TRAIN_COLUMNS, row)
        if self._board is not None:
            for name in ("loss", "mask", "iou", "object_score", "norm", "rate", "seconds"):
                self._board.add_scalar(f"train/{name}", row[name], total_steps)

    def scores(self, stage: int, step: int, minutes: float, what: str, scores: Mapping[str, float], total: int) -> None:
        """Log the scores of a validation."""
        for name, value in scores.items():
            row = {"stage": stage, "step": step, "minutes": minutes, "what": what, "score": name}
            self._append(VALIDATION_LOG, VALIDATION_COLUMNS, {**row, "value": round(value, 4)})
            if self._board is not None:
                self._board.add_scalar(f"{what}/{name}", value, total)

    def close(self) -> None:
        """Finish writing."""
        if self._board is not None:
            self._board.close()

    def _append(self, name: str, columns: Sequence[str], row: Mapping[str, object]) -> None:
        path = self._folder / name
        new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, fieldnames=columns)
            if new:
                writer.writeheader()
            writer.writerow(row)

    def _rewind(self, name: str, columns: Sequence[str], position: Sequence[int], *, keep_equal: bool) -> None:
        path = self._folder / name
        if not path.exists():
            return
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        here = tuple(position)
        kept = [r for r in rows if (at := (int(r["stage"]), int(r["step"]))) < here or (keep_equal and at == here)]
        with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, fieldnames=columns)
            writer.writeheader()
            writer.writerows(kept)


def _board(folder: Path, purge_step: int) -> Any:
    try:
        from tensorboardX import SummaryWriter
    except ImportError as error:
        raise MissingExtraError("tensorboardX", "recipe", "logging for TensorBoard") from error
    return SummaryWriter(str(folder), purge_step=purge_step or None)
