"""How far a mask is followed."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2", reason="labelling videos needs the extra 'recipe'")

import cv2

from training_recipe.pseudo_labels.proposals import Proposal, overlap
from training_recipe.pseudo_labels.segmenter import Answers
from training_recipe.pseudo_labels.tracklets import TrackletSettings, carried, flow_across, follow, liveliest

SHAPE = (96, 128)
STEP = (1, 4)


def _texture(seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (*SHAPE, 3)).astype(np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)


def _movie(frames: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """A patch that moves by STEP over a background at rest, and its masks."""
    images, masks = [], []
    patch = _texture(1)[:30, :36]
    for frame in range(frames):
        y, x = 20 + STEP[0] * frame, 10 + STEP[1] * frame
        image, mask = _texture(0), np.zeros(SHAPE, bool)
        image[y : y + 30, x : x + 36] = patch
        mask[y : y + 30, x : x + 36] = True
        images.append(image)
        masks.append(mask)
    return images, masks


class Redrawer:
    """Gives the truth of each frame, whatever it is asked; a frame is its number."""

    def __init__(self, truth: list[np.ndarray], *, score: float = 0.95) -> None:
        self.truth, self.score = truth, score

    def redraw(self, frame: int, masks: np.ndarray) -> Answers:
        logits = np.where(self.truth[frame], 5.0, -5.0).astype(np.float32)
        scores = np.full((len(masks), 1), self.score, np.float32)
        return Answers(np.tile(logits, (len(masks), 1, 1, 1)), scores, np.ones_like(scores))


def _followed(images, masks, **settings) -> list:
    flows = [flow_across(images[at : at + 2]) for at in range(len(images) - 1)]
    redrawer = Redrawer(masks, score=settings.pop("score", 0.95))
    frames = list(range(len(images)))
    return follow(redrawer, frames, flows, [Proposal(masks[0], 0.95)], TrackletSettings(**settings))


def test_the_flow_carries_a_mask_along() -> None:
    images, masks = _movie(3)
    for stop in (2, 3):
        flow = flow_across(images[:stop])
        moved = carried(masks[0].astype(np.float32), flow.back) > 0.5
        assert overlap(moved, masks[stop - 1]) > 0.7


def test_the_flow_is_inconsistent_where_something_appears() -> None:
    images, masks = _movie(2)
    flow = flow_across(images)
    assert flow.consistent[masks[1]].mean() > 0.8
    assert flow.consistent[30:40, 100:].all()


def test_an_object_is_followed_while_flow_and_network_agree() -> None:
    images, masks = _movie(7)
    (tracklet,) = _followed(images, masks)
    assert len(tracklet.masks) == 7
    assert all(np.array_equal(mask, truth) for mask, truth in zip(tracklet.masks, masks, strict=True))
    assert tracklet.way > 0.3


def test_it_is_lost_where_they_disagree_and_a_short_tracklet_is_dropped() -> None:
    images, masks = _movie(9)
    masks[7] = np.roll(masks[7], 30, axis=0)
    (tracklet,) = _followed(images, masks)
    assert len(tracklet.masks) == 6, "the last one before is not trusted either"
    masks[3] = np.roll(masks[3], 30, axis=0)
    assert _followed(images, masks) == []


def test_it_is_lost_where_it_grows_into_something_else_little_by_little() -> None:
    images, masks = _movie(9)
    grown = [mask | np.roll(mask, 3 * frame, axis=0) for frame, mask in enumerate(masks)]
    assert overlap(grown[4], grown[5]) > 0.7
    assert all(len(tracklet.masks) < 9 for tracklet in _followed(images, grown))


def test_it_is_lost_where_the_network_doubts() -> None:
    images, masks = _movie(6)
    assert _followed(images, masks, score=0.5) == []


def test_of_what_stands_still_only_some_is_kept() -> None:
    images, masks = _movie(6)
    still = [images[0]] * 6, [masks[0]] * 6
    assert len(_followed(*still)) == 1
    assert _followed(*still, still_kept=0) == []


def test_what_moves_goes_before_what_stands_and_may_be_blurred() -> None:
    images, masks = _movie(2)
    standing = Proposal(np.roll(masks[0], 70, axis=1), 0.9)
    moving = Proposal(masks[0], 0.8)
    flow = flow_across(images)
    assert liveliest([standing, moving], flow, TrackletSettings(most=1)) == [moving]
    doubtful = Proposal(standing.mask, 0.8)
    assert liveliest([doubtful, moving], flow, TrackletSettings()) == [moving]
