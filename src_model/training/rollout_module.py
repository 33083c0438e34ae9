"""A rollout as a module with a ``forward``, which is what data parallelism and mixed precision wrap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from src_model.training.clip_features import ClipFeatures, encode_clips
from src_model.training.rollout import Rollout, RolloutSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from src_model.nn import Sam2Network

LOSS_PARTS = ("loss", "mask", "iou", "object_score")
"""What a rollout gives, in this order: the loss to descend, and the means of its parts over all answers."""


class RolloutModule(nn.Module):
    """Rolls batches of clips out.

    Parameters
    ----------
    network
        To be trained.

    Attributes
    ----------
    settings
        Of the rollouts to come; changes as a run goes on.
    """

    def __init__(self, network: Sam2Network) -> None:
        super().__init__()
        self.network = network
        self.settings = RolloutSettings()

    def forward(self, images: Tensor, masks: NDArray[np.bool_], seed: tuple[int, ...]) -> Tensor:
        """Roll out ``(C, T, S, S, 3)`` uint8 images with ``(B, T, S, S)`` masks.

        Returns
        -------
        Tensor
            ``(4,)``: :data:`LOSS_PARTS`. Only the first has a gradient.
        """
        config = self.network.config
        normal = normalised(images, config.pixel_mean, config.pixel_std)
        return self.of_features(encode_clips(self.network, normal), masks, seed)

    def of_features(self, features: ClipFeatures, masks: NDArray[np.bool_], seed: tuple[int, ...]) -> Tensor:
        """Roll out clips whose features are known."""
        rollout = Rollout(self.network, features, masks, self.settings, np.random.default_rng(seed))
        total = rollout.run()
        parts = [_mean_part(rollout, part) for part in LOSS_PARTS[1:]]
        return torch.stack([total.float(), *parts])


def normalised(images: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """Normalise ``(..., S, S, 3)`` uint8 images to ``(..., 3, S, S)`` float32."""
    x = images.float().div(255)
    x = (x - torch.tensor(mean, device=x.device)) / torch.tensor(std, device=x.device)
    return x.movedim(-1, -3)


def _mean_part(rollout: Rollout, part: str) -> Tensor:
    values: list[Tensor] = [getattr(loss, part).detach().float() for _, loss in rollout.losses]
    return torch.stack(values).mean()
