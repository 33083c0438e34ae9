"""The modules that are compiled compute what the network computes."""

from __future__ import annotations

import pytest
import torch

from src_model.acceleration.graphs import EncoderGraph, FirstSelfAttentionGraph, MemoryAttentionGraph, rotation_tables
from src_model.nn.layers import flatten_map
from src_model.nn.position_encoding import sine_map
from tests.acceleration.conftest import noise


@pytest.mark.parametrize(("height", "width", "maps", "pointers"), [(4, 4, 1, 4), (4, 6, 7, 64), (3, 3, 9, 0)])
@torch.no_grad()
def test_both_graphs_together_are_the_memory_attention(network, height, width, maps, pointers):
    length = maps * height * width + pointers
    embedding, memory, positions = noise(1, 256, height, width), noise(1, length, 64), noise(1, length, 64, seed=1)
    places = rotation_tables(256, height, width)
    tokens = flatten_map(embedding + 0.1 * sine_map(256, height, width, embedding.device))
    opened = FirstSelfAttentionGraph(network)(tokens, *places)
    memory_places = rotation_tables(256, height, width, maps, pointers)
    result = MemoryAttentionGraph(network)(opened, memory, positions, *places, *memory_places)
    expected = network.memory_attention(embedding, memory, positions, pointers)
    torch.testing.assert_close(result, flatten_map(expected), atol=2e-5, rtol=1e-4)


@torch.no_grad()
def test_the_encoder_is_that_of_the_network(network):
    images = noise(1, 3, 64, 64)
    embedding, first, second = EncoderGraph(network)(images)
    expected = network.encode_image(images)
    torch.testing.assert_close((embedding, (first, second)), (expected.embedding, expected.high_res))


def test_tables_repeat_for_every_map_and_leave_tokens_without_a_place_as_they_are():
    cosines, sines = rotation_tables(8, 2, 3, maps=3, placeless=2)
    once = rotation_tables(8, 2, 3)
    assert cosines.shape == sines.shape == (20, 8)
    assert torch.equal(cosines[:18], once[0].repeat(3, 1))
    assert torch.equal(sines[:18], once[1].repeat(3, 1))
    assert (cosines[18:] == 1).all()
    assert (sines[18:] == 0).all()
    torch.testing.assert_close(once[0] ** 2 + once[1] ** 2, torch.ones(6, 8))
