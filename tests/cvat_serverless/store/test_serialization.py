"""Tracks as bytes."""

from __future__ import annotations

import pickle

import pytest
import torch

from cvat_serverless.store.serialization import pack_track, unpack_track
from tests.cvat_serverless.some_tracks import same, track

CPU = torch.device("cpu")


@pytest.mark.parametrize("step", [0, 3])
def test_a_track_is_read_as_it_was_written(step):
    assert same(unpack_track(pack_track(track(step=step)), CPU), track(step=step))


@pytest.mark.parametrize(
    "data", [b"", b"\0\0\0\2{}", b"\xff" * 100, pickle.dumps({"a": 1}), pack_track(track(step=2))[:-50]]
)
def test_bytes_that_are_no_track_are_refused(data):
    with pytest.raises(ValueError, match=r".+"):
        unpack_track(data, CPU)
