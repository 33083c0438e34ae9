"""Reading XML files of TrackMate. They come from anywhere: no declared entities, bounded sizes, no tree in memory."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

import numpy as np

from src_model.errors import FormatError, StoppedError
from src_model.formats.linked_spots import MAX_SPOTS, Spot, checked_shape, extent_of, imported_spots
from src_model.formats.marks import head_of
from src_model.formats.report import counted
from src_model.formats.run import never, no_progress
from src_model.formats.trackmate import OBJECT, OBJECT_SCORE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

    from numpy.typing import NDArray

    from src_model.formats.importing import Imported
    from src_model.formats.run import Progress

_MOST_BYTES: Final = 2**31
_MOST_OUTLINE: Final = 2**20
"""Characters of an outline: fifty thousand vertices."""
_CHUNK: Final = 2**16
_KEPT: Final[tuple[str, ...]] = (
    "FRAME",
    "POSITION_X",
    "POSITION_Y",
    "RADIUS",
    "QUALITY",
    "VISIBILITY",
    "name",
    OBJECT,
    OBJECT_SCORE,
)


def is_trackmate(path: Path) -> bool:
    """Tell whether a file begins as those that TrackMate writes."""
    return path.suffix.lower() == ".xml" and path.is_file() and b"<TrackMate" in head_of(path)


def read_trackmate(
    path: str | PathLike[str],
    *,
    shape: tuple[int, int, int] | None = None,
    progress: Progress = no_progress,
    cancelled: Callable[[], bool] = never,
) -> Imported:
    """Read a file of TrackMate as it shows it: without what its filters hide.

    Spots with an outline become masks, others discs of their radius.

    Parameters
    ----------
    path
        The file.
    shape
        ``(T, Y, X)`` of the movie, for files that do not tell; left out, it is large enough for all spots.
    progress
        Told how many bytes are read, and of how many.
    cancelled
        Asked now and then whether to stop.

    Raises
    ------
    FormatError
        If it is no such file, damaged, too large, of a volume, or contradicts itself.
    StoppedError
        If ``cancelled`` said so.
    """
    file = Path(path)
    parser = _TrackMateParser(file.name)
    try:
        size = file.stat().st_size
        if size > _MOST_BYTES:
            raise FormatError(f"'{path}' has {size} bytes: files of TrackMate have {_MOST_BYTES} at most")
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                if cancelled():
                    raise StoppedError(f"reading '{path}' was stopped")
                parser.feed(chunk)
                progress(min(stream.tell(), size), size)
        parser.feed(b"", last=True)
    except (expat.ExpatError, LookupError) as error:  # the latter of an encoding that nobody knows
        raise FormatError(f"'{path}' is damaged XML: {error}") from error
    except OSError as error:
        raise FormatError(f"'{path}' cannot be read: {error}") from error
    return parser.imported(shape)


class _TrackMateParser:
    """Collects spots and edges while a file comes by."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._root = ""
        self._image: dict[str, str] = {}
        self._spots: dict[int, tuple[dict[str, str], NDArray[np.float64] | None]] = {}
        self._edges: dict[int, list[tuple[int, int]]] = {}
        self._track = 0
        self._shown: set[int] | None = None
        self._frame = ""
        self._outline: list[str] = []
        self._outline_length = 0
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._spot: dict[str, str] | None = None

    def feed(self, chunk: bytes, *, last: bool = False) -> None:
        """Read on, or raise FormatError or ExpatError."""
        self._parser.Parse(chunk, last)

    def imported(self, shape: tuple[int, int, int] | None) -> Imported:
        """Make objects of what was read."""
        pixel = self._pixel_size()
        hidden = [edge for track, edges in self._edges.items() if not self._is_shown(track) for edge in edges]
        gone = {number for edge in hidden for number in edge}
        gone |= {number for number, (row, _) in self._spots.items() if row.get("VISIBILITY", "1") in ("0", "0.0")}
        notes = [f"{counted(len(gone), 'spots')} hidden by filters of TrackMate left out."] if gone else []
        spots = {
            number: self._made(number, row, offsets, pixel)
            for number, (row, offsets) in self._spots.items()
            if number not in gone
        }
        edges = [edge for track, found in self._edges.items() if self._is_shown(track) for edge in found]
        size = checked_shape(self._name, self._shape() or shape or extent_of(spots.values()))
        return imported_spots(self._name, spots, (edge for edge in edges if not gone.intersection(edge)), size, notes)

    def _refuse_doctype(self, *_: object) -> None:
        raise FormatError(f"'{self._name}' declares a document type, which files of TrackMate never do: it is not read")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._root:
            self._root = tag
            if tag != "TrackMate":
                raise FormatError(f"'{self._name}' is no file of TrackMate: it begins with <{tag}>, not <TrackMate>")
        if tag == "ImageData":
            self._image = attributes
        elif tag == "SpotsInFrame":
            self._frame = attributes.get("frame", "")
        elif tag == "Spot":
            self._spot, self._outline, self._outline_length = attributes, [], 0
        elif tag == "Track":
            self._track = self._whole(attributes, "TRACK_ID", "a track")
        elif tag == "Edge":
            ends = [self._whole(attributes, key, "an edge") for key in ("SPOT_SOURCE_ID", "SPOT_TARGET_ID")]
            self._edges.setdefault(self._track, []).append((ends[0], ends[1]))
        elif tag == "FilteredTracks":
            self._shown = set()
        elif tag == "TrackID" and self._shown is not None:
            self._shown.add(self._whole(attributes, "TRACK_ID", "a filtered track"))

    def _text(self, text: str) -> None:
        if self._spot is not None:
            self._outline_length += len(text)
            if self._outline_length > _MOST_OUTLINE:
                raise FormatError(
                    f"spot {self._spot.get('ID')} of '{self._name}' has an outline of more than {_MOST_OUTLINE} "
                    "characters"
                )
            self._outline.append(text)

    def _end(self, tag: str) -> None:
        if tag != "Spot" or self._spot is None:
            return
        number = self._whole(self._spot, "ID", "a spot")
        if number in self._spots:
            raise FormatError(f"'{self._name}' has two spots with the ID {number}: expected each once")
        if len(self._spots) >= MAX_SPOTS:
            raise FormatError(f"'{self._name}' has more than {MAX_SPOTS} spots: expected at most that many")
        self._spot.setdefault("FRAME", self._frame)
        # A spot has dozens of features, and files millions of spots.
        row = {key: self._spot[key] for key in _KEPT if key in self._spot}
        vertices = self._whole({"ROI_N_POINTS": "0", **self._spot}, "ROI_N_POINTS", f"spot {number}")
        self._spots[number] = row, self._vertices(vertices, f"spot {number}") if vertices > 2 else None
        self._spot = None

    def _is_shown(self, track: int) -> bool:
        return self._shown is None or track in self._shown

    def _shape(self) -> tuple[int, int, int] | None:
        """Return ``(T, Y, X)`` of the movie; None where the file does not tell."""
        if not {"nframes", "height", "width"} <= self._image.keys():
            return None
        planes = self._whole({"nslices": "1", **self._image}, "nslices", "the image")
        length, height, width = (self._whole(self._image, key, "the image") for key in ("nframes", "height", "width"))
        if planes > 1:
            raise FormatError(f"'{self._name}' is of a volume of {planes} planes: only flat movies can be annotated")
        return length, height, width

    def _pixel_size(self) -> tuple[float, float]:
        """Return the height and width of a pixel in the units of positions."""
        image = {"pixelheight": "1", "pixelwidth": "1", **self._image}
        sizes = [self._number(image, key, "the image") for key in ("pixelheight", "pixelwidth")]
        if min(sizes) <= 0:
            raise FormatError(
                f"'{self._name}' gives pixels a size of {sizes[0]} x {sizes[1]}: expected positive numbers"
            )
        return sizes[0], sizes[1]

    def _made(
        self, number: int, row: Mapping[str, str], offsets: NDArray[np.float64] | None, pixel: tuple[float, float]
    ) -> Spot:
        where = f"spot {number}"
        frame = self._whole(row, "FRAME", where)
        y, x = (self._number(row, f"POSITION_{axis}", where) for axis in "YX")
        outline = None if offsets is None else (offsets[:, ::-1] + (y, x)) / pixel + 0.5
        radius = self._number(row, "RADIUS", where) if offsets is None else 0.0
        ours = self._whole({OBJECT: "0", **row}, OBJECT, where)
        scores = [self._number({key: "1", **row}, key, where) for key in ("QUALITY", OBJECT_SCORE)] if ours else [1, 1]
        name = row.get("name", "")
        return Spot(
            frame,
            y / pixel[0],
            x / pixel[1],
            outline,
            (radius / pixel[0], radius / pixel[1]),
            ours,
            "" if name == f"ID{number}" else name,
            scores[0],  # quality means anything elsewhere: an area, a contrast
            scores[1],
        )

    def _vertices(self, count: int, where: str) -> NDArray[np.float64]:
        """Return the ``(N, 2)`` offsets ``(x, y)`` of an outline."""
        try:
            values = np.array([float(part) for part in "".join(self._outline).split()])
        except ValueError as error:
            raise FormatError(f"the outline of {where} of '{self._name}' is damaged: {error}") from error
        if len(values) < 2 * count or not np.isfinite(values).all():
            raise FormatError(
                f"the outline of {where} of '{self._name}' is damaged: expected {2 * count} finite numbers for {count} "
                f"vertices, got {len(values)}"
            )
        return values[: 2 * count].reshape(-1, 2)

    def _number(self, row: Mapping[str, str], key: str, where: str) -> float:
        try:
            value = float(row[key])
        except KeyError:
            raise FormatError(f"{where} of '{self._name}' has no {key}: expected a number") from None
        except ValueError:
            value = math.nan
        if not abs(value) < 2**31:  # nor what is no number
            raise FormatError(f"{where} of '{self._name}' has {key} {row[key]!r:.40}: expected a number")
        return value

    def _whole(self, row: Mapping[str, str], key: str, where: str) -> int:
        value = self._number(row, key, where)
        if value != int(value):
            raise FormatError(f"{where} of '{self._name}' has {key} {row[key]!r:.40}: expected a whole number")
        return int(value)
