"""The whole network of SAM 2 (Ravi et al. 2024): tensors in, tensors out, no state.

What happens when, and what is remembered, is decided above, in :mod:`src_model.tracking`. Batch rows are objects: the
caller expands one frame's features over the objects tracked in it. Every method is differentiable.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src_model.nn.compute import Linear, initializes, without_initialization
from src_model.nn.image_encoder import ImageEncoder
from src_model.nn.layers import Mlp, flatten_map
from src_model.nn.mask_decoder import MaskDecoder, MaskPrediction
from src_model.nn.memory_attention import MemoryAttention
from src_model.nn.memory_encoder import MemoryEncoder
from src_model.nn.position_encoding import sine_map, time_sine
from src_model.nn.prompt_encoder import PromptEncoder, PromptTensors

if TYPE_CHECKING:
    from src_model.nn.config import ModelConfig
    from src_model.nn.memory_tokens import MemoryTokens
    from src_model.nn.prior import Prior

_MASK_SCALE, _MASK_BIAS = 20.0, -10.0
"""Mask probabilities 0..1 become -10..10 before the memory encoder, and prompted masks become such logits.

The weights were trained with these numbers (``sigmoid_scale_for_mem_enc``, ``sigmoid_bias_for_mem_enc``).
"""


@dataclass(frozen=True, slots=True)
class ImageFeatures:
    """What the image encoder gives for a batch of images.

    Attributes
    ----------
    embedding
        ``(B, 256, h, w)``, stride 16, not conditioned on memory.
    high_res
        Maps of stride 4 ``(B, 32, 4 h, 4 w)`` and 8 ``(B, 64, 2 h, 2 w)``, projected for the mask decoder.
    """

    embedding: Tensor
    high_res: tuple[Tensor, Tensor]

    def expand(self, batch: int) -> ImageFeatures:
        """Repeat the features of one image for ``batch`` objects, without copying."""
        first, second = (x.expand(batch, -1, -1, -1) for x in self.high_res)
        return ImageFeatures(self.embedding.expand(batch, -1, -1, -1), (first, second))


class Sam2Network(nn.Module):
    """Image encoder, prompt encoder, mask decoder, memory encoder and memory attention.

    Parameter names and shapes are those of the official checkpoints.

    Parameters
    ----------
    config
        Hyperparameters, usually from :data:`~src_model.nn.config.MODEL_CONFIGS`.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        width, memory_width = config.width, config.memory_width
        self.image_encoder = ImageEncoder(config.trunk, width)
        # For mask prompts, which bypass the decoder: it brings them to the decoder for their object pointer alone.
        self.mask_downsample = nn.Conv2d(1, 1, kernel_size=4, stride=4)
        self.memory_attention = MemoryAttention(config.memory_layers, width, memory_width, config.memory_hidden)
        self.memory_encoder = MemoryEncoder(width, memory_width)
        self.sam_prompt_encoder = PromptEncoder(width)
        self.sam_mask_decoder = MaskDecoder(width, config.trunk.high_res_channels, iou_sigmoid=config.iou_sigmoid)
        self.obj_ptr_proj = Mlp(width, width, width, width)
        self.maskmem_tpos_enc = _learned(config.num_memories, 1, 1, memory_width)
        self.no_mem_embed = _learned(1, 1, width)
        # Unused since the first frame skips the memory attention, but part of every official checkpoint.
        self.no_mem_pos_enc = _learned(1, 1, width)
        self.no_obj_ptr = _learned(1, width)
        if config.pointer_times:
            self.obj_ptr_tpos_proj = Linear(width, memory_width)
        if config.occlusion_memory:
            self.no_obj_embed_spatial = _learned(1, memory_width)

    def encode_image(self, images: Tensor) -> ImageFeatures:
        """Encode ``(B, 3, S, S)`` images, normalised by ``config.pixel_mean`` and ``pixel_std``."""
        stride4, stride8, embedding = self.image_encoder(images)
        return ImageFeatures(embedding, self.sam_mask_decoder.project_high_res(stride4, stride8))

    def without_memory(self, embedding: Tensor) -> Tensor:
        """Mark an embedding ``(B, 256, h, w)`` as not conditioned on memory, as on a first prompted frame."""
        return embedding + self.no_mem_embed.view(1, -1, 1, 1)

    def attend_memory(self, embedding: Tensor, memory: MemoryTokens) -> Tensor:
        """Condition an embedding on memory (SAM 2, section 4, "Memory attention").

        Parameters
        ----------
        embedding
            ``(B, 256, h, w)``, or one row if all objects are looked for in the same image.
        memory
            Memories and pointers of B objects, one row an object.

        Returns
        -------
        Tensor
            ``(B, 256, h, w)``.
        """
        conditioned: Tensor = self.memory_attention(embedding, *self._memory_sequence(memory))
        return conditioned

    @torch.no_grad()
    def memory_attention_weights(self, embedding: Tensor, memory: MemoryTokens) -> Tensor:
        """Tell what each place of a frame attends to in memory; it takes far more time than :meth:`attend_memory`.

        Parameters
        ----------
        embedding, memory
            As in :meth:`attend_memory`.

        Returns
        -------
        Tensor
            ``(L, B, K + P, h, w)`` float32: the share of attention that layer l of place (y, x) gives to each of the K
            spatial memories and then to each of the P pointers of object b. Over memories and pointers they add up to
            one; padding has zero.
        """
        height, width = embedding.shape[-2:]
        parts = memory.pointers.shape[2] // self.config.memory_width
        maps = memory.memories.shape[1] * height * width
        layers: list[Tensor] = []

        def sum_over_tokens(weights: Tensor) -> None:
            spatial = torch.unflatten(weights[..., :maps], 2, (-1, height * width)).sum(dim=3)
            pointers = torch.unflatten(weights[..., maps:], 2, (-1, parts)).sum(dim=3)
            shares = torch.cat((spatial, pointers), dim=2)
            layers.append(torch.unflatten(shares.transpose(1, 2), 2, (height, width)))

        self.memory_attention(embedding, *self._memory_sequence(memory), observe=sum_over_tokens)
        return torch.stack(layers)

    def _memory_sequence(self, memory: MemoryTokens) -> tuple[Tensor, Tensor, int, Tensor | None]:
        """Line up memory for the attention: tokens, their positions, how many are of pointers, what hides padding."""
        spatial, spatial_positions = self._spatial_tokens(memory)
        pointers, pointer_positions = self._pointer_tokens(memory)
        rows = max(len(spatial_positions), len(pointer_positions))
        return (
            torch.cat((spatial, pointers), dim=1),
            torch.cat([positions.expand(rows, -1, -1) for positions in (spatial_positions, pointer_positions)], dim=1),
            pointers.shape[1],
            self._padding_bias(memory),
        )

    def _spatial_tokens(self, memory: MemoryTokens) -> tuple[Tensor, Tensor]:
        """Flatten K memories to ``(B, K * h * w, 64)``, with positions ``(B or 1, K * h * w, 64)``."""
        *_, channels, height, width = memory.memories.shape
        tokens = memory.memories.flatten(3).transpose(2, 3).flatten(1, 2)
        # Where in the frame, and how long ago: both are added to the keys (SAM 2, section 4, "Memory bank").
        space = flatten_map(sine_map(channels, height, width, tokens.device))
        # Conditioning frames have the last time embedding, the previous frame the first.
        ages = memory.padded_ages().to(tokens.device)
        time = self.maskmem_tpos_enc[ages - 1].flatten(2, 4)
        return tokens, (space + time[:, :, None]).flatten(1, 2)

    def _pointer_tokens(self, memory: MemoryTokens) -> tuple[Tensor, Tensor]:
        """Split P pointers into ``(B, P * 4, 64)`` tokens, with positions ``(B or 1, P * 4, 64)``."""
        pointers, width = memory.pointers, self.config.memory_width
        # Memory tokens are narrower than the embedding, so that a pointer becomes four of them (SAM 2, appendix D.1).
        parts = pointers.shape[2] // width
        tokens = pointers.reshape(pointers.shape[0], -1, width)
        if not self.config.pointer_times:
            return tokens, tokens.new_zeros(1, tokens.shape[1], width)
        offsets = memory.padded_offsets().to(tokens.device)
        times = time_sine(offsets / (memory.pointer_horizon - 1), self.config.width)
        return tokens, self.obj_ptr_tpos_proj(times).repeat_interleave(parts, dim=1)

    def _padding_bias(self, memory: MemoryTokens) -> Tensor | None:
        """Return ``(B, 1, 1, K * h * w + P * 4)``, minus infinity for tokens that are padding; None if none is."""
        if not memory.is_padded:
            return None
        maps, pointers = memory.padding()
        *_, height, width = memory.memories.shape
        parts = memory.pointers.shape[2] // self.config.memory_width
        hidden = torch.cat((maps.repeat_interleave(height * width, 1), pointers.repeat_interleave(parts, 1)), dim=1)
        bias = torch.zeros(hidden.shape).masked_fill_(hidden, -torch.inf)
        return bias[:, None, None].to(memory.memories.device)

    def decode(
        self,
        embedding: Tensor,
        high_res: tuple[Tensor, Tensor],
        prompts: PromptTensors,
        *,
        multimask: bool,
        prior: Prior | None = None,
    ) -> MaskPrediction:
        """Predict the masks of a batch of objects: the one way from conditioned embeddings and prompts to masks.

        Parameters
        ----------
        embedding
            ``(B, 256, h, w)`` from :meth:`attend_memory` or :meth:`without_memory`.
        high_res
            As in :class:`ImageFeatures`.
        prompts
            One row an object; :meth:`PromptTensors.none` on tracked frames.
        multimask
            Give three candidates instead of one mask; right for at most one point.
        prior
            What else is known of the objects; without it the masks are SAM 2's to the last bit.

        Returns
        -------
        MaskPrediction
            As the decoder gives it, also where it judges an object absent: see :meth:`MaskPrediction.where_present`.
        """
        height, width = embedding.shape[-2:]
        tokens, dense = self.sam_prompt_encoder(prompts, height, width)
        if prior is not None:
            tokens, dense = prior.added_to(tokens, dense)
        positions = self.sam_prompt_encoder.grid_positions(height, width)
        prediction: MaskPrediction = self.sam_mask_decoder(
            embedding, positions, tokens, dense, high_res, multimask=multimask
        )
        return prediction if prior is None else prior.added_to_masks(prediction)

    def object_pointer(self, tokens: Tensor, object_logits: Tensor) -> Tensor:
        """Turn output tokens ``(B, 256)`` into object pointers ``(B, 256)``, a fixed one where the object is absent."""
        present = (object_logits > 0).to(tokens.dtype)
        pointer: Tensor = present * self.obj_ptr_proj(tokens) + (1 - present) * self.no_obj_ptr
        return pointer

    def mask_as_output(self, features: ImageFeatures, mask: Tensor) -> tuple[MaskPrediction, Tensor]:
        """Take a mask prompt as the answer itself; only its object pointer is computed.

        Parameters
        ----------
        features
            Of the prompted frame, expanded to B.
        mask
            ``(B, 1, S, S)`` of zeros and ones.

        Returns
        -------
        tuple
            The prediction (M = 1, logits between -10 and 10, predicted IoU 1) and the pointer ``(B, 256)``.
        """
        mask = mask.float()
        size = (mask.shape[-2] // 4, mask.shape[-1] // 4)
        logits = F.interpolate(
            mask * _MASK_SCALE + _MASK_BIAS, size, mode="bilinear", align_corners=False, antialias=True
        )
        prompts = PromptTensors.none(mask.shape[0], mask.device)
        dense = PromptTensors(prompts.points, prompts.labels, self.mask_downsample(mask))
        decoded = self.decode(features.embedding, features.high_res, dense, multimask=False)
        pointer = self.object_pointer(decoded.tokens[:, 0], decoded.object_logits)
        present = (mask.flatten(1) > 0).any(dim=1, keepdim=True).to(pointer.dtype)
        pointer = present * pointer + (1 - present) * self.no_obj_ptr
        object_logits = present * _MASK_SCALE + _MASK_BIAS
        return MaskPrediction(logits, torch.ones_like(present), decoded.tokens, object_logits), pointer

    def encode_memory(self, embedding: Tensor, mask_logits: Tensor, object_logits: Tensor, *, binarize: bool) -> Tensor:
        """Encode a frame and its mask as a spatial memory.

        Parameters
        ----------
        embedding
            ``(B, 256, h, w)``, not conditioned on memory; one row if all objects are in the same image.
        mask_logits
            ``(B, 1, H, W)``; brought to the input size if smaller.
        object_logits
            ``(B, 1)`` occlusion score; the object is present where it is positive.
        binarize
            Use a hard mask, as for prompted frames, instead of probabilities.

        Returns
        -------
        Tensor
            ``(B, 64, h, w)``.
        """
        size = (embedding.shape[-2] * self.config.stride, embedding.shape[-1] * self.config.stride)
        if mask_logits.shape[-2:] != size:
            mask_logits = F.interpolate(mask_logits.float(), size, mode="bilinear", align_corners=False)
        mask = (mask_logits > 0).float() if binarize else mask_logits.float().sigmoid()
        memory: Tensor = self.memory_encoder(embedding, mask * _MASK_SCALE + _MASK_BIAS)
        if not self.config.occlusion_memory:
            return memory
        absent = (object_logits <= 0).to(memory.dtype)[..., None, None]
        marked: Tensor = memory + absent * self.no_obj_embed_spatial[..., None, None].to(memory.dtype)
        return marked


def _learned(*shape: int) -> nn.Parameter:
    """Return a free parameter, initialised as the embeddings of vision transformers are."""
    return nn.Parameter(nn.init.trunc_normal_(torch.empty(shape), std=0.02) if initializes() else torch.empty(shape))


def build_network(config: ModelConfig, *, initialize: bool = True) -> Sam2Network:
    """Build a network in evaluation mode.

    Parameters
    ----------
    config
        Its architecture.
    initialize
        Give it random weights. False: most are whatever memory holds, for a checkpoint to be copied into.
    """
    with nullcontext() if initialize else without_initialization():
        return Sam2Network(config).eval()
