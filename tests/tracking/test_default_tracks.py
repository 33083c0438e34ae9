"""The bundled checkpoint tracks: minimums that fail when weights or code regress.

The thresholds lie well under what was measured when the weights were made (see the model card), so that another
processor's rounding does not decide.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy.ndimage import distance_transform_edt

from src_model import StreamingPredictor
from src_model.data import epithelium_path
from src_model.masks import mask_iou
from src_model.simulation import simulate_movie

LABELS = Path(__file__).parents[1] / "data" / "epithelium_labels.tif"
CELLS = 6


@pytest.fixture(scope="module")
def predictor():
    return StreamingPredictor.load("default", device="cpu")


def steady_objects(labels: np.ndarray, count: int) -> list[int]:
    """The largest objects that are in every frame, away from the border of the first."""
    inner = labels[0][5:-5, 5:-5]
    ids, areas = np.unique(inner[inner > 0], return_counts=True)
    present = [i for i in ids[np.argsort(-areas)] if (labels == i).any(axis=(1, 2)).all()]
    return [int(i) for i in present[:count]]


def deepest_point(mask: np.ndarray) -> tuple[int, int]:
    """The pixel (y, x) farthest from the outline."""
    y, x = np.unravel_index(distance_transform_edt(mask).argmax(), mask.shape)
    return int(y), int(x)


def mean_iou(session, labels: np.ndarray, ids: list[int]) -> float:
    scores = [
        mask_iou(result.rles[i], labels[result.frame] == i)
        for result in session.propagate(start=0, stop=len(labels))
        for i in ids
        if result.frame > 0
    ]
    return float(np.mean(scores))


def test_cells_of_a_real_epithelium_are_followed_from_their_first_masks(predictor):
    labels = tifffile.imread(LABELS)
    ids = steady_objects(labels, CELLS)
    session = predictor.start(epithelium_path())
    for i in ids:
        session.prompt(0, i, mask=labels[0] == i)
    assert mean_iou(session, labels, ids) > 0.75


def test_cells_of_a_real_epithelium_are_followed_from_one_click_each(predictor):
    labels = tifffile.imread(LABELS)
    ids = steady_objects(labels, CELLS)
    session = predictor.start(epithelium_path())
    for i in ids:
        session.prompt(0, i, points=[deepest_point(labels[0] == i)])
    assert mean_iou(session, labels, ids) > 0.6


@pytest.mark.parametrize(("kind", "least"), [("nuclei", 0.6), ("vesicles", 0.6)])
def test_simulated_objects_are_followed_from_their_first_masks(predictor, kind, least):
    movie = simulate_movie(kind, seed=10_000_100, frames=8, shape=(256, 256))
    ids = steady_objects(movie.labels, 3)
    session = predictor.start(movie.images)
    for i in ids:
        session.prompt(0, i, mask=movie.labels[0] == i)
    assert mean_iou(session, movie.labels, ids) > least
