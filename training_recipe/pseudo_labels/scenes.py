"""Scenes of a video: a few neighbouring frames without a cut, unlike the scenes taken before."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np

from src_model.frames import open_movie

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from training_recipe.clips.clip import ByteArray

_THUMBNAIL = (64, 36)
_CUT = 0.35
"""Share of two frames' colors that must differ for a cut between them."""
_EDGE = 2
"""Frames at either end of a shot that are left out: fades, and the frame before a cut is often broken."""
_CHANGE = 0.10
"""Mean change of thumbnails (of 0..1) over a scene that is aimed at by the stride."""


SceneFrames = tuple[int, ...]
"""Frame numbers of a scene, from 0, ascending at one stride."""


@dataclass(frozen=True, slots=True)
class Overview:
    """A whole video in thumbnails.

    Attributes
    ----------
    thumbnails : (T, 36, 64, 3) float32
        Every frame of the video, made small, colors in 0..1.
    cuts : tuple of int
        First frame numbers of the shots after the first.
    """

    thumbnails: NDArray[np.float32]
    cuts: tuple[int, ...]


def survey(video: Path) -> Overview:
    """Look through a video once."""
    movie = open_movie(video)
    small = [cv2.resize(movie.read(frame), _THUMBNAIL, interpolation=cv2.INTER_AREA) for frame in range(len(movie))]
    colors = np.stack([_histogram(np.asarray(picture, np.uint8)) for picture in small])
    apart = 0.5 * np.abs(np.diff(colors, axis=0)).sum(axis=1)
    thumbnails = np.stack(small).astype(np.float32) / np.float32(255)
    return Overview(thumbnails, tuple(int(cut) + 1 for cut in np.flatnonzero(apart > _CUT)))


def _histogram(picture: ByteArray) -> NDArray[np.float64]:
    bins = (picture // 64).reshape(-1, 3) @ np.array([16, 4, 1])
    return np.bincount(bins, minlength=64) / len(bins)


def choose_scenes(overview: Overview, count: int, length: int) -> list[SceneFrames]:
    """Choose up to `count` scenes of `length` frames (fewer in short shots), the most unlike ones first.

    The first is the one with the most change; each next one lies farthest from those before. Calm scenes get a larger
    stride, up to 3.
    """
    options = _options(overview, length)
    if not options:
        return []
    thumbnails = overview.thumbnails
    keys = np.stack([thumbnails[scene[0]] for scene in options])
    busy = np.array([np.abs(thumbnails[scene[0]] - thumbnails[scene[-1]]).mean() for scene in options])
    chosen = [int(np.argmax(busy))]
    while len(chosen) < min(count, len(options)):
        distance = np.stack([np.abs(keys - keys[index]).mean(axis=(1, 2, 3)) for index in chosen]).min(axis=0)
        unlike = int(np.argmax(distance + 0.5 * busy - 1e3 * np.isin(np.arange(len(options)), chosen)))
        if any(set(options[unlike]) & set(options[index]) for index in chosen):
            break
        chosen.append(unlike)
    return [options[index] for index in chosen]


def _options(overview: Overview, length: int) -> list[SceneFrames]:
    edges = [0, *overview.cuts, len(overview.thumbnails)]
    options = []
    for first, last in pairwise(edges):
        inside = range(first + (_EDGE if first else 0), last - _EDGE)
        for start in range(inside.start, inside.stop, max(1, length // 2)):
            stride = _stride(overview.thumbnails[start : start + length])
            frames = tuple(frame for frame in range(start, start + stride * length, stride) if frame in inside)
            if len(frames) == length or (len(frames) >= length // 2 and len(inside) < 2 * length):
                options.append(frames)
    return options


def _stride(thumbnails: NDArray[np.float32]) -> int:
    """Stride at which a stretch of `len(thumbnails)` frames would change enough."""
    change = float(np.abs(thumbnails[-1] - thumbnails[0]).mean())
    return int(np.clip(round(_CHANGE / max(change, 1e-3)), 1, 3))
