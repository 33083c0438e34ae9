"""``sam2v demo``, with a tiny network."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
from PIL import Image

from src_model.cli.demo import EPITHELIUM_CLICKS, click_prompts, find_objects
from src_model.cli.demo_picture import panel_sizes
from src_model.cli.error_messages import FAILED
from src_model.cli.job import new_document
from src_model.detection import AutomaticDetector, Detection
from src_model.document import load
from src_model.masks import Rle
from src_model.weights import MaskThresholds
from tests.tracking import tiny
from tests.tracking.damage import DamagedMovie

LABELS = Path(__file__).resolve().parents[1] / "data" / "epithelium_labels.tif"


def test_each_click_lies_well_inside_a_cell_of_its_own_that_stays_in_view():
    labels = tifffile.imread(LABELS)
    cells = [labels[0, y, x] for y, x in EPITHELIUM_CLICKS]
    assert len(set(cells)) == len(cells) == 8
    for (y, x), cell in zip(EPITHELIUM_CLICKS, cells, strict=True):
        assert (labels[0, y - 4 : y + 5, x - 4 : x + 5] == cell).all()
        for frame in labels:
            rows, columns = np.nonzero(frame == cell)
            assert len(rows) > 200
            assert rows.min() > 0
            assert rows.max() < 159
            assert columns.min() > 0
            assert columns.max() < 256


def test_the_clicked_cells_are_spread_over_the_image():
    places = np.array(EPITHELIUM_CLICKS)
    distances = np.linalg.norm(places[:, None] - places[None], axis=2) + 1000 * np.eye(len(places))
    assert distances.min() > 30
    for rows in (places[:, 0] < 80, places[:, 0] >= 80):
        for columns in (places[:, 1] < 128, places[:, 1] >= 128):
            assert (rows & columns).any()


def test_without_a_movie_the_epithelium_is_tracked_from_one_click_a_cell(sam2v, here):
    result = sam2v("demo", "--out", "show", "--objects", 3)
    assert sorted(path.name for path in (here / "show").iterdir()) == ["demo.sam2v", "labels.tif", "overlay.png"]
    for path in ("show/labels.tif", "show/overlay.png", "show/demo.sam2v"):
        assert str(Path(path)) in result.stdout
    labels = tifffile.imread("show/labels.tif")
    assert labels.shape == (11, 160, 257)
    document = load(here / "show" / "demo.sam2v")
    assert [document.prompt(number, 0).points for number in (1, 2, 3)] == [(c,) for c in EPITHELIUM_CLICKS[:3]]
    with Image.open("show/overlay.png") as picture:
        assert picture.width == pytest.approx(1600, abs=3)
        assert 600 < picture.height < 720


def test_a_movie_of_ones_own_is_tracked_from_given_points(sam2v, movie, here):
    sam2v("demo", movie, "--points", "0,20,15", "--points", "3,10,40", "--out", here)
    labels = tifffile.imread("labels.tif")
    assert labels.shape == (10, 40, 52)
    assert labels.any(axis=(1, 2)).all()


def test_in_a_movie_without_points_the_best_of_what_is_found_is_tracked(sam2v, movie, monkeypatch):
    def found(self, image, *, normalization):
        assert image.shape == tiny.SHAPE
        assert normalization.kind == "percentile"
        masks = np.zeros((3, *tiny.SHAPE), bool)
        masks[0, 14:26, 9:21] = masks[1, 4:16, 34:46] = masks[2] = True
        return [Detection.of_mask(Rle.encode(mask), 0.9) for mask in masks]

    monkeypatch.setattr(AutomaticDetector, "detect", found)
    result = sam2v("demo", movie)
    assert "Found 2 objects on frame 0, of 8 at most" in result.stdout
    assert "Tracked 2 objects through 10 frames" in result.stdout
    labels = tifffile.imread("demo/labels.tif")
    assert labels[0, 20, 15] == 1
    assert labels[0, 10, 40] == 2


def test_where_nothing_is_found_the_command_says_what_was_asked_for_and_what_to_do(sam2v, movie, monkeypatch):
    monkeypatch.setattr(AutomaticDetector, "detect", lambda *_, **__: [])
    said = " ".join(sam2v("demo", movie, "--min-score", 0.7, "--min-stability", 0.6, code=FAILED).stderr.split())
    assert "a predicted IoU of 0.7 and a stability of 0.6: lower them with --min-score and --min-stability" in said
    assert "--points T,Y,X" in said


def test_objects_are_looked_for_in_the_first_frame_that_can_be_read():
    frames = tiny.make_movie()
    movie, seen = DamagedMovie(frames, {0, 1}), []
    annotation = new_document(movie, Path("movie.tif"), tiny.predictor(tiny.build()))

    def detect(image, **_):
        seen.append(image)
        return [Detection.of_mask(Rle.from_box((4, 34, 16, 46), tiny.SHAPE), 0.9)]

    detector = SimpleNamespace(name="boxes", detect=detect, thresholds=MaskThresholds(0.5, 0.8))
    find_objects(detector, annotation, movie, 3, quiet=True)
    assert np.array_equal(seen[0], frames[2])
    assert list(annotation.prompts(1)) == [2]


@pytest.mark.parametrize("length", [1, 2])
def test_very_short_movies_have_a_picture_too(sam2v, here, length):
    tifffile.imwrite("short.tif", tiny.make_movie(length), metadata={"axes": "TYX"}, photometric="minisblack")
    sam2v("demo", "short.tif", "--points", "0,20,15")
    assert (here / "demo" / "overlay.png").exists()


def test_clicks_become_objects_counted_from_1():
    prompts = click_prompts([(0, 1.0, 2.0), (4, 3.0, 4.0)])
    assert [(p.object_id, p.frame, p.points, p.labels) for p in prompts] == [
        (1, 0, [(1.0, 2.0)], [1]),
        (2, 4, [(3.0, 4.0)], [1]),
    ]


@pytest.mark.parametrize("shape", [(160, 257), (512, 512), (100, 900), (900, 100)])
def test_two_small_panels_fit_beside_the_large_one(shape):
    large, small = panel_sizes(shape, alone=False)
    assert abs(2 * small[0] + 10 - large[0]) <= 1
    assert large[1] + 10 + small[1] <= 1603
    assert large[0] <= 1400
    for height, width in (large, small):
        assert height / width == pytest.approx(shape[0] / shape[1], rel=0.05)
