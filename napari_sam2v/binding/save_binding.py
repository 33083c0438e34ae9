"""Saving, opening, exporting, autosave and the offer to restore."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from src_model.annotation import SUFFIX, load, save
from src_model.annotation.autosave import Autosave
from src_model.annotation.recovery import Recoverable, discard, find_recoverable, recover
from src_model.errors import AnnotationFileError, Sam2vError

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_sam2v.panel.panel import Panel
    from napari_sam2v.workbench import Workbench
    from src_model.annotation import Annotation


class SaveBinding:
    """Keeps the work safe, and reads and writes it as the user asks.

    Parameters
    ----------
    panel
        With the result section and the offer to restore.
    workbench
        With the document.
    ask_path
        Asks the user for a file: (title, suffix, whether to save) to a path, or None.
    take_document
        Puts a document that was read on the workbench, with the movie that is open; tells why not by a Sam2vError.
    flush
        Takes over what was just drawn.
    told
        Takes an error for the user.
    autosave
        Whether unsaved work is kept recoverable.
    folder
        Where it is kept; the user's own if left out.
    """

    def __init__(
        self,
        panel: Panel,
        workbench: Workbench,
        *,
        ask_path: Callable[[str, str, bool], Path | None],
        take_document: Callable[[Annotation], None],
        flush: Callable[[], None],
        told: Callable[[Exception], None],
        autosave: bool = True,
        folder: Path | None = None,
    ) -> None:
        self._panel, self._workbench = panel, workbench
        self._ask_path, self._take_document = ask_path, take_document
        self._flush, self._told = flush, told
        self._folder, self._keeps = folder, autosave
        self._autosave: Autosave | None = None
        self._document: Annotation | None = None
        self._offered: Recoverable | None = None
        self._later: set[Path] = set()
        section = panel.result
        section.save_requested.connect(self.save)
        section.open_requested.connect(self.open)
        section.set_enabled_reason("Choose a movie first")
        panel.offer.restore_requested.connect(self._restore)
        panel.offer.discard_requested.connect(self._discard)
        panel.offer.later_requested.connect(self._put_off)
        workbench.events.document.connect(self._on_document)
        self.offer()

    # Files -----------------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Save the document to its file, or to one the user names."""
        document = self._workbench.document
        if document is None:
            return
        self._flush()
        path = document.path or self._ask_path("Save annotation", SUFFIX, True)
        if path is not None:
            self.save_to(path)

    def save_to(self, path: Path) -> None:
        """Save the document to a file."""
        document = self._workbench.annotation
        try:
            save(document, path)
        except Sam2vError as error:
            self._told(error)

    def open(self) -> None:
        """Open saved work that the user names, on the movie that is open."""
        path = self._ask_path("Open annotation", SUFFIX, False)
        if path is not None:
            self.open_from(path)

    def open_from(self, path: Path) -> None:
        """Open saved work on the movie that is open."""
        try:
            self._take_document(load(path))
        except Sam2vError as error:
            self._told(error)

    # Unsaved work ----------------------------------------------------------------------------------------------------

    def offer(self) -> None:
        """Offer the latest unsaved work of a process that is gone, if there is any."""
        found = [item for item in find_recoverable(self._folder) if item.folder not in self._later]
        self._offered = found[0] if found else None
        self._panel.offer.set_offer(None if self._offered is None else _described(self._offered))

    def close(self) -> None:
        """Let go of the document; what is not saved of it stays recoverable."""
        if self._document is None:
            return
        self._document.events.saved.disconnect(self._on_saved, missing_ok=True)
        if self._autosave is not None:
            self._autosave.close(keep=self._document.is_modified)
        self._autosave = self._document = None

    def _restore(self) -> None:
        item = self._offered
        if item is None:
            return
        try:
            self._take_document(recover(item))
            discard(item)  # the document has an autosave of its own by now
        except Sam2vError as error:
            self._told(error)
            self._later.add(item.folder)
        self.offer()

    def _discard(self) -> None:
        if self._offered is not None:
            try:
                discard(self._offered)
            except AnnotationFileError as error:
                self._told(error)
                self._later.add(self._offered.folder)
        self.offer()

    def _put_off(self) -> None:
        if self._offered is not None:
            self._later.add(self._offered.folder)
        self.offer()

    def _on_document(self) -> None:
        self.close()
        document = self._document = self._workbench.annotation
        if self._keeps:
            try:
                self._autosave = Autosave(document, folder=self._folder)
            except AnnotationFileError as error:
                self._told(error)
        document.events.saved.connect(self._on_saved)
        self._panel.result.set_enabled_reason(None)
        self._on_saved()

    def _on_saved(self, _change: object = None) -> None:
        document = self._workbench.document
        if document is None:
            return
        if not document.is_modified:
            text = "" if document.path is None else "saved"
        elif self._autosave is None:
            text = "not saved"
        else:
            text = "kept, not saved"
        hint = str(document.path) if document.path else ""
        if self._autosave is not None and self._autosave.error is not None:
            text, hint = "not kept", f"Unsaved work cannot be kept: {self._autosave.error}"
        self._panel.result.set_autosave(text, hint)


def _described(item: Recoverable) -> str:
    when = time.strftime("%d %b %H:%M", time.localtime(item.time))
    objects = f"{item.objects} object{'s' if item.objects != 1 else ''}"
    masks = f"{item.masks:,} mask{'s' if item.masks != 1 else ''}"
    return f"Unsaved work on '{item.movie}' of {when}: {objects}, {masks}."
