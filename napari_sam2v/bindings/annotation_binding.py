"""Prompts, runs and the status line: the part of the panel that a person has under the fingers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_sam2v.controllers.object_marks import rgb
from napari_sam2v.controllers.status import next_step
from napari_sam2v.controllers.track_controller import can_be_repaired, repair_span
from napari_sam2v.layers.later import CallLater, Throttled
from napari_sam2v.panel.view_state import Choice, TrackSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari_sam2v.controllers import AnnotationController, MaskCandidates
    from napari_sam2v.panel.panel import Panel
    from napari_sam2v.panel.view_state import TrackOptions
    from src_model.document import Annotation, HistoryChanged
    from src_model.workflow.progress import RunProgress

_NO_MOVIE = "Choose a movie first"
_SHOW_SECONDS = 0.1
"""How often the viewer and the progress follow a run; the tracker does not wait for them."""
_OVERLAPS = (
    Choice("first", "first keeps", "Pixels that two objects claim go to the one with the smaller id"),
    Choice("last", "last wins", "Pixels that two objects claim go to the one with the larger id"),
    Choice("score", "higher score", "Pixels that two objects claim go to the one the model is surer of"),
)


class AnnotationBinding:
    """Connects the prompt and track sections and the status line with the controller.

    Parameters
    ----------
    panel
        With the sections.
    controller
        With the document.
    flush
        Takes over what was just drawn.
    show_frame
        Brings a frame into view.
    keys
        Keys by action id, for what the status line says.
    call_later
        How to wait on this thread.
    tool
        Returns the tool in hand; empty for none.
    take_first
        Takes a tool that can start a new object.
    settings
        What is chosen in the advanced settings at first.
    scope
        Whether tracking takes the selected object or all of them at first.
    remember
        Writes down choices for the next panel, by field of `Preferences`.
    """

    def __init__(
        self,
        panel: Panel,
        controller: AnnotationController,
        *,
        flush: Callable[[], None],
        show_frame: Callable[[int], None],
        keys: Mapping[str, str],
        call_later: CallLater,
        tool: Callable[[], str],
        take_first: Callable[[], None],
        settings: TrackSettings = TrackSettings(),  # noqa: B008, frozen
        scope: str = "selected",
        remember: Callable[..., None] = lambda **choices: None,
    ) -> None:
        self._panel, self._controller = panel, controller
        self._flush, self._show_frame, self._keys = flush, show_frame, keys
        self._tool, self._take_first = tool, take_first
        self._busy = False
        self._document: Annotation | None = None
        self._progress: RunProgress | None = None
        self._show_run = Throttled(self._show_progress, _SHOW_SECONDS, call_later)
        self._remember = remember
        self._follow, self._repairs = settings.follow, settings.repair_after_correction
        self._corrected: int | None = None  # the frame that a repair began at
        self._problem = ""
        panel.track.advanced.set_settings(settings)
        panel.track.scope.select(scope)
        panel.prompts.set_collecting(settings.collect_prompts)
        controller.prompts.collects = settings.collect_prompts
        self._connect_views()
        events = controller.events
        events.document.connect(self._on_document)
        events.selection.connect(self._on_selection)
        events.candidates.connect(self._on_candidates)
        events.run.connect(self._on_run)
        events.busy.connect(self._on_busy)
        events.status.connect(self._on_status)
        events.problem.connect(self._on_problem)
        events.notice.connect(self._on_notice)
        for section in (panel.prompts, panel.strip, panel.track):
            section.set_enabled_reason(_NO_MOVIE)
        self.refresh()

    def refresh(self) -> None:
        """Say the next useful step."""
        if self._problem:
            self._panel.status.set_text(self._problem, "error")
            return
        status = next_step(self._controller, self._keys, busy=self._busy, tool=self._tool())
        self._panel.status.set_text(status.text, status.kind)

    def track(self, request: TrackOptions) -> None:
        """Track as asked, or stop if a run is under way."""
        if self._controller.tracking.is_tracking:
            self._controller.tracking.stop()
            return
        self.answer()
        self._controller.tracking.track(request)

    def repair(self) -> None:
        """Track again around the shown frame, and come back to it where the viewer followed."""
        self.answer()
        self._repair()

    def answer(self) -> None:
        """Have the model answer the prompts that wait, what was just drawn included."""
        self._flush()
        self._controller.prompts.answer_waiting()

    def show_tool(self) -> None:
        """Follow a change of the tool in hand: what was wrong with the last one is old news."""
        self._problem = ""
        self.refresh()

    def next_object(self) -> None:
        """Let the next prompt start a new object."""
        if self._controller.document is not None:
            self._flush()
            self._controller.select(None)
            self._take_first()

    def _connect_views(self) -> None:
        prompts, track, work = self._panel.prompts, self._panel.track, self._controller
        prompts.next_object.connect(self.next_object)
        prompts.next_mask_requested.connect(work.prompts.next_mask)
        prompts.prompt_cleared.connect(work.prompts.clear)
        prompts.answer_requested.connect(self.answer)
        prompts.undo.connect(self.undo)
        prompts.redo.connect(self.redo)
        track.track_requested.connect(self.track)
        track.stop_requested.connect(work.tracking.stop)
        track.repair_requested.connect(self.repair)
        track.advanced.settings_changed.connect(self._on_settings)
        track.scope.chosen.connect(lambda scope: self._remember(track_objects=scope))

    def undo(self) -> None:
        """Take the last step back, what was just drawn included."""
        if self._controller.document is not None:
            self._flush()
            self._controller.undo()

    def redo(self) -> None:
        """Do what was taken back again."""
        if self._controller.document is not None:
            self._controller.redo()

    def _on_settings(self, settings: TrackSettings) -> None:
        from src_model.document import SetOverlap

        self._follow, self._repairs = settings.follow, settings.repair_after_correction
        document, prompts = self._controller.document, self._controller.prompts
        prompts.collects = settings.collect_prompts
        self._panel.prompts.set_collecting(settings.collect_prompts)
        self._remember(
            follow=settings.follow, repair=settings.repair_after_correction, collect_prompts=settings.collect_prompts
        )
        if document is not None and not prompts.collects:
            self.answer()
        if document is not None and settings.overlap and settings.overlap != document.project.overlap:
            self._controller.do(SetOverlap(str(settings.overlap)))  # type: ignore[arg-type]

    # From the controller ----------------------------------------------------------------------------------------------

    def _on_document(self) -> None:
        document = self._controller.document
        for section in (self._panel.prompts, self._panel.strip, self._panel.track):
            section.set_enabled_reason(_NO_MOVIE if document is None else None)
        if self._document is not None:
            self._document.events.history.disconnect(self._on_history, missing_ok=True)
        self._document = document
        if document is None:
            self._panel.prompts.set_history(None, None)
        else:
            self._panel.track.set_length(document.movie.length)
            self._panel.track.set_overlap(_OVERLAPS, document.project.overlap)
            document.events.history.connect(self._on_history)
            self._panel.prompts.set_history(document.undo_label, document.redo_label)
        self._problem = ""
        self.refresh()

    def _on_history(self, change: HistoryChanged) -> None:
        self._panel.prompts.set_history(change.undo_label, change.redo_label)

    def _on_selection(self, object_id: int | None) -> None:
        if object_id is None:
            self._panel.prompts.set_object(None)
        else:
            info = self._controller.annotation.object(object_id)
            self._panel.prompts.set_object(info.title, rgb(info.color))

    def _on_candidates(self, candidates: MaskCandidates | None) -> None:
        count, chosen = (0, 0) if candidates is None else (len(candidates.masks), candidates.chosen)
        self._panel.prompts.set_candidates(count, chosen)
        # A run that is under way has the correction already.
        if candidates is not None and self._repairs and not self._controller.has_run and self._can_repair():
            self._repair()

    def _on_run(self, progress: RunProgress | None) -> None:
        if progress is None:
            self._show_run.flush()  # so that the last frame is the one in view
        last, self._progress = self._progress, progress
        if progress is None:
            self._show_progress()
            self._return_to_correction(last)
        else:
            self._show_run()

    def _show_progress(self) -> None:
        progress = self._progress
        self._panel.track.set_running(progress)
        if progress is not None and progress.frame >= 0 and self._follow:
            self._show_frame(progress.frame)
        self.refresh()

    def _repair(self) -> None:
        frame = self._controller.frame
        self._controller.tracking.repair()  # which ends a run that is under way
        self._corrected = frame

    def _return_to_correction(self, last: RunProgress | None) -> None:
        """After a repair, show the corrected frame again, unless the user looks at another one by now."""
        frame, self._corrected = self._corrected, None
        if frame is not None and last is not None and last.frame == self._controller.frame:
            self._show_frame(frame)

    def _on_busy(self, busy: bool) -> None:
        self._busy = busy
        self.refresh()

    def _on_status(self) -> None:
        self._problem = ""
        self._on_selection(self._controller.selected)
        document, selected, frame = self._controller.document, self._controller.selected, self._controller.frame
        span = None
        if document is not None and selected is not None and self._can_repair():
            frames = repair_span(self._controller.object_marks.of(selected), frame, self._controller.damaged)
            span = f"frames {frames.start} to {frames.stop - 1}"
        self._panel.track.set_repair(span)
        self.refresh()

    def _can_repair(self) -> bool:
        controller, selected = self._controller, self._controller.selected
        if controller.document is None or selected is None or selected not in controller.document.objects:
            return False
        return can_be_repaired(controller.object_marks.of(selected), controller.frame, controller.damaged)

    def _on_problem(self, text: str) -> None:
        self._problem = text
        self.refresh()

    def _on_notice(self, text: str) -> None:
        self._panel.status.set_text(text, "hint")  # until something else happens
