"""What OpenVINO brings on a CPU: image encoder and memory attention against torch, same weights, one run.

    python benchmarks/backends.py                                # default at 448 and 512, tiny at 512 and 1024
    python benchmarks/backends.py --threads 1 --clock cpu        # on a machine that does other things too

Torch and OpenVINO take turns, exact (float32) and fast (bfloat16); medians are printed. The memory attention sees a
full bank: 7 memories and 16 object pointers of each object. Where torch was measured to be faster, OpenVINO's engine
leaves the work to it ("by torch"). A second table tells what the first use of a model costs, once a machine, and every
later one. The package comes with the extra "openvino".
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import defaultdict
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from rich.console import Console
from rich.table import Table

from src_model.acceleration.blobs import BlobFolder
from src_model.acceleration.openvino_engine import OpenVinoEngine
from src_model.nn import MODEL_CONFIGS, MemoryTokens, build_network

if TYPE_CHECKING:
    from collections.abc import Callable

    from src_model.acceleration import Engine
    from src_model.nn import Sam2Network

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
PRECISIONS = {"exact": torch.float32, "fast": torch.bfloat16}
Work = tuple[str, "Callable[[Engine], object]"]


def full_memory(network: Sam2Network, size: int, objects: int) -> MemoryTokens:
    """Make the memory of objects that were tracked for long."""
    side = size // network.config.stride
    memories, pointers = torch.randn(objects, 7, 64, side, side), torch.randn(objects, 16, 256)
    return MemoryTokens(memories, ((0, 6, 5, 4, 3, 2, 1),), pointers, (tuple(range(16, 0, -1)),), 16)


def work_of(network: Sam2Network, size: int, counts: list[int]) -> list[Work]:
    """List what is measured at an input size."""
    side = size // network.config.stride
    images, embedding = torch.randn(1, 3, size, size), torch.randn(1, 256, side, side)
    work: list[Work] = [("image encoder", lambda engine: engine.encode_image(images))]
    for count in counts:
        memory = full_memory(network, size, count)
        work.append((f"memory attention, {count}", lambda engine, m=memory: engine.attend_memory(embedding, m)))
    return work


def measured(
    work: Callable[[Engine], object], engines: dict[str, Engine], rounds: int, clock: Callable[[], float]
) -> dict[str, float]:
    """Median seconds of each engine and precision, which take turns; the first round does not count."""
    seconds: defaultdict[str, list[float]] = defaultdict(list)
    for number, precision, (name, engine) in product(range(rounds + 1), PRECISIONS, engines.items()):
        fast = precision == "fast"
        with torch.no_grad(), torch.autocast("cpu", PRECISIONS[precision], enabled=fast):
            start = clock()
            work(engine)
            if number:
                seconds[f"{name} {precision}"].append(clock() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def compare(table: Table, name: str, size: int, options: argparse.Namespace, folder: BlobFolder) -> None:
    """Add the rows of one model at one size."""
    torch.manual_seed(0)
    network = build_network(MODEL_CONFIGS[name])
    engine = OpenVinoEngine(network, folder)
    for label, work in work_of(network, size, options.objects):
        seconds = measured(work, {"torch": network, "OpenVINO": engine}, options.rounds, CLOCKS[options.clock])
        done = any(part.startswith(label.partition(",")[0]) for part in engine.parts)
        cells = []
        for precision in PRECISIONS:
            ours, other = seconds[f"torch {precision}"], seconds[f"OpenVINO {precision}"]
            cells += [f"{ours:.3f}", f"{other:.3f}", f"{ours / other:.2f}" if done else "by torch"]
        table.add_row(f"{name}, {size}", label, *cells)


def first_uses(table: Table, name: str, size: int, clock: Callable[[], float], folder: BlobFolder) -> None:
    """Add what it costs to get ready for a model: with nothing on disk, and with everything."""
    network = build_network(MODEL_CONFIGS[name])
    for kind, precision in product(("first", "later"), PRECISIONS):
        engine = OpenVinoEngine(network, folder)
        with torch.no_grad(), torch.autocast("cpu", PRECISIONS[precision], enabled=precision == "fast"):
            start = clock()
            for _, work in work_of(network, size, [1]):
                work(engine)
            table.add_row(f"{name}, {size}", f"{kind} use, {precision}", f"{clock() - start:.2f}")


def main() -> None:
    """Parse the command line and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = ["default:448", "default:512", "sam2.1-tiny:512", "sam2.1-tiny:1024"]
    parser.add_argument("--models", nargs="+", default=default, metavar="NAME:SIZE")
    parser.add_argument("--objects", type=int, nargs="+", default=[1, 5])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: robust on a busy machine with one thread")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    console = Console()
    console.print(f"torch {torch.__version__}, {options.threads} thread(s), {options.clock} clock, seconds")
    main_table = Table()
    for column in (
        "model, px",
        "part",
        *(f"{who} {how}" for how in PRECISIONS for who in ("torch", "OpenVINO", "times")),
    ):
        main_table.add_column(column, justify="right")
    uses = Table()
    for column in ("model, px", "encoder and memory attention", "seconds"):
        uses.add_column(column, justify="right")
    with tempfile.TemporaryDirectory() as name:
        folder = BlobFolder(Path(name))
        for entry in options.models:
            model, _, size = entry.partition(":")
            first_uses(uses, model, int(size), CLOCKS[options.clock], folder)
            compare(main_table, model, int(size), options, folder)
    console.print(main_table)
    console.print(uses)


if __name__ == "__main__":
    main()
