"""Edits of the lineage by hand, with what is selected in the table or in the lineage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_sam2v.controllers.lineage_editing import connected, cut, divided, fused, joined, uncoupled
from src_model.errors import Sam2vError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_sam2v.controllers import AnnotationController
    from napari_sam2v.controllers.lineage_scene import Edge
    from napari_sam2v.panel.object_table import ObjectTable
    from src_model.document import Action


class LineageEdits:
    """Does on the document what keys, buttons and drags ask for; what cannot be is told in the status line.

    Parameters
    ----------
    controller
        Holds the document.
    table
        Holds the selection.

    Attributes
    ----------
    edge
        The edge that was clicked in the lineage, which is cut before anything else is; None for none.
    """

    def __init__(self, controller: AnnotationController, table: ObjectTable) -> None:
        self.edge: Edge | None = None
        self._controller, self._table = controller, table
        self.handlers: dict[str, Callable[[], None]] = {
            "mark_division": lambda: self._do(lambda: divided(controller.annotation, table.selection())),
            "mark_fusion": lambda: self._do(lambda: fused(controller.annotation, table.selection())),
            "join_tracks": lambda: self._do(lambda: joined(controller.annotation, table.selection())),
            "cut_track": self._cut,
        }
        table.action_requested.connect(self.request)

    def request(self, name: str) -> None:
        """Do the action of an id."""
        if self._controller.document is not None:
            self.handlers[name]()

    def connect(self, edge: Edge) -> None:
        """Let the daughter of an edge come of its parent."""
        self._do(lambda: connected(self._controller.annotation, edge.parent, [edge.daughter]))

    def disconnect(self, edges: Sequence[Edge]) -> None:
        """Cut edges."""
        self._do(lambda: uncoupled([(edge.parent, edge.daughter) for edge in edges]))

    def _cut(self) -> None:
        if self.edge is not None:
            self.disconnect([self.edge])
        else:
            self._do(lambda: cut(self._controller.annotation, self._table.selection(), self._controller.frame))

    def _do(self, make: Callable[[], Action]) -> None:
        try:
            action = make()
        except Sam2vError as error:
            self._controller.report_error(error)
            return
        self.edge = None
        if self._controller.do(action) is not None:
            self._controller.events.notice.emit(f"{action.label}: done")
