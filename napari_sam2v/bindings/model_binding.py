"""The model section: what is on disk, where it runs, downloads."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_sam2v.panel.view_state import ModelEntry
from napari_sam2v.panel.wording import error_text
from src_model.errors import Sam2vError
from src_model.workflow.progress import RunProgress

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_sam2v.controllers import AnnotationController, Post
    from napari_sam2v.panel.model_section import ModelSection
    from src_model.tracking import StreamingPredictor
    from src_model.tracking.precision import PrecisionChoice
    from src_model.weights import CheckpointStatus

_logger = logging.getLogger(__name__)

DEFAULT = "default"
_MEGABYTE = 1e6


class _Cancelled(Exception):
    """The user cancelled a download."""


@dataclass(slots=True, eq=False)
class _Download:
    """A download that is under way.

    Attributes
    ----------
    name
        Of the model.
    chosen
        The model that was chosen when it began.
    cancel
        Set when it is not wanted any more.
    """

    name: str
    chosen: str
    cancel: threading.Event = field(default_factory=threading.Event)


class ModelBinding:
    """Offers models, loads the chosen one when it is first needed, downloads those that are not here.

    Parameters
    ----------
    section
        Where they are offered.
    controller
        That works with the chosen one.
    post
        Brings calls to the host's thread.
    told
        Takes a sentence for the user.
    may_stop
        Asks the user whether a run that is under way may be ended.
    model, device, precision
        What is chosen at first.
    """

    def __init__(
        self,
        section: ModelSection,
        controller: AnnotationController,
        post: Post,
        *,
        told: Callable[[str], None],
        may_stop: Callable[[str], bool],
        model: str = "",
        device: str = "auto",
        precision: PrecisionChoice = "auto",
    ) -> None:
        self._section, self._controller = section, controller
        self._post, self._told, self._may_stop = post, told, may_stop
        self._device, self._precision = device, precision
        self._under_way: _Download | None = None
        self._chosen = model or DEFAULT
        section.model_chosen.connect(self._on_model)
        section.download_requested.connect(self.download)
        section.download_cancelled.connect(self.cancel)
        self._offer()
        section.set_device("" if device == "auto" else device.upper())

    def load(self) -> StreamingPredictor:
        """Load the chosen model; on the worker, where it may take its time."""
        from src_model.tracking import StreamingPredictor

        predictor = StreamingPredictor.load(self._chosen, device=self._device, precision=self._precision)
        self._post(lambda: self._section.set_device(str(predictor.device).upper()))
        return predictor

    def download(self, name: str) -> None:
        """Fetch a model in the background, in place of another that is under way."""
        self.cancel()
        self._under_way = download = _Download(name, self._chosen)
        self._section.set_download(RunProgress(0, 0, text=f"Downloading {name}"))
        threading.Thread(target=self._download, args=(download,), name="sam2v download", daemon=True).start()

    def cancel(self) -> None:
        """Give up a download that is under way."""
        if self._under_way is not None:
            self._under_way.cancel.set()
            self._under_way = None
            self._section.set_download(None)

    def close(self) -> None:
        """Give up a download that is under way."""
        self.cancel()

    def _on_model(self, name: str) -> None:
        if not self._take(name):
            self._offer()  # show what holds, not what was wished

    def _take(self, name: str) -> bool:
        """Work with a model from now on; the user is asked first where that ends a run."""
        if self._controller.has_run and not self._may_stop(
            f"Tracking is under way. Stop it, and work with '{name}' from now on? Finished frames are kept."
        ):
            return False
        self._chosen = name
        self._controller.use_model(self.load)
        return True

    def _offer(self) -> None:
        from src_model.weights.download import list_checkpoints

        statuses = {status.info.name: status for status in list_checkpoints()}
        if self._chosen not in statuses:
            self._told(f"There is no model named '{self._chosen}' any more; the one that is included is used instead.")
            self._chosen = DEFAULT
        self._section.set_models([_choice(status) for status in statuses.values()], self._chosen)

    def _download(self, download: _Download) -> None:
        from src_model.weights.download import get_checkpoint

        def arrived(done: int, total: int) -> None:
            if download.cancel.is_set():
                raise _Cancelled
            text = f"Downloading {download.name}"
            self._post(lambda: self._show(download, done / _MEGABYTE, total / _MEGABYTE, text))

        problem = ""
        try:
            get_checkpoint(download.name, progress=arrived)
        except _Cancelled:
            return
        except Exception as error:
            if not isinstance(error, Sam2vError):
                _logger.exception("downloading %s failed", download.name)
            problem = error_text(error)
        self._post(lambda: self._finish(download, problem))

    def _show(self, download: _Download, done: float, total: float, text: str) -> None:
        if download is self._under_way:
            self._section.set_download(RunProgress(round(done), round(total), text=text))

    def _finish(self, download: _Download, problem: str) -> None:
        if download is not self._under_way:  # given up at the last moment
            return
        self._under_way = None
        self._section.set_download(None)
        if problem:
            self._told(problem)
        elif self._chosen == download.chosen:  # else another one was chosen while this one was on its way
            self._take(download.name)
        self._offer()


def _choice(status: CheckpointStatus) -> ModelEntry:
    info = status.info
    size = (status.size or 0) / _MEGABYTE
    if info.name == DEFAULT:
        hint = "comes with the plugin, for CPUs"
    elif info.custom:
        hint = "your own"
    else:
        hint = "several seconds a frame without a GPU"
    return ModelEntry(info.name, info.name, status.ready, round(size, 1), hint)
