from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from src_model.evaluation.protocols import Attempt
from src_model.evaluation.records import UnitKey, UnitRecord
from src_model.evaluation.report.strips import COVERED, MISSED, RIGHT, captioned, draw_strip, ranked
from src_model.evaluation.scoring import score_object
from src_model.masks import MaskletFrame, Rle
from tests.evaluation.fakes import labelled_movie, square, target


def scores(shift: int = 0, *, object_id: int = 1):
    masks = {t: MaskletFrame(Rle.encode(square(3 * t + shift)), 0.9, 0.9) for t in range(4)}
    return score_object(target(4, object_id=object_id), [Attempt(masks, (0,), 1, 0)], gives_first_mask=False)


def pixels(strip) -> np.ndarray:
    data = strip.picture.removeprefix("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def share_near(picture: np.ndarray, color: tuple[int, int, int]) -> float:
    """How much of the picture leans towards a color."""
    visible = picture[picture[..., 3] > 0][:, :3].astype(float)
    tint = visible - visible.mean(axis=1, keepdims=True)
    wanted = np.array(color) - np.mean(color)
    cosine = tint @ wanted / (np.linalg.norm(tint, axis=1) * np.linalg.norm(wanted) + 1e-9)
    return float((cosine > 0.95).mean())


def test_a_strip_has_a_tile_for_each_kept_frame():
    strip = draw_strip("best", labelled_movie(4), scores(), 1.0)
    assert strip.frames == (0, 1, 2, 3)
    height, width = pixels(strip).shape[:2]
    assert width > 4 * 60
    assert height > 60


def test_right_missed_and_wrongly_covered_pixels_have_their_colors():
    right = pixels(draw_strip("best", labelled_movie(4), scores(), 1.0))
    shifted = pixels(draw_strip("worst", labelled_movie(4), scores(4), 0.3))
    assert share_near(right, RIGHT) > 0.02
    assert share_near(right, MISSED) == share_near(right, COVERED) == 0
    assert share_near(shifted, MISSED) > 0.01
    assert share_near(shifted, COVERED) > 0.01


def test_best_median_and_worst_are_chosen_by_mean_j():
    objects = tuple(scores(shift, object_id=number) for number, shift in enumerate((2, 0, 6, 1, 4), start=1))
    record = UnitRecord(UnitKey("s", "m", "click", "tracking"), 4, 1.0, "", objects)
    assert [(rank, each.object_id) for rank, _, each, _ in ranked([record])] == [
        ("best", 2),
        ("median", 1),
        ("worst", 3),
    ]


def test_a_single_masklet_is_shown_once():
    record = UnitRecord(UnitKey("s", "m", "click", "tracking"), 4, 1.0, "", (scores(),))
    assert [rank for rank, *_ in ranked([record])] == ["best"]
    assert ranked([]) == []


def test_captioned_pictures_stand_under_one_another():
    wide, narrow = np.full((10, 20, 4), 255, np.uint8), np.zeros((6, 8, 4), np.uint8)
    narrow[..., 3] = 255
    sheet = np.asarray(captioned([("a", wide), ("b", narrow)]))
    assert sheet.shape[1] == 20
    assert (sheet[-6:, :8] == 0).all()
    assert (sheet[-6:, 8:] == 255).all()
