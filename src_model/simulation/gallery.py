"""A picture of every kind of simulated movie: frames through time, and the truth drawn over the last one.

Run as ``python -m src_model.simulation.gallery out.png``.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from src_model.simulation.movie import SIMULATED_KINDS, SimulatedMovie, simulate_movie

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TILE = 160
_SHOWN = (0, 8)


def outlined(image: NDArray[np.uint8], labels: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Draw the border of every label in a colour of its own over a gray image: (Y, X) -> (Y, X, 3)."""
    picture = np.repeat(image[..., None], 3, axis=-1)
    kernel = np.ones((3, 3), np.uint8)
    as_float = labels.astype(np.float32)
    border = (cv2.dilate(as_float, kernel) != cv2.erode(as_float, kernel)) & (labels > 0)
    palette = np.random.default_rng(3).integers(90, 256, (997, 3), dtype=np.int64).astype(np.uint8)
    picture[border] = palette[labels[border] % 997]
    return picture


def to_8_bit(images: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Stretch a movie between its 0.5 and 99.5 percentiles."""
    low, high = np.percentile(images, (0.5, 99.5))
    result: NDArray[np.uint8] = np.clip(
        (images.astype(np.float32) - low) * (255 / max(float(high - low), 1e-6)), 0, 255
    ).astype(np.uint8)
    return result


def _strip(movie: SimulatedMovie) -> NDArray[np.uint8]:
    images = to_8_bit(movie.images)
    tiles = [np.repeat(images[frame][..., None], 3, axis=-1) for frame in _SHOWN]
    tiles.append(outlined(images[_SHOWN[-1]], movie.labels[_SHOWN[-1]]))
    return np.hstack([np.pad(tile, ((2, 2), (2, 2), (0, 0)), constant_values=255) for tile in tiles])


def gallery(seed: int, samples: int) -> NDArray[np.uint8]:
    """One row per kind with `samples` movies side by side: (Y, X, 3) uint8."""
    rows = []
    for kind in SIMULATED_KINDS:
        movies = [simulate_movie(kind, seed + index, _SHOWN[-1] + 1, (_TILE, _TILE)) for index in range(samples)]
        rows.append(np.hstack([_strip(movie) for movie in movies]))
    return np.vstack(rows)


def main() -> None:
    """Write the gallery named on the command line."""
    parser = argparse.ArgumentParser(description="Write a picture of every kind of simulated movie.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--samples", type=int, default=2, help="movies of each kind")
    arguments = parser.parse_args()
    picture = gallery(arguments.seed, arguments.samples)
    if not cv2.imwrite(str(arguments.out), picture[..., ::-1]):
        raise SystemExit(f"cannot write {arguments.out}: is the folder there, and does the name end in .png?")


if __name__ == "__main__":
    main()
