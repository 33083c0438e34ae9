"""The picture of the demo: a large first frame with the clicks, and how it went on beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from src_model.cli.overlay import Style
from src_model.cli.preview import SHEET_WIDTH, draw_frame, spread_frames
from src_model.cli.sheets import GAP, Tile, compose, save_sheet

if TYPE_CHECKING:
    from src_model.document import DocumentView
    from src_model.frames import FrameSource

_MAX_HEIGHT = 1400
_LETTERS = 24
_LARGE, _SMALL = Style(line=2.4, mark=5.5), Style(line=1.9, mark=3.5)


def draw_demo(path: Path, document: DocumentView, movie: FrameSource, caption: Callable[[int], str]) -> Path:
    """Draw the first, a middle and the last frame with masks, and save them as one PNG.

    Parameters
    ----------
    path
        The PNG file to be written.
    document, movie
        The masks and prompts, and their movie.
    caption
        Gives the text that is written on a frame, by its number.
    """
    frames = spread_frames(range(len(movie)), 3)
    large, small = panel_sizes(document.movie.frame_shape, alone=len(frames) == 1)
    tiles = [Tile(draw_frame(document, movie, frames[0], large, _LARGE), caption(frames[0]))]
    for place, frame in enumerate(frames[1:]):
        corner = (place * (large[0] - small[0]), large[1] + GAP)
        tiles.append(Tile(draw_frame(document, movie, frame, small, _SMALL), caption(frame), corner))
    save_sheet(path, compose(tiles, letters=_LETTERS))
    return path


def panel_sizes(shape: tuple[int, int], *, alone: bool) -> tuple[tuple[int, int], tuple[int, int]]:
    """(height, width) of the large panel and of the small ones, two of which stand beside it.

    Parameters
    ----------
    shape
        ``(Y, X)`` of the movie.
    alone
        Whether the large panel is the only one.
    """
    flatness = shape[1] / shape[0]
    # Two small panels and the gap between them are as high as the large one; together they fill the width.
    small_width = SHEET_WIDTH / 2 if alone else (SHEET_WIDTH - GAP - GAP * flatness) / 3
    height = round(min(2 * small_width / flatness + GAP, _MAX_HEIGHT))
    small_height = max(1, (height - GAP) // 2)
    return (height, max(1, round(height * flatness))), (small_height, max(1, round(small_height * flatness)))
