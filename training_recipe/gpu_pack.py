"""Minutes on a GPU without a network: a pack of data and packages, one command that uses them, and what comes back.

python -m training_recipe.gpu_pack pack --data DATA --out runs/gpu_pack      # here, in a clone of the repository
python3 -m zipfile -e runs/gpu_pack/site.zip /tmp/site                       # there, where nothing can be fetched
PYTHONPATH=/tmp/site python3 -m training_recipe.gpu_pack run --pack runs/gpu_pack --out OUT
python -m training_recipe.gpu_pack join OUT --out runs/trained.safetensors   # here again
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import torch
import typer

from src_model.cli.terminal import say
from src_model.training.rollout import RolloutModule
from training_recipe.recipe import SizePlan

if TYPE_CHECKING:
    from collections.abc import Callable

    from src_model.nn import Sam2Network
    from training_recipe.recipe import Recipe
    from training_recipe.run_config import RunConfig

REPOSITORY = Path(__file__).resolve().parents[1]
LARGEST_PACK = 60_000_000
"""Bytes of the repository's files and the pack together: what goes over a slow line in a minute or two."""

WEIGHTS_PART = 15_000_000
"""Bytes of each part of the trained weights, so that one that breaks off is sent again alone."""

START_NAME, PACKAGES_NAME, REPORT_NAME = "start.safetensors", "site.zip", "report.json"
_LEAST_TRAINING = 5.0
_MOST_RATE = 2.0
"""Larger batches allow higher learning rates; more than that was never tried."""

_PROBED_SIZE, _PROBED_FRAMES, _PROBED_CLIPS = 448, 8, 2
_MOST_FACTOR = 8
"""Twelve cores make some 45 clips a second: more than 64 a step would leave too few steps."""

_STAGE_SHARES = (0.35, 0.65)
"""Of the time, for the frozen image encoder and for all of the network."""

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)


@dataclass(frozen=True, slots=True)
class PackRun:
    """How the time on the GPU is used.

    Attributes
    ----------
    seconds
        Of the whole run; evaluation and benchmark get what training leaves.
    train_share
        Share of it for the training, 0 to 1.
    device
        Where it runs.
    workers
        Processes that make clips.
    dry
        Only show that every part works: two steps, a few frames, the smallest network.
    """

    seconds: float = 560.0
    train_share: float = 0.5
    device: str = "cuda"
    workers: int = 14
    dry: bool = False


@app.command()
def pack(
    data: Annotated[Path, typer.Option("--data", help="Folder with davis2016_train, davis2016 and dsb2018.")],
    out: Annotated[Path, typer.Option("--out", help="A new folder inside the clone, ignored by git.")],
    start: Annotated[
        Path | None, typer.Option("--start", help="Weights to begin with, if not the bundled ones.")
    ] = None,
    packages: Annotated[bool, typer.Option(help="Bring the packages that a bare machine lacks.")] = True,
    python: Annotated[str, typer.Option("--python", help="Python of the other machine.")] = "3.12",
) -> None:
    """Gather what the other machine needs beside the clone, and tell how large both are."""
    from training_recipe.gpu_pack_data import pack_data, pack_packages

    out.mkdir(parents=True)
    pack_data(data, out / "data")
    if packages:
        pack_packages(out / PACKAGES_NAME, python)
    if start is not None:
        shutil.copyfile(start, out / START_NAME)
    own, code = _bytes(sorted(out.rglob("*"))), _bytes(_tracked())
    say(f"{out}: {own / 1e6:.1f} MB, beside {code / 1e6:.1f} MB of the repository")
    if own + code > LARGEST_PACK:
        raise SystemExit(
            f"together over {LARGEST_PACK / 1e6:.0f} MB: leave --start out, and put the weights"
            " in place of the bundled ones"
        )


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True).stdout
    return [REPOSITORY / name for name in listed.decode().split("\0") if name]


def _bytes(paths: list[Path]) -> int:
    return sum(path.stat().st_size for path in paths if path.is_file())


