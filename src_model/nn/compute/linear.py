"""Linear layers, computed as is fastest on a device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src_model.nn.compute import onednn
from src_model.nn.compute.initialization import initializes
from src_model.nn.compute.onednn import ACTIVATIONS, Activation
from src_model.nn.compute.options import compute_dtype, compute_options, needs_gradient
from src_model.nn.compute.weight_cache import WeightCache

if TYPE_CHECKING:
    from collections.abc import Callable


class Linear(nn.Linear):
    """A linear layer, perhaps followed by an activation, that runs through oneDNN on CPU where no gradient is needed.

    Parameters, their names and the result are those of :class:`torch.nn.Linear`. In float32 the weights are taken as
    they are; in bfloat16 a packed copy of them is kept, which is half their size.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__(in_features, out_features, bias)
        self._packed: WeightCache[Tensor] = WeightCache()

    def reset_parameters(self) -> None:
        """Begin with random weights, as :class:`torch.nn.Linear` does, unless a checkpoint follows."""
        if initializes():
            super().reset_parameters()

    def forward(self, x: Tensor, activation: Activation = "none") -> Tensor:
        """Map ``(..., in_features)`` to ``(..., out_features)``."""
        dtype = compute_dtype(x)
        if not _runs_on_onednn(x, dtype) or needs_gradient(x, self.weight, self.bias):
            return ACTIVATIONS[activation](F.linear(x, self.weight, self.bias))
        bias = None if self.bias is None else self.bias.to(dtype)
        return onednn.product(x.to(dtype), self._weight_in(dtype), bias, activation)

    def _weight_in(self, dtype: torch.dtype) -> Tensor:
        if self.weight.dtype == dtype:
            return self.weight
        return self._packed.get((self.weight,), dtype, lambda: onednn.pack(self.weight.detach().to(dtype)))

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        self._packed.clear()
        return super()._apply(fn, recurse)  # type: ignore[no-untyped-call]


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None, activation: Activation = "none") -> Tensor:
    """Do once what :class:`Linear` does, with weights that belong to another layer."""
    dtype = compute_dtype(x)
    if not _runs_on_onednn(x, dtype) or needs_gradient(x, weight, bias):
        return ACTIVATIONS[activation](F.linear(x, weight, bias))
    return onednn.product(x.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype), activation)


def _runs_on_onednn(x: Tensor, dtype: torch.dtype) -> bool:
    return x.device.type == "cpu" and compute_options().packed_linear and onednn.is_usable(dtype)
