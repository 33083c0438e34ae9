"""torch's private oneDNN operators, two to three times as fast as the public ones on some CPUs."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

Activation = Literal["none", "relu", "gelu"]

POST = {"none": ("none", ""), "relu": ("relu", ""), "gelu": ("gelu", "none")}
"""How the operator calls an activation, and its variant."""

_BFLOAT16_UNITS = ("avx512_bf16", "amx_bf16")

_TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 3e-2}


def product(x: Tensor, weight: Tensor, bias: Tensor | None = None, activation: Activation = "none") -> Tensor:
    """Multiply ``(..., I)`` by the rows of ``(O, I)``, both of a type that :func:`is_usable` for; ``(..., O)``."""
    name, variant = POST[activation]
    if not weight.is_mkldnn and not weight.is_contiguous() and not weight.t().is_contiguous():
        # Rows that lie apart, such as one head's keys, would be left to oneDNN's reference, a thousand times slower.
        weight = weight.contiguous()
    result: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, name, [], variant)
    return result


def pack(weight: Tensor) -> Tensor:
    """Bring ``(O, I)`` weights into the order that :func:`product` reads fastest; an opaque tensor."""
    packed: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight)
    return packed


@lru_cache(maxsize=1)
def has_bfloat16_units() -> bool:
    """Whether oneDNN multiplies bfloat16 with units made for it, instead of emulating it slower than float32.

    A process may use less than the processor has: the variable ``ONEDNN_MAX_CPU_ISA`` limits it.
    """
    backend: Any = torch.backends.mkldnn
    if not backend.is_available() or not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return False
    capabilities = getattr(torch.cpu, "get_capabilities", None)
    if capabilities is None:  # before torch 2.12
        return bool(torch.cpu._is_avx512_bf16_supported())
    present = capabilities()
    return any(present.get(unit, False) for unit in _BFLOAT16_UNITS)


@lru_cache(maxsize=8)
def is_usable(dtype: torch.dtype) -> bool:
    """Whether the operators exist in this build of torch, on this CPU, for this type, and compute what they should."""
    backend: Any = torch.backends.mkldnn
    if dtype not in _TOLERANCE or not backend.is_available():
        return False
    with torch.no_grad(), torch.autocast("cpu", enabled=False):
        x, weight, bias = (torch.linspace(-1, 1, n).reshape(s) for n, s in ((51, (3, 17)), (85, (5, 17)), (5, (5,))))
        expected = F.gelu(F.linear(x, weight, bias))
        try:
            given = x.to(dtype), weight.to(dtype), bias.to(dtype)
            results = [product(*given, "gelu"), product(given[0], pack(given[1]), given[2], "gelu")]
        except (AttributeError, RuntimeError):
            return False
        return all(_agree(result, expected, _TOLERANCE[dtype]) for result in results)


def _agree(result: Tensor, expected: Tensor, tolerance: float) -> bool:
    return result.shape == expected.shape and bool(((result.float() - expected).abs() < tolerance).all())


ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {"none": lambda x: x, "relu": F.relu, "gelu": F.gelu}
"""The same activations in public operators."""
