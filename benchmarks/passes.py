"""What a second pass over the same frames costs: features in memory, on disk, and frames that are read ahead.

    python benchmarks/passes.py                                         # SAM 2.1 tiny at 1024, one object
    python benchmarks/passes.py --size 512 --frames 12
    python benchmarks/passes.py --model default --size 448 --slow 0.2   # and a movie that takes 0.2 s a frame to read

Both predictors get the same random weights and the same movie. Each tracks it once, is corrected on the last frame, and
tracks it again. They take turns frame by frame; printed is the median over the frames with a full memory bank. The
official implementation is installed by ``make parity``; without it, and for models it does not have, only sam2v is
measured.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent))
from official import build_official
from track import FULL_BANK, box_of, make_movie

from src_model.nn import MODEL_CONFIGS, build_network
from src_model.tracking import PRESETS, StreamingPredictor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

    from src_model.tracking import Session

_COUNTED_FROM = FULL_BANK - 1


class SlowMovie:
    """A movie in memory that takes a while to read, as one over the network, or compressed, does."""

    concurrent = True
    name = "slow"

    def __init__(self, frames: np.ndarray, seconds: float) -> None:
        self._frames, self._seconds = frames, seconds
        self.shape, self.dtype = frames.shape, frames.dtype

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self._frames)

    def read(self, frame: int) -> np.ndarray:
        """Wait, and give a copy."""
        time.sleep(self._seconds)
        return np.array(self._frames[frame])


@dataclass
class Contender:
    """A way of tracking, and the seconds its frames take, pass by pass."""

    name: str
    passes: Iterator[Iterator[Any]]
    seconds: list[list[float]] = field(default_factory=list)

    def begin(self) -> Iterator[Any]:
        """Begin the next pass."""
        self.seconds.append([])
        return next(self.passes)

    def step(self, frames: Iterator[Any]) -> None:
        """Track one frame."""
        start = time.perf_counter()
        next(frames)
        self.seconds[-1].append(time.perf_counter() - start)

    def median(self, number: int) -> float:
        """Median seconds a frame of a pass, without the last one: it was corrected, and is not computed again."""
        return statistics.median(self.seconds[number][_COUNTED_FROM:-1])


def our_passes(session: Session, size: int) -> Iterator[Iterator[Any]]:
    """Track, correct the last frame, track again."""
    session.prompt(0, 1, box=box_of(0, size))
    yield session.propagate()
    session.prompt(len(session.movie) - 1, 1, points=[_middle(size)])
    session.flush()
    yield session.propagate()


def official_passes(predictor: Any, movie: np.ndarray) -> Iterator[Iterator[Any]]:
    """Do the same with the official predictor."""
    from sam2 import sam2_video_predictor

    sam2_video_predictor.tqdm = iter_quietly  # it draws a bar of its own
    config, size = MODEL_CONFIGS["sam2.1-tiny"], movie.shape[1]
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (config.pixel_mean, config.pixel_std))
    images = (torch.from_numpy(movie).permute(0, 3, 1, 2).float() / 255 - mean) / std
    with mock.patch("sam2.sam2_video_predictor.load_video_frames", return_value=(images, size, size)):
        state = predictor.init_state("frames in memory")
    y0, x0, y1, x1 = box_of(0, size)
    predictor.add_new_points_or_box(state, 0, 1, box=np.array([x0, y0, x1, y1], dtype=np.float32))
    yield predictor.propagate_in_video(state)
    y, x = _middle(size)
    point, label = np.array([[x, y]], dtype=np.float32), np.array([1], dtype=np.int32)
    predictor.add_new_points_or_box(state, len(movie) - 1, 1, points=point, labels=label)
    yield predictor.propagate_in_video(state, start_frame_idx=0)


def iter_quietly(frames: range, **_: object) -> range:
    """Stand in for a progress bar."""
    return frames


def _middle(size: int) -> tuple[int, int]:
    y0, x0, y1, x1 = box_of(0, size)
    return (y0 + y1) // 2, (x0 + x1) // 2


def take_turns(contenders: list[Contender], frames: int) -> None:
    """Run all passes of all contenders, frame by frame in turn."""
    for _ in range(2):
        running = [contender.begin() for contender in contenders]
        for _ in range(frames):
            for contender, results in zip(contenders, running, strict=True):
                contender.step(results)


def load(name: str, size: int, preset: str) -> tuple[StreamingPredictor, nn.Module | None]:
    """Build our predictor, and the official one with the same random weights where there is one."""
    if name not in MODEL_CONFIGS or not name.startswith("sam2.1-"):
        return StreamingPredictor.load(name, device="cpu", image_size=size), None
    torch.manual_seed(0)
    network = build_network(MODEL_CONFIGS[name])
    official = build_official(name, size)
    if official is not None:
        network.load_state_dict(official.state_dict())
    return StreamingPredictor(network, settings=PRESETS[preset], image_size=size), official


def measure(options: argparse.Namespace, folder: Path) -> list[Contender]:
    """Let all ways of tracking take turns."""
    predictor, official = load(options.model, options.size, options.preset)
    movie = make_movie(_COUNTED_FROM + options.frames + 1, options.size)
    ways: dict[str, dict[str, Any]] = {
        "memory": {"cache_bytes": 2**32},
        "disk": {"cache_bytes": 0, "cache_dir": folder},
        "nowhere": {"cache_bytes": 0},
    }
    contenders = []
    for precision in options.precision:
        ours = predictor.with_settings(replace(predictor.steps.settings, precision=precision))
        for way in options.ways:
            passes = our_passes(ours.start(movie, **ways[way]), options.size)
            contenders.append(Contender(f"{precision}, {way}", passes))
    if official is not None:
        contenders.append(Contender("official", official_passes(official, movie)))
    if options.slow:
        for ahead in (False, True):
            session = predictor.start(SlowMovie(movie, options.slow), cache_bytes=0, read_ahead=ahead)
            name = f"exact, nowhere, slow movie{', read ahead' if ahead else ''}"
            contenders.append(Contender(name, our_passes(session, options.size)))
    take_turns(contenders, len(movie))
    return contenders


def print_table(console: Console, title: str, contenders: list[Contender]) -> None:
    """Print seconds a frame, and how many times faster than the official predictor each is in the same pass."""
    table = Table(title=title)
    for column in ("sam2v, features kept in", "first pass", "second pass", "official / first", "official / second"):
        table.add_column(column, justify="right")
    official = next((each for each in contenders if each.name == "official"), None)
    for each in contenders:
        seconds = [each.median(number) for number in (0, 1)]
        ratios = ["-", "-"] if official is None else [f"{official.median(n) / seconds[n]:.2f}" for n in (0, 1)]
        table.add_row(each.name, *(f"{value:.3f}" for value in seconds), *ratios)
    console.print(table)


def main() -> None:
    """Parse the command line and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="sam2.1-tiny")
    parser.add_argument("--preset", default="default", choices=list(PRESETS))
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--frames", type=int, default=4, help="frames counted, after those that fill the bank")
    parser.add_argument("--precision", nargs="+", default=["exact", "fast"], choices=["exact", "fast"])
    parser.add_argument("--ways", nargs="+", default=["memory", "disk", "nowhere"], help="where features are kept")
    parser.add_argument("--slow", type=float, default=0.0, help="also a movie of which reading a frame takes so long")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        contenders = measure(options, Path(folder))
    title = f"{options.model}, {options.size} px, one object, {options.threads} thread(s): seconds a frame"
    print_table(Console(), title, contenders)


if __name__ == "__main__":
    main()
