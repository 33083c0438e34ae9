"""How the network's heaviest operations are computed: one function or layer each, chosen by device and type."""

from src_model.nn.compute.allocator import keep_freed_memory
from src_model.nn.compute.attend import attend
from src_model.nn.compute.initialization import initializes, without_initialization
from src_model.nn.compute.layers import Conv2d, Linear, linear
from src_model.nn.compute.onednn import Activation, has_bfloat16_units
from src_model.nn.compute.options import (
    PLAIN_COMPUTE,
    ComputeOptions,
    compute_dtype,
    compute_options,
    compute_with,
    needs_gradient,
)
from src_model.nn.compute.tiling import compute_tiled
from src_model.nn.compute.weight_cache import WeightCache

__all__ = [
    "PLAIN_COMPUTE",
    "Activation",
    "ComputeOptions",
    "Conv2d",
    "Linear",
    "WeightCache",
    "attend",
    "compute_dtype",
    "compute_options",
    "compute_tiled",
    "compute_with",
    "has_bfloat16_units",
    "initializes",
    "keep_freed_memory",
    "linear",
    "needs_gradient",
    "without_initialization",
]
