"""Reading the real recordings training uses: DAVIS folders, videos without truth, labelled stills, a tracked movie."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from src_model.errors import MissingExtraError, MovieError
from src_model.training.clips.clip import ByteArray, Footage
from src_model.training.clips.photometry import stretch

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

STILLS_HELD_OUT = 60


def davis_names(folder: Path, *, held_out: bool) -> list[str]:
    """Sequences of a DAVIS folder by name: even positions train, odd ones evaluate."""
    names = sorted(path.name for path in (folder / "JPEGImages").iterdir() if path.is_dir())
    return names[1::2] if held_out else names[0::2]


@lru_cache(maxsize=64)
def read_davis(folder: Path, name: str, longest: int = 640) -> Footage:
    """Read a DAVIS sequence, its long side at most `longest` pixels."""
    pictures, truths = [], []
    for path in sorted((folder / "JPEGImages" / name).glob("*.jpg")):
        pictures.append(_shrink(read_rgb(path), longest))
        truth = cv2.imread(str(folder / "Annotations" / name / f"{path.stem}.png"), cv2.IMREAD_GRAYSCALE)
        if truth is None:
            raise MovieError(f"frame {path.stem} of {name} has no annotation in {folder / 'Annotations'}")
        truths.append(_shrink(np.asarray(truth, np.uint8), longest) >= 128)
    if not pictures:
        raise MovieError(f"{folder / 'JPEGImages' / name} holds no .jpg frames")
    return Footage(np.stack(pictures), np.stack(truths))


@lru_cache(maxsize=64)
def read_video(path: Path, longest: int = 512, every: int = 3, most: int = 28) -> ByteArray:
    """Every third or so frame of a video, (T, Y, X, 3) RGB, at most `most` of them."""
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("av", "train", "reading training videos") from error
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


def still_paths(folder: Path, *, held_out: bool) -> list[Path]:
    """Labelled stills of a folder with images/ and labels/; the last 60 by name are held out."""
    paths = sorted((folder / "images").glob("*.png"))
    return paths[-STILLS_HELD_OUT:] if held_out else paths[:-STILLS_HELD_OUT]


@lru_cache(maxsize=1024)
def read_still(path: Path, longest: int = 720) -> tuple[ByteArray, NDArray[np.uint16]]:
    """Read a labelled still: image (Y, X, 3) uint8, stretched if gray, and labels (Y, X) uint16."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    labels = cv2.imread(str(path.parent.parent / "labels" / path.name), cv2.IMREAD_UNCHANGED)
    if image is None or labels is None:
        raise MovieError(f"{path} or its labels of the same name cannot be read")
    picture = np.asarray(image)
    if picture.ndim == 2:
        gray = stretch(picture[None].astype(np.uint16), percentiles=(0.2, 99.8))[0]
        picture = np.repeat(gray[..., None], 3, axis=-1)
    else:
        picture = picture[..., 2::-1].astype(np.uint8)
    truth = np.asarray(labels).astype(np.uint16)
    if max(picture.shape) > longest:
        picture = _shrink(np.ascontiguousarray(picture), longest)
        size = (picture.shape[1], picture.shape[0])
        truth = np.asarray(cv2.resize(truth, size, interpolation=cv2.INTER_NEAREST), np.uint16)
    return np.ascontiguousarray(picture), truth


@lru_cache(maxsize=4)
def read_tracked_movie(images: Path, labels: Path) -> tuple[ByteArray, NDArray[np.uint16]]:
    """Read a tracked gray movie from two TIFF stacks: (T, Y, X) uint8, stretched, and labels (T, Y, X) uint16."""
    stack, truth = _read_stack(images), _read_stack(labels)
    if stack.shape != truth.shape:
        raise MovieError(f"{images} is {stack.shape} but {labels} is {truth.shape}: they must be equal")
    return stretch(stack, percentiles=(0.5, 99.5)), truth


def _read_stack(path: Path) -> NDArray[np.uint16]:
    read, pages = cv2.imreadmulti(str(path), flags=cv2.IMREAD_UNCHANGED)
    if not read:
        raise MovieError(f"{path} cannot be read as a TIFF stack")
    return np.stack([np.asarray(page, np.uint16) for page in pages])


def read_rgb(path: Path) -> ByteArray:
    """Read an image file as (Y, X, 3) uint8 RGB."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise MovieError(f"{path} cannot be read as an image")
    return np.ascontiguousarray(np.asarray(image, np.uint8)[..., ::-1])


def _shrink(image: ByteArray, longest: int) -> ByteArray:
    scale = longest / max(image.shape[:2])
    if scale >= 1:
        return image
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
