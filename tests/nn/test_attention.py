"""Attention with separate projections, and its rotary variant."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from src_model.nn.attention import Attention, RotaryAttention
from src_model.nn.compute import compute_options, compute_with
from src_model.nn.position_encoding import axial_rotations

CPU = torch.device("cpu")


def test_attention_is_ordinary_multi_head_attention():
    ours, theirs = Attention(16, 4), torch.nn.MultiheadAttention(16, 4, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([p.weight for p in (ours.q_proj, ours.k_proj, ours.v_proj)]))
        theirs.in_proj_bias.copy_(torch.cat([p.bias for p in (ours.q_proj, ours.k_proj, ours.v_proj)]))
    theirs.out_proj.load_state_dict(ours.out_proj.state_dict())
    query, key, value = torch.randn(2, 3, 16), torch.randn(2, 7, 16), torch.randn(2, 7, 16)
    expected = theirs(query, key, value, need_weights=False)[0]
    torch.testing.assert_close(ours(query, key, value), expected)


@pytest.mark.parametrize(("inner", "source"), [(8, None), (None, 4), (8, 4)])
def test_inside_and_source_may_be_narrower_than_the_result(inner: int | None, source: int | None):
    attention = Attention(16, 2, inner_width=inner, source_width=source)
    memory = torch.randn(2, 7, source or 16)
    assert attention(torch.randn(2, 3, 16), memory, memory).shape == (2, 3, 16)
    assert attention.q_proj.out_features == (inner or 16)


def test_the_order_of_keys_does_not_matter():
    attention = Attention(16, 2)
    query, source, order = torch.randn(1, 3, 16), torch.randn(1, 7, 16), torch.randperm(7)
    shuffled = source[:, order]
    torch.testing.assert_close(attention(query, source, source), attention(query, shuffled, shuffled))


def test_rotary_attention_with_rotations_of_zero_is_ordinary_attention():
    attention = RotaryAttention(16, source_width=8)
    query, source = torch.randn(2, 6, 16), torch.randn(2, 12, 8)
    still = torch.stack((torch.ones(6, 8), torch.zeros(6, 8)), dim=-1)
    expected = attention(query, source, source)
    torch.testing.assert_close(attention.rotary(query, source, source, still), expected)


def test_rotary_attention_depends_on_where_the_keys_are():
    attention = RotaryAttention(16)
    rotations = axial_rotations(16, 2, 3, CPU)
    query, source = torch.randn(1, 6, 16), torch.randn(1, 6, 16)
    shuffled = source[:, torch.tensor([1, 0, 2, 3, 4, 5])]
    plain, moved = (attention.rotary(query, x, x, rotations) for x in (source, shuffled))
    assert not torch.allclose(plain, moved, atol=1e-4)


def test_pointers_have_no_place_so_their_order_does_not_matter():
    attention = RotaryAttention(16, source_width=8)
    rotations = axial_rotations(16, 2, 3, CPU)
    query, memory = torch.randn(1, 6, 16), torch.randn(1, 6 + 3, 8)
    shuffled = memory[:, torch.tensor([0, 1, 2, 3, 4, 5, 8, 6, 7])]
    results = [attention.rotary(query, x, x, rotations, unrotated=3) for x in (memory, shuffled)]
    torch.testing.assert_close(*results)


def test_rotary_attention_written_out_with_complex_numbers():
    attention = RotaryAttention(8, source_width=4)
    rotations = axial_rotations(8, 2, 2, CPU)
    turns = torch.view_as_complex(rotations)
    query, memory = torch.randn(1, 4, 8), torch.randn(1, 2 * 4 + 1, 4)

    def turn(x: torch.Tensor) -> torch.Tensor:
        pairs = torch.view_as_complex(x.reshape(1, -1, 4, 2))
        return torch.view_as_real(pairs * turns.repeat(x.shape[1] // 4, 1)).flatten(2)

    keys = attention.k_proj(memory)
    keys = torch.cat((turn(keys[:, :8]), keys[:, 8:]), dim=1)
    scores = turn(attention.q_proj(query)) @ keys.transpose(1, 2) / 8**0.5
    expected = attention.out_proj(F.softmax(scores, dim=-1) @ attention.v_proj(memory))
    result = attention.rotary(query, memory, memory, rotations, unrotated=1)
    torch.testing.assert_close(result, expected)


@pytest.mark.parametrize("source", [4, 8], ids=["narrow values", "wide values"])
def test_one_query_map_may_serve_several_objects(source: int):
    attention = RotaryAttention(8, source_width=source).requires_grad_(False)
    rotations = axial_rotations(8, 2, 2, CPU)
    query, memory = torch.randn(1, 4, 8), torch.randn(3, 4 + 1, source)
    together = attention.rotary(query, memory, memory, rotations, unrotated=1)
    for row in range(3):
        alone = attention.rotary(query, memory[row : row + 1], memory[row : row + 1], rotations, unrotated=1)
        torch.testing.assert_close(together[row : row + 1], alone)


def test_narrow_values_may_be_averaged_before_or_after_they_are_projected():
    attention = RotaryAttention(16, source_width=4)
    rotations = axial_rotations(16, 2, 2, CPU)
    query, memory = torch.randn(2, 4, 16), torch.randn(2, 8, 4)
    with compute_with(replace(compute_options(), values_after_attention=False)):
        before = attention.rotary(query, memory, memory, rotations)
    torch.testing.assert_close(attention.rotary(query, memory, memory, rotations), before)


@pytest.mark.parametrize("unrotated", [0, 2])
def test_an_observer_is_told_the_weights_that_make_the_answer(unrotated: int):
    attention, rotations = RotaryAttention(64, source_width=16).eval(), axial_rotations(64, 3, 3, torch.device("cpu"))
    query, source, seen = torch.randn(2, 9, 64), torch.randn(2, 18 + unrotated, 16), []
    with torch.no_grad():
        answer = attention.rotary(query, source, source, rotations, unrotated, observe=seen.append)
        again = attention.out_proj(seen[0] @ attention.v_proj(source))
    torch.testing.assert_close(again, answer, atol=1e-5, rtol=1e-4)
