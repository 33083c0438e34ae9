"""A start for the memory parts at which memory attention already is feature similarity.

Random projections have to learn first that the same object looks the same; that takes most of a short training. Here
the memory holds the principal components of the image embedding and a few directions that the mask writes to; queries
and keys share one basis, so that their product is the similarity of features, and values carry the mask.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from src_model.nn.layers import flatten_map
from src_model.nn.position_encoding import sine_map

if TYPE_CHECKING:
    from src_model.nn import Sam2Network
    from src_model.nn.attention import RotaryAttention
    from src_model.nn.memory_attention import MemoryAttentionLayer

_MASK_DIRECTIONS = 8
_SELF_SIMILARITY = 10.0
_SMALL = 0.0005
_PROMPT_LOGIT = 10.0


@torch.no_grad()
def initialize_memory(network: Sam2Network, images: Tensor, *, sharpness: float = _SELF_SIMILARITY) -> None:
    """Set the weights of memory encoder and memory attention from the statistics of the embedding.

    Parameters
    ----------
    network
        Its image encoder must be trained; changed in place.
    images
        ``(N, 3, S, S)`` normalised sample images; some dozens are enough.
    sharpness
        Mean attention logit of a token with its own memory, above that with others.
    """
    maps = torch.cat([network.encode_image(image[None]).embedding for image in images])
    placed = flatten_map(maps + 0.1 * sine_map(*maps.shape[1:], maps.device)).flatten(0, 1)
    tokens = flatten_map(maps).flatten(0, 1)
    mean = tokens.mean(dim=0)
    _, _, basis = torch.linalg.svd(tokens - mean, full_matrices=False)
    shared = network.config.memory_width - _MASK_DIRECTIONS
    components, mask_directions = basis[:shared], basis[-_MASK_DIRECTIONS:]
    spread = _spread((tokens - mean) @ components.T)
    _set_memory_encoder(network, components / spread[:, None], mean, mask_directions)
    normed = torch.nn.functional.layer_norm(tokens, tokens.shape[1:])
    label = _mask_prompt_direction(network) / len(network.memory_attention.layers)
    layers = cast("list[MemoryAttentionLayer]", list(network.memory_attention.layers))
    for layer in layers:
        _set_cross_attention(layer.cross_attn_image, normed, components, label, sharpness)
        nn.init.normal_(layer.self_attn.out_proj.weight, std=_SMALL)
        nn.init.normal_(layer.linear2.weight, std=_SMALL)
        for linear in (layer.self_attn.out_proj, layer.linear2):
            nn.init.zeros_(linear.bias)
    _remove_positions(layers[0], tokens, placed)
    _undo_last_norm(network.memory_attention.norm, tokens, normed)


def bias_of(layer: nn.Module) -> Tensor:
    """Return the bias of a layer that has one."""
    return cast("Tensor", layer.bias)


def _spread(values: Tensor) -> Tensor:
    """Take the standard deviation over the rows, the least ones raised: dividing by them must not blow up rounding."""
    spread = values.std(dim=0)
    return spread.clamp(min=0.01 * float(spread.max()))


def _set_memory_encoder(network: Sam2Network, components: Tensor, mean: Tensor, mask_directions: Tensor) -> None:
    """Memory = standardised components of the embedding, then what the mask branch says."""
    encoder = network.memory_encoder
    onto_mask = mask_directions.T @ mask_directions
    width = len(mean)
    encoder.pix_feat_proj.weight.copy_((torch.eye(width) - onto_mask)[..., None, None])
    bias_of(encoder.pix_feat_proj).zero_()
    *before, last = encoder.mask_downsampler.encoder
    side = network.config.image_size // 4
    flat = torch.stack((torch.full((1, side, side), -10.0), torch.full((1, side, side), 10.0)))
    outside, inside = flatten_map(nn.Sequential(*before)(flat)).mean(dim=1)
    weight = cast("nn.Conv2d", last).weight
    # Full and empty masks become opposite, of unit size in each direction.
    response = mask_directions @ weight.flatten(1)
    gain = 2 / (response @ (inside - outside)).abs().clamp(min=1e-3)
    response = gain[:, None] * response
    weight.copy_((mask_directions.T @ response)[..., None, None])
    bias_of(last).copy_(-mask_directions.T @ (response @ (inside + outside) / 2))
    projection = torch.cat((components, mask_directions))
    encoder.out_proj.weight.copy_(projection[..., None, None])
    bias_of(encoder.out_proj).copy_(torch.cat((-components @ mean, torch.zeros(len(mask_directions)))))


def _mask_prompt_direction(network: Sam2Network) -> Tensor:
    """Half of what a mask prompt adds to the embedding inside the mask, less what it adds outside: ``(256,)``."""
    flat = torch.stack((torch.full((1, 64, 64), -_PROMPT_LOGIT), torch.full((1, 64, 64), _PROMPT_LOGIT)))
    outside, inside = network.sam_prompt_encoder.mask_downscaling(flat)[..., 8, 8]
    direction: Tensor = (inside - outside) / 2
    return direction


def _set_cross_attention(
    attention: RotaryAttention, normed: Tensor, components: Tensor, label: Tensor, sharpness: float
) -> None:
    """Attend by similarity and add the attended mask to the embedding as a mask prompt would be.

    Queries and keys lie in one random basis, in which rotation by position only weakens distant matches.
    """
    width, shared = normed.shape[1], len(components)
    lift = torch.linalg.qr(torch.randn(width, width)).Q[:, :shared]
    centre = normed.mean(dim=0)
    projected = (normed - centre) @ components.T
    whiten = 1 / _spread(projected)
    # Standardised queries and memories have a mean product of the number of components with themselves.
    gain = math.sqrt(sharpness * math.sqrt(width) / shared)
    query = gain * lift @ (whiten[:, None] * components)
    attention.q_proj.weight.copy_(query)
    attention.q_proj.bias.copy_(-query @ centre)
    attention.k_proj.weight.zero_()
    attention.k_proj.weight[:, :shared] = gain * lift
    attention.k_proj.bias.zero_()
    directions = torch.linalg.qr(torch.randn(width, width)).Q[:, : attention.v_proj.in_features - shared]
    nn.init.normal_(attention.v_proj.weight, std=0.02)
    attention.v_proj.weight[:, shared:] = directions
    attention.v_proj.bias.zero_()
    nn.init.normal_(attention.out_proj.weight, std=_SMALL)
    attention.out_proj.weight += label[:, None] * directions.mean(dim=1)
    attention.out_proj.bias.zero_()


def _remove_positions(layer: MemoryAttentionLayer, tokens: Tensor, placed: Tensor) -> None:
    """Let the first feed-forward network take the added position encoding out again, by least squares.

    That encoding is as large as MobileSAM's embedding; the mask decoder would drown in it.
    """
    count, width = tokens.shape
    normed = torch.nn.functional.layer_norm(placed, (width,))
    design = torch.cat((normed, torch.ones(count, 1)), dim=1)
    solution = torch.linalg.lstsq(design, tokens - placed).solution
    # A pair of rectified units passes a value of either sign.
    both = torch.cat((torch.eye(width), -torch.eye(width)))
    layer.linear1.weight[: 2 * width] = both
    layer.linear1.bias[: 2 * width] = 0
    layer.linear2.weight[:, : 2 * width] = solution[:width].T @ both.T
    layer.linear2.bias.copy_(solution[width])


def _undo_last_norm(norm: nn.LayerNorm, tokens: Tensor, normed: Tensor) -> None:
    """Let the last norm give the scale of the embedding, which the mask decoder was trained on."""
    centred = normed - normed.mean(dim=0)
    slope = (centred * (tokens - tokens.mean(dim=0))).sum(dim=0) / centred.square().sum(dim=0)
    norm.weight.copy_(slope)
    norm.bias.copy_(tokens.mean(dim=0) - slope * normed.mean(dim=0))
