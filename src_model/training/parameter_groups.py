"""Which parameters learn how fast."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

    from src_model.training.recipe import Recipe

Group = Literal["new", "head", "late", "early"]
GROUPS: tuple[Group, ...] = ("new", "head", "late", "early")

_NEW = (
    "memory_attention.", "memory_encoder.", "maskmem_tpos_enc", "no_mem_", "no_obj_", "obj_ptr_", "mask_downsample.",
    "sam_mask_decoder.conv_s", "sam_mask_decoder.iou_prediction_head", "sam_mask_decoder.obj_score_token",
    "sam_mask_decoder.pred_obj_score_head",
)  # fmt: skip
_LATE = ("image_encoder.neck.", "image_encoder.trunk.layers.3.", "image_encoder.trunk.layers.2.downsample.")
_LAYER = re.compile(r"image_encoder\.(trunk\.(patch_embed|pos_embed|(layers\.\d+\.)?(blocks\.\d+|downsample))|neck)")


def parameter_group(name: str) -> Group:
    """Group of a parameter of the network, by name.

    "new" are the parts that MobileSAM has not, "head" prompt encoder and mask decoder, "late" the encoder's last stage
    with its neck, "early" the rest of the encoder.
    """
    if name.startswith(_NEW):
        return "new"
    if name.startswith(_LATE):
        return "late"
    return "early" if name.startswith("image_encoder.") else "head"


def encoder_depths(network: nn.Module) -> dict[str, int]:
    """How many layers of the image encoder come after that of a parameter, by parameter name."""
    layers: list[str] = []
    found: dict[str, int] = {}
    for name, _ in network.named_parameters():
        if (match := _LAYER.match(name)) is not None:
            layer = "image_encoder.trunk.patch_embed" if "pos_embed" in match[0] else match[0]
            if layer not in layers:
                layers.append(layer)
            found[name] = layers.index(layer)
    return {name: len(layers) - 1 - index for name, index in found.items()}


def optimizer_groups(network: nn.Module, recipe: Recipe) -> Iterator[dict[str, Any]]:
    """Parameter groups for AdamW.

    Each of the four groups is split by whether weights decay and, where the rate of the encoder falls from layer to
    layer, by that. The key "name" holds the group and "scale" the factor on its rate.
    """
    depths = encoder_depths(network)
    for group in GROUPS:
        split: defaultdict[tuple[float, bool], list[nn.Parameter]] = defaultdict(
            list, {(1.0, True): [], (1.0, False): []}
        )
        for name, parameter in network.named_parameters():
            if parameter_group(name) == group:
                scale = recipe.layer_decay ** depths.get(name, 0)
                split[scale, parameter.ndim > 1].append(parameter)
        for (scale, decays), parameters in split.items():
            decay = recipe.weight_decay if decays else 0.0
            yield {"params": parameters, "lr": 0.0, "weight_decay": decay, "name": group, "scale": scale}
