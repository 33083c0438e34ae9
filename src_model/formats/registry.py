"""All formats an annotation can be exported to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from src_model.errors import FormatError
from src_model.formats import coco, ctc, geff_graph, labels_tiff, ome_zarr, png_folder, table
from src_model.formats.format import Format
from src_model.formats.marks import is_our_tiff
from src_model.formats.report import Part

if TYPE_CHECKING:
    from os import PathLike

    from src_model.formats.run import ExportRun

_LABELS: Final = frozenset({Part.MASKS})
_NUMBERED: Final = _LABELS | frozenset({Part.NAMES, Part.CLASSES, Part.COLOURS, Part.NOTES, Part.LINEAGE})
_COCO: Final = frozenset(Part) - {Part.ABSENCE, Part.PROMPTS, Part.LOCKS}
_MEASURED: Final = frozenset({Part.LINEAGE, Part.NAMES, Part.CLASSES, Part.SCORES, Part.ORIGINS})


def _write_imagej(run: ExportRun, path: Path) -> None:
    movie = run.label_movie()
    labels_tiff.write_imagej_tiff(path, movie)
    if not labels_tiff.is_hyperstack(movie):
        text = "ImageJ has no hyperstacks of this size or with such numbers, and opens the file without its time axis."
        run.note("hyperstack", 1, text)


FORMATS: Final[tuple[Format, ...]] = (
    Format(
        "tiff",
        "Labels TIFF (ImageJ)",
        "One number an object, for ImageJ, Fiji, napari and most other programs.",
        (".tif", ".tiff"),
        _write_imagej,
        is_our_tiff,
        _LABELS,
    ),
    Format(
        "ome-tiff",
        "Labels OME-TIFF",
        "One number an object, with pixel size and units as Bio-Formats, QuPath and OMERO read them.",
        (".ome.tif", ".ome.tiff"),
        lambda run, path: labels_tiff.write_ome_tiff(path, run.label_movie()),
        is_our_tiff,
        _LABELS,
    ),
    Format(
        "ome-zarr",
        "OME-Zarr labels (0.5)",
        "One number an object, in chunks, with names and divisions beside it.",
        (".zarr",),
        lambda run, path: ome_zarr.write_ome_zarr(path, run.label_movie()),
        ome_zarr.is_ours,
        _NUMBERED,
        True,
        "zarr",
        "zarr",
    ),
    Format(
        "ome-zarr-0.4",
        "OME-Zarr labels (0.4)",
        "The same for programs that read no newer version, such as many in Java.",
        (".zarr",),
        lambda run, path: ome_zarr.write_ome_zarr(path, run.label_movie(), "0.4"),
        ome_zarr.is_ours,
        _NUMBERED,
        True,
        "zarr",
        "zarr",
    ),
    Format(
        "ctc",
        "Cell Tracking Challenge folder",
        "Label images and a table of tracks with parents, for cell tracking tools and metrics.",
        (),
        ctc.write_ctc,
        ctc.is_ours,
        _LABELS | {Part.LINEAGE},
        True,
    ),
    Format(
        "coco",
        "COCO JSON (run lengths)",
        "Exact masks that may overlap, with track ids and scores, for training and evaluation.",
        (".json",),
        coco.write_coco,
        coco.is_ours,
        _COCO,
    ),
    Format(
        "coco-polygons",
        "COCO JSON (polygons)",
        "The same with outlines, for programs that read no run lengths.",
        (".json",),
        coco.write_coco_polygons,
        coco.is_ours,
        _COCO,
    ),
    Format(
        "csv",
        "CSV table",
        "A line for each object and frame: area, centroid, box, scores, intensities.",
        (".csv",),
        table.write_table,
        table.is_ours,
        _MEASURED | {Part.ABSENCE},
    ),
    Format(
        "geff",
        "GEFF tracking graph",
        "Centroids and links, for motile, ultrack, TrackMate and other tracking tools.",
        (".geff",),
        geff_graph.write_geff,
        geff_graph.is_ours,
        _MEASURED,
        True,
        "geff",
        "geff",
    ),
    Format(
        "png",
        "PNG folder (DAVIS)",
        "A palette image a frame, as video segmentation data sets have them.",
        (),
        png_folder.write_png_folder,
        png_folder.is_ours,
        _LABELS | {Part.COLOURS},
        True,
    ),
)
"""All of them, in the order in which menus list them."""


def format_named(name: str) -> Format:
    """Return a format by its name, or raise FormatError."""
    for item in FORMATS:
        if item.name == name:
            return item
    raise FormatError(f"there is no format {name!r}: expected {', '.join(item.name for item in FORMATS)}")


def format_of(path: str | PathLike[str]) -> Format:
    """Choose the format by how a file's name ends, or raise FormatError."""
    name = Path(path).name.lower()
    fits = [(len(suffix), item) for item in FORMATS for suffix in item.suffixes if name.endswith(suffix)]
    if not fits:
        known = dict.fromkeys(suffix for item in FORMATS for suffix in item.suffixes)
        raise FormatError(f"'{Path(path).name}' does not tell its format: expected {', '.join(known)}, or say which")
    return max(fits, key=lambda fit: fit[0])[1]
