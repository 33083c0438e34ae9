"""What a format is, and all that an annotation can be exported to."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from src_model.errors import FormatError, MissingExtraError
from src_model.formats import coco, ctc, geff_graph, labels_tiff, ome_zarr, png_folder, table, trackmate
from src_model.formats.marks import is_our_tiff
from src_model.formats.report import AnnotationPart
from src_model.formats.target import check_target

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from os import PathLike

    from src_model.formats.run import ExportRun


@dataclass(frozen=True, slots=True)
class Format:
    """A format.

    Attributes
    ----------
    name
        By which it is chosen: ``"ctc"``.
    title
        For people: ``"Cell Tracking Challenge folder"``.
    hint
        What it is good for, in one sentence, for a menu.
    suffixes
        How a file's name may end; empty for folders, which may be called anything.
    write
        Writes a run to a path where nothing is.
    is_ours
        Tells whether a file or folder was written by it, so that it may be replaced without asking.
    keeps
        What of an annotation it has a place for.
    folder
        Whether it is a folder rather than a file.
    extra
        The extra that has to be installed; empty if none.
    package
        The package that this extra brings.
    """

    name: str
    title: str
    hint: str
    suffixes: tuple[str, ...]
    write: Callable[[ExportRun, Path], None]
    is_ours: Callable[[Path], bool]
    keeps: frozenset[AnnotationPart] = frozenset()
    folder: bool = False
    extra: str = ""
    package: str = ""

    @property
    def loses(self) -> tuple[AnnotationPart, ...]:
        """What of an annotation it has no place for."""
        return tuple(part for part in AnnotationPart if part not in self.keeps)

    def check_path(self, path: Path, *, sources: Collection[Path] = (), force: bool = False) -> None:
        """Find out whether a file or folder can and may be written there.

        Parameters
        ----------
        path
            The file or folder to be written.
        sources, force
            As in :func:`~src_model.formats.target.check_target`.

        Raises
        ------
        FormatError
            If its name ends otherwise, its folder is not there or not writable, or something else is in the way.
        MissingExtraError
            If a package is needed that is not installed.
        """
        if self.suffixes and not path.name.lower().endswith(self.suffixes):
            raise FormatError(f"'{path.name}' has to end in {' or '.join(self.suffixes)} as {self.title}")
        if self.package and find_spec(self.package) is None:
            raise MissingExtraError(self.package, self.extra, f"writing '{path}'")
        check_target(path, self.is_ours, folder=self.folder, sources=sources, force=force)


_LABELS: Final = frozenset({AnnotationPart.MASKS})
_NUMBERED: Final = _LABELS | {
    AnnotationPart.NAMES,
    AnnotationPart.CLASSES,
    AnnotationPart.COLORS,
    AnnotationPart.NOTES,
    AnnotationPart.LINEAGE,
}
_COCO: Final = frozenset(AnnotationPart) - {AnnotationPart.ABSENCE, AnnotationPart.PROMPTS, AnnotationPart.LOCKS}
_MEASURED: Final = frozenset(
    {
        AnnotationPart.LINEAGE,
        AnnotationPart.FUSIONS,
        AnnotationPart.NAMES,
        AnnotationPart.CLASSES,
        AnnotationPart.SCORES,
        AnnotationPart.ORIGINS,
    }
)


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
        _LABELS | {AnnotationPart.LINEAGE},
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
        _MEASURED | {AnnotationPart.ABSENCE, AnnotationPart.NOTES},
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
        "trackmate",
        "TrackMate XML",
        "Outlines, tracks, divisions and fusions, for TrackMate in Fiji and what reads its files.",
        (".xml",),
        trackmate.write_trackmate,
        trackmate.is_ours,
        _LABELS
        | {
            AnnotationPart.OVERLAPS,
            AnnotationPart.LINEAGE,
            AnnotationPart.FUSIONS,
            AnnotationPart.NAMES,
            AnnotationPart.SCORES,
        },
    ),
    Format(
        "png",
        "PNG folder (DAVIS)",
        "A palette image a frame, as video segmentation data sets have them.",
        (),
        png_folder.write_png_folder,
        png_folder.is_ours,
        _LABELS | {AnnotationPart.COLORS},
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
