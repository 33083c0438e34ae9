"""Masks to and from the formats of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_sam2v.panel.view_state import Choice
from napari_sam2v.panel.wording import count
from src_model.errors import AnnotationFileError, Sam2vError

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_sam2v.controllers import AnnotationController
    from napari_sam2v.controllers.background_tasks import BackgroundTasks
    from napari_sam2v.panel.result_section import ResultSection
    from src_model.document import Annotation
    from src_model.formats import ExportReport, Format, Imported
    from src_model.frames import FrameSource

_ZARR_FILES = frozenset({"zarr.json", ".zattrs", ".zgroup", ".zarray"})
"""What stands for the zarr folder around it, since dialogs for files do not give folders."""


class FileBinding:
    """Exports the document in the formats of other programs, and imports masks into it, while work goes on.

    Parameters
    ----------
    section
        With the menu of formats.
    controller
        With the document.
    tasks
        Where files are read and written.
    ask_path
        Asks the user where a format goes: (format, name of the movie) to a path, or None.
    may_replace
        Asks the user whether a file of other origin may be replaced.
    flush
        Takes over what was just drawn.
    movie
        Returns the movie that is open, for tables to measure; None if there is none.
    holds
        Whether the user can get back to a document that is not on the controller any more.
    """

    def __init__(
        self,
        section: ResultSection,
        controller: AnnotationController,
        tasks: BackgroundTasks,
        *,
        ask_path: Callable[[Format, str], Path | None],
        may_replace: Callable[[Path], bool],
        flush: Callable[[], None],
        movie: Callable[[], FrameSource | None],
        holds: Callable[[Annotation], bool],
    ) -> None:
        from src_model.formats import FORMATS

        self._controller, self._flush, self._movie = controller, flush, movie
        self._ask_path, self._may_replace = ask_path, may_replace
        self.tasks, self._holds = tasks, holds
        section.set_formats([Choice(item.name, item.title, item.hint) for item in FORMATS])
        section.export_requested.connect(self.export)
        section.cancelled.connect(self.tasks.cancel)

    def export(self, name: str) -> None:
        """Export the document in a format to where the user says."""
        from src_model.formats import format_named

        document = self._controller.document
        if document is None:
            return
        self._flush()
        chosen = format_named(name)
        path = self._ask_path(chosen, Path(document.movie.name).stem or "masks")
        if path is not None:
            self.export_to(chosen, path)

    def export_to(self, chosen: Format, path: Path) -> None:
        """Export the document in a format; what an earlier export left there is replaced, another file after asking."""
        from src_model.formats import ExportOptions, export
        from src_model.formats.exporting import check_export

        frozen = self._controller.annotation.snapshot()
        if foreign := path.is_file() and not chosen.folder and not chosen.is_ours(path):
            try:
                check_export(frozen, path, chosen, ExportOptions(force=True))
            except Sam2vError as error:
                self._controller.report_error(error)
                return
            if not self._may_replace(path):
                return
        movie = self._movie() if chosen.name == "csv" else None
        self.tasks.run(
            f"Writing {path.name}",
            lambda progress, cancelled: export(
                frozen,
                path,
                chosen,
                ExportOptions(
                    channels={} if movie is None else {"intensity": movie},
                    force=foreign,
                    progress=progress,
                    cancelled=cancelled,
                ),
            ),
            self._exported,
        )

    def import_from(self, path: Path) -> None:
        """Add the objects of a labels movie or a tracking folder to the document, as one step."""
        document = self._controller.document
        if document is None:
            error = AnnotationFileError(f"open the movie that '{path.name}' belongs to first, then the masks")
            self._controller.report_error(error)
            return
        folder = path.parent if path.name.endswith("_track.txt") or path.name in _ZARR_FILES else path
        self.tasks.run(
            f"Reading {folder.name}",
            lambda progress, cancelled: _read(folder, progress, cancelled),
            lambda imported: self._imported(document, imported),
        )

    def _exported(self, report: ExportReport) -> None:
        what = f"{count(report.objects, 'object')} on {count(report.frames, 'frame')}"
        self._controller.events.notice.emit(" ".join((f"Wrote {report.path.name}: {what}.", *report.lines())))

    def _imported(self, document: Annotation, imported: Imported) -> None:
        """Add what was read to the document that it was read for, which may not be the one in view any more."""
        controller = self._controller
        try:
            if document is not controller.document and not self._holds(document):
                raise AnnotationFileError(
                    f"nothing of {imported.name} was added: the movie '{document.movie.name}' was closed meanwhile"
                )
            action = imported.action(document)
            if document is controller.document:
                controller.interrupt()
                done = controller.do(action)
            else:
                done = document.do(action)
        except Sam2vError as error:
            controller.report_error(error)
            return
        if done is not None:
            where = "" if document is controller.document else f" to '{document.movie.name}'"
            told = f"Added {count(len(imported.masklets), 'object')} of {imported.name}{where}."
            controller.events.notice.emit(" ".join((told, *imported.notes)))


def _read(path: Path, progress: Callable[[int, int], None], cancelled: Callable[[], bool]) -> Imported:
    from src_model.formats import is_ctc, read_ctc, read_labels

    if is_ctc(path):
        return read_ctc(path, progress=progress, cancelled=cancelled)
    return read_labels(path, progress=progress, cancelled=cancelled)
