"""In which order frames are tracked."""

from __future__ import annotations

import pytest

from src_model.errors import FrameRangeError, NoPromptError
from src_model.tracking.passes import Pass, plan_passes, remaining_passes

MOVIE = range(10)


def planned(prompted, span=MOVIE, direction="both"):
    return [(list(each.frames), each.objects) for each in plan_passes(prompted, span, direction)]


def test_from_frame_0_there_is_one_pass_to_the_end():
    assert planned({1: [0], 2: [0]}) == [(list(range(10)), (1, 2))]


def test_from_a_later_frame_it_goes_forward_and_then_back_to_the_start():
    assert planned({1: [4]}) == [([4, 5, 6, 7, 8, 9], (1,)), ([4, 3, 2, 1, 0], (1,))]


def test_objects_join_the_way_back_at_their_own_first_prompt():
    assert planned({1: [0], 2: [6], 3: [3]}) == [
        (list(range(10)), (1, 2, 3)),
        ([6, 5, 4], (2,)),
        ([3, 2, 1, 0], (2, 3)),
    ]


def test_frames_between_the_prompts_of_an_object_are_tracked_once():
    assert planned({1: [3, 7]}) == [([3, 4, 5, 6, 7, 8, 9], (1,)), ([3, 2, 1, 0], (1,))]


def test_each_frame_is_looked_at_once_on_the_way_back():
    _, *back = plan_passes({1: [9], 2: [5], 3: [5], 4: [1]}, MOVIE, "both")
    frames = [frame for each in back for frame in each.frames]
    assert frames == list(range(9, -1, -1))
    assert all(each.reverse for each in back)


@pytest.mark.parametrize(
    ("direction", "expected"),
    [("forward", [([4, 5, 6, 7, 8, 9], (1,))]), ("reverse", [([6, 5, 4, 3, 2, 1, 0], (1,))])],
)
def test_one_direction_alone_can_be_asked_for(direction, expected):
    assert planned({1: [4, 6]}, direction=direction) == expected


def test_a_span_bounds_both_ways():
    assert planned({1: [4]}, span=range(2, 6)) == [([4, 5], (1,)), ([4, 3, 2], (1,))]


def test_a_prompt_outside_of_the_span_is_an_error():
    with pytest.raises(FrameRangeError, match=r"object 2 is prompted on frame 12.*0 to 9"):
        plan_passes({1: [0], 2: [3, 12]}, MOVIE, "both")


def test_without_prompts_there_is_nothing_to_track():
    with pytest.raises(NoPromptError, match="--point"):
        plan_passes({}, MOVIE, "both")


@pytest.mark.parametrize("cut", range(13))
@pytest.mark.parametrize("passes", [plan_passes({1: [2], 2: [6]}, MOVIE, "both")])
def test_a_run_cut_anywhere_is_taken_up_at_the_next_frame(predictor, movie, passes, cut):
    session = predictor.start(movie)
    session.prompt(2, 1, points=[(20, 15)])
    session.prompt(6, 2, points=[(10, 40)])
    steps = [(frame, each) for each in passes for frame in each.frames]
    for frame, each in steps[:cut]:
        stop = frame + (-1 if each.reverse else 1)
        list(session.propagate(frame, None if stop < 0 else stop, reverse=each.reverse, objects=each.objects))
    left = remaining_passes(passes, session.objects)
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
    passes = plan_passes({1: [0], 2: [1]}, MOVIE, "forward")
    left = remaining_passes(passes, session.objects)
    assert [(list(each.frames), each.objects) for each in left] == [([1, 2, 3, 4, 5], (2,)), ([6, 7, 8, 9], (1, 2))]
