"""Single images: the same network without a memory."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from src_model.errors import MovieError, PromptError
from src_model.frames import Normalization
from src_model.tracking import ImagePredictor
from tests.tracking import tiny

LIMITS = Normalization("limits", (0.0,), (255.0,))
BOX = (12, 6, 30, 26)


@pytest.fixture
def images(predictor, movie):
    images = ImagePredictor(predictor)
    images.set_image(movie[0], LIMITS)
    return images


def test_a_click_gives_three_masks_with_their_scores(images):
    answer = images.predict(points=[tiny.CLICK])
    assert answer.masks.shape == (3, *tiny.SHAPE)
    assert answer.masks.dtype == bool
    assert len(answer.rles) == len(answer.scores) == 3
    assert answer.logits.shape == (3, 16, 16)
    assert answer.scores[answer.best] == max(answer.scores)
    assert 0.5 < answer.object_score <= 1


def test_one_mask_is_given_if_asked_for(images):
    answer = images.predict(points=[tiny.CLICK], multimask=False)
    assert answer.masks.shape == (1, *tiny.SHAPE)
    assert answer.best == 0


@pytest.mark.parametrize(
    "prompt", [{"points": [tiny.CLICK]}, {"points": [tiny.CLICK, (5, 5)], "labels": [1, 0]}, {"box": BOX}]
)
def test_the_answer_is_that_of_a_movies_first_prompted_frame(images, predictor, movie, prompt):
    first = predictor.start(movie, normalization=LIMITS).prompt(0, 1, **prompt)
    answer = images.predict(**prompt, multimask=len(first.candidates) == 3)
    assert answer.rles == tuple(candidate.rle for candidate in first.candidates)
    assert answer.scores == tuple(candidate.score for candidate in first.candidates)
    assert answer.object_score == first.object_score


def test_negative_points_boxes_and_both_together_change_the_answer(images):
    prompts = (
        {"points": [tiny.CLICK]},
        {"points": [tiny.CLICK, (30, 40)], "labels": [1, 0]},
        {"box": BOX},
        {"box": BOX, "points": [(30, 40)], "labels": [0]},
    )
    answers = [images.predict(**prompt).logits for prompt in prompts]
    for one in range(4):
        assert [torch.equal(answers[one], answers[other]) for other in range(4)].count(True) == 1


def test_an_earlier_answer_can_be_refined_with_or_without_a_new_prompt(images):
    first = images.predict(points=[tiny.CLICK])
    refined = images.predict(points=[tiny.CLICK], mask_logits=first.logits[first.best], multimask=False)
    plain = images.predict(points=[tiny.CLICK], multimask=False)
    assert not torch.equal(refined.logits, plain.logits)
    from_array = images.predict(
        points=[tiny.CLICK], mask_logits=first.logits[first.best].numpy()[None], multimask=False
    )
    assert torch.equal(from_array.logits, refined.logits)
    assert images.predict(mask_logits=first.logits[0]).masks.shape == (3, *tiny.SHAPE)


def test_nothing_is_remembered_from_prompt_to_prompt_or_from_image_to_image(images, movie):
    first = images.predict(points=[tiny.CLICK])
    images.predict(box=BOX)
    assert images.predict(points=[tiny.CLICK]).rles == first.rles
    images.set_image(movie[7], LIMITS)
    assert images.predict(points=[tiny.CLICK]).rles != first.rles
    images.set_image(movie[0], LIMITS)
    assert images.predict(points=[tiny.CLICK]).rles == first.rles


def test_a_mask_is_given_even_where_the_network_sees_nothing_and_the_score_says_so(images, network):
    seen = images.predict(points=[tiny.CLICK])
    with tiny.sees(network, anything=False):
        unseen = images.predict(points=[tiny.CLICK])
    assert unseen.rles == seen.rles
    assert unseen.object_score < 0.01


def test_many_clicks_at_once_are_answered_as_one_by_one(images):
    points = [tiny.CLICK, tiny.OTHER_CLICK, (3, 3)]
    together = images.predict_each(points)
    assert together.logits.shape == (3, 3, 16, 16)
    for row, point in enumerate(points):
        alone = images.predict(points=[point])
        torch.testing.assert_close(together.logits[row], alone.logits, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(together.iou[row], torch.tensor(alone.scores), atol=1e-5, rtol=1e-5)
    assert images.predict_each(points, multimask=False).logits.shape == (3, 1, 16, 16)


def test_the_image_may_be_of_any_size_kind_and_type(predictor):
    images = ImagePredictor(predictor)
    gray = tiny.make_movie(1)[0]
    for image in (gray, gray.astype(np.float64) / 7, gray.astype(np.uint16) * 200, np.stack([gray] * 3, axis=-1)):
        images.set_image(image)
        assert images.shape == tiny.SHAPE
        assert images.predict(points=[tiny.CLICK]).masks.shape == (3, *tiny.SHAPE)
    images.set_image(np.pad(gray, ((0, 60), (0, 0))))
    assert images.predict(points=[(99, 0)]).masks.shape == (3, 100, 52)


def test_the_range_of_values_does_not_matter_if_the_normalization_is_left_out(predictor, movie):
    answers = []
    for image in (movie[0].astype(np.float32), movie[0].astype(np.float32) * 100 + 7):
        images = ImagePredictor(predictor)
        images.set_image(image)
        answers.append(images.predict(points=[tiny.CLICK]).logits)
    torch.testing.assert_close(answers[0], answers[1], atol=1e-3, rtol=1e-3)


def test_prompts_are_checked_as_in_a_session(images):
    with pytest.raises(PromptError, match=r"point \(y=40, x=0\) lies outside the image"):
        images.predict(points=[(40, 0)])
    with pytest.raises(PromptError, match="has no area"):
        images.predict(box=(5, 5, 5, 9))
    with pytest.raises(PromptError, match="needs points, a box or a mask; none was given"):
        images.predict()
    with pytest.raises(PromptError, match="0 points but 1 labels"):
        images.predict(box=BOX, labels=[1])
    with pytest.raises(PromptError, match="lies outside the image"):
        images.predict_each([(0, 99)])


def test_logits_of_another_shape_or_without_a_value_are_refused(images):
    with pytest.raises(PromptError, match=r"mask logits have shape \(40, 52\); expected \(16, 16\)"):
        images.predict(mask_logits=np.zeros(tiny.SHAPE, np.float32))
    with pytest.raises(PromptError, match="must be finite"):
        images.predict(mask_logits=np.full((16, 16), np.nan, np.float32))


@pytest.mark.parametrize(
    "use", [lambda i: i.predict(points=[(1, 1)]), lambda i: i.predict_each([(1, 1)]), lambda i: i.shape]
)
def test_an_image_has_to_be_set_first(predictor, use):
    with pytest.raises(PromptError, match="call set_image"):
        use(ImagePredictor(predictor))


@pytest.mark.parametrize("image", [np.zeros(5), np.zeros((4, 5, 2)), np.zeros((0, 5)), np.array("cell")])
def test_what_is_no_image_is_refused(predictor, image):
    with pytest.raises(MovieError):
        ImagePredictor(predictor).set_image(image)
