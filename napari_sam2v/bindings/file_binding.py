"""Exporting masks to formats of other programs, and importing masks from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from napari_sam2v.view_state import Choice
from napari_sam2v.wording import count
from src_model.errors import AnnotationFileError, Sam2vError

if TYPE_CHECKING:
    from collections.abc import Collection

    from napari_sam2v.bindings.dialogs import Dialogs
    from napari_sam2v.bindings.layer_binding import LayerBinding
    from napari_sam2v.bindings.movie_binding import MovieBinding
    from napari_sam2v.controllers import AnnotationController
    from napari_sam2v.controllers.background_tasks import BackgroundTasks
    from napari_sam2v.panel.result_section import ResultSection
    from src_model.document import Annotation
    from src_model.formats import ExportReport, Format, Imported
    from src_model.formats.settings import ExportSettings

_ZARR_FILES = frozenset({"zarr.json", ".zattrs", ".zgroup", ".zarray"})
"""What stands for the zarr folder around it, since dialogs for files do not give folders."""


class FileBinding:
    """Exports the document in the formats of other programs, and imports masks into it, while work goes on.

    Parameters
    ----------
    section
        Section of the panel with the export form.
    controller
        Holds the document, the selection and the worker.
    tasks
        Read and write files on a thread of their own.
    layers
        Layers of the document; what was just drawn on them is taken over before a step.
    movie
        The open movie, which tables measure.
    dialogs
        Ask the user for paths.
    """

    def __init__(
        self,
        section: ResultSection,
        controller: AnnotationController,
        tasks: BackgroundTasks,
        layers: LayerBinding,
        movie: MovieBinding,
        dialogs: Dialogs,
    ) -> None:
        from src_model.formats import FORMATS

        self._controller, self._tasks = controller, tasks
        self._layers, self._movie, self._dialogs = layers, movie, dialogs
        section.set_formats([Choice(item.name, item.title, item.hint) for item in FORMATS])
        section.export_requested.connect(self.export)
        section.cancelled.connect(tasks.stop)

    def export(self, name: str, settings: ExportSettings, objects: Collection[int] | None = None) -> None:
        """Export the document, or some of its objects, in a format, by its name, to where the user says."""
        from src_model.formats import format_named

        document = self._controller.document
        if document is None:
            return
        self._layers.flush()
        chosen = format_named(name)
        path = self._dialogs.to_export(chosen, Path(document.movie.name).stem or "masks")
        if path is not None:
            self.export_to(chosen, path, settings, objects)

    def export_to(
        self, chosen: Format, path: Path, settings: ExportSettings, objects: Collection[int] | None = None
    ) -> None:
        """Export the document in a format. An earlier export is replaced; another file is, if the user agrees."""
        from src_model.formats import ExportOptions, export
        from src_model.formats.exporting import check_export

        frozen = cast("Annotation", self._controller.annotation.snapshot())  # of which no more than a view is needed
        if foreign := path.is_file() and not chosen.folder and not chosen.is_ours(path):
            try:
                check_export(frozen, path, chosen, ExportOptions(force=True))
            except Sam2vError as error:
                self._controller.report_error(error)
                return
            if not self._dialogs.may_replace(path):
                return
        movie = self._movie.source if chosen.name == "csv" else None
        self._tasks.run(
            f"Writing {path.name}",
            lambda progress, is_stopped: export(
                frozen,
                path,
                chosen,
                ExportOptions(
                    **settings.model_dump(),
                    objects=objects,
                    channels={} if movie is None else {"intensity": movie},
                    force=foreign,
                    progress=progress,
                    cancelled=is_stopped,
                ),
            ),
            self._exported,
        )

    def import_from(self, path: Path) -> None:
        """Add the objects of a labels movie or of tracked cells to the document, as one step."""
        from src_model.formats import read_objects

        document = self._controller.document
        if document is None:
            error = AnnotationFileError(f"open the movie that '{path.name}' belongs to first, then the masks")
            self._controller.report_error(error)
            return
        folder = path.parent if path.name.endswith("_track.txt") or path.name in _ZARR_FILES else path
        shape = (document.movie.length, *document.movie.frame_shape)
        self._tasks.run(
            f"Reading {folder.name}",
            lambda progress, is_stopped: read_objects(folder, shape=shape, progress=progress, cancelled=is_stopped),
            lambda imported: self._imported(document, imported),
        )

    def _exported(self, report: ExportReport) -> None:
        what = f"{count(report.objects, 'object')} on {count(report.frames, 'frame')}"
        self._controller.events.notice.emit(" ".join((f"Wrote {report.path.name}: {what}.", *report.lines())))

    def _imported(self, document: Annotation, imported: Imported) -> None:
        """Add what was read to the document that it was read for, which may not be the one in view any more."""
        controller = self._controller
        try:
            if document is not controller.document and not self._movie.documents.holds(document):
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
            text = f"Added {count(len(imported.masklets), 'object')} of {imported.name}{where}."
            controller.events.notice.emit(" ".join((text, *imported.notes)))