@app.command()
def run(
    pack: Annotated[Path, typer.Option("--pack", help="Folder that 'pack' made.")],
    out: Annotated[Path, typer.Option("--out", help="Where weights and tables go.")],
    seconds: Annotated[float, typer.Option("--seconds", help="Of everything together.")] = 560.0,
    device: Annotated[str, typer.Option("--device")] = "cuda",
    workers: Annotated[int | None, typer.Option("--workers", help="Processes that make clips.")] = None,
    dry: Annotated[bool, typer.Option("--dry", help="Show on any machine that every part works.")] = False,
) -> None:
    """Parity tests, training at the largest batch that fits, evaluation before and after, the benchmark."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    plan = PackRun(seconds, device=device, workers=max(0, cores - 2) if workers is None else workers, dry=dry)
    out.mkdir(parents=True, exist_ok=True)
    GpuSession(pack, out, plan).run()


class GpuSession:
    """The parts of a run, one after the other: what fails is told in the report and does not stop the rest."""

    def __init__(self, pack: Path, out: Path, plan: PackRun) -> None:
        self.pack, self.out, self.plan = pack, out, plan
        self.began = time.monotonic()
        self.report: dict[str, object] = {"plan": asdict(plan)}
        given = pack / START_NAME
        self.start = str(given) if given.exists() else "default"
        self.scratch = out.parent / f"{out.name}.scratch"

    def run(self) -> None:
        """Do all of it."""
        self.part("parity", self.parity)
        self.part("training", self.train)
        trained = self.scratch / "run" / "third.safetensors"
        for name, weights in (("start", self.start), ("trained", str(trained))):
            self.part(f"evaluation of {name}", partial(self.evaluate, name, weights))
        self.part("benchmark", self.benchmark)

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.plan.seconds - (time.monotonic() - self.began)

    def part(self, name: str, work: Callable[[], object]) -> None:
        """Do a part, and write the report."""
        began = time.monotonic()
        try:
            result = work()
        except Exception as error:
            result = f"failed: {type(error).__name__}: {error}"
        self.report[name] = {"seconds": round(time.monotonic() - began, 1), "result": result}
        (self.out / REPORT_NAME).write_text(json.dumps(self.report, indent=1), encoding="utf-8")
        say(f"{name}: {json.dumps(self.report[name])[:1500]}")

    def parity(self) -> str:
        """Run the parity tests; they compute on the CPU of the machine, with its torch."""
        tests = "tests/parity/test_memory_modules.py" if self.plan.dry else "tests/parity"
        return self.command("pytest", "-q", "-x", "-p", "no:cacheprovider", tests, most=600 if self.plan.dry else 90)

    def benchmark(self) -> str:
        """Measure frames a second against the official predictor."""
        few = ("--models", "sam2.1-tiny", "--no-compile", "--counts", "1", "--frames", "2", "--size", "128")
        many = ("--models", "sam2.1-tiny", "sam2.1-base-plus", "--counts", "1", "20", "--no-compile")
        out = ("--device", self.plan.device, "--out", str(self.out / "gpu.json"))
        return self.command(
            str(REPOSITORY / "benchmarks" / "gpu.py"), *(few if self.plan.dry else many), *out, most=200
        )

    def command(self, program: str, *arguments: str, most: float) -> str:
        """Run a script or module in a process of its own; returns the end of what it printed."""
        begins = [program] if program.endswith(".py") else ["-m", program]
        done = subprocess.run(
            [sys.executable, *begins, *arguments], cwd=REPOSITORY, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=max(1.0, min(most, self.left)),
        )  # fmt: skip
        return f"exit {done.returncode}: {done.stdout[-4000:]}"

    def train(self) -> dict[str, object]:
        """Train the whole network, and write the weights in parts."""
        from training_recipe.run_config import read_config, write_config
        from training_recipe.runs import RunRequest, export_run, prepare_run
        from training_recipe.start import starting_point

        config = replace(read_config("third"), start=self.start)
        factor = 1
        if not self.plan.dry:
            factor = fitting_factor(starting_point(config).network, self.plan.device)
        lasting = max(_LEAST_TRAINING, min(self.left - 60, self.plan.seconds * self.plan.train_share))
        self.scratch.mkdir(parents=True)
        recipe = self.scratch / "recipe.toml"
        write_config(short_config(config, self.plan, factor, lasting), recipe)
        folder = self.scratch / "run"
        request = RunRequest(self.pack / "data", folder, str(recipe), device=self.plan.device)
        trainer = prepare_run(request)
        trainer.run(lambda: self.left < 30)
        done = export_run(folder, folder / "third.safetensors")
        parts = split_file(done.path, self.out)
        for name in ("validation.csv", "train.csv"):
            shutil.copyfile(folder / name, self.out / name)
        return {"factor": factor, "steps": trainer.state.total_steps, "sha256": done.sha256, "parts": parts}

    def evaluate(self, name: str, weights: str) -> list[dict[str, object]]:
        """Evaluate a checkpoint on the packed validation sequences, simulated movies and the epithelium."""
        sys.path.append(str(REPOSITORY / "benchmarks"))
        labelled_pairs = importlib.import_module("pairs").labelled_pairs
        from src_model.evaluation import (
            Evaluation,
            EvaluationRequest,
            EvaluationSet,
            TargetChoice,
            folder_set,
            simulated_sets,
        )
        from src_model.tracking import StreamingPredictor

        few = self.plan.dry
        sets = [folder_set(self.pack / "data" / "davis2016", layout="davis", movies=1 if few else None)]
        sets += simulated_sets("simulated-nuclei" if few else "simulated", movies=1)
        if not few:
            sets += [EvaluationSet(movie.name, (movie,), "a movie and its labels") for movie in labelled_pairs()]
        choice = TargetChoice(2 if few else None, 1 if few else 4)
        request = EvaluationRequest(tuple(sets), ("mask", "click"), (), choice)
        predictor = StreamingPredictor.load(weights, device=self.plan.device)
        report = Evaluation(request, predictor).run(self.scratch / f"evaluation-{name}")
        return [
            {"set": row.set, "protocol": row.protocol, "j": None if row.j is None else round(row.j.mean, 4)}
            for row in report.rows
        ]


def fitting_factor(network: Sam2Network, device: str) -> int:
    """How many times the clips of the recipe's longest step at 448 px fit on a GPU: a power of two, by trying."""
    module = RolloutModule(network.to(device).train().requires_grad_(True))
    factor = 1
    if not device.startswith("cuda"):
        return factor
    while factor < _MOST_FACTOR and _fits(module, 2 * factor * _PROBED_CLIPS, device):
        factor *= 2
    return factor


