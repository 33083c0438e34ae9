"""Saving and opening documents, autosave, and the offer to restore unsaved work."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from napari_sam2v.wording import count
from src_model.document import SUFFIX, load, write
from src_model.document.autosave import Autosave
from src_model.document.recovery import Recoverable, discard, find_recoverable, recover
from src_model.errors import AnnotationFileError, Sam2vError

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_sam2v.bindings.dialogs import Dialogs
    from napari_sam2v.bindings.file_binding import FileBinding
    from napari_sam2v.bindings.layer_binding import LayerBinding
    from napari_sam2v.bindings.movie_binding import MovieBinding
    from napari_sam2v.controllers import AnnotationController
    from napari_sam2v.controllers.background_tasks import BackgroundTasks
    from napari_sam2v.panel.panel import Panel
    from src_model.document import Annotation


_NO_MOVIE = "Choose a movie first"


class SaveBinding:
    """Keeps the work safe, and saves and opens it while the user works on.

    Parameters
    ----------
    panel
        With the result section and the offer to restore.
    controller
        Holds the document, the selection and the worker.
    tasks
        Read and write files on a thread of their own.
    layers
        Layers of the document; what was just drawn on them is taken over before a step.
    movie
        Opens documents with the movie they were made on.
    files
        Takes masks in other formats.
    dialogs
        Ask the user for paths.
    autosave
        Whether unsaved work is kept recoverable.
    folder
        Where it is kept; the user's own folder if left out.
    """

    def __init__(
        self,
        panel: Panel,
        controller: AnnotationController,
        tasks: BackgroundTasks,
        layers: LayerBinding,
        movie: MovieBinding,
        files: FileBinding,
        dialogs: Dialogs,
        *,
        autosave: bool = True,
        folder: Path | None = None,
    ) -> None:
        self._panel, self._controller, self._tasks = panel, controller, tasks
        self._layers, self._movie, self._files, self._dialogs = layers, movie, files, dialogs
        self._folder, self._keeps = folder, autosave
        self._autosaves: dict[Annotation, Autosave] = {}
        self._document: Annotation | None = None
        self._offered: Recoverable | None = None
        self._later: set[Path] = set()
        section = panel.result
        section.save_requested.connect(self.save)
        section.open_requested.connect(self.open)
        section.set_enabled_reason(_NO_MOVIE)
        panel.offer.restore_requested.connect(self._restore)
        panel.offer.discard_requested.connect(self._discard)
        panel.offer.later_requested.connect(self._put_off)
        controller.events.document.connect(self._on_document)
        movie.dropped.connect(self.let_go)
        self.offer()

    # Files -----------------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Save the document to its file, or to one the user names."""
        document = self._controller.document
        if document is None:
            return
        self._layers.flush()
        path = document.path or self._dialogs.to_save(Path(document.movie.name).stem)
        if path is not None:
            self.save_to(path)

    def save_to(self, path: Path) -> None:
        """Save the document as it is now to a file; what is done meanwhile is not in it, and stays unsaved."""
        document = self._controller.annotation
        snapshot, known = document.snapshot(), document.file
        self._tasks.run(
            f"Saving {path.name}",
            lambda _progress, _cancelled: write(snapshot, path, known=known),
            document.mark_saved,
            must_finish=True,
        )

    def open(self) -> None:
        """Open saved work or masks that the user names, on the movie that is open."""
        path = self._dialogs.to_open()
        if path is not None:
            self.open_from(path)

    def open_from(self, path: Path) -> None:
        """Open saved work on the movie that is open, in place of what is there, or add masks of another format."""
        if path.suffix.lower() != SUFFIX:
            self._files.import_from(path)
            return
        if self._may_go():
            self._read(path.name, lambda: load(path), _nothing, self._controller.report_error)

    # Unsaved work ----------------------------------------------------------------------------------------------------

    def offer(self) -> None:
        """Offer the latest unsaved work of a process that is gone, if there is any."""
        found = [item for item in find_recoverable(self._folder) if item.folder not in self._later]
        self._offered = found[0] if found else None
        self._panel.offer.set_offer(None if self._offered is None else _described(self._offered))

    def let_go(self, document: Annotation) -> None:
        """Close a document that left the panel; unsaved work stays recoverable, and is offered."""
        autosave = self._autosaves.pop(document, None)
        if autosave is not None:
            autosave.close(keep=_is_unsaved(document))
        if document is self._document:
            document.events.saved.disconnect(self._on_saved, missing_ok=True)
            self._document = None
        self.offer()

    def close(self) -> None:
        """Close all documents; unsaved work stays recoverable."""
        if self._document is not None:
            self._document.events.saved.disconnect(self._on_saved, missing_ok=True)
            self._document = None
        for document, autosave in self._autosaves.items():
            autosave.close(keep=_is_unsaved(document))
        self._autosaves.clear()

    def _may_go(self) -> bool:
        """Whether the document may be replaced: it is saved or kept, or the user gives it up."""
        document = self._controller.document
        if document is None or not _is_unsaved(document):
            return True
        autosave = self._autosaves.get(document)
        if autosave is not None and autosave.error is None:
            return True
        return self._dialogs.may_lose(f"The work on '{document.movie.name}' is not saved. Discard it?")

    def _restore(self) -> None:
        item = self._offered
        if item is None:
            return
        if not self._may_go():
            self.offer()
            return

        def fail(error: Exception) -> None:
            self._controller.report_error(error)
            # the offer stays: on the right movie it works
            wanted = f"It could not be restored here. Open the movie '{item.movie}', then press Restore."
            self._panel.offer.set_offer(f"{_described(item)} {wanted}")

        if self._read(f"the work on '{item.movie}'", lambda: recover(item), self.offer, fail):
            self._panel.offer.set_offer(None)

    def _read(
        self, name: str, read: Callable[[], Annotation], done: Callable[[], None], failed: Callable[[Exception], None]
    ) -> bool:
        """Read a document on a thread, and put it on the controller if the same movie is open then."""
        asked = self._movie.chosen_image

        def work(_progress: object, _cancelled: object) -> Annotation | Sam2vError:
            try:
                return read()
            except Sam2vError as error:
                return error

        def take(found: Annotation | Sam2vError) -> None:
            if isinstance(found, Sam2vError):
                failed(found)
                return

            def refused(error: Exception) -> None:
                found.close()  # so that unsaved work can be restored another time
                failed(error)

            if asked is not None and self._movie.chosen_image is not asked:
                refused(AnnotationFileError(f"{name} was not opened: another movie was chosen while it was read"))
            else:
                self._layers.flush()
                self._movie.take_document(found, done, refused)

        return self._tasks.run(f"Opening {name}", work, take)

    def _discard(self) -> None:
        if self._offered is not None:
            try:
                discard(self._offered)
            except AnnotationFileError as error:
                self._controller.report_error(error)
                self._later.add(self._offered.folder)
        self.offer()

    def _put_off(self) -> None:
        if self._offered is not None:
            self._later.add(self._offered.folder)
        self.offer()

    def _on_document(self) -> None:
        if self._document is not None:
            self._document.events.saved.disconnect(self._on_saved, missing_ok=True)
        document = self._document = self._controller.document
        self._panel.result.set_enabled_reason(_NO_MOVIE if document is None else None)
        if document is None:
            self._panel.result.set_autosave("")
            return
        if self._keeps and document not in self._autosaves:
            try:
                self._autosaves[document] = Autosave(document, folder=self._folder)
            except AnnotationFileError as error:
                self._controller.report_error(error)
        document.events.saved.connect(self._on_saved)
        self._on_saved()

    def _on_saved(self, _change: object = None) -> None:
        document = self._controller.document
        if document is None:
            return
        autosave = self._autosaves.get(document)
        if not document.is_modified:
            text = "" if document.path is None else "saved"
        elif autosave is None:
            text = "not saved"
        else:
            text = "kept, not saved"
        hint = str(document.path) if document.path else ""
        if autosave is not None and autosave.error is not None:
            text, hint = "not kept", f"Unsaved work cannot be kept: {autosave.error}"
        self._panel.result.set_autosave(text, hint)


def _nothing() -> None:
    return None


def _described(item: Recoverable) -> str:
    when = time.strftime("%d %b %H:%M", time.localtime(item.time))
    return f"Unsaved work on '{item.movie}' of {when}: {count(item.objects, 'object')}, {count(item.masks, 'mask')}."


def _is_unsaved(document: Annotation) -> bool:
    """Whether something would be lost; settings without any object are nothing."""
    return document.is_modified and bool(document.objects)
