"""Annotations in the formats of other programs: written from the document, and read into it.

Every format has a file of its own; :data:`FORMATS` lists what each keeps and loses. :func:`export` goes through the
document frame by frame, writes under another name and renames at the end, and reports what the file does not hold.
"""

from __future__ import annotations

from src_model.formats.coco_reader import is_coco, read_coco
from src_model.formats.ctc import is_ctc, read_ctc
from src_model.formats.exporting import export
from src_model.formats.geff_reader import is_geff, read_geff
from src_model.formats.importing import Imported, read_labels
from src_model.formats.opening import holds_tracks, read_objects
from src_model.formats.registry import FORMATS, Format, format_named, format_of
from src_model.formats.report import AnnotationPart, ExportReport, Loss
from src_model.formats.run import ExportOptions
from src_model.formats.trackmate_reader import is_trackmate, read_trackmate

__all__ = [
    "FORMATS",
    "AnnotationPart",
    "ExportOptions",
    "ExportReport",
    "Format",
    "Imported",
    "Loss",
    "export",
    "format_named",
    "format_of",
    "holds_tracks",
    "is_coco",
    "is_ctc",
    "is_geff",
    "is_trackmate",
    "read_coco",
    "read_ctc",
    "read_geff",
    "read_labels",
    "read_objects",
    "read_trackmate",
]