def _fits(module: RolloutModule, clips: int, device: str) -> bool:
    images = torch.zeros(clips, _PROBED_FRAMES, _PROBED_SIZE, _PROBED_SIZE, 3, dtype=torch.uint8, device=device)
    masks = np.ones(images.shape[:-1], bool)
    torch.cuda.reset_peak_memory_stats(device)
    try:
        with torch.autocast(device.partition(":")[0], torch.bfloat16):
            loss = module(images, masks, (0,))[0]
        loss.backward()
    except RuntimeError:
        return False
    finally:
        module.zero_grad(set_to_none=True)
        torch.cuda.empty_cache()
    # The optimizer, and the spikes of other plans, want some too.
    return torch.cuda.max_memory_allocated(device) < 0.6 * torch.cuda.get_device_properties(device).total_memory


def short_config(config: RunConfig, plan: PackRun, factor: int, seconds: float) -> RunConfig:
    """Make all stages of the recipe take some seconds together, or two steps, with larger batches and rates."""
    stages = tuple(
        replace(
            stage,
            recipe=_larger(stage.recipe, factor, dry=plan.dry),
            steps=1 if plan.dry else None,
            minutes=None if plan.dry else seconds * share / 60,
        )
        for stage, share in zip(config.stages, _STAGE_SHARES, strict=True)
    )
    workers, clips = (0, 1) if plan.dry else (plan.workers, 8)
    return replace(
        config, stages=stages, workers=workers, validation_clips=clips, tensorboard=False, save_minutes=60.0,
        validate_minutes=60.0,
    )  # fmt: skip


def _larger(recipe: Recipe, factor: int, *, dry: bool) -> Recipe:
    rate = min(_MOST_RATE, factor**0.5)
    sizes = tuple(replace(size, clips=size.clips * factor) for size in recipe.sizes)
    return replace(
        recipe, batch=recipe.batch * factor, crowd_batches=recipe.crowd_batches * factor,
        sizes=(SizePlan(64, 1, 1, (2,), 1, 0, (1,), 1),) if dry else sizes, crowds=0.0 if dry else recipe.crowds,
        new_rate=recipe.new_rate * rate, head_rate=recipe.head_rate * rate, late_rate=recipe.late_rate * rate,
        early_rate=recipe.early_rate * rate, ema=0.98, warm_up_steps=20,
    )  # fmt: skip


def split_file(path: Path, out: Path) -> list[str]:
    """Write a file in parts into a folder; returns their names."""
    content = path.read_bytes()
    names = []
    for number, begin in enumerate(range(0, len(content), WEIGHTS_PART)):
        names.append(f"trained.part{number}")
        (out / names[-1]).write_bytes(content[begin : begin + WEIGHTS_PART])
    return names


@app.command()
def join(
    back: Annotated[Path, typer.Argument(help="Folder that came back.")],
    out: Annotated[Path, typer.Option("--out", help="Where the trained weights go: a .safetensors file.")],
) -> None:
    """Put the trained weights together again, and print the tables."""
    report = json.loads((back / REPORT_NAME).read_text(encoding="utf-8"))
    trained = report["training"]["result"]
    if not isinstance(trained, dict):
        raise SystemExit(f"there are no weights: {trained}")
    content = b"".join((back / name).read_bytes() for name in trained["parts"])
    if hashlib.sha256(content).hexdigest() != trained["sha256"]:
        raise SystemExit("the parts are not what was written there: fetch them again")
    out.write_bytes(content)
    say(comparison(report))


def comparison(report: dict[str, Any]) -> str:
    """Return J before and after as a Markdown table."""
    lines = ["| set | given | start | trained |", "| --- | --- | --- | --- |"]
    found = [report[f"evaluation of {name}"]["result"] for name in ("start", "trained")]
    if any(isinstance(each, str) for each in found):
        return f"not both were evaluated: {found}"
    after = {(row["set"], row["protocol"]): row["j"] for row in found[1]}
    for row in found[0]:
        lines.append(
            f"| {row['set']} | {row['protocol']} | {_text(row['j'])} | {_text(after[row['set'], row['protocol']])} |"
        )
    return "\n".join(lines)


def _text(j: float | None) -> str:
    return "-" if j is None else f"{j:.3f}"


if __name__ == "__main__":
    app(prog_name="python -m training_recipe.gpu_pack")
