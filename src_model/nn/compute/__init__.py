"""How the network's heaviest operations are computed: one function or layer each, chosen by device and type."""

from src_model.nn.compute.attend import attend
from src_model.nn.compute.convolution import Conv2d
from src_model.nn.compute.derived import Derived
from src_model.nn.compute.levers import NO_LEVERS, Levers, compute_dtype, levers, needs_gradient, using
from src_model.nn.compute.linear import Linear, linear
from src_model.nn.compute.memory import keep_freed_memory
from src_model.nn.compute.onednn import Activation, has_bfloat16_units
from src_model.nn.compute.strips import in_strips

__all__ = [
    "NO_LEVERS",
    "Activation",
    "Conv2d",
    "Derived",
    "Levers",
    "Linear",
    "attend",
    "compute_dtype",
    "has_bfloat16_units",
    "in_strips",
    "keep_freed_memory",
    "levers",
    "linear",
    "needs_gradient",
    "using",
]
