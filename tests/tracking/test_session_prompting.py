"""What a click, a box or a mask does, and how it is taken back."""

from __future__ import annotations

import numpy as np
import pytest

from src_model.errors import PromptError
from src_model.masks import Rle
from tests.tracking import tiny


def test_a_click_gives_a_mask_of_the_frame_with_its_scores(session):
    answer = session.prompt(frame=0, object_id=1, points=[tiny.CLICK], labels=[1])
    assert answer.mask.shape == tiny.SHAPE
    assert answer.mask.dtype == bool
    assert answer.mask.any()
    assert not answer.mask.all()
    assert 0 <= answer.score <= 1
    assert answer.object_score > 0.5
    assert (answer.frame, answer.object_id) == (0, 1)


def test_a_single_click_has_three_readings_and_the_best_is_chosen(clicked):
    answer = clicked.prompt(1, 1, points=[tiny.CLICK])
    assert len(answer.candidates) == 3
    assert answer.score == max(candidate.score for candidate in answer.candidates)
    assert answer.rle == answer.candidates[answer.chosen].rle
    assert len({candidate.rle for candidate in answer.candidates}) == 3


def test_another_reading_can_be_chosen(clicked):
    first = clicked.prompt(1, 2, points=[tiny.CLICK])
    for number in (2, 0, 1):
        answer = clicked.choose(1, 2, number)
        assert answer.chosen == number
        assert np.array_equal(answer.mask, first.candidates[number].mask)
        assert clicked.masklets[2].mask_at(1) == first.candidates[number].rle


def test_tracking_starts_from_the_reading_that_was_chosen(clicked):
    other = (clicked.choose(0, 1, 0).chosen + 1) % 3
    from_one = {result.frame: result.rles[1] for result in clicked.propagate(stop=4)}
    clicked.prompt(0, 1, points=[tiny.CLICK], replace=True)
    chosen = clicked.choose(0, 1, other)
    from_other = {result.frame: result.rles[1] for result in clicked.propagate(stop=4)}
    assert from_other[0] == chosen.rle
    assert from_one[3] != from_other[3]


def test_more_clicks_have_one_candidate(session):
    answer = session.prompt(0, 1, points=[tiny.CLICK, (22, 17)])
    assert len(answer.candidates) == 1


def test_a_negative_point_changes_the_mask(clicked):
    before = clicked.masklets[1].mask_at(0)
    answer = clicked.prompt(0, 1, points=[(30, 40)], labels=[0])
    assert answer.rle != before
    assert clicked.masklets[1].mask_at(0) == answer.rle


def test_a_positive_and_a_negative_label_mean_different_things(predictor, movie):
    answers = [predictor.start(movie).prompt(0, 1, points=[tiny.CLICK, (5, 5)], labels=[1, sign]) for sign in (0, 1)]
    assert answers[0].rle != answers[1].rle


def test_a_box_gives_one_mask(session):
    answer = session.prompt(0, 1, box=(12, 6, 30, 26))
    assert answer.mask.any()
    assert len(answer.candidates) == 1


def test_a_box_can_be_helped_by_points_at_once_or_later(predictor, movie):
    box, points = (12, 6, 30, 26), [(14, 8)]
    alone = predictor.start(movie).prompt(0, 1, box=box)
    together = predictor.start(movie).prompt(0, 1, box=box, points=points, labels=[0])
    assert together.rle != alone.rle
    session = predictor.start(movie)
    session.prompt(0, 1, box=box)
    session.prompt(0, 1, points=points, labels=[0])
    held = session.objects[1].prompts[0]
    assert (held.box, held.points, held.labels) == ((12.0, 6.0, 30.0, 26.0), ((14.0, 8.0),), (0,))


def test_a_mask_prompt_is_the_answer_itself(session, square):
    answer = session.prompt(3, 1, mask=square)
    assert np.array_equal(answer.mask, square)
    assert answer.score == 1
    assert answer.object_score > 0.99


def test_an_empty_mask_prompt_says_that_the_object_is_absent(session):
    answer = session.prompt(3, 1, mask=np.zeros(tiny.SHAPE, bool))
    assert not answer.mask.any()
    assert answer.object_score < 0.01


def test_a_mask_prompt_can_be_corrected_by_a_click(session, square):
    session.prompt(3, 1, mask=square)
    corrected = session.prompt(3, 1, points=[tiny.CLICK])
    fresh = session.prompt(3, 2, points=[tiny.CLICK])
    assert corrected.rle != fresh.rle


