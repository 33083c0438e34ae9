"""The start of the memory parts: memory attention finds the same object before any training."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from src_model.nn import MODEL_CONFIGS, MemoryTokens, Sam2Network, build_network
from src_model.nn.layers import flatten_map
from src_model.nn.position_encoding import axial_rotations, rotate_pairs
from training_recipe.memory_initialization import initialize_memory

SIZE = 112
MAPS = ((64, 4), (128, 2))


class PatchEncoder(nn.Module):
    """Tells patches apart without training, at about the scale of MobileSAM's embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 256, kernel_size=16, stride=16)

    def forward(self, images: Tensor) -> list[Tensor]:
        small = self.convolution(images)
        size = small.shape[-1]
        fine = [small.new_zeros(len(small), channels, scale * size, scale * size) for channels, scale in MAPS]
        return [*fine, 0.1 * nn.functional.layer_norm(small, small.shape[1:])]


@pytest.fixture(scope="module")
def images() -> Tensor:
    """Noise; the second image is the first one, moved by two tokens to the right."""
    torch.manual_seed(0)
    images = torch.randn(12, 3, SIZE, SIZE)
    images[1] = images[0].roll(32, dims=-1)
    return images


@pytest.fixture(scope="module")
def network(images: Tensor) -> Sam2Network:
    torch.manual_seed(0)
    network = build_network(MODEL_CONFIGS["default"])
    network.image_encoder = PatchEncoder()  # type: ignore[assignment]
    initialize_memory(network, images)
    return network


@torch.no_grad()
def remember(network: Sam2Network, image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    embedding = network.encode_image(image[None]).embedding
    return embedding, network.encode_memory(embedding, mask * 20 - 10, torch.ones(1, 1), binarize=True)


@torch.no_grad()
def test_a_query_attends_to_the_same_object_wherever_it_went(network: Sam2Network, images: Tensor) -> None:
    _, memory = remember(network, images[0], torch.zeros(1, 1, SIZE, SIZE))
    now = network.encode_image(images[1:2]).embedding
    attention = network.memory_attention.layers[0].cross_attn_image
    rotations = axial_rotations(256, 7, 7, now.device)
    query = rotate_pairs(attention.q_proj(torch.nn.functional.layer_norm(flatten_map(now), (256,))), rotations)
    key = rotate_pairs(attention.k_proj(flatten_map(memory)), rotations)
    weights = (query @ key.transpose(1, 2) / 16).softmax(dim=-1)[0].view(7, 7, 7, 7)
    found = weights.flatten(2).argmax(dim=-1)
    was_there = torch.arange(49).view(7, 7).roll(2, dims=1)
    assert (found == was_there).float().mean() > 0.8
    # and most of the attention goes there, not to the 48 other places
    assert weights.flatten(2).gather(2, was_there[..., None]).mean() > 0.5


@torch.no_grad()
def test_the_decoder_gets_an_embedding_of_the_usual_scale(network: Sam2Network, images: Tensor) -> None:
    embedding, memory = remember(network, images[0], torch.zeros(1, 1, SIZE, SIZE))
    tokens = MemoryTokens(memory[:, None], ((0,),), torch.zeros(1, 0, 256), ((),), 16)
    conditioned = network.attend_memory(embedding, tokens)
    assert conditioned.norm() == pytest.approx(embedding.norm().item(), rel=0.3)
