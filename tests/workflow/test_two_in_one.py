"""Two cells in one mask: clicks on its halves by the bundled network, and since when there are two by what was told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from src_model.frames import decide_normalization, open_movie
from src_model.masks import Rle, mask_iou
from src_model.simulation import simulate_movie
from src_model.tracking import StreamingPredictor
from src_model.workflow.followed_track import FollowedTrack
from src_model.workflow.two_in_one import Cells, Told, TwoInOne, halves, views

SHAPE = (40, 60)
WHOLE = Rle.from_box((10, 10, 20, 50), SHAPE)
LEFT, RIGHT = Rle.from_box((10, 10, 20, 30), SHAPE), Rle.from_box((10, 30, 20, 50), SHAPE)
TWO, CLEARLY_ONE, UNCLEAR = Told(-0.4, Cells(LEFT, RIGHT)), Told(0.5, None), Told(0.1, None)


@given(arrays(np.bool_, (9, 12), elements=st.booleans()))
def test_halves_share_the_pixels_of_a_mask_among_them(mask):
    rle = Rle.encode(mask)
    cells = halves(rle)
    if cells is not None:
        assert not cells.first.is_empty
        assert not cells.second.is_empty
        np.testing.assert_array_equal(cells.first.decode() ^ cells.second.decode(), mask)


def test_a_long_mask_is_cut_across_and_a_round_one_is_not():
    assert set(halves(WHOLE)) == {LEFT, RIGHT}
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    assert halves(Rle.encode((rows - 20) ** 2 + (columns - 30) ** 2 < 100)) is None
    assert halves(Rle.empty(SHAPE)) is None
    assert halves(Rle.from_box((3, 3, 4, 4), SHAPE)) is None


@pytest.fixture(scope="module")
def network():
    return TwoInOne(StreamingPredictor.load("default", device="cpu", precision="exact"))


def test_the_bundled_network_tells_two_rods_that_just_divided_from_one(network):
    simulated = simulate_movie("rods", 911, 5, (256, 256))
    movie, labels = open_movie(simulated.images, axes="TYX"), simulated.labels[4]
    pairs = {}
    for child, mother in simulated.parents.items():
        if (labels == child).any():
            pairs.setdefault(mother, []).append(child)
    pairs = [pair for pair in pairs.values() if len(pair) == 2]
    together = [ndimage.binary_closing(np.isin(labels, pair), iterations=3) for pair in pairs]
    single = [labels == each for each in np.unique(labels[labels > 0]) if each not in simulated.parents]
    told = network.look(
        movie.read(4), decide_normalization(movie), dict(enumerate(map(Rle.encode, [*together, *single])))
    )
    divided = [number for number, each in told.items() if each.is_two()]
    right = [number for number in divided if number < len(pairs)]
    assert len(right) > len(pairs) / 4
    assert len(divided) == len(right)
    for number in right:
        found, (one, other) = told[number].cells, pairs[number]
        truth = Cells(Rle.encode(labels == one), Rle.encode(labels == other))
        assert min(map(mask_iou, found.in_order_of(truth), truth)) > 0.6


def test_small_cells_are_looked_at_in_tiles_and_told_where_they_lie_in_the_frame(network):
    simulated = simulate_movie("rods", 911, 5, (256, 256))
    labels = simulated.labels[4]
    pair = [child for child, mother in simulated.parents.items() if mother == 34]
    cell = Rle.encode(ndimage.binary_closing(np.isin(labels, pair), iterations=3))
    large = np.full((1200, 1300), int(np.median(simulated.images[4])), simulated.images.dtype)
    large[700:956, 900:1156] = simulated.images[4]
    movie = open_movie(large[None], axes="TYX")
    normalization = decide_normalization(open_movie(simulated.images, axes="TYX"))
    placed = Rle.from_crop(cell.decode(), (700, 900), large.shape)
    told = network.look(movie.read(0), normalization, {5: placed})[5]
    assert told.is_two()
    for found, number in zip(
        sorted(told.cells, key=lambda each: each.box), sorted(pair, key=lambda n: _top(labels, n)), strict=True
    ):
        assert mask_iou(found, Rle.from_crop(labels == number, (700, 900), large.shape)) > 0.6


def _top(labels, number):
    return tuple(np.argwhere(labels == number).min(axis=0))


def test_each_mask_is_shared_out_to_the_tile_with_most_room_around_it_and_what_is_too_large_to_none():
    shape = (1000, 1000)
    cells = {n: Rle.from_box((y, x, y + 8, x + 16), shape) for n, (y, x) in enumerate([(0, 0), (500, 480), (990, 980)])}
    shared = list(views({**cells, 9: Rle.from_box((10, 10, 900, 900), shape)}, shape, 448))
    assert sorted(number for _, inside in shared for number in inside) == [0, 1, 2]
    for (y0, x0, y1, x1), inside in shared:
        assert max(y1 - y0, x1 - x0) < 400
        for mask in inside.values():
            assert y0 <= mask.box[0] < mask.box[2] <= y1
            assert x0 <= mask.box[1] < mask.box[3] <= x1
    assert [box for box, _ in views({1: Rle.from_box((10, 10, 200, 300), shape)}, shape, 448)] == [(0, 0, 1000, 1000)]
    assert list(views({}, shape, 448)) == []


class Scripted(TwoInOne):
    """Says of each frame what it was told to say."""

    def __init__(self, *told: Told) -> None:
        self.told, self.asked = told, []

    def look(self, image, normalization, masks):
        frame = int(image[0, 0])
        self.asked.append(frame)
        return dict.fromkeys(masks, self.told[frame])


def looked_back(*told: Told, begins: int = 0, changed: bool = False) -> tuple[dict[int, dict[int, Cells]], list[int]]:
    """Ask about a track that ends with what is told; return the answer and the frames that were looked at."""
    movie = open_movie(np.arange(len(told), dtype=np.uint8)[:, None, None] * np.ones(SHAPE, np.uint8), axes="TYX")
    track = FollowedTrack(7, joins=begins, recent=dict.fromkeys(range(begins, len(told)), WHOLE))
    scripted = Scripted(*told)
    return scripted.look_back(
        movie, decide_normalization(movie), {7: track}, len(told) - 1, [7] if changed else ()
    ), scripted.asked


def test_a_track_became_two_cells_on_the_first_frame_on_which_they_are_told_apart():
    found, asked = looked_back(*[CLEARLY_ONE] * 5, TWO, TWO)
    assert {number: sorted(cells) for number, cells in found.items()} == {7: [5, 6]}
    assert asked == [6, 5, 4, 3, 2]


def test_one_frame_on_which_there_seem_to_be_two_is_not_enough():
    assert looked_back(*[CLEARLY_ONE] * 5, TWO)[0] == {}


def test_where_an_outline_changed_at_once_less_is_enough():
    hardly = Told(0.05, Cells(LEFT, RIGHT))
    assert looked_back(*[CLEARLY_ONE] * 4, hardly)[0] == {}
    found, _ = looked_back(*[CLEARLY_ONE] * 4, hardly, changed=True)
    assert found == {7: {4: hardly.cells}}
    assert looked_back(*[UNCLEAR] * 4, hardly, changed=True)[0] == {}


def test_where_there_is_one_nothing_earlier_is_read():
    assert looked_back(*[CLEARLY_ONE] * 5) == ({}, [4])


@pytest.mark.parametrize(
    ("told", "begins"),
    [
        ([UNCLEAR, UNCLEAR, UNCLEAR, TWO, TWO], 0),
        ([TWO, TWO, TWO, TWO], 0),
        ([CLEARLY_ONE, CLEARLY_ONE, CLEARLY_ONE, TWO, TWO], 3),
        ([CLEARLY_ONE, TWO, UNCLEAR, TWO, TWO], 0),
    ],
    ids=["never clear", "always two", "begins as two", "now and then two"],
)
def test_masks_that_lay_on_two_cells_before_are_no_mothers(told, begins):
    assert looked_back(*told, begins=begins)[0] == {}


def test_each_cell_keeps_its_place_from_frame_to_frame():
    swapped = Told(-0.4, Cells(RIGHT, LEFT))
    found, _ = looked_back(*[CLEARLY_ONE] * 3, swapped, TWO, swapped)
    assert list(found[7].values()) == [swapped.cells] * 3
