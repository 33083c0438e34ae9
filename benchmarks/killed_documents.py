"""What is lost of a document whose process is killed, at many random moments of editing and tracking.

Each round starts a process that edits, tracks and undoes as fast as it can and says what it has done, kills it with
SIGKILL a random moment later, recovers the document, and compares. Processes are forked, so this needs POSIX.

    python benchmarks/killed_documents.py --rounds 1000
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from src_model.document import (
    AddObject,
    AnnotatedObject,
    Annotation,
    Autosave,
    MovieIdentity,
    RenameObject,
    find_recoverable,
    load,
    recover,
    save,
)
from src_model.masks import MaskletFrame, Rle

SHAPE, LENGTH, OBJECTS = (256, 256), 10_000, 20


@dataclass(frozen=True)
class Loss:
    """What one kill cost.

    Attributes
    ----------
    edits
        Edits that were said to be done and are not in the recovered document.
    seconds
        Age of the oldest of them when the process was killed; 0 if nothing was lost.
    """

    edits: int
    seconds: float


def mask(number: int) -> Rle:
    """Make a square somewhere."""
    crop = np.ones((20, 20), bool)
    return Rle.from_crop(crop, (number * 7 % 230, number * 13 % 230), SHAPE)


def work(folder: Path, said: int) -> None:
    """Edit for ever, and write the number and the time of each edit that is done."""
    document = Annotation(MovieIdentity("killed", (LENGTH, *SHAPE), "uint8"))
    for number in range(1, OBJECTS + 1):
        document.do(AddObject(AnnotatedObject(number)))
    saving = Autosave(document, folder=folder)
    edit = 0
    while True:
        with document.propagation() as tracking:
            for frame in range(edit % 50, edit % 50 + 5):
                tracking.add(frame, {n: MaskletFrame(mask(frame + n), 0.9, 0.9) for n in range(1, OBJECTS + 1)})
        if edit % 5 == 4:
            document.undo()
            document.redo()
        if edit % 17 == 16:
            save(document, folder / "saved.sam2v")
        edit += 1
        document.do(RenameObject(1, f"edit {edit}"))
        os.write(said, f"{edit} {time.monotonic()}\n".encode())
        assert saving.error is None


def round_of(folder: Path, wait: float) -> Loss:
    """Start a process, kill it after ``wait`` seconds of work, and recover what it did."""
    heard, said = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(heard)
        try:
            work(folder, said)
        finally:
            os._exit(1)
    os.close(said)
    with os.fdopen(heard, "rb") as lines:
        first = lines.readline()
        time.sleep(wait)
        killed = time.monotonic()
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        told = [line.split() for line in (first, *lines) if line.endswith(b"\n")]
    found = find_recoverable(folder)
    document = recover(found[0]) if found else load(folder / "saved.sam2v")  # killed when all of it was just saved
    name = document.object(1).name
    reached = int(name.split()[-1]) if name.startswith("edit") else 0
    document.contents()  # all of it can be read
    document.close()
    lost = [float(when) for number, when in told if int(number) > reached]
    return Loss(len(lost), killed - lost[0] if lost else 0.0)


def main() -> None:
    """Kill and recover, and print what was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--longest", type=float, default=0.5, help="seconds of work at most before a kill")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if not hasattr(os, "fork"):
        sys.exit("this needs os.fork")
    rng, losses = random.Random(options.seed), []
    for _ in range(options.rounds):
        folder = Path(tempfile.mkdtemp(prefix="killed-"))
        losses.append(round_of(folder, rng.uniform(0, options.longest)))
        shutil.rmtree(folder)
    worst = max(losses, key=lambda loss: loss.seconds)
    with_loss = sum(loss.edits > 0 for loss in losses)
    print(f"{options.rounds} kills, all recovered; {with_loss} lost edits that were said to be done")
    print(f"most lost: {worst.edits} edits, the oldest {worst.seconds:.3f} s old")


if __name__ == "__main__":
    main()
