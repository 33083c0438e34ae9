"""The model section: which models there are, where they run, downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_sam2v.controllers.background_tasks import BackgroundTasks, IsStopped, ReportProgress
from napari_sam2v.view_state import ModelEntry
from src_model.errors import StoppedError

if TYPE_CHECKING:
    from napari_sam2v.bindings.dialogs import Dialogs
    from napari_sam2v.controllers import AnnotationController, Post
    from napari_sam2v.panel.model_section import ModelSection
    from napari_sam2v.preferences import Preferences
    from src_model.tracking import StreamingPredictor
    from src_model.weights import CheckpointStatus

DEFAULT = "default"
_MEGABYTE = 1e6


class ModelBinding:
    """Offers models, loads the chosen one when it is first needed, downloads those that are not on this computer.

    Parameters
    ----------
    section
        Section of the panel that offers them.
    controller
        Uses the chosen model.
    dialogs
        Ask the user whether a run may be stopped.
    post
        Has functions called on the main thread, from any thread.
    preferences
        Model, device and precision to begin with.
    """

    def __init__(
        self,
        section: ModelSection,
        controller: AnnotationController,
        dialogs: Dialogs,
        post: Post,
        preferences: Preferences,
    ) -> None:
        self._section, self._controller, self._dialogs, self._post = section, controller, dialogs, post
        self._device, self._precision = preferences.device, preferences.precision
        self._chosen = preferences.model or DEFAULT
        self._tasks = BackgroundTasks(post, section.set_download, controller.report_error, name="sam2v download")
        section.model_chosen.connect(self._on_model)
        section.download_requested.connect(self.download)
        section.download_cancelled.connect(self.cancel)
        self._offer()
        section.set_device("" if self._device == "auto" else self._device.upper())

    @property
    def is_on_disk(self) -> bool:
        """Whether the chosen model can be loaded without a download."""
        return self._chosen in self._on_disk

    def load(self) -> StreamingPredictor:
        """Load the chosen model; on the worker, where it may take its time."""
        from src_model.tracking import StreamingPredictor

        predictor = StreamingPredictor.load(self._chosen, device=self._device, precision=self._precision)
        self._post(lambda: self._section.set_device(str(predictor.device).upper()))
        return predictor

    def download(self, name: str) -> None:
        """Fetch a model in the background, in place of another one that is under way."""
        chosen = self._chosen

        def fetch(report: ReportProgress, is_stopped: IsStopped) -> None:
            from src_model.weights.download import get_checkpoint

            def arrived(done: int, total: int) -> None:
                if is_stopped():
                    raise StoppedError("the download was cancelled")
                report(done / _MEGABYTE, total / _MEGABYTE)

            get_checkpoint(name, progress=arrived)

        def take(_result: object) -> None:
            self._on_disk.add(name)  # looked up again below, after the choice
            if self._chosen == chosen:  # else another one was chosen while this one was on its way
                self._choose(name)
            self._offer()

        def fail(error: Exception) -> None:
            self._controller.report_error(error)
            self._offer()

        self._tasks.replace("download", f"Downloading {name}", fetch, take, failed=fail)

    def cancel(self) -> None:
        """Cancel the download; what has arrived is kept for the next one."""
        self._tasks.cancel("download")

    def close(self) -> None:
        """Cancel the download, without waiting for its thread."""
        self.cancel()
        self._tasks.close(timeout=0)

    def _on_model(self, name: str) -> None:
        if not self._choose(name):
            self._offer()  # show what holds, not what was wished

    def _choose(self, name: str) -> bool:
        """Work with a model from now on; the user is asked first where that ends a run."""
        if self._controller.has_run and not self._dialogs.may_stop(
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
            text = f"There is no model named '{self._chosen}' any more; the one that is included is used instead."
            self._controller.events.problem.emit(text)
            self._chosen = DEFAULT
        self._on_disk = {name for name, status in statuses.items() if status.ready}
        self._section.set_models([_entry(status) for status in statuses.values()], self._chosen)


def _entry(status: CheckpointStatus) -> ModelEntry:
    info = status.info
    size = (status.size or 0) / _MEGABYTE
    if info.name == DEFAULT:
        hint = "comes with the plugin, for CPUs"
    elif info.custom:
        hint = "your own"
    else:
        hint = "several seconds a frame without a GPU"
    return ModelEntry(info.name, info.name, status.ready, round(size, 1), hint)
