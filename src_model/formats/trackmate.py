"""XML files of TrackMate, the tracking tool of Fiji: spots with outlines, and the edges between them.

Positions and outlines are in the units of the image, relative to the centre of its first pixel; those of an outline are
offsets from the middle of its spot. An outline has no holes and one piece. Reading is in
:mod:`~src_model.formats.trackmate_reader`.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from xml.sax.saxutils import quoteattr

import numpy as np

from src_model.document.units import space_unit, time_unit
from src_model.formats.marks import SOFTWARE, head_of
from src_model.formats.track_graph import LONGEST_TEXT, TrackGraph, note_long_texts
from src_model.masks import centroid, mask_to_polygons

if TYPE_CHECKING:
    from typing import TextIO

    from src_model.document import AnnotatedFrame, MovieIdentity
    from src_model.formats.run import ExportRun
    from src_model.masks import Polygon

OBJECT: Final = "SAM2V_OBJECT"
OBJECT_SCORE: Final = "SAM2V_OBJECT_SCORE"
"""Features of our own at each spot, which TrackMate shows and keeps: object id, and probability that it is there."""

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n<!-- '
_VERSION: Final = "7.11.1"
"""Of TrackMate, whose format is written."""
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_SPOT_FEATURES: Final = (
    ("QUALITY", "Quality", "QUALITY", False),
    ("POSITION_X", "X", "POSITION", False),
    ("POSITION_Y", "Y", "POSITION", False),
    ("POSITION_Z", "Z", "POSITION", False),
    ("POSITION_T", "T", "TIME", False),
    ("FRAME", "Frame", "NONE", True),
    ("RADIUS", "Radius", "LENGTH", False),
    ("VISIBILITY", "Visibility", "NONE", True),
    (OBJECT, "Object of sam2v", "NONE", True),
    (OBJECT_SCORE, "Object score of sam2v", "QUALITY", False),
)
_EDGE_FEATURES: Final = (
    ("SPOT_SOURCE_ID", "Source spot ID", "NONE", True),
    ("SPOT_TARGET_ID", "Target spot ID", "NONE", True),
)
_TRACK_FEATURES: Final = (
    ("TRACK_INDEX", "Track index", "NONE", True),
    ("TRACK_ID", "Track ID", "NONE", True),
    ("NUMBER_SPOTS", "Number of spots in track", "NONE", True),
)
# What TrackMate asks for when it opens a file; nothing was detected or filtered by it.
_SETTINGS: Final = """\
    <DetectorSettings DETECTOR_NAME="MANUAL_DETECTOR" RADIUS="5.0" />
    <InitialSpotFilter feature="QUALITY" value="0.0" isabove="true" />
    <SpotFilterCollection />
    <TrackerSettings TRACKER_NAME="MANUAL_TRACKER" />
    <TrackFilterCollection />
    <AnalyzerCollection>
      <SpotAnalyzers />
      <EdgeAnalyzers />
      <TrackAnalyzers />
    </AnalyzerCollection>
