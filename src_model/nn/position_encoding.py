"""Position encodings: sine maps, random Fourier features, axial rotary embedding, 1-D sine for time.

All of them are functions of a size alone, so their results are cached per size and device.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor, nn

_TEMPERATURE = 10_000.0
"""Longest wavelength over the shortest, as in Vaswani et al. 2017, section 3.5."""


def _sine_frequencies(channels: int, device: torch.device) -> Tensor:
    """Return the divisors of the sine encoding, each twice: one for the sine, one for the cosine."""
    index = torch.arange(channels, dtype=torch.float32, device=device)
    return _TEMPERATURE ** (2 * (index // 2) / channels)


def _interleaved_sine(angles: Tensor) -> Tensor:
    """Take the sine of even and the cosine of odd channels of ``(..., C)``."""
    return torch.stack((angles[..., 0::2].sin(), angles[..., 1::2].cos()), dim=-1).flatten(-2)


@lru_cache(maxsize=32)
def sine_map(channels: int, height: int, width: int, device: torch.device) -> Tensor:
    """Sine position encoding of a map, normalised to one period (Carion et al. 2020, appendix).

    Parameters
    ----------
    channels
        Number of channels: the first half encodes y, the second x.
    height, width
        Size of the map.
    device
        Where the result lies.

    Returns
    -------
    Tensor
        ``(1, channels, height, width)`` float32.
    """
    frequencies = _sine_frequencies(channels // 2, device)

    def axis(size: int) -> Tensor:
        position = torch.arange(1, size + 1, dtype=torch.float32, device=device)
        return _interleaved_sine((position / (size + 1e-6) * (2 * math.pi))[:, None] / frequencies)

    rows = axis(height)[:, None].expand(height, width, -1)
    columns = axis(width)[None].expand(height, width, -1)
    return torch.cat((rows, columns), dim=-1).permute(2, 0, 1)[None].contiguous()


def time_sine(positions: Tensor, channels: int) -> Tensor:
    """Sine encoding of points in time: ``(..., N)`` to ``(..., N, channels)``, all sines before all cosines."""
    angles = positions[..., None] / _sine_frequencies(channels // 2, positions.device)
    return torch.cat((angles.sin(), angles.cos()), dim=-1)


class RandomFourierEncoding(nn.Module):
    """Encoding of continuous points by random spatial frequencies (Tancik et al. 2020), as in SAM.

    Parameters
    ----------
    features
        Number of frequencies; the encoding has twice as many channels.
    """

    positional_encoding_gaussian_matrix: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("positional_encoding_gaussian_matrix", torch.randn(2, features))

    def forward(self, points: Tensor) -> Tensor:
        """Encode ``(..., 2)`` x, y in 0..1 as ``(..., 2 * features)``."""
        # Written out instead of a matrix product: autocast would compute that in bfloat16 and blur the positions.
        along_x, along_y = self.positional_encoding_gaussian_matrix
        centred = 2 * points.to(along_x.dtype) - 1
        angles = 2 * math.pi * (centred[..., :1] * along_x + centred[..., 1:] * along_y)
        return torch.cat((angles.sin(), angles.cos()), dim=-1)

    def grid(self, height: int, width: int) -> Tensor:
        """Encode the pixel centres of a map: ``(1, 2 * features, height, width)``."""
        matrix = self.positional_encoding_gaussian_matrix
        y = (torch.arange(height, device=matrix.device, dtype=torch.float32) + 0.5) / height
        x = (torch.arange(width, device=matrix.device, dtype=torch.float32) + 0.5) / width
        points = torch.stack((x.expand(height, width), y[:, None].expand(height, width)), dim=-1)
        encoded: Tensor = self(points)
        return encoded.permute(2, 0, 1)[None]


@lru_cache(maxsize=32)
def axial_rotations(channels: int, height: int, width: int, device: torch.device) -> Tensor:
    """Axial rotary embedding (Heo et al. 2024) of every token of a map, as unit complex numbers.

    The first half of the channel pairs turns with x, the second with y.

    Returns
    -------
    Tensor
        ``(height * width, channels // 2, 2)`` float32: cosines and sines.
    """
    quarter = torch.arange(0, channels, 4, dtype=torch.float32, device=device)[: channels // 4]
    # A quarter of the channels: they turn in pairs, half of the pairs for each axis.
    frequencies = 1.0 / _TEMPERATURE ** (quarter / channels)
    token = torch.arange(height * width, device=device)
    angles = torch.cat(((token % width)[:, None] * frequencies, (token // width)[:, None] * frequencies), dim=-1)
    return torch.stack((angles.cos(), angles.sin()), dim=-1)


def rotate_pairs(x: Tensor, rotations: Tensor, unrotated: int = 0) -> Tensor:
    """Rotate neighbouring channel pairs of ``(..., N, C)`` by ``N`` rows of :func:`axial_rotations`.

    ``N`` may be a multiple of the number of rows: they then repeat, once for each memory frame. The last ``unrotated``
    tokens, which are not counted in ``N``, stay as they are. The result is float32, whatever ``x`` is.
    """
    placed = x.shape[-2] - unrotated
    maps = x[..., :placed, :].float().reshape(*x.shape[:-2], -1, rotations.shape[0], x.shape[-1] // 2, 2)
    if x.device.type == "mps":  # where complex numbers are not complete
        (even, odd), (cosine, sine) = maps.unbind(-1), rotations.unbind(-1)
        turned = torch.stack((even * cosine - odd * sine, even * sine + odd * cosine), dim=-1)
    else:  # several times faster
        turned = torch.view_as_real(torch.view_as_complex(maps) * torch.view_as_complex(rotations))
    rotated = turned.reshape(*x.shape[:-2], placed, x.shape[-1])
    return torch.cat((rotated, x[..., placed:, :].float()), dim=-2) if unrotated else rotated
