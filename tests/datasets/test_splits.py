"""Which movies are for training and which for evaluation only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src_model.datasets import split_by_name

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
