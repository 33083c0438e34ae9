"""One door for all data sets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src_model.datasets import LAYOUTS, open_dataset, recognised_layout, split_by_name
from src_model.errors import MovieError
from tests.datasets.samples import picture, save_palette, save_picture, squares


@pytest.fixture
def davis(tmp_path):
    save_picture(tmp_path / "JPEGImages" / "bear" / "0.jpg", picture(0))
    save_palette(tmp_path / "Annotations" / "bear" / "0.png", squares(0))
    return tmp_path


def test_a_data_set_is_a_sequence_of_movies(davis):
    data = open_dataset(str(davis))
    assert data.name == davis.name
    assert [movie.name for movie in data] == ["bear"]
    assert data[0] is data[-1]
    assert data[:1] == data.movies
    assert data.licence is None


def test_the_licence_is_the_first_line_of_its_file(davis):
    (davis / "LICENSE.txt").write_text("\n  CC BY 4.0\nand so on\n")
    assert open_dataset(davis).licence == "CC BY 4.0"


def test_what_movies_show_can_be_said(davis):
    assert open_dataset(davis, kind="microscopy")[0].kind == "microscopy"


def test_what_is_not_there_or_not_known_is_refused_with_all_layouts(davis, tmp_path):
    with pytest.raises(MovieError, match=r"there is no data set '.*nowhere'"):
        open_dataset(tmp_path / "nowhere")
    with pytest.raises(MovieError, match="layout 'coco' is unknown: expected 'auto' or one of davis, sa-v"):
        open_dataset(davis, layout="coco")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(MovieError) as refusal:
        open_dataset(empty)
    assert all(f"('{name}')" in str(refusal.value) for name in LAYOUTS)


@pytest.mark.parametrize("layout", list(LAYOUTS))
def test_an_empty_folder_is_refused_by_each_layout(tmp_path, layout):
    with pytest.raises(MovieError, match="expected"):
        open_dataset(tmp_path, layout=layout)


def test_an_option_of_another_layout_is_refused(davis):
    with pytest.raises(MovieError, match=r"plane=3 cannot be chosen in .* whose layout is 'davis'"):
        open_dataset(davis, plane=3)


def test_layouts_are_recognised(shared_data):
    found = {name: recognised_layout(shared_data / name) for name in ("davis2016", "dsb2018", "t98g", "ct_lesions")}
    assert found == {"davis2016": "davis", "dsb2018": "stills", "t98g": "pairs", "ct_lesions": "pairs"}


NAMES = ["dog", "ant", "cat", "bee", "eel"]


def test_by_name_every_second_movie_is_held_out():
    assert split_by_name(NAMES, held_out=False) == ["ant", "cat", "eel"]
    assert split_by_name(NAMES, held_out=True) == ["bee", "dog"]


def test_or_the_last_ones_are():
    assert split_by_name(NAMES, held_out=True, last=2) == ["dog", "eel"]
    assert split_by_name(NAMES, held_out=False, last=2) == ["ant", "bee", "cat"]
    assert split_by_name(NAMES, held_out=True, last=0) == []


@given(st.sets(st.text(max_size=3)), st.none() | st.integers(0, 8))
def test_nothing_is_lost_and_nothing_is_in_both(names, last):
    train, held_out = (split_by_name(names, held_out=flag, last=last) for flag in (False, True))
    assert sorted(train + held_out) == sorted(names)


def test_a_negative_number_is_refused():
    with pytest.raises(ValueError, match="last=-1"):
        split_by_name(NAMES, held_out=True, last=-1)
