"""Train the default network on clips, for a given time.

Run as ``python -m src_model.training.trainer --start start.safetensors --data data --minutes 95 --out runs/first``.
Started again with the same ``--out`` it goes on from the last checkpoint.
"""

from __future__ import annotations

import argparse
import csv
import functools
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from src_model.nn import MODEL_CONFIGS, Sam2Network, build_network
from src_model.training.clip_batch import BatchRequest, BatchWorker, ClipBatch, network_images
from src_model.training.clips import default_mixture, held_out_clips
from src_model.training.memory_initialization import initialize_memory
from src_model.training.recipe import Recipe
from src_model.training.rollout import Rollout, RolloutSettings
from src_model.training.run_state import RunState, save_weights
from src_model.training.validate import copy_first_mask, validate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_AHEAD = 4
_PARTS = ("loss", "mask", "iou", "object_score")


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What is given on the command line.

    Attributes
    ----------
    out
        Folder of checkpoints and logs.
    data
        Folder of the training data.
    start
        Weights to begin with.
    minutes
        Training time; validation counts.
    validate_every, save_every
        Minutes.
    """

    out: Path
    data: Path
    start: Path
    minutes: float
    validate_every: float = 10.0
    save_every: float = 4.0
    seed: int = 0
    clips_per_kind: int = 4
    memory_start: bool = True


class Trainer:
    """A run: batches in, checkpoints and two CSV logs out."""

    def __init__(self, options: RunOptions, recipe: Recipe) -> None:
        self.options, self.recipe = options, recipe
        options.out.mkdir(parents=True, exist_ok=True)
        self.worker = BatchWorker(functools.partial(default_mixture, options.data))
        self.held_out = held_out_clips(options.data, per_kind=options.clips_per_kind, frames=8, size=224)
        network = build_network(MODEL_CONFIGS["default"])
        self.checkpoint = options.out / "last.pt"
        self._requested: list[tuple[BatchRequest, int]] = []
        if self.checkpoint.exists():
            self.state = RunState.fresh(network, recipe)
            self.state.load(self.checkpoint)
        else:
            _load_weights(network, options.start)
            if options.memory_start:
                self._start_memory(network)
            self.state = RunState.fresh(network, recipe)

    @property
    def progress(self) -> float:
        """Share of the run's time that is over."""
        return self.state.elapsed / (60 * self.options.minutes)

    def run(self) -> None:
        """Train until the time is over; then validate and save."""
        self._report("copy", copy_first_mask(self.held_out))
        last_saved = last_validated = self.state.elapsed
        if self.state.step == 0:
            self._validate()
        began = time.monotonic() - self.state.elapsed
        while self.progress < 1:
            self._step()
            self.state.elapsed = time.monotonic() - began
            if self.state.elapsed - last_validated > 60 * self.options.validate_every:
                self._validate()
                last_validated = last_saved = self.state.elapsed
            elif self.state.elapsed - last_saved > 60 * self.options.save_every:
                self.state.save(self.checkpoint)
                last_saved = self.state.elapsed
        self._validate()
        self.worker.close()

    def _step(self) -> None:
        """One step of the optimizer, over as many smaller batches as the recipe's batch needs."""
        began, step = time.monotonic(), self.state.step
        rates = self.recipe.rates(self.progress, step)
        for group in self.state.optimizer.param_groups:
            group["lr"] = rates[group["name"]]
            for parameter in group["params"]:
                parameter.requires_grad_(group["lr"] > 0)
        batches, waited = self._receive(step)
        rows = [self._accumulate(batch, index, len(batches)) for index, batch in enumerate(batches)]
        trained = [p for p in self.state.network.parameters() if p.grad is not None]
        norm = torch.nn.utils.clip_grad_norm_(trained, self.recipe.clip_norm)
        if torch.isfinite(norm):
            self.state.optimizer.step()
        self.state.optimizer.zero_grad(set_to_none=True)
        self.state.update_average(self.recipe.ema_decay(step))
        self.state.step += 1
        means = np.mean(rows, axis=0)
        size, frames = batches[0].images.shape[2], batches[0].images.shape[1]
        values = dict(zip(_PARTS, (round(float(v), 4) for v in means), strict=True))
        timing = {"seconds": round(time.monotonic() - began, 2), "waited": round(waited, 2)}
        self._log("train.csv", {
            "step": step, "progress": round(self.progress, 4), "size": size, "frames": frames, **values,
            "norm": round(float(norm), 3), "rate": round(rates["new"], 7), **timing,
        })  # fmt: skip

    def _accumulate(self, batch: ClipBatch, index: int, count: int) -> list[float]:
        """Add the gradient of one batch; returns its losses."""
        network = self.state.network
        rng = np.random.default_rng((self.options.seed, 1, self.state.step, index))
        images = network_images(batch.images, network.config.pixel_mean, network.config.pixel_std)
        settings = RolloutSettings(true_memory=self.recipe.true_memory(self.progress))
        with torch.autocast("cpu", torch.bfloat16):
            rollout = Rollout(network, images, batch.masks, settings, rng)
            total = rollout.run()
        (total / count).backward()  # type: ignore[no-untyped-call]
        parts = [_mean(getattr(loss, part) for _, loss in rollout.losses) for part in _PARTS[1:]]
        return [float(total.detach()), *parts]

    def _receive(self, step: int) -> tuple[list[ClipBatch], float]:
        """Batches of a step and the seconds waited for them; asks for those of later steps."""
        while len(self._requested) < _AHEAD:
            ahead = step + len(self._requested)
            rng = np.random.default_rng((self.options.seed, 0, ahead))
            plan = self.recipe.plan(self.progress, rng)
            for index in range(plan.batches):
                seed = (self.options.seed, 2, ahead, index)
                request = BatchRequest(seed, plan.clips, plan.frames, plan.size, plan.objects)
                self.worker.request(request)
            self._requested.append((request, plan.batches))
        _, count = self._requested.pop(0)
        began = time.monotonic()
        return [self.worker.receive() for _ in range(count)], time.monotonic() - began

    def _validate(self) -> None:
        scores = validate(self.state.average, self.held_out)
        self._report("average", scores)
        score = (scores["all/mask"] + scores["all/click"]) / 2
        if score > self.state.best:
            self.state.best = score
            save_weights(self.state.average, self.options.out / "best.safetensors")
        self.state.save(self.checkpoint)

    def _report(self, name: str, scores: Mapping[str, float]) -> None:
        text = ", ".join(f"{key} {value:.3f}" for key, value in scores.items())
        minutes = round(self.state.elapsed / 60, 2)
        sys.stdout.write(f"step {self.state.step}, {minutes} min, {name}: {text}\n")
        sys.stdout.flush()
        for key, value in scores.items():
            row = {"step": self.state.step, "minutes": minutes, "what": name, "score": key, "value": round(value, 4)}
            self._log("validation.csv", row)

    def _log(self, file: str, row: Mapping[str, object]) -> None:
        path = self.options.out / file
        new = not path.exists()
        with path.open("a", newline="") as stream:
            writer = csv.DictWriter(stream, fieldnames=list(row))
            if new:
                writer.writeheader()
            writer.writerow(row)

    def _start_memory(self, network: Sam2Network) -> None:
        """Start the memory parts from the statistics of the encoder over sample images."""
        for index in range(16):
            self.worker.request(BatchRequest((self.options.seed, 3, index), 4, 1, 224))
        images = np.concatenate([self.worker.receive().images[:, 0] for _ in range(16)])
        initialize_memory(network, network_images(images, network.config.pixel_mean, network.config.pixel_std))


def _mean(values: Iterable[Tensor]) -> float:
    return float(torch.stack([value.detach() for value in values]).mean())


def _load_weights(network: Sam2Network, path: Path) -> None:
    from safetensors.torch import load_file

    network.load_state_dict(load_file(path))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--start", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--validate-every", type=float, default=10.0)
    parser.add_argument("--clips-per-kind", type=int, default=4)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--late-from", type=float, default=Recipe().late_from, help="progress at which the encoder's end learns"
    )
    parser.add_argument(
        "--early-from", type=float, default=Recipe().early_from, help="progress at which all of it learns"
    )
    parser.add_argument("--plain-memory", action="store_true", help="leave the memory parts at the weights of --start")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    options = RunOptions(
        given.out, given.data, given.start, given.minutes, given.validate_every,
        seed=given.seed, clips_per_kind=given.clips_per_kind, memory_start=not given.plain_memory,
    )  # fmt: skip
    recipe = Recipe(batch=given.batch, late_from=given.late_from, early_from=given.early_from)
    Trainer(options, recipe).run()


if __name__ == "__main__":
    main()
