"""The command with a tiny network of random weights in the place of checkpoints, and a movie to run it on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from src_model.cli.main import app
from src_model.document import AnnotatedFrame, AnnotatedObject, Annotation, MovieIdentity, Origin, Patch
from src_model.masks import Rle
from src_model.tracking import StreamingPredictor
from tests.tracking import tiny

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CLICK = f"0,{tiny.CLICK[0]},{tiny.CLICK[1]}"


def said(result):
    """What a command said on the error stream, without the frames and line breaks of the terminal."""
    return " ".join(result.stderr.replace("│", " ").split())


@pytest.fixture(scope="session")
def network():
    return tiny.build()


@pytest.fixture(scope="session")
def predictor(network):
    return tiny.predictor(network)


@pytest.fixture
def loads(network, monkeypatch) -> list[dict[str, object]]:
    """Lets every model be the tiny one; holds what was asked for."""
    asked: list[dict[str, object]] = []

    def load(cls, name="default", *, device="auto", preset="default", image_size=None, **how):
        asked.append({"name": name, "device": device, "preset": preset, "image_size": image_size})
        asked[-1] |= how
        from src_model.tracking import PRESETS

        return tiny.predictor(network, settings=PRESETS[preset], image_size=image_size)

    monkeypatch.setattr(StreamingPredictor, "load", classmethod(load))
    return asked


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """An empty folder to work in, with wide output and no model chosen by the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("SAM2V_MODEL", raising=False)
    return tmp_path


@pytest.fixture
def movie(here) -> str:
    """A TIFF of ten frames in that folder."""
    tifffile.imwrite(here / "movie.tif", tiny.make_movie(), metadata={"axes": "TYX"})
    return "movie.tif"


@pytest.fixture
def sam2v(here, loads) -> Callable[..., object]:
    """Runs the command and, unless told otherwise, expects it to succeed."""

    def run(*words: object, code: int = 0):
        result = CliRunner().invoke(app, [str(word) for word in words], prog_name="sam2v")
        assert result.exit_code == code, f"{result.exit_code}: {result.output} {result.exception!r}"
        return result

    return run


def document_of(masks: dict[int, dict[int, AnnotatedFrame]], length: int = 4) -> Annotation:
    """A document over frames of 20 x 30 that holds some masks, by object and frame."""
    movie = MovieIdentity("movie", (length, 20, 30), "uint8")
    return Annotation(movie, Patch(objects={number: AnnotatedObject(number) for number in masks}, masks=masks))


@pytest.fixture
def crossing() -> dict[int, dict[int, AnnotatedFrame]]:
    """Two objects that overlap on frame 1, where the second is scored higher."""
    first, second = np.zeros((2, 20, 30), bool)
    first[2:10, 3:12] = True
    second[6:15, 8:20] = True

    def found(mask, score):
        return AnnotatedFrame(Rle.encode(mask), score, 1.0, Origin.TRACKED)

    return {1: {0: found(first, 0.9), 1: found(first, 0.5)}, 2: {1: found(second, 0.8)}}
