"""How fast each part of the network learns, and when: functions of a training's progress from 0 to 1."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from src_model.training.option_types import Count, Rate, Share, strict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

Group = Literal["new", "head", "late", "early"]
GROUPS: tuple[Group, ...] = ("new", "head", "late", "early")

_NEW = (
    "memory_attention.", "memory_encoder.", "maskmem_tpos_enc", "no_mem_", "no_obj_", "obj_ptr_", "mask_downsample.",
    "sam_mask_decoder.conv_s", "sam_mask_decoder.iou_prediction_head", "sam_mask_decoder.obj_score_token",
    "sam_mask_decoder.pred_obj_score_head",
)  # fmt: skip
_LATE = ("image_encoder.neck.", "image_encoder.trunk.layers.3.", "image_encoder.trunk.layers.2.downsample.")
_LAYER = re.compile(r"image_encoder\.(trunk\.(patch_embed|pos_embed|(layers\.\d+\.)?(blocks\.\d+|downsample))|neck)")
_LEAST_FACTOR = 0.02
"""Share of the peak rate that is left at the very end, so that the last steps still count."""


@strict
@dataclass(frozen=True, slots=True)
class Schedule:
    """Learning rates and what else changes as a training goes on.

    Attributes
    ----------
    new_rate, head_rate, late_rate, early_rate
        Peak learning rates of AdamW: of the parts that MobileSAM has not (see :func:`parameter_group`), of prompt
        encoder and mask decoder, of the image encoder's last stage with its neck, and of the rest of the encoder.
    layer_decay
        Factor on the learning rate from each layer of the image encoder to the one before it; 1 for equal rates.
    late_from, early_from
        Progress, 0 to 1, at which the two parts of the image encoder begin to learn; over 1 for never.
    warm_up_steps
        Steps of the optimizer over which the rate rises from nothing.
    decay_from
        Progress, 0 to 1, from which the rate falls along a cosine.
    true_memory_first, true_memory_last
        Probability that a memory holds the true mask instead of the predicted one, at the beginning and at the end.
    ema
        Decay of the averaged weights a step, 0 to 1; reached gradually, see :meth:`ema_decay`.
    weight_decay
        AdamW's decay of tensors with two or more axes; biases and norms never decay.
    clip_norm
        Largest norm of the gradient of all parameters together; longer gradients are shortened to it.
    """

    new_rate: Rate = 4e-4
    head_rate: Rate = 1e-4
    late_rate: Rate = 6e-5
    early_rate: Rate = 3e-5
    layer_decay: Share = 1.0
    late_from: Rate = 0.1
    early_from: Rate = 0.35
    warm_up_steps: Count = 40
    decay_from: Share = 0.6
    true_memory_first: Share = 0.5
    true_memory_last: Share = 0.15
    ema: Share = 0.997
    weight_decay: Rate = 0.02
    clip_norm: Annotated[float, Field(gt=0)] = 1.0

    def rate_factor(self, progress: float, step: int) -> float:
        """Share of the peak rates, 0 to 1, at a progress of 0 to 1 and a step from 0: warm-up, plateau, cosine."""
        warm = min(1.0, (step + 1) / self.warm_up_steps)
        over = max(0.0, progress - self.decay_from) / max(1e-9, 1 - self.decay_from)
        return warm * (_LEAST_FACTOR + (1 - _LEAST_FACTOR) * 0.5 * (1 + math.cos(math.pi * min(1.0, over))))

    def rates(self, progress: float, step: int) -> dict[Group, float]:
        """Learning rate of each group of parameters; 0 while a group is frozen."""
        factor = self.rate_factor(progress, step)
        return {
            "new": factor * self.new_rate,
            "head": factor * self.head_rate,
            "late": factor * self.late_rate if progress >= self.late_from else 0.0,
            "early": factor * self.early_rate if progress >= self.early_from else 0.0,
        }

    def true_memory(self, progress: float) -> float:
        """Probability, 0 to 1, of a memory from the truth; it falls, as the network must learn to live with its own."""
        return between(self.true_memory_first, self.true_memory_last, progress)

    def ema_decay(self, step: int) -> float:
        """Decay of the average after ``step`` steps; small at first, or it would keep the untrained weights."""
        return min(self.ema, (1 + step) / (10 + step))


def between(first: float, last: float, progress: float) -> float:
    """Interpolate linearly from ``first`` at progress 0 to ``last`` at progress 1."""
    return first + (last - first) * min(1.0, max(0.0, progress))


def share_done(step: int, elapsed: float, *, minutes: float | None, steps: int | None) -> float:
    """Progress of a training that lasts for some steps or else some minutes, after ``elapsed`` seconds; 1 is the end.

    Parameters
    ----------
    step
        Steps of the optimizer that are done.
    elapsed
        Seconds that they took.
    minutes, steps
        How long the training lasts; ``steps`` counts where it is given.
    """
    return step / steps if steps is not None else elapsed / (60 * (minutes or 1.0))


def parameter_group(name: str) -> Group:
    """Group of a parameter of the network, by name.

    "new" are the parts that MobileSAM has not, "head" prompt encoder and mask decoder, "late" the image encoder's last
    stage with its neck, "early" the rest of the image encoder.
    """
    if name.startswith(_NEW):
        return "new"
    if name.startswith(_LATE):
        return "late"
    return "early" if name.startswith("image_encoder.") else "head"


def encoder_depths(network: nn.Module) -> dict[str, int]:
    """How many layers of the image encoder come after that of a parameter, by parameter name."""
    layers: list[str] = []
    found: dict[str, int] = {}
    for name, _ in network.named_parameters():
        if (match := _LAYER.match(name)) is not None:
            layer = "image_encoder.trunk.patch_embed" if "pos_embed" in match[0] else match[0]
            if layer not in layers:
                layers.append(layer)
            found[name] = layers.index(layer)
    return {name: len(layers) - 1 - index for name, index in found.items()}


def optimizer_groups(network: nn.Module, schedule: Schedule) -> Iterator[dict[str, Any]]:
    """Parameter groups for AdamW.

    Each of the four groups is split by whether weights decay and, where the rate of the encoder falls from layer to
    layer, by that. The key "name" holds the group and "scale" the factor on its rate.
    """
    depths = encoder_depths(network)
    for group in GROUPS:
        # Both are there even if empty: an optimizer's saved state fits only the same groups in the same order.
        split: defaultdict[tuple[float, bool], list[nn.Parameter]] = defaultdict(
            list, {(1.0, True): [], (1.0, False): []}
        )
        for name, parameter in network.named_parameters():
            if parameter_group(name) == group:
                scale = schedule.layer_decay ** depths.get(name, 0)
                split[scale, parameter.ndim > 1].append(parameter)
        for (scale, decays), parameters in split.items():
            decay = schedule.weight_decay if decays else 0.0
            yield {"params": parameters, "lr": 0.0, "weight_decay": decay, "name": group, "scale": scale}
