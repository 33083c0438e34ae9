"""A long movie: memory and time a frame from its beginning to its end, and corrections in its middle.

    python benchmarks/long_movie.py                   # 10,000 frames at 256 px with three cells
    python benchmarks/long_movie.py --frames 1000 --out long.json
    python benchmarks/long_movie.py --frames 500 --size 2048 --image-size 448 --objects 200   # windows

Frames are made when they are read, so that all memory is the tracker's. Seconds are those of a clock and those of the
processor; on a machine that does other things too, the latter are the ones to compare. After the movie is tracked, a
cell is corrected and repaired forwards to a locked frame, over spans of several lengths; every other mask has to stay
as it was, byte for byte. Interrupted (Ctrl-C), it goes on with the frames that are tracked.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from cells import CellMovie
from rich.console import Console
from rich.table import Table

from src_model.masks import Rle, mask_iou
from src_model.tracking import StreamingPredictor

if TYPE_CHECKING:
    from src_model.masks import Masklet
    from src_model.tracking import Session

SPANS = (50, 100, 200)
"""Frames between a correction and the locked frame it is repaired to."""
SAMPLED_EVERY = 50
"""Memory is read and masks are compared with the truth once in so many frames, ten times in a short movie."""


@dataclass(frozen=True)
class FrameRecord:
    """What one frame cost: seconds of clock and processor."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Sample:
    """Resident memory in MiB and the mean J of all cells on one frame."""

    frame: int
    resident: float
    quality: float


@dataclass(frozen=True)
class Repair:
    """What a correction took, and the frames of the corrected cell that are not as they were."""

    frame: int
    span: int
    wall: float
    cpu: float
    first_changed: int
    last_changed: int
    others_changed: int


def resident() -> float:
    """Resident memory in MiB; where the system does not tell, the peak."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return peak()
    return pages * resource.getpagesize() / 2**20


def peak() -> float:
    """Peak resident memory in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def quality(session: Session, movie: CellMovie, frame: int) -> float:
    """Mean J of all cells on a frame."""
    found = [
        (masklet.mask_at(frame), Rle.encode(movie.mask(number, frame))) for number, masklet in session.masklets.items()
    ]
    return statistics.mean(mask_iou(mask, truth) for mask, truth in found if mask is not None)


