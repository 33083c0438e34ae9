"""Which memories the network attends to, and how it tells them apart."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from src_model.nn import ModelConfig, Sam2Network, build_network
from tests.nn.inputs import SIDE, bank


@pytest.mark.parametrize(
    ("ages", "offsets"), [((0,), ()), ((0,), (1,)), ((0, 0, 1), (2, -3)), ((0, 1, 2, 3, 4, 5, 6), (1,) * 16)]
)
def test_any_number_of_memories_and_pointers_conditions_an_embedding(network: Sam2Network, ages, offsets):
    conditioned = network.attend_memory(torch.randn(2, 256, SIDE, SIDE), bank(ages, offsets))
    assert conditioned.shape == (2, 256, SIDE, SIDE)
    assert conditioned.isfinite().all()


def test_memories_may_come_in_any_order_with_their_ages(network: Sam2Network):
    embedding, memory = torch.randn(2, 256, SIDE, SIDE), bank()
    order = [2, 0, 1]
    shuffled = replace(memory, memories=memory.memories[:, order], ages=(tuple(memory.ages[0][i] for i in order),))
    torch.testing.assert_close(
        network.attend_memory(embedding, shuffled), network.attend_memory(embedding, memory), atol=1e-5, rtol=1e-4
    )


def test_pointers_may_come_in_any_order_with_their_offsets(network: Sam2Network):
    embedding, memory = torch.randn(2, 256, SIDE, SIDE), bank()
    order = [1, 2, 0]
    offsets = (tuple(memory.pointer_offsets[0][i] for i in order),)
    shuffled = replace(memory, pointers=memory.pointers[:, order], pointer_offsets=offsets)
    torch.testing.assert_close(
        network.attend_memory(embedding, shuffled), network.attend_memory(embedding, memory), atol=1e-5, rtol=1e-4
    )


@pytest.mark.parametrize(
    "change",
    [
        {"ages": ((0, 2, 1),)},
        {"ages": ((1, 0, 2),)},
        {"pointer_offsets": ((3, 2, 1),)},
        {"pointer_offsets": ((-3, 1, 2),)},
        {"pointer_horizon": 8},
    ],
)
def test_ages_and_offsets_count(network: Sam2Network, change: dict):
    embedding, memory = torch.randn(2, 256, SIDE, SIDE), bank()
    changed = network.attend_memory(embedding, replace(memory, **change))
    assert not torch.allclose(changed, network.attend_memory(embedding, memory), atol=1e-4)


def test_every_memory_and_every_pointer_counts(network: Sam2Network):
    embedding, memory = torch.randn(1, 256, SIDE, SIDE), bank(batch=1)
    memory.memories.requires_grad_()
    memory.pointers.requires_grad_()
    weights = torch.randn(1, 256, SIDE, SIDE)
    (network.attend_memory(embedding, memory) * weights).sum().backward()
    assert memory.memories.grad.abs().sum(dim=2).gt(0).all()
    assert memory.pointers.grad.ne(0).all()


def test_a_conditioning_frame_has_the_last_time_embedding_and_the_previous_frame_the_first(network: Sam2Network):
    _, positions = network._spatial_tokens(bank((0, 1, 6)))
    per_memory = positions[0].unflatten(0, (3, SIDE * SIDE))
    times = network.maskmem_tpos_enc[:, 0, 0]
    torch.testing.assert_close(per_memory[0, 5] - per_memory[1, 5], times[6] - times[0])
    torch.testing.assert_close(per_memory[2, 5] - per_memory[1, 5], times[5] - times[0])


def test_a_pointer_is_cut_into_four_tokens_of_the_memory_width(network: Sam2Network):
    memory = bank()
    tokens, positions = network._pointer_tokens(memory)
    assert tokens.shape == (2, 12, 64)
    assert torch.equal(tokens[1, 5], memory.pointers[1, 1, 64:128])
    assert torch.equal(positions[0, 4], positions[0, 7])
    assert not torch.equal(positions[0, 3], positions[0, 4])


def test_sam2_does_not_tell_how_old_a_pointer_is(small_config: ModelConfig):
    older = build_network(replace(small_config, pointer_times=False, occlusion_memory=False))
    embedding, memory = torch.randn(2, 256, SIDE, SIDE), bank()
    changed = replace(memory, pointer_offsets=((9, -9, 0),))
    assert torch.equal(older.attend_memory(embedding, changed), older.attend_memory(embedding, memory))


def test_memories_may_be_kept_in_half_precision(network: Sam2Network):
    embedding, memory = torch.randn(2, 256, SIDE, SIDE), bank()
    rounded = replace(memory, memories=memory.memories.bfloat16())
    as_float = replace(memory, memories=memory.memories.bfloat16().float())
    assert torch.equal(network.attend_memory(embedding, rounded), network.attend_memory(embedding, as_float))


def test_objects_attend_to_their_own_memory_only(network: Sam2Network):
    embedding, memory = torch.randn(2, 256, SIDE, SIDE), bank()
    together = network.attend_memory(embedding, memory)
    for row in range(2):
        own = replace(memory, memories=memory.memories[row : row + 1], pointers=memory.pointers[row : row + 1])
        alone = network.attend_memory(embedding[row : row + 1], own)
        torch.testing.assert_close(alone[0], together[row], atol=1e-5, rtol=1e-4)


def rows_of(memory, lengths):
    """Pad a bank: each object keeps so many memories and pointers of its own, of ages and offsets of its own."""
    ages = tuple(tuple((row + place) % 7 for place in range(maps)) for row, (maps, _) in enumerate(lengths))
    offsets = tuple(tuple(row + place for place in range(pointers)) for row, (_, pointers) in enumerate(lengths))
    memories, pointers = memory.memories.clone(), memory.pointers.clone()
    for row, (maps, count) in enumerate(lengths):
        memories[row, maps:], pointers[row, count:] = 0, 0
    return replace(memory, memories=memories, ages=ages, pointers=pointers, pointer_offsets=offsets)


@pytest.mark.parametrize("lengths", [[(3, 3), (3, 3)], [(1, 0), (3, 3)], [(3, 1), (2, 3)]])
def test_objects_of_different_history_are_answered_together_as_they_are_alone(network: Sam2Network, lengths):
    embedding, memory = torch.randn(2, 256, SIDE, SIDE), rows_of(bank(), lengths)
    together = network.attend_memory(embedding, memory)
    for row, (maps, pointers) in enumerate(lengths):
        own = replace(
            memory,
            memories=memory.memories[row : row + 1, :maps],
            ages=(memory.ages[row],),
            pointers=memory.pointers[row : row + 1, :pointers],
            pointer_offsets=(memory.pointer_offsets[row],),
        )
        assert not own.is_padded
        alone = network.attend_memory(embedding[row : row + 1], own)
        torch.testing.assert_close(alone[0], together[row], atol=1e-5, rtol=1e-4)


def test_nothing_attends_to_padding_whatever_it_holds(network: Sam2Network):
    embedding, memory = torch.randn(2, 256, SIDE, SIDE), rows_of(bank(), [(1, 2), (3, 3)])
    assert memory.is_padded
    memories, pointers = memory.memories.clone(), memory.pointers.clone()
    memories[0, 1:], pointers[0, 2:] = 7, -7
    changed = replace(memory, memories=memories, pointers=pointers)
    assert torch.equal(network.attend_memory(embedding, changed), network.attend_memory(embedding, memory))


# --- what is attended to ----------------------------------------------------------------------------------------------


def test_the_shares_of_memories_and_pointers_add_up_to_one(network: Sam2Network):
    shares = network.memory_attention_weights(torch.randn(2, 256, SIDE, SIDE), bank())
    layers = len(network.memory_attention.layers)
    assert shares.shape == (layers, 2, 3 + 3, SIDE, SIDE)
    torch.testing.assert_close(shares.sum(dim=2), torch.ones(layers, 2, SIDE, SIDE))


def test_nothing_attends_to_padding(network: Sam2Network):
    memory = replace(bank(), ages=((0, 1, 2), (0,)), pointer_offsets=((1, 2, 3), (1, 2)))
    shares = network.memory_attention_weights(torch.randn(1, 256, SIDE, SIDE), memory)
    assert shares[:, 1, [1, 2, 5]].eq(0).all()
    assert shares[:, 0].gt(0).all()


def test_a_memory_twice_takes_the_share_of_two(network: Sam2Network):
    embedding, memory = torch.randn(1, 256, SIDE, SIDE), bank((0, 1), (1,), batch=1)
    twice = replace(memory, memories=memory.memories[:, [0, 1, 1]], ages=((0, 1, 1),))
    first = network.memory_attention_weights(embedding, twice)[0, 0]
    torch.testing.assert_close(first[1], first[2])
    once = network.memory_attention_weights(embedding, memory)[0, 0]
    torch.testing.assert_close(first[1] / first[0], once[1] / once[0])


def test_looking_at_the_weights_changes_no_bit_of_the_answer(network: Sam2Network):
    embedding, memory, seen = torch.randn(1, 256, SIDE, SIDE), bank(), []
    observed = network.memory_attention(embedding, *network._memory_sequence(memory), observe=seen.append)
    assert torch.equal(observed, network.attend_memory(embedding, memory))
    assert len(seen) == len(network.memory_attention.layers)
