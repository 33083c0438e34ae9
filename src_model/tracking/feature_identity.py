"""What image features depend on besides the frame itself; equal identities share their features."""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from torch import Tensor, nn

    from src_model.frames import FrameSource, Normalization
    from src_model.tracking.network_steps import NetworkSteps

_LAYOUT = 1
"""To be raised when the encoder, or the preprocessing, changes what it gives for the same image."""


@dataclass(frozen=True, slots=True)
class FeatureIdentity:
    """What has to be equal for features to be the same.

    Attributes
    ----------
    checkpoint
        Digest of the checkpoint file; of the weights themselves where they came from no file.
    image_size
        Side of the network input.
    precision
        Type of the numbers that are kept.
    interpolation
        How images are brought to the size of the network input.
    normalization
        How pixel values become 0..1.
    movie
        Shape and type of the frames, and checksum of the first one. The other frames are checked one by one, when they
        are needed, so that a movie may grow, and a frame that was edited is encoded anew.
    layout
        Version of all that is not named here.
    """

    checkpoint: str
    image_size: int
    precision: str
    interpolation: str
    normalization: tuple[str, tuple[float, ...], tuple[float, ...]]
    movie: tuple[tuple[int, ...], str, int]
    layout: int = _LAYOUT

    def to_dict(self) -> dict[str, object]:
        """Give a plain dictionary, for people to read."""
        return asdict(self)

    @property
    def digest(self) -> str:
        """Short name of the identity, the same on every machine."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def identify(steps: NetworkSteps, movie: FrameSource, normalization: Normalization, first: int) -> FeatureIdentity:
    """Tell what the features of a movie's frames depend on; one frame is read.

    Parameters
    ----------
    steps
        The network with its settings.
    movie
        The movie; its shape and type are looked at.
    normalization
        How its values become 0..1.
    first
        Checksum of its first frame.
    """
    return FeatureIdentity(
        steps.checkpoint.sha256 or _weights_digest(steps.network),
        steps.image_size,
        str(steps.feature_dtype).removeprefix("torch."),
        steps.settings.interpolation,
        (normalization.kind, normalization.low, normalization.high),
        (tuple(int(side) for side in movie.shape[1:]), str(movie.dtype), first),
    )


def frame_checksum(image: np.ndarray) -> int:
    """Return a checksum of every pixel of a frame, 32 bits."""
    return zlib.crc32(np.ascontiguousarray(image).reshape(-1).view(np.uint8).data)


def _weights_digest(network: nn.Module) -> str:
    digest = hashlib.sha256()
    weights: dict[str, Tensor] = network.state_dict()
    for name in sorted(weights):
        digest.update(name.encode())
        digest.update(weights[name].detach().cpu().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
