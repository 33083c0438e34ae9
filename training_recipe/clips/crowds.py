"""Scenes with many objects to be prompted at once: the image is encoded once for all of them.

Small cells among many alike, each meant by one click, are what a decoder made for photographs has never seen; one
encoded image of a crowd gives a dozen such examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from training_recipe.clips.clip import BoolArray, ByteArray, without_slivers
from training_recipe.clips.finishing import mirror
from training_recipe.clips.framing import Window, cut
from training_recipe.clips.photometry import vary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from training_recipe.clips.stills import Still

_ATTEMPTS = 60
_LEAST_AREA_AT_224 = 30
_LEAST_SHARE_OF_FRAME = 0.35

Scene = tuple[ByteArray, NDArray[np.uint16]]
"""Images (T, Y, X[, 3]) and labels (T, Y, X)."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Some frames and many objects of them.

    Attributes
    ----------
    images : (T, S, S, 3)
    masks : (K, T, S, S), each shown in the first frame; objects are repeated where there are fewer than K
    """

    images: ByteArray
    masks: BoolArray


class SceneSource(Protocol):
    """Anything that gives scenes."""

    def scene(self, rng: np.random.Generator, frames: int) -> Scene:
        """Take some frames whole: images (frames, Y, X[, 3]) and labels (frames, Y, X)."""
        ...


class CrowdSource:
    """Crowds from movies of many objects and, for single frames, from labelled stills.

    Parameters
    ----------
    movies : sources of microscopy, simulated or recorded
    stills : labelled images of microscopy
    still_share : share of the single frames of microscopy that are stills
    natural : source of natural scenes, which are neither turned upside down nor inverted
    natural_share : share of the crowds that are natural
    """

    def __init__(
        self,
        movies: Sequence[SceneSource],
        stills: Sequence[Callable[[], Still]],
        *,
        still_share: float = 0.35,
        natural: SceneSource | None = None,
        natural_share: float = 0.35,
    ) -> None:
        self._movies, self._stills, self._natural = list(movies), list(stills), natural
        self._still_share = still_share if stills else 0.0
        self._natural_share = natural_share

    def sample(self, rng: np.random.Generator, *, frames: int, size: int, objects: int) -> Crowd:
        """Draw a crowd of `objects` objects over `frames` frames of `size` pixels."""
        for _ in range(_ATTEMPTS):
            natural = self._natural if self._natural and rng.uniform() < self._natural_share else None
            scene = natural.scene(rng, frames) if natural else self._scene(rng, frames)
            crowd = _framed(scene, rng, size, objects, microscopy=natural is None)
            if crowd is not None:
                return crowd
        raise RuntimeError(f"no crowd of {frames} frames at {size} pixels after {_ATTEMPTS} attempts")

    def _scene(self, rng: np.random.Generator, frames: int) -> Scene:
        if frames == 1 and rng.uniform() < self._still_share:
            image, labels = self._stills[int(rng.integers(len(self._stills)))]()
            return image[None], labels[None]
        return self._movies[int(rng.integers(len(self._movies)))].scene(rng, frames)


def _framed(scene: Scene, rng: np.random.Generator, size: int, objects: int, *, microscopy: bool) -> Crowd | None:
    """Cut a random window out of a scene; None where it shows no object well."""
    images, labels = scene
    window = _window(labels.shape[1:], rng)
    pictures = np.stack([cut(image, window, size) for image in images])
    if pictures.ndim == 3:
        pictures = np.repeat(pictures[..., None], 3, axis=3)
    identities = np.stack([_cut_labels(frame, window, size) for frame in labels])
    pictures, identities = mirror(pictures, identities, rng, any_way_up=microscopy)
    areas = np.bincount(identities[0].ravel())
    areas[0] = 0
    good = np.flatnonzero(areas >= _LEAST_AREA_AT_224 * (size / 224) ** 2)
    if len(good) < 2:
        return None
    chosen = rng.choice(good, objects, replace=len(good) < objects)
    masks = np.stack([without_slivers(identities == identity) for identity in chosen])
    return Crowd(np.ascontiguousarray(vary(pictures, rng, microscopy=microscopy)), masks)


def _window(shape: tuple[int, ...], rng: np.random.Generator) -> Window:
    share = rng.uniform(_LEAST_SHARE_OF_FRAME, 1.0) if rng.uniform() < 0.6 else 1.0
    height, width = share * shape[0], share * shape[1]
    return float(rng.uniform(0, shape[0] - height)), float(rng.uniform(0, shape[1] - width)), height, width


def _cut_labels(labels: NDArray[np.uint16], window: Window, size: int) -> NDArray[np.uint16]:
    """Cut a window out of labels as `cut` does with images, each pixel taking its nearest label."""
    top, left, height, width = window
    scale_y, scale_x = height / size, width / size
    matrix = np.array([[scale_x, 0, left + 0.5 * scale_x - 0.5], [0, scale_y, top + 0.5 * scale_y - 0.5]])
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(labels, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint16)
