"""States: small, and refused when they were changed, are too old, or come from elsewhere."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cvat_serverless.coarse_mask import CoarseMask
from cvat_serverless.shapes import Shape, shape_of
from cvat_serverless.state import StateCodec, TrackState, new_track_id, outline_of
from src_model.errors import RequestError
from src_model.masks import Rle, mask_iou
from tests.cvat_serverless.asking import through_json

IMAGE = (1080, 1920)
RECTANGLE = Shape("rectangle", (100.25, 200.0, 1300.5, 900.0))


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def codec(clock):
    return StateCodec("secret of this deployment", max_age=3600.0, clock=clock)


def state(**changes) -> TrackState:
    values = {"kind": "rectangle", "bare": False, "outline": RECTANGLE, "image": IMAGE, "step": 7, **changes}
    return TrackState(new_track_id(), **values)


def flower() -> Shape:
    y, x = np.mgrid[: IMAGE[0], : IMAGE[1]]
    mask = np.hypot(y - 540, x - 960) < 300 + 60 * np.sin(5 * np.arctan2(y - 540, x - 960))
    return shape_of(Rle.encode(mask), "mask")


def test_a_state_is_read_as_it_was_written(codec):
    written = state()
    assert codec.unpack(through_json(codec.pack(written))) == written


def test_a_state_is_the_same_when_a_browser_writes_whole_numbers_without_a_point(codec):
    packed = codec.pack(state())
    packed["s"] = [100.25, 200, 1300.5, 900]
    assert codec.unpack(packed).outline == RECTANGLE


def test_a_state_of_a_large_mask_has_a_few_hundred_bytes_and_still_its_form(codec):
    shape = flower()
    mask = CoarseMask.of(shape.mask(IMAGE), CoarseMask.of(shape.mask(IMAGE)))
    packed = codec.pack(state(kind="mask", outline=outline_of(shape, IMAGE), coarse_mask=mask))
    assert len(json.dumps(packed)) < 400
    read = codec.unpack(through_json(packed))
    assert read.coarse_mask == mask
    assert mask_iou(read.mask, shape.mask(IMAGE)) > 0.95
    assert mask_iou(read.shape.mask(IMAGE), shape.mask(IMAGE)) > 0.95


def test_a_state_of_a_long_outline_has_at_most_600_bytes(codec):
    shape = shape_of(flower().mask(IMAGE), "polygon")
    mask = CoarseMask.of(shape.mask(IMAGE))
    packed = codec.pack(state(kind="polygon", outline=outline_of(shape, IMAGE), coarse_mask=mask, step=10**9))
    assert 400 < len(json.dumps(packed)) < 600


def test_a_state_without_a_mask_is_read(codec, clock):
    """Its checksum is over the keys that it has."""
    made = codec.pack(state(kind="mask", outline=Shape("polygon", (5.0, 5.0, 90.0, 5.0, 90.0, 70.0))))
    assert set(made) == {"v", "id", "n", "t", "s", "f", "at", "c"}
    read = codec.unpack(made)
    assert read.coarse_mask is None
    assert read.mask == read.outline.mask(IMAGE)


@pytest.mark.parametrize(
    ("key", "value"),
    [("m", [0, 0, 9, 9, 24, 24, 99]), ("b", "////"), ("m", None), ("b", None), ("b", "/" * 200), ("m", [1] * 50)],
)
def test_a_changed_mask_is_refused(codec, key, value):
    packed = codec.pack(state(coarse_mask=CoarseMask.of(flower().mask(IMAGE))))
    with pytest.raises(RequestError):
        codec.unpack({**packed, key: value})


def test_names_of_memories_cannot_be_guessed():
    names = {new_track_id() for _ in range(1000)}
    assert len(names) == 1000
    assert {len(name) for name in names} == {16}


@pytest.mark.parametrize(
    "given",
    [None, {}, "s2", 7, [], {"id": "s2"}, {"py/object": "os.system"}, {"v": 2}, {"x" * 10_000_000: 1}],
    ids=lambda given: str(given)[:20],
)
def test_a_foreign_state_is_refused(codec, given):
    with pytest.raises(RequestError, match="not made by this function") as caught:
        codec.unpack(given)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("key", "value"),
    [("n", 8), ("id", "A" * 16), ("t", "polygon"), ("s", [0.0, 0.0, 10.0, 10.0]), ("f", [10, 10]), ("at", 999_999)],
)
def test_a_changed_state_is_refused(codec, key, value):
    with pytest.raises(RequestError, match="changed on its way"):
        codec.unpack({**codec.pack(state()), key: value})


@pytest.mark.parametrize(
    ("key", "value"),
    [("s", [float("nan")] * 4), ("s", [1.0] * 3), ("s", [1.0] * 10_000), ("n", -1), ("n", "7"), ("extra", 1)],
)
def test_a_state_of_another_form_is_refused(codec, key, value):
    with pytest.raises(RequestError):
        codec.unpack({**codec.pack(state()), key: value})


def test_a_state_of_another_deployment_is_refused(codec, clock):
    with pytest.raises(RequestError, match="made elsewhere"):
        codec.unpack(StateCodec("another secret", clock=clock).pack(state()))


def test_without_a_secret_states_outlive_a_restart(clock):
    assert StateCodec(clock=clock).unpack(StateCodec(clock=clock).pack(state())).step == 7


@pytest.mark.parametrize("seconds", [3601, -3600])
def test_a_state_that_is_too_old_or_from_the_future_is_refused(codec, clock, seconds):
    packed = codec.pack(state())
    clock.now += seconds
    with pytest.raises(RequestError, match="hours old"):
        codec.unpack(packed)


def test_a_rectangle_is_kept_whole_and_an_outline_becomes_short():
    assert outline_of(RECTANGLE, IMAGE) is RECTANGLE
    assert len(outline_of(shape_of(flower().mask(IMAGE), "polygon"), IMAGE).points) <= 32


def test_of_a_mask_the_box_is_kept_beside_its_coarse_mask():
    assert outline_of(flower(), IMAGE).box == flower().box
