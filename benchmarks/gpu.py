"""Everything that is measured on a GPU, with one command: parity first, then seconds a frame against the official one.

    python benchmarks/gpu.py --out gpu.json                       # all of it; prints a Markdown table
    python benchmarks/gpu.py --models sam2.1-tiny --counts 1 20   # a part of it
    python benchmarks/gpu.py --table gpu.json                     # print the table of what was measured before

Both predictors have the same random weights and take turns frame by frame. sam2v runs as it is, in float32 (exact) and
in bfloat16 (fast); the official predictor in bfloat16 as its authors run it, without and with their compile options.
Frames count once memories and pointers are full and everything is compiled. Without a CUDA device nothing is measured.
What is in ``--out`` already is kept, so that the parts may be measured one after the other.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from cells import CellMovie
from official import build_official, missing_opponent, official_frames
from rich.console import Console

from src_model.frames import Normalization
from src_model.nn import MODEL_CONFIGS, build_network
from src_model.tracking import PRESETS, StreamingPredictor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import nn

    from src_model.tracking import FrameResult

UNCOUNTED = 20
"""Frames before memories and pointers are full."""
PARITY_FRAMES = 8
OURS_EXACT, OURS_FAST = "sam2v, exact", "sam2v, fast"
OFFICIAL, COMPILED = "official", "official, compiled"


@dataclass(frozen=True)
class Parity:
    """How far the logits of both predictors lie apart in float32, TF32 off: at most, and in the median of frames."""

    model: str
    size: int
    largest: float
    median: float


@dataclass(frozen=True)
class Speed:
    """Median seconds a frame of one predictor."""

    model: str
    size: int
    cells: int
    predictor: str
    seconds: float


@dataclass
class Results:
    """What was measured on one device."""

    device: str
    torch: str
    parity: list[Parity]
    speed: list[Speed]

    @classmethod
    def load(cls, path: Path) -> Results:
        """Read a file of ``--out``."""
        content = json.loads(path.read_text(encoding="utf-8"))
        parity = [Parity(**each) for each in content["parity"]]
        return cls(content["device"], content["torch"], parity, [Speed(**each) for each in content["speed"]])

    def save(self, path: Path | None) -> None:
        """Write everything, if there is a path."""
        if path is not None:
            path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    def markdown(self) -> str:
        """Return the tables as Markdown."""
        lines = [f"{self.device}, torch {self.torch}", "", "| model | size | largest difference | median |"]
        lines += ["| --- | --- | --- | --- |"]
        lines += [f"| {p.model} | {p.size} | {p.largest:.1e} | {p.median:.1e} |" for p in self.parity]
        names = list(dict.fromkeys(each.predictor for each in self.speed))
        lines += ["", f"| model | size | cells | {' | '.join(names)} | {COMPILED} / {OURS_FAST} |"]
        lines += ["| --- " * (len(names) + 4) + "|"]
        for model, size, cells in dict.fromkeys((each.model, each.size, each.cells) for each in self.speed):
            seconds = {e.predictor: e.seconds for e in self.speed if (e.model, e.size, e.cells) == (model, size, cells)}
            shown = [f"{seconds[name]:.4f}" if name in seconds else "not measured" for name in names]
            both = COMPILED in seconds and OURS_FAST in seconds
            ratio = f"{seconds[COMPILED] / seconds[OURS_FAST]:.2f}" if both else "not measured"
            lines.append(f"| {model} | {size} | {cells} | {' | '.join(shown)} | {ratio} |")
        return "\n".join(lines)


class Bench:
    """The predictors of one model, all with the same weights.

    Parameters
    ----------
    model, size
        What is built, and the side of its input.
    device
        Where it runs.
    """

    def __init__(self, model: str, size: int, device: str) -> None:
        self.model, self.size, self.device = model, size, device
        torch.manual_seed(0)
        self.official = build_official(model, size, device=device)
        network = build_network(MODEL_CONFIGS[model])
        if self.official is not None:
            network.load_state_dict(self.official.state_dict())
        settings = PRESETS["official"]
        self.exact = StreamingPredictor(network, device=device, settings=settings, image_size=size)
        self.fast = self.exact.with_settings(replace(settings, precision="fast"))

    def compiled(self) -> nn.Module | None:
        """Build the official predictor with its compile options and the same weights."""
        compiled = build_official(self.model, self.size, device=self.device, compiled=True)
        if compiled is not None:
            compiled.load_state_dict(self.exact.steps.network.state_dict())
        return compiled

    def our_frames(self, predictor: StreamingPredictor, movie: CellMovie) -> Iterator[FrameResult]:
        """Track all cells of a movie with sam2v."""
        session = predictor.start(movie, normalization=Normalization("limits", (0.0,), (255.0,)))
        for number in range(1, movie.count + 1):
            session.prompt(0, number, box=movie.box(number))
        return session.propagate()

    def parity(self) -> Parity:
        """Compare the logits of every frame."""
        assert self.official is not None, "checked before"
        movie = CellMovie(PARITY_FRAMES, self.size, 3)
        differences = []
        with torch.inference_mode():
            for (_, theirs), ours in zip(
                official_frames(self.official, movie, self.device), self.our_frames(self.exact, movie), strict=True
            ):
                for row, number in enumerate(sorted(ours.logits)):
                    low = ours.logits[number].float()[None, None]
                    enlarged = F.interpolate(low, theirs.shape[-2:], mode="bilinear", align_corners=False)
                    differences.append(float((enlarged[0, 0] - theirs[row, 0]).abs().max()))
        return Parity(self.model, self.size, max(differences), statistics.median(differences))


def timed(step: Callable[[], object], device: str) -> float:
    """Seconds that a step takes until the device has done it."""
    start = time.perf_counter()
    step()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - start


def race(bench: Bench, compiled: nn.Module | None, cells: int, counted: int) -> list[Speed]:
    """Let all predictors track the same cells in turns; prompting is not timed."""
    movie = CellMovie(UNCOUNTED + counted, bench.size, cells)
    fast = torch.autocast(bench.device.partition(":")[0], torch.bfloat16)
    entries: dict[str, tuple[Iterator[object], contextlib.AbstractContextManager[object]]] = {}
    with torch.inference_mode():
        entries[OURS_EXACT] = (bench.our_frames(bench.exact, movie), contextlib.nullcontext())
        entries[OURS_FAST] = (bench.our_frames(bench.fast, movie), contextlib.nullcontext())
        for name, predictor in ((OFFICIAL, bench.official), (COMPILED, compiled)):
            if predictor is not None:
                entries[name] = (official_frames(predictor, movie, bench.device), fast)
        seconds: dict[str, list[float]] = {name: [] for name in entries}
        for _ in range(len(movie)):
            for name, (frames, context) in entries.items():
                with context:
                    seconds[name].append(timed(lambda frames=frames: next(frames), bench.device))
    medians = {name: statistics.median(values[UNCOUNTED:]) for name, values in seconds.items()}
    return [Speed(bench.model, bench.size, cells, name, value) for name, value in medians.items()]


def measure(options: argparse.Namespace, results: Results, console: Console) -> None:
    """Measure parity and speed of all models, and save after each part."""
    for model in options.models:
        bench = Bench(model, options.size, options.device)
        if bench.official is None:
            console.print(missing_opponent(model))
        elif not any((each.model, each.size) == (model, options.size) for each in results.parity):
            results.parity.append(bench.parity())
            console.print(results.parity[-1])
            results.save(options.out)
        compiled = bench.compiled() if options.compile else None
        for cells in options.counts:
            case = (model, options.size, cells)
            if case in {(each.model, each.size, each.cells) for each in results.speed}:
                continue
            measured = race(bench, compiled, cells, options.frames)
            results.speed += measured
            console.print(*measured, sep="\n")
            results.save(options.out)


def main() -> None:
    """Parse the command line, measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["sam2.1-tiny", "sam2.1-base-plus"])
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 5, 20, 100])
    parser.add_argument("--frames", type=int, default=20, help="frames counted")
    parser.add_argument("--device", default="cuda", help="cpu: to see whether the script itself runs")
    parser.add_argument("--no-compile", dest="compile", action="store_false", help="without the compiled opponent")
    parser.add_argument("--out", type=Path, help="write the numbers (JSON), or go on with those that are there")
    parser.add_argument("--table", type=Path, help="print the tables of such a file instead")
    options = parser.parse_args()
    if options.table:
        print(Results.load(options.table).markdown())
        return
    if options.device.startswith("cuda") and not torch.cuda.is_available():
        print("no CUDA device: nothing is measured")
        return
    device = torch.cuda.get_device_name() if options.device.startswith("cuda") else options.device
    if options.out and options.out.is_file():
        results = Results.load(options.out)
    else:
        results = Results(device, torch.__version__, [], [])
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    measure(options, results, Console(stderr=True))
    print(results.markdown())


if __name__ == "__main__":
    main()
