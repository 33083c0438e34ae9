"""The steps of a fine-tuning: decoder and memory parts learn, the image encoder stays."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from src_model.training.losses import LossWeights
from src_model.training.prompt_simulation import Annotator, PromptMix
from src_model.training.rollout import LOSS_PARTS, RolloutModule, RolloutSettings
from src_model.training.schedule import Schedule, share_done
from src_model.training.training_state import StepReport, TrainingState

if TYPE_CHECKING:
    from collections.abc import Callable

    from src_model.nn import Sam2Network
    from src_model.training.fine_tuning.clips import AnnotatedClips, FrameFeatureCache
    from src_model.training.training_state import Observer

_FROZEN = ("image_encoder.", "sam_mask_decoder.conv_s")
"""What the cached features depend on: the image encoder, and the projections of its fine maps for the decoder."""


def _gentle_schedule() -> Schedule:
    """Lower rates and a shorter warm-up than in the training from nothing: the weights are good already."""
    return Schedule(
        new_rate=1e-4, head_rate=5e-5, late_rate=0.0, early_rate=0.0, warm_up_steps=10, decay_from=0.3, ema=0.98
    )


@dataclass(frozen=True, slots=True)
class FineTuning:
    """How long and how gently a checkpoint is taught.

    Attributes
    ----------
    minutes, steps
        How long it lasts; steps of the optimizer count where they are given.
    schedule
        Learning rates, and what else changes meanwhile.
    annotator
        Who prompts; clicks more often than in the training from nothing, as that is how checkpoints are used.
    losses
        Weights of the parts of the loss.
    prompted_weight
        Weight of the loss of prompted frames, against 1 for tracked ones.
    clips
        Clips a step, computed one after the other.
    seed
        Of everything that is drawn, 0 or more.
    """

    minutes: float | None = 8.0
    steps: int | None = None
    schedule: Schedule = field(default_factory=_gentle_schedule)
    annotator: Annotator = field(default_factory=lambda: Annotator(prompts=PromptMix(mask=0.3, click=0.5, box=0.2)))
    losses: LossWeights = field(default_factory=LossWeights)
    prompted_weight: float = 0.5
    clips: int = 2
    seed: int = 0

    def progress(self, step: int, elapsed: float) -> float:
        """Share of the training that is over, 0 to 1 and more, after ``step`` steps and ``elapsed`` seconds."""
        return share_done(step, elapsed, minutes=self.minutes, steps=self.steps)


def tune(
    network: Sam2Network,
    clips: AnnotatedClips,
    features: FrameFeatureCache,
    plan: FineTuning,
    *,
    observer: Observer | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> TrainingState:
    """Train a network, in place.

    Returns
    -------
    TrainingState
        With the averaged weights; ``step`` is the number of steps done.
    """
    schedule = plan.schedule
    state = TrainingState.fresh(network, schedule)
    module = RolloutModule(network)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not name.startswith(_FROZEN))
    began = time.monotonic()
    while (progress := plan.progress(state.step, state.elapsed)) < 1 and not stop():
        started = time.monotonic()
        rates = schedule.rates(progress, state.step)
        for group in state.optimizer.param_groups:
            group["lr"] = rates[group["name"]]
        module.settings = RolloutSettings(
            plan.annotator, schedule.true_memory(progress), plan.prompted_weight, plan.losses
        )
        losses = [_accumulate(module, clips, features, plan, state.step, turn) for turn in range(plan.clips)]
        norm = torch.nn.utils.clip_grad_norm_(network.parameters(), schedule.clip_norm)
        if math.isfinite(norm):
            state.optimizer.step()
        state.optimizer.zero_grad(set_to_none=True)
        state.update_average(schedule.ema_decay(state.step))
        state.step += 1
        state.elapsed = time.monotonic() - began
        if observer is not None:
            means = dict(zip(LOSS_PARTS, np.mean(losses, axis=0).tolist(), strict=True))
            now = plan.progress(state.step, state.elapsed)
            observer.stepped(StepReport(0, 1, state.step, now, time.monotonic() - started, means))
    network.eval().requires_grad_(True)
    return state


def _accumulate(
    module: RolloutModule, clips: AnnotatedClips, features: FrameFeatureCache, plan: FineTuning, step: int, turn: int
) -> list[float]:
    """Add the gradient of one clip; returns its losses."""
    clip = clips.draw(np.random.default_rng((plan.seed, 0, step, turn)))
    known = features.clip(clip.movie, clip.frames, clip.view)
    device = known.embedding.device
    with torch.autocast(device.type, torch.bfloat16, enabled=device.type != "mps"):
        losses = module.of_features(known, clip.masks, (plan.seed, 1, step, turn))
    (losses[0] / plan.clips).backward()  # type: ignore[no-untyped-call]
    values: list[float] = losses.tolist()
    return values
