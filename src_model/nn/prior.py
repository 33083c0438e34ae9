"""What is known of an object besides its memory and its prompts, as the mask decoder takes it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from src_model.nn.mask_decoder import MaskPrediction


@dataclass(frozen=True, slots=True)
class Prior:
    """Expectations of a batch of objects, one row an object; what is None adds nothing, not even a rounding.

    Attributes
    ----------
    dense
        ``(B, 256, h, w)``, added to the embedding beside the mask prompt.
    tokens
        ``(B, N, 256)``, given to the decoder after the tokens of the prompts.
    logits
        ``(B, 1, S / 4, S / 4)``, added to the logits of every mask.
    """

    dense: Tensor | None = None
    tokens: Tensor | None = None
    logits: Tensor | None = None

    def added_to(self, tokens: Tensor, dense: Tensor) -> tuple[Tensor, Tensor]:
        """Add to the prompts ``(B, N, 256)`` and ``(B, 256, h, w)`` of the same objects."""
        if self.tokens is not None:
            tokens = torch.cat((tokens, self.tokens.to(tokens.dtype)), dim=1)
        return tokens, dense if self.dense is None else dense + self.dense.to(dense.dtype)

    def added_to_masks(self, prediction: MaskPrediction) -> MaskPrediction:
        """Add to the masks of the same objects."""
        if self.logits is None:
            return prediction
        return replace(prediction, logits=prediction.logits + self.logits.to(prediction.logits.dtype))


class Gate(nn.Module):
    """A learned factor that starts at zero: what passes it is nothing until training finds a use for it."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Scale a part of a prior, of any shape."""
        return x * self.weight
