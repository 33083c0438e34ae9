"""What a simulator hands to the camera: a noise-free signal with exact labels."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
LabelArray = NDArray[np.uint16]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scene:
    """A noise-free movie and its truth.

    Attributes
    ----------
    signal : (T, Y, X) float32
        Light reaching the camera, about 0..1 before illumination, bleaching and blur.
    labels : (T, Y, X) uint16
        One identity per object through time, 0 is background.
    parents : dict of int to int
        Daughter identity to mother identity.
    transmitted : bool
        Whether the picture is made by light passing through (bright background), which neither bleaches nor is dim.
    """

    signal: FloatArray
    labels: LabelArray
    parents: dict[int, int] = field(default_factory=dict)
    transmitted: bool = False


def empty_scene_arrays(frames: int, shape: tuple[int, int]) -> tuple[FloatArray, LabelArray]:
    """Zeroed signal and label arrays of shape (frames, Y, X)."""
    return np.zeros((frames, *shape), np.float32), np.zeros((frames, *shape), np.uint16)
