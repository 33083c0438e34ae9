"""In which order frames are tracked, and what is left of it."""

from __future__ import annotations

import pytest

from src_model.tracking.passes import Pass, left_of, staggered, tracked_passes


def test_objects_join_where_they_begin_and_each_frame_is_looked_at_once():
    assert staggered({2: 6, 3: 3}, 0, reverse=True) == [Pass(range(6, 3, -1), (2,)), Pass(range(3, -1, -1), (2, 3))]
    assert staggered({1: 2, 2: 5, 3: 9}, 7, reverse=False) == [Pass(range(2, 5), (1,)), Pass(range(5, 8), (1, 2))]


def remaining(passes, session):
    prompted = {number: item.prompted_frames for number, item in session.objects.items()}
    return left_of(passes, prompted, lambda number, frame: session.objects[number].directions.get(frame))


@pytest.mark.parametrize("cut", range(13))
def test_a_run_cut_anywhere_is_taken_up_at_the_next_frame(predictor, movie, cut):
    passes = [Pass(range(2, 10), (1, 2)), Pass(range(6, 2, -1), (2,)), Pass(range(2, -1, -1), (1, 2))]
    session = predictor.start(movie)
    session.prompt(2, 1, points=[(20, 15)])
    session.prompt(6, 2, points=[(10, 40)])
    steps = [(frame, each) for each in passes for frame in each.frames]
    for frame, each in steps[:cut]:
        stop = frame + (-1 if each.reverse else 1)
        list(session.propagate(frame, None if stop < 0 else stop, reverse=each.reverse, objects=each.objects))
    left = remaining(passes, session)
    first = {1: 2, 2: 6}  # nothing is looked for before its first prompt
    assert [(frame, each.objects) for each in left for frame in each.frames] == [
        (frame, tuple(number for number in each.objects if each.reverse or first[number] <= frame))
        for frame, each in steps[cut:]
    ]


def test_a_pass_knows_its_direction():
    assert Pass(range(5, 0, -1), (1,)).reverse
    assert not Pass(range(5), (1,)).reverse


def test_an_object_that_fell_behind_the_others_is_caught_up_with(predictor, movie):
    session = predictor.start(movie)
    session.prompt(0, 1, points=[(20, 15)])
    session.prompt(1, 2, points=[(10, 40)])
    list(session.propagate(0, 6, objects=[1]))
    passes = [Pass(range(10), (1, 2))]
    left = remaining(passes, session)
    assert [(list(each.frames), each.objects) for each in left] == [([1, 2, 3, 4, 5], (2,)), ([6, 7, 8, 9], (1, 2))]


def test_what_was_tracked_is_planned_again_as_it_was():
    directions = {
        1: {**dict.fromkeys((0, 1), True), **dict.fromkeys(range(3, 8), False)},
        2: {**dict.fromkeys(range(4), True), **dict.fromkeys(range(5, 8), False)},
        3: {},
    }
    prompted = {1: (2,), 2: (4,), 3: (1,)}
    assert tracked_passes(directions, prompted) == [
        Pass(range(2, 4), (1,)),
        Pass(range(4, 8), (1, 2)),
        Pass(range(4, 2, -1), (2,)),
        Pass(range(2, -1, -1), (1, 2)),
    ]
