"""Bytes that an object's memory takes: after a long propagation, and for many objects at another input size.

    python benchmarks/memory_bytes.py                                  # bundled model, 448 px; 200 objects at 1,024 px
    python benchmarks/memory_bytes.py --size 512 --objects 50 --large 2048

The first table tracks cells and counts what their memory banks hold. The second fills banks with tensors of the shapes
that the network would give; no image is encoded.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from cells import CellMovie
from rich.console import Console
from rich.table import Table

from src_model.frames import Normalization
from src_model.memory.entry import MemoryEntry
from src_model.memory.target_model import take_samples
from src_model.nn import ImageFeatures
from src_model.tracking import PRESETS, StreamingPredictor

if TYPE_CHECKING:
    from src_model.memory.bank import MemoryBank
    from src_model.nn import ModelConfig


@dataclass(frozen=True)
class Held:
    """What the banks of some objects hold: numbers of an object, bytes of all."""

    spatial: int
    pointers: int
    logits: int
    nbytes: int
    objects: int = 1


def held(banks: list[MemoryBank]) -> Held:
    """Count what is held of objects that have the same history."""
    entries = banks[0].entries
    return Held(
        sum(entry.memory is not None for entry in entries),
        len(entries),
        sum(entry.logits is not None for entry in entries),
        sum(bank.nbytes for bank in banks),
        len(banks),
    )


def after_tracking(predictor: StreamingPredictor, frames: int, cells: int) -> tuple[Held, int]:
    """Track cells from boxes; return what their banks hold, and the bytes of the answers that can still be chosen."""
    movie = CellMovie(frames, predictor.image_size, cells)
    session = predictor.start(movie, normalization=Normalization("limits", (0.0,), (255.0,)))
    for number in range(1, cells + 1):
        session.prompt(0, number, points=[movie.centre(number, 0)])
    for _ in session.propagate():
        pass
    items = list(session.objects.values())
    readings = [item.last_answer.prediction for item in items if item.last_answer is not None]
    kept = sum(each.logits.nbytes + each.iou.nbytes + each.tokens.nbytes for each in readings)
    return held([item.bank for item in items]), kept


def of_shapes(config: ModelConfig, size: int, frames: int, objects: int) -> Held:
    """Fill banks with empty tensors of the shapes that an input of ``size`` pixels gives."""
    side, low = size // config.stride, size // 4

    maps = (
        torch.zeros(1, config.width // part, side * scale, side * scale) for part, scale in ((1, 1), (8, 4), (4, 2))
    )
    embedding, stride4, stride8 = maps
    features = ImageFeatures(embedding, (stride4, stride8))

    def entry(*, prompted: bool = False) -> MemoryEntry:
        memory, logits = torch.empty(1, config.memory_width, side, side), torch.zeros(1, 1, low, low)
        made = MemoryEntry(logits, torch.empty(1, 1), torch.empty(1, config.width), memory)
        made.samples = take_samples(features, logits, prompted=prompted)
        return made

    banks = [PRESETS["default"].new_memory_bank() for _ in range(objects)]
    for bank in banks:
        bank.condition(0, entry(prompted=True))
        for frame in range(1, frames):
            bank.remember(frame, entry())
    return held(banks)


def main() -> None:
    """Parse the command line, measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=448, help="input size of the model that tracks")
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--cells", type=int, default=1, help="objects that are tracked")
    parser.add_argument("--large", type=int, default=1024, help="input size of the objects that are counted")
    parser.add_argument("--objects", type=int, default=200, help="objects that are counted")
    options = parser.parse_args()
    predictor = StreamingPredictor.load("default", device="cpu", image_size=options.size)
    tracked, readings = after_tracking(predictor, options.frames, options.cells)
    counted = of_shapes(predictor.steps.network.config, options.large, options.frames, options.objects)
    table = Table(title="Memory banks of objects with one prompt")
    for heading in ("input", "objects", "maps", "pointers", "logits", "MB an object", "MB"):
        table.add_column(heading, justify="right")
    for size, each in ((options.size, tracked), (options.large, counted)):
        numbers = (size, each.objects, each.spatial, each.pointers, each.logits)
        table.add_row(*map(str, numbers), f"{each.nbytes / each.objects / 1e6:.2f}", f"{each.nbytes / 1e6:.0f}")
    console = Console()
    console.print(table)
    console.print(
        f"Candidates of the last click: {readings / options.cells / 1e6:.2f} MB an object at {options.size} px."
    )


if __name__ == "__main__":
    main()
