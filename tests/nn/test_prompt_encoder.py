"""The prompt encoder."""

from __future__ import annotations

import pytest
import torch

from src_model.nn import PromptTensors
from src_model.nn.prompt_encoder import PromptEncoder

CPU = torch.device("cpu")
SIDE = 4  # tokens: an input of 64 x 64 pixels


@pytest.fixture
def encoder() -> PromptEncoder:
    encoder = PromptEncoder(32)
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter)
    return encoder


def points(*rows: tuple[float, float, int]) -> PromptTensors:
    """One object's prompt of (x, y, label) rows."""
    table = torch.tensor(rows, dtype=torch.float32).view(1, -1, 3)
    return PromptTensors(table[..., :2], table[..., 2].long())


def encode(encoder: PromptEncoder, prompts: PromptTensors) -> tuple[torch.Tensor, torch.Tensor]:
    return encoder(prompts, SIDE, SIDE)


def test_a_padding_token_is_always_appended(encoder: PromptEncoder):
    tokens, _ = encode(encoder, points((3, 5, 1), (8, 9, 0)))
    assert tokens.shape == (1, 3, 32)
    assert torch.equal(tokens[0, 2], encoder.not_a_point_embed.weight[0])


def test_no_points_leave_the_padding_token_alone(encoder: PromptEncoder):
    empty = PromptTensors(torch.zeros(2, 0, 2), torch.zeros(2, 0, dtype=torch.int64))
    tokens, _ = encode(encoder, empty)
    assert torch.equal(tokens, encoder.not_a_point_embed.weight.expand(2, 1, 32))


def test_the_prompt_of_a_tracked_frame_is_two_padding_tokens(encoder: PromptEncoder):
    tokens, dense = encode(encoder, PromptTensors.none(3, CPU))
    assert torch.equal(tokens, encoder.not_a_point_embed.weight.expand(3, 2, 32))
    assert torch.equal(dense, encoder.no_mask_embed.weight.view(1, 32, 1, 1).expand(3, 32, SIDE, SIDE))


@pytest.mark.parametrize("label", [0, 1, 2, 3])
def test_a_point_is_its_position_plus_an_embedding_of_its_label(encoder: PromptEncoder, label: int):
    tokens, _ = encode(encoder, points((10, 30, label)))
    position = encoder.pe_layer(torch.tensor([(10 + 0.5) / 64, (30 + 0.5) / 64]))
    torch.testing.assert_close(tokens[0, 0], position + encoder.point_embeddings[label].weight[0])


def test_where_a_padding_point_lies_does_not_matter(encoder: PromptEncoder):
    first, _ = encode(encoder, points((10, 30, 1), (0, 0, -1)))
    second, _ = encode(encoder, points((10, 30, 1), (50, 7, -1)))
    assert torch.equal(first, second)


def test_pixel_centres_are_the_positions_of_the_image_tokens(encoder: PromptEncoder):
    """The point in the middle of token (1, 2) gets the position that the image tokens have there."""
    tokens, _ = encode(encoder, points((2 * 16 + 7.5, 1 * 16 + 7.5, 1)))
    grid = encoder.grid_positions(SIDE, SIDE)
    torch.testing.assert_close(tokens[0, 0] - encoder.point_embeddings[1].weight[0], grid[0, :, 1, 2])


def test_x_is_divided_by_the_width_and_y_by_the_height(encoder: PromptEncoder):
    wide, _ = encoder(points((10, 30, 1)), 4, 8)
    position = encoder.pe_layer(torch.tensor([(10 + 0.5) / 128, (30 + 0.5) / 64]))
    torch.testing.assert_close(wide[0, 0], position + encoder.point_embeddings[1].weight[0])


def test_points_outside_the_image_are_encoded_too(encoder: PromptEncoder):
    tokens, _ = encode(encoder, points((-5, 70, 1)))
    assert tokens.isfinite().all()


def test_labels_may_be_32_bit(encoder: PromptEncoder):
    prompt = points((10, 30, 1), (1, 2, -1))
    narrow = PromptTensors(prompt.points, prompt.labels.int())
    assert torch.equal(encode(encoder, prompt)[0], encode(encoder, narrow)[0])


def test_a_mask_becomes_a_dense_map(encoder: PromptEncoder):
    prompt = PromptTensors(torch.zeros(2, 0, 2), torch.zeros(2, 0).long(), torch.randn(2, 1, 4 * SIDE, 4 * SIDE))
    _, dense = encode(encoder, prompt)
    assert dense.shape == (2, 32, SIDE, SIDE)
    assert not torch.allclose(dense[0], dense[1])


def test_a_mask_of_another_size_is_resized_first(encoder: PromptEncoder):
    none = torch.zeros(1, 0, 2), torch.zeros(1, 0).long()
    flat = torch.full((1, 1, 1, 1), 3.0)
    small = PromptTensors(*none, flat.expand(1, 1, 4 * SIDE, 4 * SIDE))
    large = PromptTensors(*none, flat.expand(1, 1, 16 * SIDE, 16 * SIDE))
    torch.testing.assert_close(encode(encoder, small)[1], encode(encoder, large)[1])


def test_every_row_of_a_batch_is_encoded_alone(encoder: PromptEncoder):
    rows = [points((1, 2, 1), (3, 4, 0)), points((5, 6, 2), (40, 50, 3))]
    together = PromptTensors(torch.cat([r.points for r in rows]), torch.cat([r.labels for r in rows]))
    tokens, _ = encode(encoder, together)
    for index, row in enumerate(rows):
        assert torch.equal(tokens[index], encode(encoder, row)[0][0])
