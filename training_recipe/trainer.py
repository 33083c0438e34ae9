"""The training loop: batches in, weights, checkpoints and logs out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from src_model.training.rollout import LOSS_PARTS, RolloutModule, RolloutSettings, encode_clips, normalised
from src_model.training.training_state import StepReport
from training_recipe.batches import (
    BatchMaker,
    BatchWorkers,
    InlineBatches,
    ProcessRank,
    StepBatch,
    StepBatches,
    rollout_seed,
)
from training_recipe.replay import EncodedBatch, ReplayPool, as_float, as_half
from training_recipe.run_config import CONFIG_NAME, RunConfig, TrainingStage, write_config
from training_recipe.run_log import RunLog
from training_recipe.run_state import RunState, save_weights
from training_recipe.start import TrainingData, start_memory
from training_recipe.validation import copy_first_mask, validate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from lightning_fabric import Fabric
    from torch import Tensor

    from src_model.nn import Sam2Network
    from src_model.training.training_state import Observer
    from training_recipe.batches import ClipBatch
    from training_recipe.recipe import StepPlan

    _Indexed = tuple[int, ClipBatch | EncodedBatch]

CHECKPOINT_NAME = "last.pt"
BEST_NAME = "best.safetensors"


class Trainer:
    """A run that is under way.

    Parameters
    ----------
    config
        All that repeats the run.
    out
        Folder of its checkpoints and logs; if there is a checkpoint, the run goes on from it.
    network
        With the weights to begin with.
    data
        Clips to learn from, and those held out.
    fabric
        Devices, processes and precision.
    observer
        Is told of every step and validation.
    """

    def __init__(
        self,
        config: RunConfig,
        out: Path,
        network: Sam2Network,
        data: TrainingData,
        fabric: Fabric,
        observer: Observer | None = None,
    ) -> None:
        self.config, self.out, self.data, self.fabric = config, out, data, fabric
        self.observer = observer
        self.leads = fabric.is_global_zero
        self.checkpoint = out / CHECKPOINT_NAME
        resumes = self.checkpoint.exists()
        if not resumes and config.stages[0].memory_start:
            start_memory(network, data.make_source(), config.seed)
        self.module = RolloutModule(network)
        network.train().requires_grad_(True)
        self._wrapped: Any = fabric.setup_module(self.module)
        self._wrapped.mark_forward_method("of_features")
        self._pool = ReplayPool()
        self.state = RunState.fresh(network, config.stages[0].recipe)
        scaler = self.state.load(self.checkpoint, lambda stage: config.stages[stage].recipe) if resumes else None
        self._use_optimizer()
        if scaler is not None and self._scaler is not None:
            self._scaler.load_state_dict(scaler)
        rank = ProcessRank(fabric.global_rank, fabric.world_size)
        self.maker = _batch_maker(data, config.workers)
        self.batches = StepBatches(self.maker, config.seed, rank)
        self._progress, self._stop = self._own_progress(), False
        self._saved = self._validated = time.monotonic()
        if self.leads:
            self._open_files()

    @property
    def stage(self) -> TrainingStage:
        """The stage the run is in."""
        return self.config.stages[self.state.stage]

    def run(self, stop: Callable[[], bool] = lambda: False) -> bool:
        """Train until the last stage is over, or until ``stop`` says so; saved in either case.

        Returns
        -------
        bool
            Whether the run is complete.
        """
        try:
            if self.state.total_steps == 0:
                self._score("copy", copy_first_mask(self.data.held_out))
                self._validate()
            while True:
                self._run_stage(stop)
                if self._stop:
                    self._save()
                    return False
                self._validate()
                if self.state.stage + 1 == len(self.config.stages):
                    return True
                self.batches.drain()
                self._pool = ReplayPool()
                self.state.next_stage(self.config.stages[self.state.stage + 1].recipe)
                self._use_optimizer()
                self._progress = 0.0
        finally:
            self.close()

    def close(self) -> None:
        """Stop the workers and finish the logs; called by :meth:`run`."""
        self.maker.close()
        if self.leads:
            self.log.close()

    def _run_stage(self, stop: Callable[[], bool]) -> None:
        began = time.monotonic() - self.state.elapsed
        while self._progress < 1:
            self._step()
            self.state.elapsed = time.monotonic() - began
            self._agree(stop)
            if self._stop:
                return
            now = time.monotonic()
            if self._progress < 1 and now - self._validated > 60 * self.config.validate_minutes:
                self._validate()
            elif now - self._saved >= 60 * self.config.save_minutes:
                self._save()

    def _step(self) -> None:
        """One step of the optimizer, over all batches of the step."""
        began, state = time.monotonic(), self.state
        recipe, progress = self.stage.recipe, self._progress
        rates = recipe.rates(progress, state.step)
        for group in state.optimizer.param_groups:
            group["lr"] = rates[group["name"]] * group["scale"]
            for parameter in group["params"]:
                parameter.requires_grad_(group["lr"] > 0)
        plan, batches, waited = self._replayed() if recipe.replays > 1 else self._received()
        self.module.settings = RolloutSettings(
            self.stage.annotator, recipe.true_memory(progress), self.stage.prompted_weight, self.stage.losses
        )
        losses = self._accumulate(batches)
        norm: Any = self.fabric.clip_gradients(
            self._wrapped, self._optimizer, max_norm=recipe.clip_norm, error_if_nonfinite=False
        )
        # A gradient scaler skips such a step by itself and learns from it.
        if self._scaler is not None or bool(torch.isfinite(norm)):
            self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        state.update_average(recipe.ema_decay(state.step))
        state.step += 1
        state.total_steps += 1
        timing = {"seconds": round(time.monotonic() - began, 2), "waited": round(waited, 2)}
        self._report(plan, losses, {"norm": round(float(norm), 3), "rate": round(rates["new"], 7), **timing}, progress)

    def _receive(self) -> tuple[StepPlan, list[StepBatch], float]:
        """Wait for new clips; each is rolled out in as many steps as the recipe replays it."""
        stage, replays = self.stage, self.stage.recipe.replays

        def plan(step: int, rng: np.random.Generator) -> StepPlan:
            # By steps the future is known; by minutes it is close to now.
            progress = step * replays / stage.steps if stage.steps is not None else self._progress
            return stage.recipe.plan(progress, rng)

        last = None if stage.steps is None else (stage.steps - 1) // replays
        return self.batches.receive(self.state.stage, self.state.step // replays, plan, last)

    def _received(self) -> tuple[StepPlan, list[_Indexed], float]:
        plan, batches, waited = self._receive()
        return plan, [(batch.index, batch.clips) for batch in batches], waited

    def _replayed(self) -> tuple[StepPlan, list[_Indexed], float]:
        """Encode new clips in one of some steps, and take what was encoded before in the others."""
        state, rank, world = self.state, self.fabric.global_rank, self.fabric.world_size
        if state.step % self.stage.recipe.replays == 0 or not self._pool:
            self._plan, received, waited = self._receive()
            for batch in received:
                self._pool.add(self._encoded(batch.clips))
        else:
            waited = 0.0
        rng = np.random.default_rng((self.config.seed, 4, state.stage, state.step, rank))
        each = -(-self._plan.batches // world)
        return self._plan, [(rank + world * turn, self._pool.draw(rng)) for turn in range(each)], waited

    @torch.no_grad()
    def _encoded(self, clips: ClipBatch) -> EncodedBatch:
        network = self.module.network
        images = torch.from_numpy(clips.images).to(self.fabric.device)
        with self.fabric.autocast():
            normal = normalised(images, network.config.pixel_mean, network.config.pixel_std)
            return EncodedBatch(as_half(encode_clips(network, normal)), clips.masks)

    def _rolled_out(self, clips: ClipBatch | EncodedBatch, seed: tuple[int, ...]) -> Tensor:
        losses: Tensor
        if isinstance(clips, EncodedBatch):
            losses = self._wrapped.of_features(as_float(clips.features), clips.masks, seed)
        else:
            losses = self._wrapped(torch.from_numpy(clips.images).to(self.fabric.device), clips.masks, seed)
        return losses

    def _accumulate(self, batches: Sequence[_Indexed]) -> dict[str, float]:
        """Add the gradients of some batches, exchanged between processes once; returns the mean losses."""
        fabric, state = self.fabric, self.state
        rows = []
        for position, (index, clips) in enumerate(batches, start=1):
            more = position < len(batches) and fabric.world_size > 1
            seed = rollout_seed(self.config.seed, state.stage, state.step, index)
            with fabric.no_backward_sync(self._wrapped, enabled=more):
                losses = self._rolled_out(clips, seed)
                fabric.backward(losses[0] / len(batches))
            rows.append(losses.detach())
        means: Any = torch.stack(rows).mean(dim=0)
        if fabric.world_size > 1:
            means = fabric.all_reduce(means, reduce_op="mean")
        return dict(zip(LOSS_PARTS, means.tolist(), strict=True))

    def _agree(self, stop: Callable[[], bool]) -> None:
        """Let the first process tell all others how far the run is and whether to stop."""
        progress, stopped = self._own_progress(), stop()
        if self.fabric.world_size > 1:
            progress, self.state.elapsed, stopped = self.fabric.broadcast((progress, self.state.elapsed, stopped))
        self._progress, self._stop = progress, stopped

    def _own_progress(self) -> float:
        return self.stage.progress(self.state.step, self.state.elapsed)

    def _use_optimizer(self) -> None:
        self._optimizer: Any = self.fabric.setup_optimizers(self.state.optimizer)
        self._scaler: Any = getattr(self.fabric.strategy.precision, "scaler", None)

    def _validate(self) -> None:
        if self.leads and self.data.held_out:
            scores = validate(self.state.average, self.data.held_out)
            self._score("average", scores)
            score = (scores["all/mask"] + scores["all/click"]) / 2
            if score > self.state.best:
                self.state.best = score
                save_weights(self.state.average, self.out / BEST_NAME)
        self._validated = time.monotonic()
        self._save()

    def _save(self) -> None:
        if self.leads:
            scaler = None if self._scaler is None else self._scaler.state_dict()
            self.state.save(self.checkpoint, scaler=scaler)
        self.fabric.barrier()
        self._saved = time.monotonic()

    def _open_files(self) -> None:
        self.out.mkdir(parents=True, exist_ok=True)
        write_config(self.config, self.out / CONFIG_NAME)
        position = (self.state.stage, self.state.step, self.state.total_steps)
        self.log = RunLog(self.out, tensorboard=self.config.tensorboard, position=position)

    def _score(self, what: str, scores: Mapping[str, float]) -> None:
        if self.leads and scores:
            state = self.state
            minutes = round(state.elapsed / 60, 2)
            self.log.scores(state.stage, state.step, minutes, what, scores, state.total_steps)
            if self.observer is not None:
                self.observer.validated(what, scores)

    def _report(
        self, plan: StepPlan, losses: Mapping[str, float], numbers: Mapping[str, float], progress: float
    ) -> None:
        if not self.leads:
            return
        state, rounded = self.state, {name: round(value, 4) for name, value in losses.items()}
        row = {"stage": state.stage, "step": state.step - 1, "progress": round(progress, 4), "size": plan.size}
        row |= {"frames": plan.frames, "objects": plan.objects, **rounded, **numbers}
        self.log.step(row, state.total_steps)
        if self.observer is not None:
            stages = len(self.config.stages)
            self.observer.stepped(StepReport(state.stage, stages, state.step, progress, numbers["seconds"], losses))


def _batch_maker(data: TrainingData, workers: int) -> BatchMaker:
    if workers == 0:
        return InlineBatches(data.make_source())
    return BatchWorkers(data.make_source, workers)
