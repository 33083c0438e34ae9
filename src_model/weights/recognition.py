"""Which architecture a set of tensors belongs to, by their names and shapes alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from src_model.errors import CheckpointError
from src_model.nn import MODEL_CONFIGS, ModelConfig, build_network

if TYPE_CHECKING:
    from torch import Tensor

Layout = Mapping[str, tuple[int, ...]]
"""Shapes of tensors by name."""

_LISTED = 3
_SAM1_TRUNKS = {768: "ViT-B", 1024: "ViT-L", 1280: "ViT-H"}
_FOREIGN_PREFIXES = (
    ("spatial_perceiver.", "an EdgeTAM checkpoint, which is not supported"),
    ("image_encoder.patch_embed.seq.", "a MobileSAM checkpoint, which segments images and has no memory"),
    ("vision_encoder.", "a checkpoint in the format of transformers; get the .pt file of the same repository"),
    ("detector.", "a SAM 3 checkpoint, which is not supported"),
    ("module.", "the state dict of a wrapped model: save model.module.state_dict() instead"),
    ("_orig_mod.", "the state dict of a compiled model: save that of the model before torch.compile"),
)


@dataclass(frozen=True, slots=True)
class LayoutDifference:
    """How the tensors of a file differ from those of a network.

    Attributes
    ----------
    missing : tuple of str
        Names the network has and the file has not, with shapes.
    unexpected : tuple of str
        Names the file has and the network has not, with shapes.
    reshaped : tuple of str
        Names of both whose shapes differ, with both shapes.
    shared : int
        Number of tensors that agree in name and shape.
    """

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    reshaped: tuple[str, ...]
    shared: int

    @property
    def count(self) -> int:
        """Number of differing tensors; 0 when the file fits the network."""
        return len(self.missing) + len(self.unexpected) + len(self.reshaped)

    def __str__(self) -> str:
        parts = (("missing", self.missing), ("unexpected", self.unexpected), ("of another shape", self.reshaped))
        return "; ".join(_listing(kind, names) for kind, names in parts if names) or "none"


def layout_difference(expected: Layout, found: Layout) -> LayoutDifference:
    """Compare the tensors that a network has with those of a file, in the order of each."""
    common = [name for name in expected if name in found]
    return LayoutDifference(
        missing=tuple(f"{name} {shape}" for name, shape in expected.items() if name not in found),
        unexpected=tuple(f"{name} {shape}" for name, shape in found.items() if name not in expected),
        reshaped=tuple(
            f"{name} {found[name]} instead of {expected[name]}" for name in common if found[name] != expected[name]
        ),
        shared=sum(found[name] == expected[name] for name in common),
    )


def layout_of(state_dict: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """Shapes of the tensors of a state dict, by name."""
    return {name: tuple(tensor.shape) for name, tensor in state_dict.items()}


@lru_cache(maxsize=32)
def network_layout(config: ModelConfig) -> Layout:
    """Shapes of the tensors of a network, by name."""
    # Memory that is never written to is never taken. The meta device, made for this, loads torch's compiler: seconds.
    return layout_of(build_network(config, initialize=False).state_dict())


def recognise_config(state_dict: Mapping[str, Tensor], *, source: str = "The state dict") -> ModelConfig:
    """Find the network that a state dict fits exactly.

    Parameters
    ----------
    state_dict : mapping of str to Tensor
        Tensors by name; only names and shapes are looked at.
    source : str, default: "The state dict"
        What the tensors were read from, as the subject of an error message.

    Returns
    -------
    ModelConfig
        The one of ``MODEL_CONFIGS`` whose network has these tensors, no more and no less.

    Raises
    ------
    CheckpointError
        No network fits. The message says what the tensors seem to be, and what differs from the nearest network.
    """
    found = layout_of(state_dict)
    differences = {}
    for name, config in MODEL_CONFIGS.items():
        differences[name] = layout_difference(network_layout(config), found)
        if not differences[name].count:
            return config
    nearest = min(differences, key=lambda name: differences[name].count)
    difference = differences[nearest]
    raise CheckpointError(
        f"{source} is {_describe(found, nearest, difference)}. Expected the tensors of one of: "
        f"{', '.join(MODEL_CONFIGS)}. Compared with {nearest!r}, tensors {difference}."
    )


def _describe(found: Layout, nearest: str, difference: LayoutDifference) -> str:
    """Say what kind of model has these tensors, as the end of the sentence "this is ..."."""
    if not found:
        return "a checkpoint without any tensor"
    if "mask_decoder.mask_tokens.weight" in found and "image_encoder.pos_embed" in found:
        trunk = _SAM1_TRUNKS.get(found["image_encoder.pos_embed"][-1], "an unknown trunk")
        return f"a SAM 1 checkpoint ({trunk}), which segments images and has no memory"
    for prefix, description in _FOREIGN_PREFIXES:
        if any(name.startswith(prefix) for name in found):
            return description
    if difference.shared > len(found) // 2:
        return f"a checkpoint like {nearest!r}, but it does not fit"
    return f"a checkpoint of {len(found)} tensors of a model that is not known here"


def _listing(kind: str, names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{kind}: {', '.join(names[:_LISTED])}{more}"
