"""How fast images are encoded: against the official encoder, and what each compute option brings; same weights.

    python benchmarks/encoder.py                                    # tiny, small, base-plus at 448, 512 and 1024
    python benchmarks/encoder.py --models tiny --sizes 512 --threads 1 --clock cpu
    python benchmarks/encoder.py --compute-options --models default tiny  # each added to those before it

Everything that is compared takes turns, image by image; medians are printed. The last column is the distance to the
limit: operations a second of the encoder over those of a large matrix product of the same type, measured in the same
run. Operations are those of the padded windows, also where they are not computed. Windows need padding wherever a
size is no multiple of 224: in the two coarse stages of Hiera, in all three of TinyViT that attend. The official
implementation is installed by ``make parity``; without it only sam2v is measured.
"""

from __future__ import annotations

import argparse
import statistics
import time
from contextlib import nullcontext
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from official import missing_opponent, official_config
from rich.console import Console
from rich.table import Table
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from src_model.nn import MODEL_CONFIGS, build_network
from src_model.nn.compute import PLAIN_COMPUTE, ComputeOptions, compute_with, keep_freed_memory, onednn

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from torch import Tensor, nn

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
ENCODER_OPTIONS = ("packed_linear", "attention_by_products", "packed_convolution", "tiled", "unpadded_windows")
"""Those that the image encoder knows, in the order in which they were built."""


@dataclass
class Contender:
    """One way to do the work of a round."""

    name: str
    work: Callable[[], object]
    fast: bool
    context: Callable[[], AbstractContextManager[object]] = nullcontext
    seconds: list[float] = field(default_factory=list)

    def step(self, clock: Callable[[], float]) -> None:
        """Do the work once and note how long it took."""
        with torch.no_grad(), self.context(), torch.autocast("cpu", torch.bfloat16, enabled=self.fast):
            start = clock()
            self.work()
            self.seconds.append(clock() - start)

    @property
    def median(self) -> float:
        """Seconds, the first round left out."""
        return statistics.median(self.seconds[1:])


@dataclass(frozen=True)
class Limit:
    """A large matrix product in float32 and in bfloat16, through the faster of torch's ways."""

    side: int = 1536

    def contenders(self) -> list[Contender]:
        """Return one for each type."""
        square = torch.randn(self.side, self.side)
        made = []
        for fast in (False, True):
            matrix = square.bfloat16() if fast else square
            multiply = onednn.product if onednn.is_usable(matrix.dtype) else torch.matmul
            made.append(Contender("limit", partial(multiply, matrix, matrix), fast))
        return made

    def rates(self, contenders: list[Contender]) -> dict[bool, float]:
        """Operations a second, by whether it is the fast type."""
        return {c.fast: 2 * self.side**3 / c.median for c in contenders if c.name == "limit"}


def image_encoder(name: str) -> nn.Module:
    """Build our encoder of a configuration, with random weights."""
    encoder: nn.Module = build_network(MODEL_CONFIGS[name]).image_encoder
    return encoder.eval()


def official_encoder(name: str, size: int) -> nn.Module | None:
    """Build the official encoder with random weights, or None where there is none."""
    if missing_opponent(name):
        return None
    from sam2.build_sam import build_sam2

    network = build_sam2(**official_config(name, size), device="cpu")
    encoder: nn.Module = network.image_encoder
    return encoder


def operations(encoder: nn.Module, image: Tensor) -> int:
    """Count two for each multiplication and addition of matrix products and convolutions."""
    counts = {torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention_operations}
    with torch.no_grad(), compute_with(PLAIN_COMPUTE), FlopCounterMode(display=False, custom_mapping=counts) as counter:
        encoder(image)
    return int(counter.get_total_flops())


def _attention_operations(
    query: tuple[int, ...], key: tuple[int, ...], value: tuple[int, ...], *_: Any, **__: Any
) -> int:
    """Count those of one call, from the shapes of its arguments."""
    return int(sdpa_flop_count(query, key, value))


def against_official(name: str, image: Tensor) -> list[Contender]:
    """Return both encoders with the same weights, in both types."""
    ours, official = image_encoder(name), official_encoder(name, image.shape[-1])
    contenders = []
    if official is not None:
        ours.load_state_dict(official.state_dict())
        contenders += [Contender("official", partial(official, image), fast) for fast in (False, True)]
    return contenders + [Contender("sam2v", partial(ours, image), fast) for fast in (False, True)]


def by_option(name: str, image: Tensor) -> list[Contender]:
    """Return our encoder in plain torch, and with one more of them at a time."""
    encoder, choice = image_encoder(name), PLAIN_COMPUTE
    choices = [("plain", choice)]
    for option in ENCODER_OPTIONS:
        choice = replace(choice, **{option: True})
        choices.append((f"+ {option}", choice))
    return [
        Contender(label, partial(encoder, image), fast, partial(compute_with, chosen))
        for fast in (False, True)
        for label, chosen in choices
    ]


def measure(name: str, size: int, options: argparse.Namespace) -> Table:
    """Let all take turns and make a table of it."""
    image, limit = torch.randn(1, 3, size, size), Limit()
    count = operations(image_encoder(name), image)
    contenders = (by_option if options.compute_options else against_official)(name, image)
    limits = limit.contenders()
    for _ in range(options.rounds + 1):
        for contender in contenders + limits:
            contender.step(CLOCKS[options.clock])
    rates = limit.rates(limits)
    limits_text = f"limit {rates[False] / 1e9:.0f} GFLOP/s in float32, {rates[True] / 1e9:.0f} in bfloat16"
    table = Table(title=f"{name}, {size} px, {count / 1e9:.1f} GFLOP; {limits_text}")
    for column in ("encoder", "type", "milliseconds", "times as fast", "GFLOP/s", "of the limit"):
        table.add_column(column, justify="right")
    for contender in contenders:
        rate = count / contender.median
        table.add_row(
            contender.name,
            "bfloat16" if contender.fast else "float32",
            f"{contender.median * 1e3:.1f}",
            f"{contenders[0].median / contender.median:.2f}",
            f"{rate / 1e9:.0f}",
            f"{rate / rates[contender.fast]:.2f}",
        )
    return table


def main() -> None:
    """Parse the command line and print a table for each model and size."""
    assert set(ENCODER_OPTIONS) <= {option.name for option in fields(ComputeOptions)}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["tiny", "small", "base-plus"], help="of SAM 2.1, or default")
    parser.add_argument("--sizes", type=int, nargs="+", default=[448, 512, 1024])
    parser.add_argument("--rounds", type=int, default=7, help="counted, after one that is not")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: robust on a busy machine with one thread")
    parser.add_argument("--keep-freed-memory", action="store_true", help="a setting of the whole process, see there")
    parser.add_argument("--compute-options", action="store_true", help="ours alone, with one more option at a time")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    kept = options.keep_freed_memory and keep_freed_memory()
    console = Console()
    console.print(
        f"torch {torch.__version__}, {options.threads} thread(s), {options.clock} clock{', freed memory kept' * kept}"
    )
    for model in options.models:
        name = model if model in MODEL_CONFIGS else f"sam2.1-{model}"
        if name == "default" and not options.compute_options:
            console.print("default: the official implementation has no such encoder; use --compute-options")
            continue
        for size in options.sizes:
            console.print(measure(name, size, options))


if __name__ == "__main__":
    main()
