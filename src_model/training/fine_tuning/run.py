"""Fine-tuning from beginning to end: look, hold out, measure, train, measure again, keep or not."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from src_model.datasets import open_dataset
from src_model.errors import TrainingError
from src_model.files import replacing
from src_model.tracking import choose_device
from src_model.training.fine_tuning.clips import AnnotatedClips, FrameFeatureCache
from src_model.training.fine_tuning.loop import FineTuning, tune
from src_model.training.fine_tuning.material import check_enough, hold_out, survey
from src_model.training.fine_tuning.verdict import (
    HeldOutObject,
    Verdict,
    compare,
    held_out_targets,
    score_held_out,
)
from src_model.training.provenance import fingerprint, versions
from src_model.weights import (
    CheckpointOrigin,
    CustomCheckpoint,
    check_custom_name,
    known_checkpoints,
    load_network,
    save_custom_checkpoint,
)
from src_model.weights.saving import save_checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from src_model.datasets import Dataset
    from src_model.training.fine_tuning.material import Split
    from src_model.training.training_state import Observer
    from src_model.weights import LoadedNetwork

REPORT_NAME = "fine-tuning.json"


@dataclass(frozen=True, slots=True)
class FineTuneRequest:
    """What a user asks for.

    Attributes
    ----------
    base
        Name or file of the checkpoint to begin with.
    data
        The annotations, in any layout of :mod:`src_model.datasets`.
    name
        Of the result; from that of ``data`` if None.
    out
        Folder for the weights and the report; named like the result if None.
    keep
        Keep the result even if it is not better.
    plan
        How long and how gently.
    device
        "auto" or what torch calls a device.
    """

    base: str
    data: Path
    name: str | None = None
    out: Path | None = None
    keep: bool = False
    plan: FineTuning = field(default_factory=FineTuning)
    device: str = "auto"


@dataclass(frozen=True, slots=True)
class FineTuneResult:
    """What came of it.

    Attributes
    ----------
    verdict
        Scores on what was held out, before and after.
    weights
        Checkpoint file of the result, whether it is better or not.
    kept
        The checkpoint that can be named from now on; None if the result was not better.
    held_out
        What was held out, in words.
    steps, complete
        Number of steps done, and whether they were all.
    """

    verdict: Verdict
    weights: Path
    kept: CustomCheckpoint | None
    held_out: str
    steps: int
    complete: bool


def fine_tune(
    request: FineTuneRequest,
    *,
    dataset: Dataset | None = None,
    observer: Observer | None = None,
    tell: Callable[[str], None] = lambda words: None,
    stop: Callable[[], bool] = lambda: False,
) -> FineTuneResult:
    """Teach a checkpoint some annotations and find out whether that helped.

    Parameters
    ----------
    request
        Checkpoint, annotations, name and length.
    dataset
        The annotations, if they are open already.
    observer, tell
        Are told of every step, and in words of every part of the work.
    stop
        Ends the training early; the rest is done all the same.

    Raises
    ------
    TrainingError
        If there is too little to learn from, the name cannot be used, or other files would be replaced.
    MovieError, CheckpointError
        If data or checkpoint cannot be read.
    """
    name = request.name or _name_of(request.data)
    check_custom_name(name)
    out = request.out or Path(name)
    _check_folder(out, name, request.base)
    opened = dataset if dataset is not None else open_dataset(request.data)
    parts = survey(opened)
    check_enough(parts, opened.name)
    split = hold_out(parts, request.plan.seed)
    tell(f"Held out: {split.words}")
    device = choose_device(request.device)
    loaded = load_network(request.base, device=device)
    chosen = held_out_targets(split.held_out, request.plan.seed)
    before = score_held_out(loaded.network, chosen, device=str(device))
    tell("Training")
    network = copy.deepcopy(loaded.network)
    size = network.config.image_size
    clips, features = AnnotatedClips(split.train, size), FrameFeatureCache(loaded.network, size)
    state = tune(network, clips, features, request.plan, observer=observer, stop=stop)
    tell("Looking at what was held out")
    after = score_held_out(state.average, chosen, device=str(device))
    verdict = compare(before, after)
    out.mkdir(parents=True, exist_ok=True)
    origin = _origin(request, opened, loaded, verdict)
    weights = save_checkpoint(state.average, out / f"{name}.safetensors", metadata=origin.notes())
    kept = save_custom_checkpoint(state.average, name, origin) if verdict.better or request.keep else None
    _write_report(out, request, split, loaded, before, after, verdict)
    complete = request.plan.progress(state.step, state.elapsed) >= 1
    return FineTuneResult(verdict, weights, kept, split.words, state.step, complete)


def with_duration(plan: FineTuning, *, minutes: float | None, steps: int | None) -> FineTuning:
    """Make a fine-tuning as long as asked for; TrainingError if both are given."""
    if minutes is not None and steps is not None:
        raise TrainingError("a fine-tuning lasts for a number of minutes or of steps: give one of them")
    if minutes is None and steps is None:
        return plan
    return replace(plan, minutes=minutes, steps=steps)


def _check_folder(out: Path, name: str, base: str) -> None:
    """Refuse to write onto the checkpoint to begin with, and onto files that are not of a fine-tuning."""
    if out.exists() and not out.is_dir():
        raise TrainingError(f"'{out}' is a file, and a folder is needed: choose another --out")
    weights = out / f"{name}.safetensors"
    if not weights.exists():
        return
    if Path(base).exists() and weights.samefile(base):
        raise TrainingError(f"'{weights}' is the checkpoint to begin with: choose another --out or --name")
    if not (out / REPORT_NAME).exists():
        raise TrainingError(f"'{weights}' is there and not of a fine-tuning: choose another --out or --name")


def _name_of(data: Path) -> str:
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", data.resolve().stem).strip("-.")
    return name or "fine-tuned"


def _origin(request: FineTuneRequest, dataset: Dataset, loaded: LoadedNetwork, verdict: Verdict) -> CheckpointOrigin:
    known = known_checkpoints().get(loaded.name)
    licence = "that of its base" if known is None else known.licence
    data = fingerprint(request.data)
    of_data = dataset.licence or "no licence file: known to whoever annotated it"
    times = {"before": verdict.before, "after": verdict.after}
    scores = {f"{what} {when}": values[what] for what in verdict.after for when, values in times.items()}
    note = f"data: {of_data}"
    return CheckpointOrigin(
        licence, loaded.name, loaded.sha256, dataset.name, data.sha256, scores, note, loaded.mask_thresholds
    )


def _write_report(
    out: Path,
    request: FineTuneRequest,
    split: Split,
    loaded: LoadedNetwork,
    before: tuple[HeldOutObject, ...],
    after: tuple[HeldOutObject, ...],
    verdict: Verdict,
) -> None:
    """Write everything that is needed to judge and to repeat this."""
    report = {
        "verdict": verdict.words(),
        "numbers": asdict(verdict),
        "held_out": split.words,
        "objects_before": [asdict(score) for score in before],
        "objects_after": [asdict(score) for score in after],
        "plan": asdict(request.plan),
        "base": {"name": loaded.name, "sha256": loaded.sha256},
        "data": asdict(fingerprint(request.data)),
        "versions": versions(),
    }
    text = json.dumps(report, indent=2)
    with replacing(out / REPORT_NAME) as part:
        part.write_text(text, encoding="utf-8")
