"""Hyperparameters of every network that sam2v can build."""

from __future__ import annotations

from dataclasses import dataclass

from src_model.nn.image_encoder import HieraConfig, TinyViTConfig, TrunkConfig


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Hyperparameters of a network.

    Attributes
    ----------
    name
        Key of :data:`MODEL_CONFIGS`, such as ``"sam2.1-tiny"``.
    trunk
        Hyperparameters of the image trunk.
    image_size
        Side of the square network input the weights were trained at, in pixels.
    memory_layers, memory_hidden
        Depth of the memory attention and hidden width of its feed-forward networks.
    occlusion_memory
        SAM 2.1 marks the memory of frames without the object by a learned embedding.
    pointer_times
        SAM 2.1 tells the memory attention how old each object pointer is.
    iou_sigmoid
        Whether the predicted IoU passes a sigmoid.
    width, memory_width
        Channels of image tokens and of memory tokens.
    num_memories
        Distinct ages of spatial memories: conditioning frames and 1 to 6 frames ago.
    max_pointers
        Object pointers attended to at most.
    pixel_mean, pixel_std
        Normalisation of RGB values in 0..1.
    """

    name: str
    trunk: TrunkConfig
    image_size: int = 1024
    memory_layers: int = 4
    memory_hidden: int = 2048
    occlusion_memory: bool = True
    pointer_times: bool = True
    iou_sigmoid: bool = True
    width: int = 256
    memory_width: int = 64
    num_memories: int = 7
    max_pointers: int = 16
    pixel_mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    pixel_std: tuple[float, float, float] = (0.229, 0.224, 0.225)

    @property
    def stride(self) -> int:
        """Pixels of the network input for each token of the embedding."""
        return 16


_HIERA = {
    "tiny": HieraConfig(96, 1, (1, 2, 7, 2), (5, 7, 9)),
    "small": HieraConfig(96, 1, (1, 2, 11, 2), (7, 10, 13)),
    "base-plus": HieraConfig(112, 2, (2, 3, 16, 3), (12, 16, 20), background_size=14),
    "large": HieraConfig(144, 2, (2, 6, 36, 4), (23, 33, 43), windows=(8, 4, 16, 8)),
}


def _all_configs() -> list[ModelConfig]:
    """List the bundled default and the official networks of SAM 2 and 2.1."""
    bundled = ModelConfig(
        "default", TinyViTConfig(), image_size=448, memory_layers=2, memory_hidden=1024, iou_sigmoid=False
    )
    newer = [ModelConfig(f"sam2.1-{size}", trunk) for size, trunk in _HIERA.items()]
    older = [
        ModelConfig(f"sam2-{size}", trunk, occlusion_memory=False, pointer_times=False)
        for size, trunk in _HIERA.items()
    ]
    return [bundled, *newer, *older]


MODEL_CONFIGS: dict[str, ModelConfig] = {config.name: config for config in _all_configs()}
"""Every known network by name."""
