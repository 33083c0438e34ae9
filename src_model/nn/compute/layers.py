"""Linear layers and convolutions, computed as is fastest on a device."""

from __future__ import annotations

from functools import lru_cache
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
        if not _multiplies_on_onednn(x, dtype) or needs_gradient(x, self.weight, self.bias):
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
    if not _multiplies_on_onednn(x, dtype) or needs_gradient(x, weight, bias):
        return ACTIVATIONS[activation](F.linear(x, weight, bias))
    return onednn.product(x.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype), activation)


class Conv2d(nn.Conv2d):
    """A zero-padded convolution, perhaps followed by an activation; on CPU oneDNN does both at once without gradient.

    Parameters, their names and the result are those of :class:`torch.nn.Conv2d`. Maps should be channels-last in
    memory: a 1 x 1 convolution is then a product with the pixels as they lie.
    """

    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._packed: WeightCache[Tensor] = WeightCache()

    def reset_parameters(self) -> None:
        """Begin with random weights, as :class:`torch.nn.Conv2d` does, unless a checkpoint follows."""
        if initializes():
            super().reset_parameters()

    def forward(self, x: Tensor, activation: Activation = "none") -> Tensor:
        """Map ``(B, in_channels, H, W)`` to ``(B, out_channels, H', W')``."""
        dtype = compute_dtype(x)
        if not _convolves_on_onednn(x, dtype) or needs_gradient(x, self.weight, self.bias):
            return ACTIVATIONS[activation](self._conv_forward(x, self.weight, self.bias))
        x, bias = x.to(dtype), None if self.bias is None else self.bias.to(dtype)
        if self._is_pointwise:
            product = onednn.product(x.permute(0, 2, 3, 1), self._matrix_in(dtype), bias, activation)
            return product.permute(0, 3, 1, 2)
        x = x.contiguous(memory_format=torch.channels_last)
        return _convolve(x, self._filters_in(dtype), bias, self, activation)

    @property
    def _is_pointwise(self) -> bool:
        return self.kernel_size == (1, 1) and self.stride == (1, 1) and self.padding == (0, 0) and self.groups == 1

    def _matrix_in(self, dtype: torch.dtype) -> Tensor:
        """Weights of a 1 x 1 convolution as ``(O, I)``; a packed copy of them unless their type is asked for."""
        matrix = self.weight.detach().flatten(1)
        if matrix.dtype == dtype:
            return matrix
        return self._packed.get((self.weight,), dtype, lambda: onednn.pack(matrix.to(dtype)))

    def _filters_in(self, dtype: torch.dtype) -> Tensor:
        weight = self.weight.detach()
        if weight.dtype == dtype:
            return weight
        return self._packed.get((self.weight,), dtype, lambda: weight.to(dtype))

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        self._packed.clear()
        return super()._apply(fn, recurse)  # type: ignore[no-untyped-call]


def _convolves_on_onednn(x: Tensor, dtype: torch.dtype) -> bool:
    return x.device.type == "cpu" and compute_options().packed_convolution and _convolution_is_usable(dtype)


def _convolve(x: Tensor, weight: Tensor, bias: Tensor | None, like: nn.Conv2d, activation: Activation) -> Tensor:
    """Convolve through torch's private operator, which applies the activation to what is still in cache."""
    name, variant = onednn.POST[activation]
    result: Tensor = torch.ops.mkldnn._convolution_pointwise(
        x, weight, bias, like.padding, like.stride, like.dilation, like.groups, name, [], variant
    )
    return result


@lru_cache(maxsize=8)
def _convolution_is_usable(dtype: torch.dtype) -> bool:
    """Whether the operators exist in this build of torch, on this CPU, for this type, and compute what they should."""
    if not onednn.is_usable(dtype):
        return False
    with torch.no_grad(), torch.autocast("cpu", enabled=False):
        like = nn.Conv2d(4, 4, 3, padding=1, stride=2, groups=4, device="meta")
        x, weight, bias = (
            torch.linspace(-1, 1, n).reshape(s) for n, s in ((100, (1, 4, 5, 5)), (36, (4, 1, 3, 3)), (4, (4,)))
        )
        expected = F.gelu(F.conv2d(x, weight, bias, like.stride, like.padding, groups=4))
        given = x.to(dtype).contiguous(memory_format=torch.channels_last), weight.to(dtype), bias.to(dtype)
        try:
            result = _convolve(*given, like, "gelu")
        except (AttributeError, RuntimeError):
            return False
        tolerance = 1e-5 if dtype == torch.float32 else 3e-2
        return result.shape == expected.shape and torch.allclose(result.float(), expected, atol=tolerance)


def _multiplies_on_onednn(x: Tensor, dtype: torch.dtype) -> bool:
    return x.device.type == "cpu" and compute_options().packed_linear and onednn.is_usable(dtype)