def track(session: Session, movie: CellMovie, console: Console) -> tuple[list[FrameRecord], list[Sample]]:
    """Track the whole movie, or as much of it as somebody waits for."""
    records, samples = [], []
    every = max(1, min(SAMPLED_EVERY, len(movie) // 10))
    wall, cpu = time.perf_counter(), time.process_time()
    with suppress(KeyboardInterrupt):
        for result in session.propagate():
            records.append(FrameRecord(time.perf_counter() - wall, time.process_time() - cpu))
            if result.frame % every == every - 1:
                samples.append(Sample(result.frame, resident(), quality(session, movie, result.frame)))
            if result.frame % 500 == 499:
                recent, last = statistics.median(record.cpu for record in records[-500:]), samples[-1]
                console.print(f"{len(records)} frames, {recent:.4f} s, {last.resident:.0f} MiB, J {last.quality:.3f}")
            wall, cpu = time.perf_counter(), time.process_time()
    return records, samples


def repair(session: Session, movie: CellMovie, frame: int, span: int) -> Repair:
    """Correct the first cell on a frame with its true mask and repair it up to a locked frame."""
    session.lock(frame + span, 1)
    before = {number: masklet.copy() for number, masklet in session.masklets.items()}
    wall, cpu = time.perf_counter(), time.process_time()
    session.prompt(frame, 1, mask=movie.mask(1, frame))
    for _ in session.repair(frame, 1, direction="forward"):
        pass
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    changed = {number: differing(before[number], masklet) for number, masklet in session.masklets.items()}
    mine = changed.pop(1)
    assert set(mine) <= set(range(frame, frame + span)), f"frames {mine} changed after a repair from {frame}"
    return Repair(frame, span, wall, cpu, mine[0], mine[-1], sum(map(len, changed.values())))


def differing(before: Masklet, after: Masklet) -> list[int]:
    """List the frames on which masklets differ in anything."""
    was, now = before.entries(), after.entries()
    assert was.keys() == now.keys(), "a repair neither adds nor removes frames"
    return [frame for frame, entry in now.items() if entry != was[frame]]


def print_tracking(console: Console, records: list[FrameRecord], samples: list[Sample]) -> None:
    """Print the first part of the movie against the last."""
    part = min(1000, len(records) // 3)
    spans = {"first": range(part), "last": range(len(records) - part, len(records))}
    columns = {
        name: (
            statistics.median(records[frame].wall for frame in span),
            statistics.median(records[frame].cpu for frame in span),
            max(sample.resident for sample in samples if sample.frame in span),
            statistics.mean(sample.quality for sample in samples if sample.frame in span),
        )
        for name, span in spans.items()
    }
    table = Table(title=f"{len(records):,} frames: the first {part:,} against the last {part:,}")
    for heading in ("", *columns, "last / first"):
        table.add_column(heading, justify="right")
    for row, (label, form) in enumerate(
        [("seconds a frame", ".4f"), ("of the processor", ".4f"), ("memory, most (MiB)", ".0f"), ("J", ".3f")]
    ):
        first, last = (column[row] for column in columns.values())
        table.add_row(label, f"{first:{form}}", f"{last:{form}}", f"{last / first:.3f}")
    console.print(table)
    console.print(f"peak memory of the process: {peak():.0f} MiB")


def print_repairs(console: Console, repairs: list[Repair]) -> None:
    """Print what corrections took and touched."""
    table = Table(title="corrections of one cell, repaired forwards to a locked frame")
    for heading in ("frame", "locked", "changed", "masks of others changed", "seconds", "of the processor", "a frame"):
        table.add_column(heading, justify="right")
    for each in repairs:
        table.add_row(
            str(each.frame),
            str(each.frame + each.span),
            f"{each.first_changed} to {each.last_changed}",
            str(each.others_changed),
            f"{each.wall:.2f}",
            f"{each.cpu:.2f}",
            f"{each.cpu / each.span:.4f}",
        )
    console.print(table)


def main() -> None:
    """Parse the command line, track, correct, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=256, help="side of the frames")
    parser.add_argument("--image-size", type=int, help="side of the network's input; that of the frames if left out")
    parser.add_argument("--precision", default="exact", choices=["auto", "exact", "fast"])
    parser.add_argument("--objects", type=int, default=3)
    parser.add_argument("--model", default="default")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--cache", type=int, default=64, help="MiB of features kept")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--out", type=Path, help="write all numbers to a JSON file")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    console = Console()
    movie = CellMovie(options.frames, options.size, options.objects)
    predictor = StreamingPredictor.load(
        options.model,
        device=options.device,
        image_size=options.image_size or options.size,
        precision=options.precision,
    )
    session = predictor.start(movie, cache_bytes=options.cache * 2**20)
    for number in range(1, options.objects + 1):
        session.prompt(0, number, box=movie.box(number))
    records, samples = track(session, movie, console)
    print_tracking(console, records, samples)
    spans = [span for span in SPANS if (len(SPANS) + 1) * (span + 1) <= len(records)]
    middles = [len(records) * (place + 1) // (len(spans) + 1) for place in range(len(spans))]
    repairs = [repair(session, movie, *each) for each in zip(middles, spans, strict=True)]
    print_repairs(console, repairs)
    if options.out:
        numbers = {
            "options": {key: str(value) for key, value in vars(options).items()},
            "peak_mib": peak(),
            "frames": [asdict(record) for record in records],
            "samples": [asdict(sample) for sample in samples],
            "repairs": [asdict(each) for each in repairs],
        }
        options.out.write_text(json.dumps(numbers), encoding="utf-8")


if __name__ == "__main__":
    main()
