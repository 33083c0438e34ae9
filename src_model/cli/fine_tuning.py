"""``sam2v train --fine-tune``: what is asked for, and what is said about the result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from src_model.cli.stopping import StopRequest
from src_model.cli.terminal import say, warn
from src_model.cli.training_progress import ShownProgress


@dataclass(frozen=True, slots=True)
class FineTuneWords:
    """The options of a fine-tuning as they were given."""

    base: str
    data: Path
    name: str | None
    out: Path | None
    keep: bool
    minutes: float | None
    steps: int | None
    seed: int
    device: str


def fine_tune_command(words: FineTuneWords, *, quiet: bool) -> None:
    """Fine-tune, and say whether it helped and how the result is used."""
    from dataclasses import replace

    from src_model.training.fine_tuning import FineTuneRequest, fine_tune
    from src_model.training.fine_tuning.loop import FineTuning
    from src_model.training.fine_tuning.run import with_duration

    plan = with_duration(replace(FineTuning(), seed=words.seed), minutes=words.minutes, steps=words.steps)
    request = FineTuneRequest(words.base, words.data, words.name, words.out, words.keep, plan, words.device)
    message = "Stopping the training after this step; the result is looked at as it is (again to stop at once)."
    with ShownProgress(quiet=quiet) as progress, StopRequest(message) as stopping:
        result = fine_tune(request, observer=progress, tell=progress.tell, stop=lambda: stopping.requested)
    say(f"Held out: {result.held_out}", quiet=quiet)
    say(result.verdict.words(), quiet=quiet)
    say(f"Weights: {result.weights}", quiet=quiet)
    if result.kept is None:
        warn("Nothing was replaced: the result is not better. Annotate more, train longer, or use --keep.")
        return
    say(f"To use it: --model {result.kept.name}", quiet=quiet)
