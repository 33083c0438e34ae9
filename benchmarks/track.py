"""Where the time of a tracked frame goes: sam2v against the official predictor, same weights, one run.

    python benchmarks/track.py                          # 1 and 5 objects at 512 and 1024
    python benchmarks/track.py --objects 1 5 20 --sizes 512
    python benchmarks/track.py --memory                 # peak memory over 100 and 2,000 frames

Both predictors run the ``official`` behaviour with the same random weights over the same frames, in turn, frame by
frame; what is printed is the median over the frames with a full memory bank, in seconds, split by part. The official
implementation is installed by ``make parity``; without it only sam2v is measured.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from src_model.nn import MODEL_CONFIGS, Sam2Network, build_network
from src_model.tracking import PRESETS, StreamingPredictor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PARTS = {
    "image_encoder": "image encoder",
    "memory_attention": "memory attention",
    "sam_prompt_encoder": "heads",
    "sam_mask_decoder": "heads",
    "memory_encoder": "memory encoder",
}
FULL_BANK = 8
"""Frames before the bank is full; they are not counted."""


@dataclass
class PartTimer:
    """Adds up the time spent in the parts of a network, which both implementations name alike."""

    spent: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def watch(self, network: nn.Module) -> None:
        """Time every call of the parts."""
        for attribute, part in PARTS.items():
            module = getattr(network, attribute)
            started: list[float] = []
            module.register_forward_pre_hook(lambda *_, s=started: s.append(time.perf_counter()))
            module.register_forward_hook(lambda *_, s=started, p=part: self._add(p, s.pop()))

    def _add(self, part: str, start: float) -> None:
        self.spent[part] += time.perf_counter() - start


@dataclass
class Contender:
    """A predictor that answers one frame each time it is asked."""

    name: str
    timer: PartTimer
    frames: Iterator[object]
    records: list[dict[str, float]] = field(default_factory=list)

    def step(self) -> None:
        """Track one frame and record where the time went."""
        self.timer.spent.clear()
        start = time.perf_counter()
        next(self.frames)
        self.records.append({**self.timer.spent, "frame": time.perf_counter() - start})

    def median(self, part: str) -> float:
        """Median seconds of a part over the frames with a full bank."""
        return statistics.median(record.get(part, 0.0) for record in self.records[FULL_BANK:])


def make_movie(frames: int, size: int) -> np.ndarray:
    """Smooth noise that drifts: ``(T, size, size, 3)`` uint8."""
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.random((1, 3, 24, 24), dtype=np.float32))
    scene = nn.functional.interpolate(coarse, (2 * size, 2 * size), mode="bicubic")[0].clamp(0, 1).permute(1, 2, 0)
    pixels = (scene.numpy() * 255).astype(np.uint8)
    return np.stack([pixels[t : t + size, 2 * t : 2 * t + size] for t in range(frames)])


def box_of(index: int, size: int) -> tuple[int, int, int, int]:
    """Place a box ``(y0, x0, y1, x1)`` for each object, on a grid."""
    side = size // 8
    y, x = side + (index // 5) * side, side + (index % 5) * side
    return y, x, y + side, x + side


def our_frames(network: Sam2Network, movie: np.ndarray, objects: int) -> Iterator[object]:
    """Track with sam2v."""
    predictor = StreamingPredictor(network, settings=PRESETS["official"], image_size=movie.shape[1])
    session = predictor.start(movie)
    for index in range(objects):
        session.prompt(0, index + 1, box=box_of(index, movie.shape[1]))
    return session.propagate()


def official_frames(predictor: nn.Module, movie: np.ndarray, objects: int) -> Iterator[object]:
    """Track with the official predictor on the same frames."""
    config = MODEL_CONFIGS["sam2.1-tiny"]
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (config.pixel_mean, config.pixel_std))
    images = (torch.from_numpy(movie).permute(0, 3, 1, 2).float() / 255 - mean) / std
    size = movie.shape[1]
    with mock.patch("sam2.sam2_video_predictor.load_video_frames", return_value=(images, size, size)):
        state = predictor.init_state("frames in memory")
    for index in range(objects):
        y0, x0, y1, x1 = box_of(index, size)
        predictor.add_new_points_or_box(state, 0, index + 1, box=np.array([x0, y0, x1, y1], dtype=np.float32))
    return predictor.propagate_in_video(state)


def build_official(name: str, size: int) -> nn.Module | None:
    """Build the official predictor with random weights, or None where it is not installed."""
    try:
        from sam2.build_sam import build_sam2_video_predictor
    except ImportError:
        return None
    letter = {"tiny": "t", "small": "s", "base-plus": "b+", "large": "l"}[name.removeprefix("sam2.1-")]
    predictor: nn.Module = build_sam2_video_predictor(
        f"configs/sam2.1/sam2.1_hiera_{letter}.yaml",
        ckpt_path=None,
        device="cpu",
        hydra_overrides_extra=[f"++model.image_size={size}"],
    )
    predictor.fill_hole_area = 0
    return predictor


def compare(name: str, size: int, objects: int, counted: int) -> list[Contender]:
    """Run both predictors in turn, frame by frame."""
    torch.manual_seed(0)
    network = build_network(MODEL_CONFIGS[name])
    official = build_official(name, size)
    if official is not None:
        network.load_state_dict(official.state_dict())
    movie = make_movie(FULL_BANK + counted, size)
    contenders = []
    makers: list[tuple[str, nn.Module | None, Callable[..., Iterator[object]]]] = [
        ("sam2v", network, our_frames),
        ("official", official, official_frames),
    ]
    for label, module, make in makers:
        if module is not None:
            timer = PartTimer()
            timer.watch(module)
            contenders.append(Contender(label, timer, make(module, movie, objects)))
    for _ in range(len(movie)):
        for contender in contenders:
            contender.step()
    return contenders


def print_comparison(console: Console, name: str, size: int, objects: int, contenders: list[Contender]) -> None:
    """Print one table: parts by predictor, and the ratio."""
    table = Table(title=f"{name}, {size} px, {objects} object(s): seconds a frame")
    for column in ("part", *(contender.name for contender in contenders), "sam2v / official"):
        table.add_column(column, justify="right")
    for part in [*dict.fromkeys(PARTS.values()), "frame"]:
        values = [contender.median(part) for contender in contenders]
        ratio = f"{values[0] / values[1]:.2f}" if len(values) == 2 and values[1] else "-"
        table.add_row(part, *(f"{value:.3f}" for value in values), ratio)
    console.print(table)


@dataclass
class RollingMovie:
    """A still that rolls sideways, each frame made when it is read: a movie that takes no memory itself."""

    still: np.ndarray
    frames: int
    name: str = "rolling"

    @property
    def shape(self) -> tuple[int, ...]:
        """``(T, Y, X, 3)``."""
        return (self.frames, *self.still.shape)

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type of the values."""
        return self.still.dtype

    def __len__(self) -> int:
        """Return the number of frames."""
        return self.frames

    def read(self, frame: int) -> np.ndarray:
        """Make a frame."""
        return np.roll(self.still, frame % self.still.shape[1], axis=1)


