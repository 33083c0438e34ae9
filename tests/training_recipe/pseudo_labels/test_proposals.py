"""Which masks are taken for objects."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("cv2", reason="labelling videos needs the extra 'recipe'")

import cv2

from training_recipe.pseudo_labels.proposals import (
    Proposal,
    ProposalSettings,
    border_contrast,
    cleaned,
    distinct,
    overlap,
    propose,
)
from training_recipe.pseudo_labels.segmenter import Answers

SHAPE = (90, 160)
FRAME = SimpleNamespace(shape=SHAPE)
NOISE = np.random.default_rng(0).integers(0, 256, (*SHAPE, 3)).astype(np.uint8)


def _box(y0: int, x0: int, y1: int, x1: int) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[y0:y1, x0:x1] = True
    return mask


class Oracle:
    """Answers each click with the objects under it, and two readings of no worth."""

    def __init__(self, objects: list[np.ndarray], *, score: float = 0.95, stability: float = 0.97) -> None:
        self.objects, self.score, self.stability = objects, score, stability
        self.clicks: list[np.ndarray] = []

    def click(self, frame, points) -> Answers:
        self.clicks += list(points)
        logits = np.full((len(points), 3, *SHAPE), -5.0, np.float32)
        for row, (y, x) in enumerate(points.astype(int)):
            for mask in self.objects:
                if mask[y, x]:
                    logits[row, 0][mask] = 5
        scores = np.tile(np.float32([self.score, 0.2, 0.2]), (len(points), 1))
        return Answers(logits, scores, np.full_like(scores, self.stability))


def test_every_object_is_proposed_once() -> None:
    objects = [_box(10, 10, 40, 50), _box(50, 90, 80, 140)]
    found = propose(Oracle(objects), FRAME, NOISE, ProposalSettings())
    assert len(found) == 2
    for mask in objects:
        assert max(overlap(mask, proposal.mask) for proposal in found) == 1


@pytest.mark.parametrize(
    ("mask", "why"),
    [
        (_box(10, 10, 13, 14), "too small"),
        (_box(2, 10, 88, 150), "too large"),
        (_box(30, 0, 60, 160), "it goes from side to side"),
        (_box(0, 40, 90, 100), "it goes from top to bottom"),
        (_box(10, 10, 30, 30) | _box(60, 100, 80, 120), "it is in pieces"),
    ],
)
def test_what_is_hardly_an_object_is_not_proposed(mask: np.ndarray, why: str) -> None:
    assert propose(Oracle([mask]), FRAME, NOISE, ProposalSettings()) == [], why


def test_what_the_network_doubts_is_not_proposed() -> None:
    for doubtful in (Oracle([_box(10, 10, 40, 50)], score=0.7), Oracle([_box(10, 10, 40, 50)], stability=0.7)):
        assert propose(doubtful, FRAME, NOISE, ProposalSettings()) == []


def test_objects_found_are_not_clicked_again_and_again() -> None:
    small, nothing = Oracle([_box(30, 30, 55, 55)]), Oracle([])
    for oracle in (small, nothing):
        propose(oracle, FRAME, NOISE, ProposalSettings())
    assert len(small.clicks) < len(nothing.clicks) == 9 * 16


def test_of_masks_of_one_object_the_best_is_kept_first() -> None:
    worse, better, other = (
        Proposal(_box(10, 10, 40, 50), 0.8),
        Proposal(_box(10, 10, 40, 52), 0.9),
        Proposal(_box(10, 10, 20, 20), 0.7),
    )
    assert distinct([worse, better, other], 0.6) == [better, other]


def test_a_blob_out_of_focus_is_not_proposed() -> None:
    mask = _box(20, 30, 60, 90)
    sharp = np.repeat(40 + 100 * mask[..., None].astype(np.uint8), 3, axis=-1)
    blurred = cv2.GaussianBlur(sharp, (0, 0), 12)
    assert border_contrast(sharp, mask) == pytest.approx(100, abs=1)
    assert border_contrast(blurred, mask) < 11
    assert len(propose(Oracle([mask]), FRAME, sharp, ProposalSettings())) == 1
    assert propose(Oracle([mask]), FRAME, blurred, ProposalSettings()) == []


def test_slips_of_the_pen_are_mended() -> None:
    mask = _box(20, 20, 60, 80)
    slipped = mask.copy()
    slipped[40, 50], slipped[5, 5] = False, True
    assert np.array_equal(cleaned(slipped), mask)
    assert cleaned(np.zeros(SHAPE, bool)) is None
