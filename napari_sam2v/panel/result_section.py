"""Saving the work, handing the masks on, and bringing unsaved work back."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field
from qtpy.QtCore import Signal
from qtpy.QtGui import QPaintEvent
from qtpy.QtWidgets import QStackedWidget, QWidget

from napari_sam2v.panel.drawing import painting, theme_colors
from napari_sam2v.panel.forms import FormPopup
from napari_sam2v.panel.widgets import Heading, IconButton, ProgressBar, Tag, Wrapped, column, row
from napari_sam2v.view_state import Choice, as_choices
from napari_sam2v.wording import progress_line
from src_model.formats.settings import ExportSettings
from src_model.workflow.progress import RunProgress


class _ExportForm(ExportSettings):
    """What is asked before an export."""

    format: str = Field(
        "", title="Format", description="The file or folder that is written", json_schema_extra={"choices": True}
    )


class ResultSection(QWidget):
    """Save, open, export, and the line that says whether the work is safe.

    Signals
    -------
    save_requested(), open_requested()
        Save this work; open saved work or masks from elsewhere.
    export_requested(str, object)
        The key of the chosen format, and `ExportSettings`.
    cancelled()
        Stop what is being written or read.
    """

    save_requested = Signal()
    open_requested = Signal()
    export_requested = Signal(str, object)
    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.autosave = Tag()
        self.autosave.setAccessibleName("Autosave")
        self.save = IconButton("save", "Save prompts, masks and settings into one file", "Save")
        self.open = IconButton("open", "Open saved work, or masks from a labels movie or a tracking folder", "Open")
        self.export = IconButton("export", "Write the masks in a format of other programs", "Export")
        self.export_popup = FormPopup(self, "Export", _ExportForm, ("format", "overlap", "visible_only"))
        self.write = IconButton("export", "Choose where to write to", "Export\u2026")
        self.export_popup.add(self.write)
        self.cancel = IconButton("cancel", "Stop; no incomplete file is left", name="Stop reading or writing")
        self.progress = ProgressBar("Reading or writing")
        self.stack = QStackedWidget()
        for line in (
            row(self.open, self.save, self.export, stretch=(1, 1, 1)),
            row(self.cancel, self.progress, stretch=(0, 1)),
        ):
            page = QWidget()
            page.setLayout(line)
            self.stack.addWidget(page)
        layout = column(self)
        layout.addWidget(Heading("Result", self.autosave))
        layout.addWidget(self.stack)
        self.save.clicked.connect(lambda: self.save_requested.emit())
        self.open.clicked.connect(lambda: self.open_requested.emit())
        self.cancel.clicked.connect(lambda: self.cancelled.emit())
        self.export.clicked.connect(lambda: self.export_popup.open_below(self.export))
        self.write.clicked.connect(self._on_write)
        self.set_autosave("")

    def set_formats(self, formats: Sequence[Choice | str]) -> None:
        """Offer these formats for export."""
        self.export_popup.form.set_choices("format", as_choices(formats))

    def _on_write(self) -> None:
        values = self.export_popup.form.values()
        self.export_popup.hide()
        self.export_requested.emit(values.pop("format"), ExportSettings(**values))

    def set_running(self, progress: RunProgress | None) -> None:
        """Show how far writing or reading is and a button that stops it, or the buttons again (None)."""
        self.stack.setCurrentIndex(0 if progress is None else 1)
        if progress is not None:
            self.progress.show_progress(progress, progress_line(progress))

    def set_autosave(self, text: str, hint: str = "") -> None:
        """Say whether the work is safe, for instance "saved 11:32"; the hint, say the file, is its tooltip."""
        self.autosave.setText(text)
        self.autosave.setToolTip(hint or "A copy that survives a crash is kept after every change")

    def set_enabled_reason(self, reason: str | None) -> None:
        """Disable saving and exporting and say why, or enable them (None)."""
        self.save.set_reason(reason)
        self.export.set_reason(reason)


class RestoreOffer(QWidget):
    """A message with three answers inside the panel, hidden unless there is something to offer.

    Signals
    -------
    restore_requested(), discard_requested(), later_requested()
        The three answers. The offer hides itself after any of them.
    """

    restore_requested = Signal()
    discard_requested = Signal()
    later_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._text = Wrapped()
        self.restore = IconButton("open", "Go on with that work", "Restore")
        self.discard = IconButton("cancel", "Delete that work for good", "Discard")
        self.later = IconButton("busy", "Keep that work and ask again next time", "Later")
        layout = column(self)
        layout.setContentsMargins(12, 0, 0, 0)
        layout.addWidget(self._text)
        layout.addLayout(row(self.restore, self.later, self.discard, stretch=(1, 1, 1)))
        answers = ((self.restore, self.restore_requested), (self.discard, self.discard_requested))
        for button, signal in (*answers, (self.later, self.later_requested)):
            button.clicked.connect(self.hide)
            button.clicked.connect(lambda _checked=False, signal=signal: signal.emit())
        self.set_offer(None)

    def set_offer(self, text: str | None) -> None:
        """Show the offer with a sentence on what can be restored, or hide it (None)."""
        self._text.setText(text or "")
        self.setVisible(text is not None)

    def text(self) -> str:
        """Return the sentence that is shown."""
        return self._text.text()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the bar that sets the message off."""
        with painting(self) as painter:
            painter.fillRect(0, 2, 4, self.height() - 4, theme_colors(self).warning)
