"""The lineage of the document on the controller: its dock, the scene in it, and the selection in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_sam2v.bindings.object_turns import ObjectTurns
from napari_sam2v.bindings.panel_dock import PanelDock
from napari_sam2v.controllers.document_listener import DocumentListener
from napari_sam2v.controllers.lineage_scene import Edge, LineageScene, TrackShape
from napari_sam2v.controllers.object_marks import rgb
from napari_sam2v.panel.lineage_painting import ObjectLook
from napari_sam2v.panel.lineage_panel import LineagePanel
from napari_sam2v.wording import edge_line, track_line
from src_model.masks import centroid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari.components import ViewerModel
    from napari.viewer import Viewer

    from napari_sam2v.bindings.lineage_edits import LineageEdits
    from napari_sam2v.bindings.movie_binding import MovieBinding
    from napari_sam2v.controllers import AnnotationController
    from napari_sam2v.controllers.lineage_scene import Hit, TrackHit
    from napari_sam2v.panel.object_table import ObjectTable
    from src_model.document import Annotation, DivisionsChanged, FramesChanged, ObjectsChanged


class LineageDock(PanelDock[LineagePanel, "LineageBinding"]):
    """The dock of the lineage, which names keys.

    Parameters
    ----------
    viewer, bind
        As of any dock.
    """

    def __init__(self, viewer: Viewer, bind: Callable[[LineagePanel], LineageBinding]) -> None:
        super().__init__(viewer, "sam2v lineage", self._make_panel, bind)
        self._keys: Mapping[str, str] = {}

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """Name these keys, by action id."""
        self._keys = keys
        if self.panel is not None:
            self.panel.set_keys(keys)

    def _make_panel(self) -> LineagePanel:
        panel = LineagePanel()
        panel.set_keys(self._keys)
        return panel


class LineageBinding:
    """Shows the lineage of the open document, and goes where a person clicks.

    Parameters
    ----------
    viewer
        Viewer whose camera goes along.
    panel
        The lineage's dock.
    controller
        Holds the document, the frame and the selection.
    table
        Holds the selection of several objects.
    movie
        Brings frames and places into view.
    edits
        Does what is asked for with tracks and edges.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        panel: LineagePanel,
        controller: AnnotationController,
        table: ObjectTable,
        movie: MovieBinding,
        edits: LineageEdits,
    ) -> None:
        self._viewer, self._panel, self._canvas = viewer, panel, panel.canvas
        self._controller, self._table, self._movie, self._edits = controller, table, movie, edits
        self._listener = DocumentListener(
            {"objects": self._on_objects, "frames": self._on_frames, "divisions": self._on_divisions}
        )
        self._shapes: dict[int, TrackShape] = {}
        self._turns = ObjectTurns(panel, self._note_shape, self._after_turn)
        self._connect_views()
        self._signals: tuple[tuple[Any, Callable[..., None]], ...] = (
            (controller.events.document, self._on_document),
            (controller.events.frame, self._canvas.set_frame),
            (controller.events.selection, self._on_selected),
        )
        for signal, slot in self._signals:
            signal.connect(slot)
        self._on_document()

    def close(self) -> None:
        """Show nothing any more."""
        self._turns.timer.stop()
        self._listener.listen(None)
        self._table.selection_changed.disconnect(self._on_selection)
        for signal, slot in self._signals:
            signal.disconnect(slot, missing_ok=True)
        self._edits.edge = None

    def _connect_views(self) -> None:
        canvas = self._canvas
        canvas.track_clicked.connect(self._on_click)
        canvas.frame_clicked.connect(self._movie.show_frame)
        canvas.edge_clicked.connect(self._on_edge)
        canvas.edge_drawn.connect(self._edits.connect)
        canvas.edges_cut.connect(self._edits.disconnect)
        canvas.hovered.connect(self._on_hover)
        self._panel.action_requested.connect(self._edits.request)
        self._table.selection_changed.connect(self._on_selection)

    # From the document -----------------------------------------------------------------------------------------------

    def _on_document(self) -> None:
        document = self._controller.document
        self._listener.listen(document)
        self._shapes.clear()
        self._turns.clear()
        self._canvas.set_scene(LineageScene({}, {}, 0), {})
        self._canvas.set_frame(self._controller.frame)
        self._on_selection(self._table.selection())
        self._panel.set_enabled_reason("Choose a movie first" if document is None else None)
        self._turns.touch(() if document is None else document.objects)

    def _on_objects(self, change: ObjectsChanged) -> None:
        self._turns.touch((*change.added, *change.removed, *change.edited))

    def _on_frames(self, change: FramesChanged) -> None:
        self._turns.touch(change.spans)

    def _on_divisions(self, change: DivisionsChanged) -> None:
        self._turns.touch(change.parents)

    def _note_shape(self, object_id: int) -> None:
        document = self._controller.document
        shape = None
        if document is not None and document.has(object_id):
            shape = TrackShape.of(self._controller.object_marks.of(object_id))
        if shape is None:
            self._shapes.pop(object_id, None)
        else:
            self._shapes[object_id] = shape

    def _after_turn(self, _worked: set[int], is_last: bool) -> None:
        if is_last:
            self._show_scene()

    def _show_scene(self) -> None:
        document = self._controller.document
        if document is None:
            return
        objects = document.objects
        shapes = {number: shape for number, shape in self._shapes.items() if number in objects}
        scene = LineageScene(shapes, document.divisions, document.movie.length)
        looks = {number: ObjectLook(objects[number].name, rgb(objects[number].color)) for number in scene.place}
        is_first = not len(self._canvas.scene.ids)
        self._canvas.set_scene(scene, looks)
        self._edits.edge = self._canvas.chosen_edge
        if is_first and self._controller.selected is not None:
            self._canvas.bring_into_view(self._controller.selected)

    def _on_selection(self, object_ids: list[int]) -> None:
        self._edits.edge = None  # the next cut is meant for what was selected last
        self._canvas.set_chosen(object_ids)

    def _on_selected(self, object_id: int | None) -> None:
        if object_id is not None:
            self._canvas.bring_into_view(object_id)

    # From the view ---------------------------------------------------------------------------------------------------

    def _on_click(self, object_id: int, frame: int, is_added: bool) -> None:
        """Select an object, and go where it is on a frame; or select it too, and stay."""
        document = self._controller.annotation
        if not document.has(object_id):  # it was deleted a moment ago
            return
        if is_added:
            self._table.toggle(object_id)
            return
        self._table.select_only(object_id)
        self._controller.select(object_id)
        self._movie.show_frame(frame)
        mask = document.mask_at(object_id, frame)
        place = None if mask is None else centroid(mask)
        if place is not None and self._movie.geometry is not None:
            self._movie.geometry.look_at(self._viewer, frame, place)

    def _on_edge(self, edge: Edge | None) -> None:
        self._edits.edge = edge

    def _on_hover(self, hit: Hit) -> None:
        document = self._listener.document
        self._panel.set_line("" if hit is None or document is None else self._line_of(hit, document))

    def _line_of(self, hit: TrackHit | Edge, document: Annotation) -> str:
        named = (hit.parent, hit.daughter) if isinstance(hit, Edge) else (hit.object_id,)
        if not all(map(document.has, named)):  # deleted a moment ago
            return ""
        if isinstance(hit, Edge):
            return edge_line(document.object(hit.parent).title, document.object(hit.daughter).title, hit.frame)
        info, scene = document.object(hit.object_id), self._canvas.scene
        place = scene.place[hit.object_id]
        entry = document.frame(hit.object_id, hit.frame)
        return track_line(
            info.title,
            range(int(scene.starts[place]), int(scene.stops[place])),
            hit.frame,
            None if entry is None or entry.mask.is_empty else entry.score,
            info.note,
        )