@pytest.mark.parametrize("frame", [0, 5, tiny.LENGTH - 1])
def test_any_frame_can_be_prompted_first(session, square, frame):
    for object_id, prompt in enumerate(({"points": [tiny.CLICK]}, {"box": (12, 6, 30, 26)}, {"mask": square}), start=1):
        assert session.prompt(frame, object_id, **prompt).frame == frame
    assert sorted(session.objects) == [1, 2, 3]


def test_objects_are_prompted_independently(clicked):
    before = clicked.masklets[1].copy()
    with_others = clicked.prompt(0, 2, points=[tiny.OTHER_CLICK])
    alone = clicked.prompt(0, 3, points=[tiny.OTHER_CLICK])
    assert clicked.masklets[1] == before
    assert with_others.rle == alone.rle


def test_prompts_on_a_frame_add_up(clicked):
    clicked.prompt(0, 1, points=[(30, 40), (5, 5)], labels=[0, 1])
    held = clicked.objects[1].prompts[0]
    assert held.points == ((20.0, 15.0), (30.0, 40.0), (5.0, 5.0))
    assert held.labels == (1, 0, 1)


def test_prompts_on_different_frames_do_not_mix(clicked):
    clicked.prompt(4, 1, points=[(30, 40)])
    assert clicked.objects[1].prompts[4].points == ((30.0, 40.0),)


def test_replacing_forgets_the_earlier_prompts_and_their_mask(clicked):
    first = clicked.masklets[1].mask_at(0)
    clicked.prompt(0, 1, points=[(30, 40)], labels=[0])
    again = clicked.prompt(0, 1, points=[tiny.CLICK], replace=True)
    assert again.rle == first
    assert clicked.objects[1].prompts[0].points == ((20.0, 15.0),)


def test_a_cleared_frame_is_as_if_it_had_never_been_prompted(clicked):
    first = clicked.masklets[1].mask_at(0)
    clicked.prompt(0, 1, points=[(30, 40)], labels=[0])
    clicked.clear_prompt(0, 1)
    assert clicked.objects[1].prompted_frames == ()
    assert 0 not in clicked.masklets[1]
    assert clicked.prompt(0, 1, points=[tiny.CLICK]).rle == first


def test_clearing_one_frame_leaves_the_others(clicked):
    kept = clicked.prompt(4, 1, points=[(30, 40)])
    clicked.clear_prompt(0, 1)
    assert clicked.objects[1].prompted_frames == (4,)
    assert clicked.masklets[1].mask_at(4) == kept.rle


def test_a_cleared_prompt_no_longer_guides_tracking(clicked, predictor, movie):
    clicked.prompt(4, 1, points=[(30, 40)])
    clicked.clear_prompt(4, 1)
    tiny.finish(clicked.propagate())
    alone = predictor.start(movie)
    alone.prompt(0, 1, points=[tiny.CLICK])
    tiny.finish(alone.propagate())
    assert tiny.masks_of(clicked) == tiny.masks_of(alone)


def test_a_prompt_cleared_after_tracking_no_longer_guides_it_either(tracked):
    first_pass = tiny.masks_of(tracked)
    tracked.prompt(4, 1, points=[(30, 40)], labels=[0])
    tiny.finish(tracked.propagate())
    tracked.clear_prompt(4, 1)
    tiny.finish(tracked.propagate())
    assert tiny.masks_of(tracked) == first_pass


def test_a_removed_object_is_gone_and_the_others_stay(clicked):
    kept = clicked.prompt(0, 2, points=[tiny.OTHER_CLICK])
    clicked.remove_object(1)
    assert list(clicked.masklets) == [2]
    assert clicked.masklets[2].mask_at(0) == kept.rle


def test_a_new_object_under_an_old_number_starts_afresh(tracked):
    first = tracked.masklets[1].mask_at(0)
    tracked.remove_object(1)
    assert tracked.prompt(0, 1, points=[tiny.CLICK]).rle == first
    assert tracked.masklets[1].frames == (0,)


def test_a_refused_prompt_leaves_no_object_behind(session):
    with pytest.raises(PromptError):
        session.prompt(0, 1, points=[(99, 99)])
    assert dict(session.objects) == {}


def test_masks_are_held_run_length_encoded(clicked):
    assert isinstance(clicked.masklets[1].mask_at(0), Rle)


def test_a_click_on_an_object_that_the_network_does_not_see_is_trusted(session, network):
    with tiny.sees(network, anything=False):
        answer = session.prompt(0, 1, points=[tiny.CLICK])
    assert answer.mask.any()
    assert answer.object_score >= 0.5


def test_the_official_preset_believes_the_network_instead(official, movie, network):
    with tiny.sees(network, anything=False):
        answer = official.start(movie).prompt(0, 1, points=[tiny.CLICK])
    assert not answer.mask.any()
    assert answer.object_score < 0.01
