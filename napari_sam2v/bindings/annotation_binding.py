"""Prompts, tracking and the status line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from superqt.utils import qthrottled

from napari_sam2v.controllers.object_marks import rgb
from napari_sam2v.controllers.status import next_step
from napari_sam2v.controllers.track_controller import can_be_repaired, repair_span
from napari_sam2v.preferences import remember

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_sam2v.bindings.layer_binding import LayerBinding
    from napari_sam2v.bindings.movie_binding import MovieBinding
    from napari_sam2v.bindings.tool_binding import ToolBinding
    from napari_sam2v.controllers import AnnotationController, MaskCandidates
    from napari_sam2v.panel.panel import Panel
    from napari_sam2v.preferences import Preferences
    from napari_sam2v.view_state import TrackOptions
    from src_model.document import Annotation, HistoryChanged
    from src_model.workflow import WholeMovieOptions
    from src_model.workflow.progress import RunProgress

_NO_MOVIE = "Choose a movie first"
_SHOW_MILLISECONDS = 100
"""How often the viewer and the progress follow a run; the tracker does not wait for them."""


class AnnotationBinding:
    """Connects the prompt and track sections and the status line with the controller.

    Parameters
    ----------
    panel
        Holds the prompt and track sections and the status line.
    controller
        Holds the document, the selection and the worker.
    layers
        Layers of the document; what was just drawn on them is taken over before a step.
    movie
        Brings frames into view, and says what is being read.
    tools
        Activates prompt tools, and says which one is active.
    preferences
        Options to begin with.
    """

    def __init__(
        self,
        panel: Panel,
        controller: AnnotationController,
        layers: LayerBinding,
        movie: MovieBinding,
        tools: ToolBinding,
        preferences: Preferences,
    ) -> None:
        self._panel, self._controller = panel, controller
        self._layers, self._movie, self._tools = layers, movie, tools
        self._keys: Mapping[str, str] = {}
        self._busy = False
        self._document: Annotation | None = None
        self._progress: RunProgress | None = None
        self._show_run = qthrottled(self._show_progress, timeout=_SHOW_MILLISECONDS)
        self._follow, self._repairs = preferences.follow, preferences.repair
        self._corrected: int | None = None  # the frame that a repair began at
        self._problem = ""
        panel.track.advanced.form.show_values(
            repair=preferences.repair,
            collect_prompts=preferences.collect_prompts,
            follow=preferences.follow,
            look_every=preferences.look_every,
            divisions=preferences.divisions,
        )
        panel.track.options.show_values(objects=preferences.track_objects)
        panel.prompts.set_collecting(preferences.collect_prompts)
        controller.prompts.collects = preferences.collect_prompts
        self._connect_views()
        self._connect_controller()
        for section in (panel.prompts, panel.track):
            section.set_enabled_reason(_NO_MOVIE)
        panel.track.advanced.form.widgets["overlap"].enabled = False  # of no document yet
        self.refresh()

    def close(self) -> None:
        """Show no progress any more."""
        self._show_run.cancel()
        self._show_run.flush(restart_timer=False)

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """Name these keys, by action id, in the status line."""
        self._keys = keys
        self.refresh()

    def refresh(self) -> None:
        """Say the next useful step."""
        if self._problem:
            self._panel.status.set_text(self._problem, "error")
            return
        status = next_step(self._controller, self._keys, busy=self._busy, tool=self._tools.active_tool)
        self._panel.status.set_text(status.text, status.kind)

    def track(self, request: TrackOptions) -> None:
        """Track as asked, or stop if a run is under way."""
        if self._controller.tracking.is_tracking:
            self._controller.tracking.stop()
            return
        self.answer()
        self._controller.tracking.track(request)

    def track_all(self, request: WholeMovieOptions) -> None:
        """Find and track all, or stop if a run is under way."""
        if self._controller.tracking.is_tracking:
            self._controller.tracking.stop()
            return
        self.answer()
        self._controller.tracking.track_all(request)

    def repair(self) -> None:
        """Track again around the shown frame; the viewer, if it follows, comes back to that frame afterwards."""
        self.answer()
        self._repair()

    def answer(self) -> None:
        """Let the model answer the waiting prompts, including what was just drawn."""
        self._layers.flush()
        self._controller.prompts.answer_waiting()

    def next_object(self) -> None:
        """Let the next prompt start a new object."""
        if self._controller.document is not None:
            self._layers.flush()
            self._controller.select(None)
            self._tools.activate_for_new_object()

    def _connect_views(self) -> None:
        prompts, track, controller = self._panel.prompts, self._panel.track, self._controller
        prompts.next_object.connect(self.next_object)
        prompts.next_mask_requested.connect(controller.prompts.next_mask)
        prompts.prompt_cleared.connect(controller.prompts.clear)
        prompts.answer_requested.connect(self.answer)
        prompts.undo.connect(self.undo)
        prompts.redo.connect(self.redo)
        track.track_requested.connect(self.track)
        self._panel.finding.whole_movie_requested.connect(lambda: self.track_all(track.whole_movie_request()))
        track.stop_requested.connect(controller.tracking.stop)
        track.repair_requested.connect(self.repair)
        track.advanced.form.changed.connect(self._on_setting)
        track.options.changed.connect(self._on_track_option)
        self._tools.changed.connect(self._on_tool)
        self._movie.reading.connect(self._on_reading)

    def _connect_controller(self) -> None:
        events = self._controller.events
        events.document.connect(self._on_document)
        events.selection.connect(self._on_selection)
        events.candidates.connect(self._on_candidates)
        events.run.connect(self._on_run)
        events.busy.connect(self._on_busy)
        events.status.connect(self._on_status)
        events.problem.connect(self._on_problem)
        events.notice.connect(self._on_notice)

    def undo(self) -> None:
        """Undo the last step, including what was just drawn."""
        if self._controller.document is not None:
            self._layers.flush()
            self._controller.undo()

    def redo(self) -> None:
        """Redo the step that was undone."""
        if self._controller.document is not None:
            self._controller.redo()

    def _on_setting(self, name: str, value: Any) -> None:
        from src_model.document import SetOverlap

        document, prompts = self._controller.document, self._controller.prompts
        if name == "overlap":
            if document is not None and value != document.project.overlap:
                self._controller.do(SetOverlap(value))
            return
        if name == "follow":
            self._follow = value
        elif name == "repair":
            self._repairs = value
        elif name == "collect_prompts":
            prompts.collects = value
            self._panel.prompts.set_collecting(value)
            if document is not None and not value:
                self.answer()
        remember(**{name: value})

    def _on_track_option(self, name: str, value: Any) -> None:
        if name == "objects":
            remember(track_objects=value)

    # From the controller ----------------------------------------------------------------------------------------------

    def _on_document(self) -> None:
        document = self._controller.document
        for section in (self._panel.prompts, self._panel.track):
            section.set_enabled_reason(_NO_MOVIE if document is None else None)
        if self._document is not None:
            self._document.events.history.disconnect(self._on_history, missing_ok=True)
        self._document = document
        self._panel.track.advanced.form.widgets["overlap"].enabled = document is not None
        if document is None:
            self._panel.prompts.set_history(None, None)
        else:
            self._panel.track.set_length(document.movie.length)
            self._panel.track.advanced.form.show_values(overlap=document.project.overlap)
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
            self._movie.show_frame(progress.frame)
        self.refresh()

    def _repair(self) -> None:
        if not self._controller.tracking.is_tracking:  # else it is refused
            self._corrected = self._controller.frame
        self._controller.tracking.repair()

    def _return_to_correction(self, last: RunProgress | None) -> None:
        """After a repair, show the corrected frame again, unless the user looks at another one by now."""
        frame, self._corrected = self._corrected, None
        if frame is not None and last is not None and last.frame == self._controller.frame:
            self._movie.show_frame(frame)

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

    def _on_tool(self) -> None:
        self._problem = ""  # what was wrong with the last tool is old news
        self.refresh()

    def _on_reading(self, progress: RunProgress | None) -> None:
        if progress is None:
            self.refresh()
        else:
            self._panel.status.set_text(progress.text, "busy")

    def _on_problem(self, text: str) -> None:
        self._problem = text
        self.refresh()

    def _on_notice(self, text: str) -> None:
        self._panel.status.set_text(text, "hint")  # until something else happens
