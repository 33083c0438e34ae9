"""What a pack for a GPU holds: recordings made small, and packages that a bare machine lacks."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from src_model.datasets import STILLS_HELD_OUT, split_by_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

TRAINING_EVERY, TRAINING_LONGEST, TRAINING_QUALITY = 2, 384, 65
EVALUATED_EVERY, EVALUATED_LONGEST, EVALUATED_QUALITY = 3, 512, 82
STILLS_EVERY, STILLS_LONGEST = 5, 256

PURE = (
    "annotated-types", "antlr4-python3-runtime", "hydra-core", "iopath", "lightning-fabric", "lightning-utilities",
    "omegaconf", "platformdirs", "pydantic", "sam2", "tomli-w", "typing-inspection",
)  # fmt: skip
"""Copied from here: what the code imports, is no part of a usual PyTorch image, and is the same for every Python."""

COMPILED = ("psygnal", "pydantic-core")
"""Fetched for the other machine's Python, in the versions that are here."""


def pack_data(data: Path, out: Path) -> None:
    """Write the training sequences of DAVIS, those to evaluate on, and part of the stills, reduced.

    Parameters
    ----------
    data
        Folder with ``davis2016_train``, ``davis2016`` and ``dsb2018``; what is not there is left out.
    out
        A new folder of the same layout.
    """
    training, validation = data / "davis2016_train", data / "davis2016"
    _reduce_davis(
        training, out / training.name, _sequences(training), TRAINING_EVERY, TRAINING_LONGEST, TRAINING_QUALITY
    )
    held_out = split_by_name(_sequences(validation), held_out=True)
    _reduce_davis(validation, out / validation.name, held_out, EVALUATED_EVERY, EVALUATED_LONGEST, EVALUATED_QUALITY)
    _reduce_stills(data / "dsb2018", out / "dsb2018")


def _sequences(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "Annotations").glob("*") if path.is_dir())


def _reduce_davis(folder: Path, out: Path, names: Sequence[str], every: int, longest: int, quality: int) -> None:
    for name in names:
        for kind in ("JPEGImages", "Annotations"):
            (out / kind / name).mkdir(parents=True)
        pictures = sorted((folder / "JPEGImages" / name).glob("*.jpg"))[::every]
        for number, path in enumerate(pictures):
            image = _small(np.asarray(Image.open(path).convert("RGB")), longest)
            truth = np.asarray(Image.open(folder / "Annotations" / name / f"{path.stem}.png").convert("L"))
            mask = _small(np.where(truth > 0, 255, 0).astype(np.uint8), longest) >= 128
            Image.fromarray(image).save(out / "JPEGImages" / name / f"{number:05d}.jpg", quality=quality)
            Image.fromarray(mask).save(out / "Annotations" / name / f"{number:05d}.png")


def _reduce_stills(folder: Path, out: Path) -> None:
    """Keep every few training stills, and all that are held out: those that a run holds out must be the same ones."""
    names = sorted(path.name for path in (folder / "images").glob("*.png"))
    training = split_by_name(names, held_out=False, last=STILLS_HELD_OUT)[::STILLS_EVERY]
    for kind in ("images", "labels"):
        (out / kind).mkdir(parents=True)
    for name in (*training, *split_by_name(names, held_out=True, last=STILLS_HELD_OUT)):
        image = _small(np.asarray(Image.open(folder / "images" / name)), STILLS_LONGEST)
        labels = np.asarray(Image.open(folder / "labels" / name)).astype(np.uint16)
        size = (image.shape[1], image.shape[0])
        Image.fromarray(image).save(out / "images" / name, optimize=True)
        small = np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST), np.uint16)
        Image.fromarray(small).save(out / "labels" / name, optimize=True)


def _small(image: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    scale = longest / max(image.shape[:2])
    if scale >= 1:
        return image
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def pack_packages(out: Path, python: str) -> None:
    """Put the packages that a bare PyTorch image lacks into an archive, to be unpacked for ``PYTHONPATH``.

    Parameters
    ----------
    out
        A new ``.zip`` file.
    python
        Python version of the other machine, such as "3.12"; x86-64 Linux.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        _copy_pure(folder)
        _fetch_compiled(folder, python)
        shutil.make_archive(str(out.with_suffix("")), "zip", folder)


def _copy_pure(folder: Path) -> None:
    for name in PURE:
        for file in distribution(name).files or ():
            if not {"..", "tests"} & set(file.parts) and file.suffix not in {".pyc", ".so"}:
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), target)


def _fetch_compiled(folder: Path, python: str) -> None:
    wanted = [f"{name}=={distribution(name).version}" for name in COMPILED]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--only-binary=:all:",
         "--python-version", python, "--implementation", "cp", "--platform", "manylinux_2_17_x86_64",
         "--platform", "manylinux2014_x86_64", "--platform", "manylinux_2_28_x86_64", "--target", str(folder), *wanted],
        check=True,
    )  # fmt: skip
