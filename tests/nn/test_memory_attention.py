"""Memory attention."""

from __future__ import annotations

import pytest
import torch

from src_model.nn.compute import PLAIN_COMPUTE, compute_with
from src_model.nn.memory_attention import MemoryAttention

WIDTH, MEMORY, SIDE = 32, 16, 3
TOKENS = SIDE * SIDE


@pytest.fixture
def attention() -> MemoryAttention:
    return MemoryAttention(depth=2, width=WIDTH, memory_width=MEMORY, hidden=64).eval()


@pytest.fixture
def embedding() -> torch.Tensor:
    return torch.randn(2, WIDTH, SIDE, SIDE)


@pytest.mark.parametrize(("memories", "pointers"), [(1, 0), (1, 4), (3, 8)])
def test_the_embedding_keeps_its_shape(attention, embedding, memories: int, pointers: int):
    tokens = memories * TOKENS + pointers
    result = attention(embedding, torch.randn(2, tokens, MEMORY), torch.randn(1, tokens, MEMORY), pointers)
    assert result.shape == embedding.shape


def test_the_result_is_normalised(attention, embedding):
    result = attention(embedding, torch.randn(2, TOKENS, MEMORY), torch.randn(1, TOKENS, MEMORY), 0)
    torch.testing.assert_close(result.mean(dim=1), torch.zeros(2, SIDE, SIDE), atol=1e-5, rtol=0)
    torch.testing.assert_close(result.std(dim=1, correction=0), torch.ones(2, SIDE, SIDE), atol=1e-3, rtol=0)


def test_memories_with_their_positions_may_come_in_any_order(attention, embedding):
    memory, positions = torch.randn(2, 3 * TOKENS, MEMORY), torch.randn(1, 3 * TOKENS, MEMORY)

    def reorder(x: torch.Tensor) -> torch.Tensor:
        return x.unflatten(1, (3, TOKENS))[:, [2, 0, 1]].flatten(1, 2)

    plain = attention(embedding, memory, positions, 0)
    torch.testing.assert_close(attention(embedding, reorder(memory), reorder(positions), 0), plain)


def test_positions_are_added_to_the_keys_alone(attention, embedding):
    """With all memory tokens alike, attention averages equal values, whatever the keys are."""
    memory = torch.randn(2, 1, MEMORY).expand(-1, TOKENS, -1)
    one, other = (attention(embedding, memory, torch.randn(1, TOKENS, MEMORY), 0) for _ in range(2))
    torch.testing.assert_close(one, other)


def test_positions_of_memories_count(attention, embedding):
    memory = torch.randn(2, TOKENS, MEMORY)
    one, other = (attention(embedding, memory, 3 * torch.randn(1, TOKENS, MEMORY), 0) for _ in range(2))
    assert not torch.allclose(one, other, atol=1e-3)


def test_a_pointer_is_not_a_pixel(attention, embedding):
    """The same tokens as a second memory map and as pointers give different results: only the map is rotated."""
    memory, positions = torch.randn(2, 2 * TOKENS, MEMORY), torch.randn(1, 2 * TOKENS, MEMORY)
    as_map = attention(embedding, memory, positions, 0)
    as_pointers = attention(embedding, memory, positions, TOKENS)
    assert not torch.allclose(as_map, as_pointers, atol=1e-4)


def test_objects_in_one_image_need_its_embedding_only_once(attention, embedding):
    memory, positions = torch.randn(3, TOKENS + 2, MEMORY), torch.randn(1, TOKENS + 2, MEMORY)
    once = attention(embedding[:1], memory, positions, 2)
    torch.testing.assert_close(once, attention(embedding[:1].expand(3, -1, -1, -1), memory, positions, 2))


def test_the_compute_options_do_not_change_the_result(attention, embedding):
    memory, positions = torch.randn(2, 3 * TOKENS + 2, MEMORY), torch.randn(1, 3 * TOKENS + 2, MEMORY)
    with torch.no_grad():
        fast = attention(embedding, memory, positions, 2)
        with compute_with(PLAIN_COMPUTE):
            plain = attention(embedding, memory, positions, 2)
    torch.testing.assert_close(fast, plain, atol=1e-5, rtol=1e-4)


def test_the_compute_options_do_not_change_the_gradient(attention, embedding):
    memory = torch.randn(2, TOKENS + 2, MEMORY)

    def gradients() -> list[torch.Tensor]:
        attention.zero_grad()
        attention(embedding, memory, torch.zeros(1, TOKENS + 2, MEMORY), 2).square().mul(weights).sum().backward()
        return [parameter.grad.clone() for parameter in attention.parameters()]

    weights = torch.rand(WIDTH, 1, 1)
    fast = gradients()
    with compute_with(PLAIN_COMPUTE):
        plain = gradients()
    torch.testing.assert_close(fast, plain, atol=1e-5, rtol=1e-3)


def test_it_can_be_trained(attention, embedding):
    memory = torch.randn(2, TOKENS + 2, MEMORY, requires_grad=True)
    attention(embedding, memory, torch.randn(1, TOKENS + 2, MEMORY), 2).square().mul(
        torch.rand(WIDTH, 1, 1)
    ).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in attention.parameters())
    assert memory.grad.abs().sum(dim=-1).gt(0).all()
