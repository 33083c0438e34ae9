"""Tracks as bytes."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest
import torch

from cvat_serverless.store.serialization import pack_track, unpack_track
from src_model.memory.target_model import TargetSamples
from tests.cvat_serverless.some_tracks import same, track

if TYPE_CHECKING:
    from cvat_serverless.stored_track import StoredTrack

CPU = torch.device("cpu")


@pytest.mark.parametrize("step", [0, 3])
def test_a_track_is_read_as_it_was_written(step):
    assert same(unpack_track(pack_track(track(step=step)), CPU), track(step=step))


def with_samples(features: torch.Tensor, values: torch.Tensor) -> StoredTrack:
    made = track(step=2)
    made.memory.recent[1].samples = TargetSamples(features.bfloat16(), values, torch.full((1, 5), 0.1))
    return made


def test_so_are_the_samples_of_its_target_model():
    made = with_samples(torch.arange(15.0).view(1, 5, 3), torch.linspace(-1, 1, 5)[None])
    read = unpack_track(pack_track(made), CPU)
    assert same(read, made)
    held = {**read.memory.conditioning, **read.memory.recent}
    assert [step for step, entry in held.items() if entry.samples is not None] == [1]


@pytest.mark.parametrize("shape", [(1, 4), (5,), (2, 5)])
def test_samples_that_do_not_fit_each_other_are_refused(shape):
    with pytest.raises(ValueError, match=r"recent\.1 have the shapes"):
        unpack_track(pack_track(with_samples(torch.zeros(1, 5, 3), torch.zeros(shape))), CPU)


@pytest.mark.parametrize(
    "data", [b"", b"\0\0\0\2{}", b"\xff" * 100, pickle.dumps({"a": 1}), pack_track(track(step=2))[:-50]]
)
def test_bytes_that_are_no_track_are_refused(data):
    with pytest.raises(ValueError, match=r".+"):
        unpack_track(data, CPU)