"""


class _Calibration(NamedTuple):
    """World units a frame, a row and a column, and their names as TrackMate writes them."""

    t: float
    y: float
    x: float
    time: str
    space: str


def write_trackmate(run: ExportRun, path: Path) -> None:
    """Write the file.

    Parameters
    ----------
    run
        The document on its way, of which each frame is taken once.
    path
        The file, which does not exist yet.
    """
    movie = run.annotation.movie
    calibration = _calibration(movie)
    graph = TrackGraph(run)
    holes = pieces = 0
    count = sum(len(run.seen_frames(object_id)) for object_id in run.objects)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f'{_HEAD}{SOFTWARE} -->\n<TrackMate version="{_VERSION}">\n')
        file.write(f"  <Model spatialunits={quoteattr(calibration.space)} timeunits={quoteattr(calibration.time)}>\n")
        file.write(_declarations())
        file.write(f'    <AllSpots nspots="{count}">\n')
        for frame, entries in run.frames():
            nodes = graph.step(object_id for object_id, entry in entries.items() if not entry.mask.is_empty)
            file.write(f'      <SpotsInFrame frame="{frame}">\n')
            for object_id, node in nodes.items():
                outlines = mask_to_polygons(entries[object_id].mask)
                largest = max(outlines, key=_area)
                holes += bool(largest.holes)
                pieces += len(outlines) > 1
                label = (object_id, run.objects[object_id].name)
                file.write(_spot(node, frame, entries[object_id], label, largest, calibration))
            file.write("      </SpotsInFrame>\n")
        file.write("    </AllSpots>\n")
        _write_tracks(file, graph)
        file.write("  </Model>\n")
        file.write(_settings(movie, calibration))
        file.write('  <GUIState state="ConfigureViews" />\n</TrackMate>\n')
    run.note("holes", holes, "Outlines have no holes: those of masks are filled.")
    run.note("pieces", pieces, "Outlines have one piece: of masks in several the largest is written.")
    note_long_texts(run, *(info.name for info in run.objects.values()))
    graph.note_changes()


def is_ours(path: Path) -> bool:
    """Tell whether a file begins as those that are written here; TrackMate leaves the mark out when it saves one."""
    return head_of(path).startswith(f"{_HEAD}sam2v ".encode())


def _calibration(movie: MovieIdentity) -> _Calibration:
    time, y, x = time_unit(movie.units[0]), space_unit(movie.units[1]), space_unit(movie.units[2])
    frames = (movie.scale[0], time.symbol) if time is not None else (1.0, "frame")
    if y is None or y != x:
        return _Calibration(frames[0], 1.0, 1.0, frames[1], "pixel")
    return _Calibration(frames[0], movie.scale[1], movie.scale[2], frames[1], y.symbol)


def _declarations() -> str:
    lines = ["    <FeatureDeclarations>"]
    for group, features in (
        ("SpotFeatures", _SPOT_FEATURES),
        ("EdgeFeatures", _EDGE_FEATURES),
        ("TrackFeatures", _TRACK_FEATURES),
    ):
        lines.append(f"      <{group}>")
        for key, name, dimension, whole in features:
            kind = f'dimension="{dimension}" isint="{str(whole).lower()}"'
            lines.append(f'        <Feature feature="{key}" name="{name}" shortname="{name}" {kind} />')
        lines.append(f"      </{group}>")
    return "\n".join((*lines, "    </FeatureDeclarations>\n"))


def _spot(
    node: int,
    frame: int,
    entry: AnnotatedFrame,
    label: tuple[int, str],
    outline: Polygon,
    calibration: _Calibration,
) -> str:
    middle = centroid(entry.mask)
    assert middle is not None, "empty masks are left out"
    offsets = (outline.exterior - 0.5 - middle) * (calibration.y, calibration.x)
    points = " ".join(f"{x:.9g} {y:.9g}" for y, x in offsets.tolist())
    features = {
        "QUALITY": entry.score,
        "POSITION_T": frame * calibration.t,
        "POSITION_X": middle[1] * calibration.x,
        "POSITION_Y": middle[0] * calibration.y,
        "POSITION_Z": 0.0,
        "RADIUS": math.sqrt(entry.mask.area * calibration.y * calibration.x / math.pi),
        OBJECT_SCORE: entry.object_score,
    }
    numbers = " ".join(f'{key}="{value:.9g}"' for key, value in features.items())
    name = label[1][:LONGEST_TEXT] or f"ID{node}"
    return (
        f'        <Spot ID="{node}" name={_attribute(name)} {numbers} FRAME="{frame}" VISIBILITY="1" '
        f'{OBJECT}="{label[0]}" ROI_N_POINTS="{len(offsets)}">{points}</Spot>\n'
    )


def _write_tracks(file: TextIO, graph: TrackGraph) -> None:
    """Write edges by lineage; what is alone on one frame is a spot and no track."""
    kinship = graph.kinship()
    tracks: dict[int, list[tuple[int, int]]] = {}
    for edge in graph.edges:
        tracks.setdefault(kinship[graph.objects[edge[1]]].lineage_id, []).append(edge)
    file.write("    <AllTracks>\n")
    for index, (lineage, edges) in enumerate(tracks.items()):
        spots = len({node for edge in edges for node in edge})
        ids = f'TRACK_ID="{lineage}" TRACK_INDEX="{index}" NUMBER_SPOTS="{spots}"'
        file.write(f'      <Track name="Track_{lineage}" {ids}>\n')
        for before, after in edges:
            file.write(f'        <Edge SPOT_SOURCE_ID="{before}" SPOT_TARGET_ID="{after}" />\n')
        file.write("      </Track>\n")
    file.write("    </AllTracks>\n    <FilteredTracks>\n")
    for lineage in tracks:
        file.write(f'      <TrackID TRACK_ID="{lineage}" />\n')
    file.write("    </FilteredTracks>\n")


def _settings(movie: MovieIdentity, calibration: _Calibration) -> str:
    noted = Path(movie.path)
    folder = str(noted.parent) if movie.path and noted.is_absolute() else ""
    name = noted.name if movie.path else movie.name
    height, width = movie.frame_shape
    files = f"filename={_attribute(name)} folder={_attribute(folder)}"
    sizes = f'width="{width}" height="{height}" nslices="1" nframes="{movie.length}"'
    units = f'pixelwidth="{calibration.x!r}" pixelheight="{calibration.y!r}" voxeldepth="1.0"'
    crop = f'xstart="0" xend="{width - 1}" ystart="0" yend="{height - 1}" zstart="0" zend="0"'
    return (
        f'  <Settings>\n    <ImageData {files} {sizes} {units} timeinterval="{calibration.t!r}" />\n'
        f'    <BasicSettings {crop} tstart="0" tend="{movie.length - 1}" />\n{_SETTINGS}  </Settings>\n'
    )


def _attribute(text: str) -> str:
    return quoteattr(_NOT_XML.sub(" ", text))


def _area(polygon: Polygon) -> float:
    y, x = polygon.exterior.T
    return abs(float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()))
