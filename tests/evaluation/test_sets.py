from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from src_model.errors import EvaluationError
from src_model.evaluation.sets import FIRST_SEED, folder_set, simulated_sets, split_layout
from src_model.simulation import SIMULATED_KINDS, simulate_movie


def write_movies(folder: Path, names: str) -> None:
    for name in names:
        tifffile.imwrite(folder / f"{name}.tif", np.zeros((5, 20, 20), np.uint8), metadata={"axes": "TYX"})
        tifffile.imwrite(folder / f"{name}_labels.tif", np.ones((5, 20, 20), np.uint8), metadata={"axes": "TYX"})


def test_simulated_is_one_set_of_each_kind():
    assert [each.name for each in simulated_sets("simulated")] == [f"simulated-{kind}" for kind in SIMULATED_KINDS]


def test_simulated_movies_are_those_of_seeds_that_training_never_uses():
    [each] = simulated_sets("simulated-vesicles", movies=3, frames=2)
    assert [movie.seed for movie in each.movies] == [FIRST_SEED, FIRST_SEED + 1, FIRST_SEED + 2]
    assert f"seeds {FIRST_SEED} to {FIRST_SEED + 2}" in each.source
    simulated = simulate_movie("vesicles", FIRST_SEED + 1, 2, (256, 256))
    movie = each.movies[1]
    assert np.array_equal(movie.movie.read(1), simulated.images[1])
    assert np.array_equal(movie.labels(1), simulated.labels[1])
    assert movie.parents == simulated.parents


def test_an_unknown_set_is_refused_with_those_there_are():
    with pytest.raises(EvaluationError, match=r"'nuclei': choose from simulated, simulated-nuclei"):
        simulated_sets("nuclei")


def test_a_folder_is_a_set_that_says_where_it_comes_from(tmp_path):
    write_movies(tmp_path, "ba")
    found = folder_set(tmp_path)
    assert [movie.name for movie in found.movies] == ["a", "b"]
    assert found.source == f"{tmp_path} (pairs)"
    assert len(folder_set(tmp_path, movies=1).movies) == 1


def test_held_out_is_every_second_movie(tmp_path):
    write_movies(tmp_path, "abcde")
    assert [movie.name for movie in folder_set(tmp_path, held_out=True).movies] == ["b", "d"]


def test_a_single_movie_is_not_held_out(tmp_path):
    write_movies(tmp_path, "a")
    with pytest.raises(EvaluationError, match="none of them is held out"):
        folder_set(tmp_path, held_out=True)


@pytest.mark.parametrize(
    ("text", "path", "layout"),
    [
        ("data", "data", "auto"),
        ("data:ctc", "data", "ctc"),
        ("C:\\data", "C:\\data", "auto"),
        ("C:\\data:davis", "C:\\data", "davis"),
        ("odd:name", "odd:name", "auto"),
    ],
)
def test_a_layout_may_follow_a_colon(text, path, layout):
    assert split_layout(text) == (Path(path), layout)
