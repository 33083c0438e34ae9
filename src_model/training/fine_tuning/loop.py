"""The steps of a fine-tuning: decoder and memory parts learn, the image encoder stays."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from src_model.training.observing import StepReport
from src_model.training.prompt_simulation import Annotator, PromptMix
from src_model.training.recipe import Recipe
from src_model.training.rollout import RolloutSettings
from src_model.training.rollout_module import LOSS_PARTS, RolloutModule
from src_model.training.run_config import Stage
from src_model.training.run_state import RunState

if TYPE_CHECKING:
    from collections.abc import Callable

    from src_model.nn import Sam2Network
    from src_model.training.fine_tuning.annotated_clips import AnnotatedClips
    from src_model.training.fine_tuning.features import FeatureStore
    from src_model.training.observing import Observer

_FROZEN = ("image_encoder.", "sam_mask_decoder.conv_s")


def _gentle_recipe() -> Recipe:
    return Recipe(
        new_rate=1e-4, head_rate=5e-5, late_rate=0.0, early_rate=0.0, warm_up_steps=10, decay_from=0.3, ema=0.98
    )


def _fine_tuning_stage() -> Stage:
    annotator = Annotator(prompts=PromptMix(mask=0.3, click=0.5, box=0.2))
    return Stage(minutes=8.0, recipe=_gentle_recipe(), annotator=annotator)


@dataclass(frozen=True, slots=True)
class FineTuning:
    """How long and how gently.

    Attributes
    ----------
    stage
        Its length, rates, annotator and losses.
    clips
        Clips a step.
    seed
        Of everything that is drawn.
    """

    stage: Stage = field(default_factory=_fine_tuning_stage)
    clips: int = 2
    seed: int = 0


def tune(
    network: Sam2Network,
    clips: AnnotatedClips,
    features: FeatureStore,
    plan: FineTuning,
    *,
    observer: Observer | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> RunState:
    """Train a network, in place.

    Returns
    -------
    RunState
        With the averaged weights; ``step`` is the number of steps done.
    """
    recipe, stage = plan.stage.recipe, plan.stage
    state = RunState.fresh(network, recipe)
    module = RolloutModule(network)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not name.startswith(_FROZEN))
    began = time.monotonic()
    while (progress := stage.progress(state.step, state.elapsed)) < 1 and not stop():
        started = time.monotonic()
        rates = recipe.rates(progress, state.step)
        for group in state.optimizer.param_groups:
            group["lr"] = rates[group["name"]]
        module.settings = RolloutSettings(
            stage.annotator, recipe.true_memory(progress), stage.prompted_weight, stage.losses
        )
        losses = [_accumulate(module, clips, features, plan, state.step, turn) for turn in range(plan.clips)]
        norm = torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.clip_norm)
        if math.isfinite(norm):
            state.optimizer.step()
        state.optimizer.zero_grad(set_to_none=True)
        state.update_average(recipe.ema_decay(state.step))
        state.step += 1
        state.elapsed = time.monotonic() - began
        if observer is not None:
            means = dict(zip(LOSS_PARTS, np.mean(losses, axis=0).tolist(), strict=True))
            now = stage.progress(state.step, state.elapsed)
            observer.stepped(StepReport(0, 1, state.step, now, time.monotonic() - started, means))
    network.eval().requires_grad_(True)
    return state


def _accumulate(
    module: RolloutModule, clips: AnnotatedClips, features: FeatureStore, plan: FineTuning, step: int, turn: int
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
