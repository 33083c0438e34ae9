"""Image encoders: trunks that differ, behind necks that make them alike."""

from src_model.nn.image_encoder.hiera import HieraConfig
from src_model.nn.image_encoder.image_encoder import ImageEncoder
from src_model.nn.image_encoder.tiny_vit import TinyViTConfig
from src_model.nn.image_encoder.trunk import ImageTrunk, TrunkConfig

__all__ = ["HieraConfig", "ImageEncoder", "ImageTrunk", "TinyViTConfig", "TrunkConfig"]
