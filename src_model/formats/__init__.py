"""Annotations in the formats of other programs: written from the document, and read into it.

Every format has a file of its own; :data:`FORMATS` lists what each keeps and loses. :func:`export` goes through the
document frame by frame, writes under another name and renames at the end, and reports what the file does not hold.
"""

from __future__ import annotations

from src_model.formats.ctc import is_ctc, read_ctc
from src_model.formats.exporting import export
from src_model.formats.importing import Imported, read_labels
from src_model.formats.registry import FORMATS, Format, format_named, format_of
from src_model.formats.report import AnnotationPart, ExportReport, Loss
from src_model.formats.run import ExportOptions

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
    "is_ctc",
    "read_ctc",
    "read_labels",
]
