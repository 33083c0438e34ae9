"""Which model answers, whether it is here, and where it runs."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QStackedWidget, QWidget

from napari_sam2v.panel.forms import Form
from napari_sam2v.panel.widgets import IconButton, ProgressBar, Tag, column, row
from napari_sam2v.view_state import Choice, ModelEntry, ModelOptions
from napari_sam2v.wording import download_line, model_line, size
from src_model.workflow.progress import RunProgress


class ModelSection(QWidget):
    """One line: the models with size and speed hints, and the device; one that is not on disk is downloaded from here.

    While a download runs, its progress takes the place of the line, so that nothing else moves.

    Signals
    -------
    model_chosen(str)
        The name of the model to answer with.
    download_requested(str)
        The name of the model to fetch.
    download_cancelled()
        Stop fetching; what arrived is kept for the next time.
    """

    model_chosen = Signal(str)
    download_requested = Signal(str)
    download_cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._models: dict[str, ModelEntry] = {}
        self.form = Form(ModelOptions, across=True)
        self.device = Tag()
        self.device.setAccessibleName("Device")
        self.download = IconButton("download", "Download this model", name="Download")
        self.progress = ProgressBar("Download progress")
        self.cancel = IconButton("cancel", "Stop the download", name="Cancel download")
        self.stack = QStackedWidget()
        lines = (
            row(self.form, self.download, self.device, stretch=(1, 0, 0)),
            row(self.progress, self.cancel, stretch=(1, 0)),
        )
        for line in lines:
            page = QWidget()
            page.setLayout(line)
            self.stack.addWidget(page)
        column(self).addWidget(self.stack)
        self.form.changed.connect(self._on_chosen)
        self.download.clicked.connect(lambda: self.download_requested.emit(self.form.value("model")))
        self.cancel.clicked.connect(self.download_cancelled)
        self.set_models((), None)
        self.set_download(None)

    def set_models(self, models: Sequence[ModelEntry], selected: str | None) -> None:
        """Offer these models, with what one should know in each one's tooltip."""
        self._models = {model.name: model for model in models}
        choices = [Choice(m.name, m.label if m.on_disk else f"{m.label}  \u2193", model_line(m)) for m in models]
        self.form.set_choices("model", choices, selected)
        self._offer_download()

    def set_device(self, text: str) -> None:
        """Say where the model runs: "CUDA", "MPS", "CPU"."""
        self.device.setText(text)
        self.device.setToolTip(f"The model runs on: {text}" if text else "")

    def set_download(self, progress: RunProgress | None) -> None:
        """Show how far a download is (`done` and `total` in megabytes), or that none runs (None)."""
        self.stack.setCurrentIndex(0 if progress is None else 1)
        if progress is not None:
            self.progress.show_progress(progress, download_line(progress))

    def _on_chosen(self, _option: str, name: str) -> None:
        self._offer_download()
        self.model_chosen.emit(name)

    def _offer_download(self) -> None:
        model = self._models.get(self.form.value("model"))
        self.download.setVisible(model is not None and not model.on_disk)
        if model is not None:
            self.download.set_tip(f"Download this model: {size(model.size_mb)}")
