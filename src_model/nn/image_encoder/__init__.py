"""Image encoders: trunks that differ, behind necks that make them alike."""

from src_model.nn.image_encoder.hiera import HieraConfig
from src_model.nn.image_encoder.image_encoder import ImageEncoder, ImageTrunk, TrunkConfig
from src_model.nn.image_encoder.tiny_vit import TinyViTConfig

__all__ = ["HieraConfig", "ImageEncoder", "ImageTrunk", "TinyViTConfig", "TrunkConfig"]