def measure_memory(frames: int, objects: int) -> float:
    """Peak resident memory in MiB of tracking that many frames, in a process of its own."""
    command = [sys.executable, __file__, "--memory-run", str(frames), "--objects", str(objects)]
    finished = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(finished.stdout.split()[-1])


def memory_run(frames: int, objects: int) -> None:
    """Track frames that are made when read, with the small settings of the default model, and print the peak."""
    size = 224
    movie = RollingMovie(make_movie(1, size)[0], frames)
    predictor = StreamingPredictor.load("default", device="cpu", image_size=size)
    session = predictor.start(movie, cache_bytes=64 * 2**20)
    for index in range(objects):
        session.prompt(0, index + 1, box=box_of(index, size))
    for _ in session.propagate():
        pass
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main() -> None:
    """Parse the command line and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="sam2.1-tiny")
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 1024])
    parser.add_argument("--objects", type=int, nargs="+", default=[1, 5])
    parser.add_argument("--frames", type=int, default=5, help="frames counted, after those that fill the bank")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--memory", action="store_true", help="peak memory over 100 and 2,000 frames instead")
    parser.add_argument("--memory-run", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ["TQDM_DISABLE"] = "1"  # the official predictor draws a bar of its own
    torch.set_num_threads(options.threads)
    console = Console()
    if options.memory_run:
        memory_run(options.memory_run, options.objects[0])
    elif options.memory:
        short, long = (measure_memory(frames, options.objects[0]) for frames in (100, 2000))
        console.print(f"peak memory: {short:.0f} MiB over 100 frames, {long:.0f} MiB over 2,000 ({long / short:.2f}x)")
    else:
        console.print(f"torch {torch.__version__}, {options.threads} thread(s)")
        for size in options.sizes:
            for objects in options.objects:
                contenders = compare(options.model, size, objects, options.frames)
                print_comparison(console, options.model, size, objects, contenders)


if __name__ == "__main__":
    main()
