"""Small objects in large images: both functions look at them in windows, as sessions do."""

from __future__ import annotations

import numpy as np
import pytest

from cvat_serverless.functions import FunctionService
from cvat_serverless.images import digest_of
from cvat_serverless.shapes import make_shape
from cvat_serverless.shared_model import SharedModel
from cvat_serverless.state import StateCodec
from cvat_serverless.store import LocalStore
from cvat_serverless.store.serialization import pack_track, unpack_track
from src_model.masks import mask_iou
from tests.cvat_serverless.asking import Asking, base64_of, succeeded
from tests.tracking import tiny
from tests.tracking.windows import scenes

STRAIGHT = [(100.0 + 4 * t, 150.0 + 3 * t) for t in range(8)]
APART = [(260.0, 340.0 - 3 * t) for t in range(8)]


def shown(*paths) -> np.ndarray:
    """Frames as CVAT sends them: ``(T, 320, 400, 3)`` uint8."""
    return np.repeat(scenes.field([list(places) for places in zip(*paths, strict=True)])[..., None], 3, axis=3)


def drawn(place, kind="rectangle"):
    y0, x0, y1, x1 = scenes.box_of(place)
    if kind == "rectangle":
        return {"type": "rectangle", "points": [x0, y0, x1, y1]}
    return {"type": "polygon", "points": [x0, y0, x1, y0, x1, y1, x0, y1]}


def mask_of(shape):
    return make_shape(shape["type"], shape["points"], scenes.FIELD).mask(scenes.FIELD)


def overlaps(shapes, path) -> list[float]:
    return [scenes.overlap(mask_of(shape).decode(), place) for shape, place in zip(shapes, path, strict=True)]


@pytest.fixture
def service():
    return FunctionService(SharedModel(scenes.predictor()), LocalStore(), StateCodec())


@pytest.fixture
def asking(service):
    return Asking(service)


def test_small_objects_are_followed_in_windows_and_the_whole_image_is_never_encoded(asking, service):
    found = asking.track(shown(STRAIGHT, APART), drawn(STRAIGHT[0]), drawn(APART[0], "polygon"))
    assert min(overlaps([shapes[0] for shapes in found], STRAIGHT)) > 0.5
    assert min(overlaps([shapes[1] for shapes in found], APART)) > 0.5
    counts = service.model.counts
    assert counts.images_encoded == 0
    assert counts.windows_encoded >= 2 * len(STRAIGHT)


def test_masks_are_those_that_propagation_gives(asking):
    frames = shown(STRAIGHT)
    mask = scenes.truth(STRAIGHT[0])
    session = scenes.predictor().start(frames)
    session.prompt(0, 1, mask=mask)
    tiny.finish(session.propagate())
    ys, xs = np.nonzero(mask)
    left, top, right, bottom = (int(value) for value in (xs.min(), ys.min(), xs.max(), ys.max()))
    shape = {"type": "mask", "points": [0, int(mask.sum()), left, top, right, bottom]}
    for frame, (found,) in enumerate(asking.track(frames, shape)):
        assert mask_iou(mask_of(found), session.masklets[1].mask_at(frame)) > 0.95


def test_what_was_encoded_for_one_request_serves_the_next(asking, service):
    frame = shown(STRAIGHT)[0]
    first = succeeded(asking.start(frame, drawn(STRAIGHT[0])))
    encoded = service.model.counts.windows_encoded
    assert succeeded(asking.start(frame, drawn(STRAIGHT[0], "polygon")))["shapes"]
    assert service.model.counts.windows_encoded == encoded
    assert first["shapes"]


def test_an_object_that_jumped_out_of_its_window_is_found_again(asking):
    path = [*STRAIGHT[:4], (60.0, 330.0), (62.0, 331.0)]
    found = asking.track(shown(path), drawn(path[0]))
    assert overlaps([shapes[0] for shapes in found], path)[-1] > 0.4


def test_a_memory_keeps_its_window_when_it_is_stored_elsewhere(asking, service):
    asking.track(shown(STRAIGHT), drawn(STRAIGHT[0]))
    (seen,) = service.store.positions_in(digest_of(base64_of(shown(STRAIGHT)[-1]).encode()))
    track = service.store.get(seen.track_id)
    again = unpack_track(pack_track(track), service.model.steps.device)
    for group in ("conditioning", "recent"):
        windows = [entry.window for entry in getattr(track.memory, group).values()]
        assert windows
        assert all(window is not None for window in windows)
        assert [entry.window for entry in getattr(again.memory, group).values()] == windows


def test_a_click_on_a_small_object_gives_its_mask(asking):
    y, x = STRAIGHT[0]
    (shape,) = succeeded(asking.click(shown(STRAIGHT)[0], [x + 0.5, y + 0.5]))["shapes"]
    assert scenes.overlap(mask_of(shape).decode(), STRAIGHT[0]) > 0.5
