"""Recordings in memory, as sources of clips want them: labelled movies whole or in part, and videos without truth."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from src_model.errors import MissingExtraError, MovieError
from src_model.frames import decide_normalization
from training_recipe.clips.clip import BoolArray, ByteArray, Footage
from training_recipe.clips.photometry import stretch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from src_model.datasets import LabelledMovie
    from src_model.frames import Normalization


@lru_cache(maxsize=64)
def read_footage(movie: LabelledMovie, longest: int = 640) -> Footage:
    """Read all labelled frames of a movie, its long side at most `longest` pixels; its objects count as one."""
    pictures, truths = [], []
    for frame in movie.labelled_frames:
        pictures.append(_shrink(_seen(movie, frame), longest))
        truths.append(_shrink_mask(movie.labels(frame) > 0, longest))
    return Footage(np.stack(pictures), np.stack(truths))


def read_object(movie: LabelledMovie, object_id: int, frames: Sequence[int], longest: int | None = 640) -> Footage:
    """Read one object on some frames; nothing is kept, so that any number of movies can be drawn from."""
    images = np.stack([_shrink(_seen(movie, frame), longest) for frame in frames])
    masks = np.stack([_shrink_mask(movie.mask(object_id, frame), longest) for frame in frames])
    return Footage(images, masks)


@lru_cache(maxsize=1024)
def read_still(movie: LabelledMovie, frame: int = 0, longest: int = 720) -> tuple[ByteArray, NDArray[np.uint16]]:
    """Read a labelled frame as a still: image (Y, X, 3) uint8, stretched if gray, and labels (Y, X) uint16."""
    picture = movie.movie.read(frame)
    if picture.ndim == 2:
        gray = stretch(_stretchable(picture[None]), percentiles=(0.2, 99.8))[0]
        picture = np.repeat(gray[..., None], 3, axis=-1)
    elif picture.dtype != np.uint8:
        picture = stretch(_stretchable(picture[None]), percentiles=(0.2, 99.8))[0]
    truth = movie.labels(frame).astype(np.uint16)
    if max(picture.shape) > longest:
        picture = _shrink(picture, longest)
        size = (picture.shape[1], picture.shape[0])
        truth = np.asarray(cv2.resize(truth, size, interpolation=cv2.INTER_NEAREST), np.uint16)
    return np.ascontiguousarray(picture), truth


@lru_cache(maxsize=4)
def read_tracked(movie: LabelledMovie) -> tuple[ByteArray, NDArray[np.int32]]:
    """Read a tracked gray movie whole: (T, Y, X) uint8, stretched, and labels (T, Y, X)."""
    frames = movie.labelled_frames
    stack = np.stack([movie.movie.read(frame) for frame in frames])
    truth = np.stack([movie.labels(frame) for frame in frames])
    return stretch(_stretchable(stack), percentiles=(0.5, 99.5)), truth


@lru_cache(maxsize=64)
def read_video(path: Path, longest: int = 512, every: int = 3, most: int = 28) -> ByteArray:
    """Every third or so frame of a video, (T, Y, X, 3) RGB, at most `most` of them."""
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("av", "recipe", "reading training videos") from error
    pictures: list[ByteArray] = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for index, frame in enumerate(container.decode(stream)):
            if index % every == 0:
                pictures.append(_shrink(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8), longest))
            if len(pictures) == most:
                break
    if not pictures:
        raise MovieError(f"{path} holds no frames")
    return np.stack(pictures)


@lru_cache(maxsize=256)
def _normalization(movie: LabelledMovie) -> Normalization:
    """Decide what a tracker would see of the movie."""
    return decide_normalization(movie.movie, sample_frames=8)


def _seen(movie: LabelledMovie, frame: int) -> ByteArray:
    """Read a frame as a tracker sees it, (Y, X, 3) uint8."""
    image = movie.movie.read(frame)
    if image.ndim == 3 and image.dtype == np.uint8:
        return image
    return np.asarray(np.rint(_normalization(movie).apply(image) * 255), np.uint8)


def _stretchable(values: np.ndarray) -> NDArray[np.uint16]:
    """16 bits where that is exact; else floats, which the stretching takes as well."""
    exact = values.dtype.kind in "bu" and values.dtype.itemsize <= 2
    return values.astype(np.uint16 if exact else np.float32)


def _shrink(image: ByteArray, longest: int | None) -> ByteArray:
    scale = 1.0 if longest is None else longest / max(image.shape[:2])
    if scale >= 1:
        return image
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    return np.asarray(cv2.resize(np.ascontiguousarray(image), size, interpolation=cv2.INTER_AREA), np.uint8)


def _shrink_mask(mask: BoolArray, longest: int | None) -> BoolArray:
    return _shrink(mask.astype(np.uint8) * np.uint8(255), longest) >= 128
