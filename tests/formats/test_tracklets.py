"""Objects cut into pieces of track."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src_model.errors import FormatError
from src_model.formats.tracklets import TrackletBuilder


def rows(visible, parents=None, limit=100):
    """Label, first frame, last frame and parent of the tracklets of a movie of visible ids."""
    builder = TrackletBuilder({number for frame in visible for number in frame}, parents or {}, limit)
    for frame, ids in enumerate(visible):
        builder.step(frame, ids)
    return [(item.label, item.first, item.last, item.parent) for item in builder.tracklets], builder


def test_an_object_without_gaps_is_one_tracklet_with_its_own_number():
    assert rows([[3], [3], [3]])[0] == [(3, 0, 2, 0)]


def test_after_a_gap_a_new_tracklet_has_the_old_one_as_its_parent():
    found, builder = rows([[3], [], [3], [3], [], [3]])
    assert found == [(3, 0, 0, 0), (4, 2, 3, 3), (5, 5, 5, 4)]
    assert builder.gaps == [(3, 2), (3, 5)]


def test_daughters_come_from_the_last_tracklet_of_their_parent():
    found, builder = rows([[1], [], [1], [2, 3]], {2: 1, 3: 1})
    assert found == [(1, 0, 0, 0), (4, 2, 2, 1), (2, 3, 3, 4), (3, 3, 3, 4)]
    assert builder.lost_links() == builder.only_children() == []


def test_a_parent_that_goes_on_becomes_a_tracklet_beside_its_daughter():
    found, builder = rows([[1], [1, 2], [1, 2]], {2: 1})
    assert found == [(1, 0, 0, 0), (3, 1, 2, 1), (2, 1, 2, 1)]
    assert builder.continued == [(1, 1)]


def test_a_daughter_that_is_there_first_has_no_link_and_that_is_told():
    found, builder = rows([[2], [1, 2]], {2: 1, 9: 1})
    assert found == [(2, 0, 1, 0), (1, 1, 1, 0)]
    assert builder.lost_links() == [(1, 2), (1, 9)]


def test_an_only_daughter_looks_like_its_parent_and_that_is_told():
    assert rows([[1], [2]], {2: 1})[1].only_children() == [(1, 2)]


def test_numbers_that_are_too_large_are_replaced_by_free_ones():
    found, builder = rows([[2, 500], [2, 500]], limit=10)
    assert found == [(2, 0, 1, 0), (3, 0, 1, 0)]
    assert builder.numbers == {2: 2, 500: 3}


def test_when_numbers_above_are_used_up_those_below_are_taken():
    assert [row[0] for row in rows([[10, 9], [], [9], [], [9]], limit=10)[0]] == [9, 10, 1, 2]


@pytest.mark.parametrize("visible", [[[1, 2, 3, 4]], [[1], [], [1], [], [1], [], [1]]])
def test_more_tracklets_than_numbers_are_an_error(visible):
    with pytest.raises(FormatError, match="3"):
        rows(visible, limit=3)


@given(
    st.lists(st.sets(st.integers(1, 5)), min_size=1, max_size=12), st.sets(st.sampled_from([(2, 1), (3, 1), (4, 2)]))
)
def test_tracklets_are_what_the_challenge_asks_for(visible, links):
    found, _ = rows(visible, dict(links))
    table = {label: (first, last, parent) for label, first, last, parent in found}
    assert len(table) == len(found)
    for first, last, parent in table.values():
        assert first <= last
        assert parent == 0 or table[parent][1] < first
    for frame, ids in enumerate(visible):
        assert sum(first <= frame <= last for first, last, _ in table.values()) == len(ids)
