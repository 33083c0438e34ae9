"""The object table and the time strip of the document on the controller."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from napari_sam2v.bindings.object_turns import ObjectTurns
from napari_sam2v.controllers.document_listener import DocumentListener
from napari_sam2v.controllers.object_marks import hex_color, rgb
from napari_sam2v.wording import count
from src_model.document import (
    DeleteObject,
    Group,
    LockObject,
    MergeObjects,
    RecolorObject,
    RenameObject,
    ShowObject,
    SplitObject,
    SwapIds,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_sam2v.bindings.movie_binding import MovieBinding
    from napari_sam2v.controllers import AnnotationController
    from napari_sam2v.panel.panel import Panel
    from napari_sam2v.view_state import ObjectRow
    from src_model.document import Action, FramesChanged, LocksChanged, ObjectsChanged, PromptsChanged


class ObjectBinding:
    """Shows objects in the table and in the strip, and does on the document what the user does there.

    Parameters
    ----------
    panel
        Holds the object table and the time strip.
    controller
        Holds the document, the selection and the worker.
    movie
        Brings frames of the movie into view.
    clock
        Returns the time in seconds.
    """

    def __init__(
        self,
        panel: Panel,
        controller: AnnotationController,
        movie: MovieBinding,
        *,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._table, self._strip = panel.objects, panel.strip
        self._controller = controller
        self._movie = movie
        self._rows: list[ObjectRow] = []
        self._turns = ObjectTurns(panel, self._make_row, self._show_changed, clock)
        spans = dict.fromkeys(("frames", "prompts", "locks"), self._on_spans)
        self._listener = DocumentListener({"objects": self._on_objects, **spans})
        self._connect_views()
        controller.events.document.connect(self._on_document)
        controller.events.selection.connect(self._on_selection)
        controller.events.frame.connect(self._strip.set_frame)

    def close(self) -> None:
        """Show no changes any more."""
        self._turns.timer.stop()

    def _connect_views(self) -> None:
        table, strip = self._table, self._strip
        table.selected.connect(self._controller.select)
        table.renamed.connect(lambda i, name: self._do(RenameObject(i, name)))
        table.recolored.connect(lambda i, color: self._do(RecolorObject(i, hex_color(color))))
        table.visibility_changed.connect(lambda i, visible: self._do(ShowObject(i, visible)))
        table.lock_changed.connect(lambda i, locked: self._do(LockObject(i, locked)))
        table.jump_requested.connect(self._jump)
        table.delete_requested.connect(lambda ids: self._do_all("Delete", [DeleteObject(i) for i in ids]))
        table.merge_requested.connect(
            lambda into, others: self._do_all("Merge", [MergeObjects(into, other) for other in others])
        )
        table.split_requested.connect(self._split)
        table.swap_requested.connect(lambda ids: self._do(SwapIds(ids[0], ids[1], self._controller.frame)))
        table.isolate_requested.connect(self._isolate)
        strip.frame_clicked.connect(self._movie.show_frame)
        strip.worst_requested.connect(self.jump_to_worst)
        strip.lock_toggled.connect(self._controller.toggle_frame_lock)

    def jump_to_worst(self) -> None:
        """Bring the selected object's worst frame into view."""
        frame = self._controller.worst_frame()
        if frame is not None:
            self._movie.show_frame(frame)

    # From the document -----------------------------------------------------------------------------------------------

    def _on_document(self) -> None:
        self._listener.listen(self._controller.document)
        self._show_rows()
        self._on_selection(self._controller.selected)

    def _on_objects(self, change: ObjectsChanged) -> None:
        if change.added or change.removed:
            self._show_rows()
            self._table.set_selected(self._controller.selected)
        self._turns.touch(change.edited)

    def _on_spans(self, change: FramesChanged | PromptsChanged | LocksChanged) -> None:
        self._turns.touch(change.spans)

    def _show_rows(self) -> None:
        """Show all objects at once, and a little later their scores: of a long movie with many these take a while."""
        document = self._listener.document
        self._table.set_rows([] if document is None else self._controller.object_marks.outlines())
        self._turns.clear()
        self._turns.touch(() if document is None else document.objects)

    def _make_row(self, object_id: int) -> None:
        document = self._controller.document
        if document is not None and document.has(object_id):
            self._rows.append(self._controller.object_marks.row(object_id))

    def _show_changed(self, shown: set[int], _is_last: bool) -> None:
        rows, self._rows = self._rows, []
        self._table.update_rows(rows)
        if self._controller.selected in shown:
            self._show_marks()

    def _on_selection(self, object_id: int | None) -> None:
        self._table.set_selected(object_id)
        self._show_marks()

    def _show_marks(self) -> None:
        document, selected = self._controller.document, self._controller.selected
        if document is None or selected not in document.objects or selected is None:
            self._strip.set_marks(None, (128, 128, 128))
            return
        self._strip.set_marks(self._controller.object_marks.of(selected), rgb(document.object(selected).color))
        self._strip.set_frame(self._controller.frame)

    # From the views --------------------------------------------------------------------------------------------------

    def _do(self, action: Action) -> None:
        if self._controller.do(action) is None and self._listener.document is not None:
            self._show_rows()  # show what holds, not what was wished

    def _do_all(self, what: str, actions: list[Action]) -> None:
        if actions:
            self._do(
                actions[0] if len(actions) == 1 else Group(f"{what} {count(len(actions), 'object')}", tuple(actions))
            )

    def _jump(self, object_id: int) -> None:
        self._controller.select(object_id)
        self.jump_to_worst()

    def _split(self, object_id: int) -> None:
        self._do(SplitObject(object_id, self._controller.frame, self._controller.annotation.next_id()))

    def _isolate(self, ids: list[int]) -> None:
        objects = self._controller.annotation.objects
        wanted = set(ids) or set(objects)
        changes: list[Action] = [
            ShowObject(object_id, object_id in wanted)
            for object_id, info in objects.items()
            if info.visible != (object_id in wanted)
        ]
        self._do_all("Show", changes)
