"""Going on without a memory: what the last mask tells decides between two answers."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from cvat_serverless.coarse_mask import CoarseMask
from cvat_serverless.recovery import MemoryRecovery
from cvat_serverless.shapes import make_shape, shape_of
from cvat_serverless.shared_model import SharedModel
from cvat_serverless.state import TrackState, outline_of
from src_model.masks import Rle, mask_iou
from src_model.tracking import PRESETS
from tests.cvat_serverless.asking import MASK, Asking, succeeded

IMAGE = (80, 100)
NOW = 5
Y, X = np.mgrid[:80, :100]
BODY = np.hypot(Y - 40, X - 30) < 20
STRAY = np.hypot(Y - 40, X - 75) < 12
MOVED = np.hypot(Y - 46, X - 38) < 20


class Network:
    """Stands for prompting and propagation: a box gives one mask, tracking from the last mask another."""

    def __init__(self, prompted: np.ndarray, tracked: np.ndarray) -> None:
        self._prompted, self._tracked = Rle.encode(prompted), Rle.encode(tracked)
        self.shape = IMAGE
        self.prompting = self.propagation = self
        self.guesses: list[Rle | None] = []

    def answer(self, item, frame, prompt, *, replace):
        if prompt.mask is None:
            self.guesses.append(None if replace else item.masklet.mask_at(frame))
        item.masklet.set(frame, prompt.mask or self._prompted)
        item.bank.conditioning[frame] = "drawn"
        return SimpleNamespace(rle=item.masklet.mask_at(frame))

    def step(self, frame, items, *, reverse):
        (item,) = items
        if not item.is_fixed(frame):
            assert item.bank.conditioning == {frame - 1: "drawn"}
            item.masklet.set(frame, self._tracked)
            item.bank.recent[frame] = "tracked"
        number = item.object_id
        return SimpleNamespace(
            rles={number: item.masklet.mask_at(frame)}, scores={number: 0.9}, object_scores={number: 0.8}
        )


def recovered(network: Network, last: np.ndarray, stability: float | None, kind="mask"):
    coarse = replace(CoarseMask.of(Rle.encode(last)), stability=stability)
    outline = outline_of(shape_of(Rle.encode(last), kind), IMAGE)
    state = TrackState("A" * 16, 3, kind, False, outline, IMAGE, coarse)
    item = MemoryRecovery(network, PRESETS["default"], NOW).recovered(1, state)
    return item.masklet.mask_at(NOW).decode(), item


def test_a_stray_part_of_an_object_that_hardly_moved_is_not_taken_in():
    found, item = recovered(Network(BODY | STRAY, BODY), BODY, 0.95)
    assert (found == BODY).all()
    assert item.bank.conditioning == {NOW: "tracked"}
    assert item.masklet.get(NOW).object_score == 0.8


@pytest.mark.parametrize("stability", [0.5, 1.0])
def test_an_object_that_moved_is_found_where_it_is_however_steady_its_form(stability):
    found, item = recovered(Network(MOVED, BODY), BODY, stability)
    assert (found == MOVED).all()
    assert item.bank.conditioning == {NOW: "drawn"}


def test_an_object_that_is_found_as_steadily_as_before_is_found_anew():
    found, _ = recovered(Network(BODY, MOVED), BODY, 1.0)
    assert (found == BODY).all()


def test_where_tracking_changes_it_even_more_it_is_found_anew():
    found, _ = recovered(Network(BODY | STRAY, STRAY), BODY, 0.95)
    assert (found == BODY | STRAY).all()


def test_without_a_frame_to_compare_with_it_is_found_anew():
    found, _ = recovered(Network(BODY | STRAY, BODY), BODY, None)
    assert (found == BODY | STRAY).all()


@pytest.mark.parametrize("kind", ["rectangle", "mask", "polygon"])
def test_the_last_mask_is_the_first_guess_whatever_shape_is_wanted(kind):
    network = Network(BODY, BODY)
    recovered(network, BODY, None, kind)
    assert mask_iou(network.guesses[0], Rle.encode(BODY)) > 0.95


def test_a_rectangle_of_which_no_mask_is_known_is_a_box_alone():
    network = Network(BODY, BODY)
    state = TrackState("A" * 16, 3, "rectangle", False, shape_of(Rle.encode(BODY), "rectangle"), IMAGE)
    MemoryRecovery(network, PRESETS["default"], NOW).recovered(1, state)
    assert network.guesses == [None]


def test_an_object_kept_from_its_last_mask_has_a_memory_and_is_tracked_on(make_service, frames, monkeypatch):
    first, second = Asking(make_service()), Asking(make_service())
    reply = succeeded(first.start(frames[0], MASK))
    for frame in frames[1:3]:
        reply = succeeded(first.follow(frame, reply["states"]))
    likenesses = iter([0.0, 1.0])  # the first answer is not believed, the second is
    monkeypatch.setattr("cvat_serverless.recovery.aligned_iou", lambda *_: next(likenesses))
    reply = succeeded(second.follow(frames[3], reply["states"]))
    track = second.service.store.get(reply["states"][0]["id"])
    assert list(track.memory.conditioning) == [0]
    assert track.memory.conditioning[0].memory is not None
    assert track.memory.recent == {}
    reply = succeeded(second.follow(frames[4], reply["states"]))
    assert reply["states"][0]["n"] == 1
    assert second.service.model.counts.recoveries == 1


@pytest.mark.slow
def test_a_restart_costs_a_real_object_next_to_nothing(make_service, shared_data):
    """From its last outline alone the network took in a part of another camel: 5 points of IoU over five frames."""
    from src_model.tracking import StreamingPredictor

    folder = shared_data / "davis2016"
    files = sorted((folder / "JPEGImages" / "camel").glob("*.jpg"))[:13]
    if len(files) < 13:
        pytest.skip(f"the movie in {folder} is not here")
    frames = [np.asarray(Image.open(file).convert("RGB")) for file in files]
    truths = [
        np.asarray(Image.open(file).convert("L")) > 127 for file in sorted((folder / "Annotations" / "camel").glob("*"))
    ]
    model = SharedModel(StreamingPredictor.load("default", device="cpu"))
    drawn = {"type": "mask", "points": list(shape_of(Rle.encode(truths[0]), "mask").points)}
    undisturbed, restarted = Asking(make_service(model=model)), Asking(make_service(model=model))

    def ious(asking: Asking, reply, numbers: range) -> float:
        found = []
        for number in numbers:
            reply = succeeded(asking.follow(frames[number], reply["states"]))
            mask = make_shape("mask", reply["shapes"][0]["points"], truths[0].shape).mask(truths[0].shape)
            found.append(mask_iou(mask.decode(), truths[number]))
        return float(np.mean(found))

    reply = succeeded(undisturbed.start(frames[0], drawn))
    for number in range(1, 8):
        reply = succeeded(undisturbed.follow(frames[number], reply["states"]))
    expected = ious(undisturbed, reply, range(8, 13))
    assert ious(restarted, reply, range(8, 13)) > expected - 0.02
    assert model.counts.recoveries == 1
