"""Files of microscope makers."""

from __future__ import annotations

import builtins

import numpy as np
import pytest

from src_model.errors import MissingExtraError, MovieError
from src_model.frames import open_movie
from tests.frames.lif import write_lif

bioio = pytest.importorskip("bioio", reason="the extra 'microscopes' is not installed")
VALUES = np.arange(4 * 2 * 6 * 7).reshape(4, 2, 6, 7).astype(np.uint8)


def frames_of(movie):
    return np.stack([movie.read(frame) for frame in range(len(movie))])


def test_a_lif_file_is_read_by_scene_and_channel(tmp_path):
    path = write_lif(tmp_path / "cells.lif", {"first": VALUES, "second": VALUES + 1})
    with pytest.raises(
        MovieError, match=r"cells.lif' holds 2 scenes \(0: .*first; 1: .*second\): choose one \(--series"
    ):
        open_movie(path)
    with pytest.raises(MovieError, match=r"has 2 channels along C"):
        open_movie(path, series=1)
    movie = open_movie(path, series=1, channel=1)
    assert movie.dtype == np.uint8
    np.testing.assert_array_equal(frames_of(movie), VALUES[:, 1] + 1)


def test_a_frame_of_a_lif_file_is_read_alone(tmp_path):
    path = write_lif(tmp_path / "cells.lif", {"first": VALUES})
    stack = open_movie(path, channel=0)._stack
    assert stack.chunks[0] == (1, 1, 1, 1)


@pytest.mark.parametrize("suffix", [".lif", ".nd2"])
def test_a_damaged_file_is_an_error(tmp_path, suffix):
    path = tmp_path / f"cells{suffix}"
    path.write_bytes(b"no microscope made this" * 100)
    with pytest.raises(MovieError, match=r"cells.* cannot be (read by bioio|opened).*it may be damaged"):
        open_movie(path)


def test_a_file_whose_reader_is_missing_is_an_error_that_names_it(tmp_path):
    path = tmp_path / "cells.czi"
    path.write_bytes(b"ZISRAWFILE")
    if bioio.plugins.get_plugins(use_cache=False).get(".czi"):
        pytest.skip("a reader of CZI files is installed")
    with pytest.raises(MovieError, match=r"without the package 'bioio-czi': pip install bioio-czi; .* its licence"):
        open_movie(path)


def test_without_bioio_the_error_names_the_extra(tmp_path, monkeypatch):
    (tmp_path / "cells.nd2").write_bytes(b"anything")
    ordinary = builtins.__import__

    def without_bioio(name, *arguments, **options):
        if name == "bioio":
            raise ImportError(name)
        return ordinary(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_bioio)
    with pytest.raises(MissingExtraError, match=r"cells.nd2' needs the package 'bioio': .*\[microscopes\]"):
        open_movie(tmp_path / "cells.nd2")
