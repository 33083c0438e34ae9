"""Pictures and videos of a tracked movie: the masks over the frames."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from src_model.cli.files import check_writable
from src_model.errors import DamagedFrameError, MissingExtraError

if TYPE_CHECKING:
    from src_model.cli.overlay import Click, Picture, Style
    from src_model.document import DocumentView
    from src_model.frames import FrameSource

SUFFIXES = (".png", ".jpg", ".jpeg", ".mp4")

SHEET_WIDTH = 1600
"""Pixels of a picture, about."""

_SHEET_FRAMES = 6
_VIDEO_SIDE = (480, 1280)
"""The longer side of a video is brought into these limits."""
_VIDEO_RATE = 10


def check_preview_path(path: Path, *, sources: Collection[Path] = (), force: bool = False) -> None:
    """Find out before hours of work whether a preview can and may be written.

    Parameters
    ----------
    path
        The picture or video that is to be written.
    sources, force
        As in :func:`~src_model.formats.target.check_target`.

    Raises
    ------
    typer.BadParameter
        If the suffix is unknown or the place cannot or must not be written to.
    MissingExtraError
        If this is a video and PyAV is not installed.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise typer.BadParameter(f"'{path}' must end in {', '.join(SUFFIXES)}", param_hint="--preview")
    from src_model.formats.marks import is_our_picture

    is_video = path.suffix.lower() == ".mp4"
    if is_video:
        _import_av(path)
    check_writable(path, "--preview", _is_our_video if is_video else is_our_picture, sources=sources, force=force)


def preview_length(path: Path, span: range) -> int:
    """How many frames a preview draws."""
    return len(span) if path.suffix.lower() == ".mp4" else len(spread_frames(span, _SHEET_FRAMES))


def write_preview(
    path: Path,
    document: DocumentView,
    movie: FrameSource,
    span: range,
    on_frame: Callable[[], None] = lambda: None,
) -> Path:
    """Draw the masks of a document over its movie.

    Parameters
    ----------
    path
        Ends in .png or .jpg for a sheet of a few frames, spread evenly, or in .mp4 for a video of all.
    document
        The masks and clicks, and how pixel values become 0 to 1.
    movie
        The movie of the document, whose frames are read.
    span
        The frames to be shown.
    on_frame
        Called after each frame.
    """
    if path.suffix.lower() == ".mp4":
        _write_video(path, document, movie, span, on_frame)
    else:
        _write_sheet(path, document, movie, span, on_frame)
    return path


def draw_frame(
    document: DocumentView, movie: FrameSource, frame: int, size: tuple[int, int], style: Style | None = None
) -> Picture:
    """Draw one frame with all masks and clicks on it: ``(height, width, 3)`` uint8. A damaged one is black."""
    import numpy as np

    from src_model.cli.overlay import draw_overlay

    masks = {number: entry.mask for number, entry in document.masks_at(frame).items()}
    normalization = document.project.normalization
    assert normalization is not None, "decided before tracking"
    try:
        image = normalization.apply(movie.read(frame))
    except DamagedFrameError:
        image = np.zeros((*document.movie.frame_shape, 3), np.float32)
    return draw_overlay(image, masks, size, clicks=clicks_on(document, frame), style=style)


def clicks_on(document: DocumentView, frame: int) -> list[Click]:
    """Where somebody clicked on a frame, for any object."""
    from src_model.cli.overlay import Click

    prompts = [prompt for number in document.objects if (prompt := document.prompt(number, frame)) is not None]
    return [
        Click(y, x, positive=bool(label))
        for prompt in prompts
        for (y, x), label in zip(prompt.points, prompt.labels, strict=True)
    ]


def spread_frames(span: range, count: int) -> list[int]:
    """Choose frames spread evenly, the first and the last among them."""
    if len(span) <= count:
        return list(span)
    return [span[round(place * (len(span) - 1) / (count - 1))] for place in range(count)]


def _write_sheet(
    path: Path, document: DocumentView, movie: FrameSource, span: range, on_frame: Callable[[], None]
) -> None:
    from src_model.cli.overlay import Style
    from src_model.cli.sheets import GAP, Tile, compose, save_sheet

    frames = spread_frames(span, _SHEET_FRAMES)
    columns = min(3, len(frames))
    width = (SHEET_WIDTH - GAP * (columns - 1)) // columns
    height = max(1, round(width * document.movie.frame_shape[0] / document.movie.frame_shape[1]))
    tiles = []
    for index, frame in enumerate(frames):
        row, column = divmod(index, columns)
        picture = draw_frame(document, movie, frame, (height, width), Style(line=1.8, mark=3.5))
        tiles.append(Tile(picture, f"frame {frame}", (row * (height + GAP), column * (width + GAP))))
        on_frame()
    save_sheet(path, compose(tiles, letters=18))


def _write_video(
    path: Path, document: DocumentView, movie: FrameSource, span: range, on_frame: Callable[[], None]
) -> None:
    from src_model.files import replacing
    from src_model.formats.marks import SOFTWARE

    av = _import_av(path)
    height, width = video_size(document.movie.frame_shape)
    with replacing(path) as part, av.open(str(part), "w", format="mp4") as container:
        container.metadata["comment"] = SOFTWARE
        stream = _video_stream(av, container)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in span:
            picture = av.VideoFrame.from_ndarray(draw_frame(document, movie, frame, (height, width)), format="rgb24")
            container.mux(stream.encode(picture))
            on_frame()
        container.mux(stream.encode())


def _is_our_video(path: Path) -> bool:
    av = _import_av(path)
    try:
        with av.open(str(path)) as container:
            return str(container.metadata.get("comment", "")).startswith("sam2v ")
    except (OSError, ValueError):  # FFmpeg's errors are of these kinds
        return False


def video_size(shape: Sequence[int]) -> tuple[int, int]:
    """Choose (height, width) of a video of frames of ``shape``: both even, as the codec wants."""
    longest = max(shape)
    target = min(max(longest, _VIDEO_SIDE[0]), _VIDEO_SIDE[1])
    # Small movies are enlarged by a whole number, so that their pixels stay equal.
    scale = math.ceil(target / longest) if target > longest else target / longest
    height, width = (max(2, round(side * scale / 2) * 2) for side in shape)
    return height, width


def _video_stream(av: Any, container: Any) -> Any:
    """H.264 where the installation has an encoder for it, else MPEG-4, which plays almost as widely."""
    if "libx264" in av.codecs_available:
        return container.add_stream("libx264", rate=Fraction(_VIDEO_RATE), options={"crf": "18"})
    stream = container.add_stream("mpeg4", rate=Fraction(_VIDEO_RATE))
    stream.bit_rate = 8_000_000
    return stream


def _import_av(path: Path) -> Any:
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("av", "video", f"writing '{path}'") from error
    return av
