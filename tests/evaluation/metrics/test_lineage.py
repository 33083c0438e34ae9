from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from src_model.evaluation.metrics.lineage import Lineage, lineage_of

MOVIES = st.lists(st.frozensets(st.integers(1, 5)), min_size=1, max_size=8)
PARENTS = st.dictionaries(st.integers(1, 5), st.integers(0, 6))


def lineage(frames: list[set[int] | frozenset[int]], parents: dict[int, int] | None = None) -> Lineage:
    return lineage_of([np.array(sorted(each), np.int64) for each in frames], parents or {})


def rows(found: Lineage) -> set[tuple[int, ...]]:
    return {tuple(row) for row in found.tracks.tolist()}


def test_a_label_without_gaps_is_one_track() -> None:
    found = lineage([{7}, {7, 9}, {9}])
    assert rows(found) == {(1, 0, 1, 0), (2, 1, 2, 0)}
    assert [each.tolist() for each in found.labels] == [[1], [1, 2], [2]]
    assert found.renamed(1, np.array([9, 7])).tolist() == [2, 1]


def test_a_gap_splits_a_label_into_parent_and_child() -> None:
    assert rows(lineage([{7}, {7}, set(), set(), {7}])) == {(1, 0, 1, 0), (2, 4, 4, 1)}


def test_daughters_have_their_mothers_track_as_parent() -> None:
    assert rows(lineage([{1}, {2, 3}], {2: 1, 3: 1})) == {(1, 0, 0, 0), (2, 1, 1, 1), (3, 1, 1, 1)}


def test_a_mother_that_stays_on_is_her_own_second_daughter() -> None:
    assert rows(lineage([{1}, {1}, {1, 2}, {1, 2}], {2: 1})) == {(1, 0, 1, 0), (2, 2, 3, 1), (3, 2, 3, 1)}


def test_the_parent_is_the_last_track_of_the_mother_before_the_birth() -> None:
    found = rows(lineage([{1}, set(), {1}, {2}, {1}], {2: 1}))
    assert found == {(1, 0, 0, 0), (2, 2, 2, 1), (3, 4, 4, 2), (4, 3, 3, 2)}


def test_a_mother_that_is_never_seen_or_comes_later_is_no_parent() -> None:
    assert rows(lineage([{2}, {2, 1}], {2: 1})) == {(1, 0, 1, 0), (2, 1, 1, 0)}
    assert rows(lineage([{2}], {2: 5, 4: 2, 3: 0})) == {(1, 0, 0, 0)}
    assert rows(lineage([{2}, {2}], {2: 2})) == {(1, 0, 1, 0)}


def test_a_movie_without_cells_has_no_tracks() -> None:
    assert lineage([set(), set()]).tracks.shape == (0, 4)


@given(MOVIES, PARENTS)
def test_tracks_are_what_the_challenge_allows(frames: list[frozenset[int]], parents: dict[int, int]) -> None:
    found = lineage(frames, parents)
    on_frame = [set(each.tolist()) for each in found.labels]
    ends = {0: -1}
    for track, first, last, parent in found.tracks.tolist():
        ends[track] = last
        assert {frame for frame, tracks in enumerate(on_frame) if track in tracks} == set(range(first, last + 1))
        assert parent == 0 or found.tracks[parent - 1, 2] < first
    assert len(ends) == len(found.tracks) + 1
    assert [len(each) for each in frames] == [len(tracks) for tracks in on_frame]
